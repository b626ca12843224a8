"""Xception, the backbone of many published detectors and a detector itself.

Written out, because others add to its inside: an attention map between its blocks, further channels at its entrance.
Its tensors bear timm's names (``legacy_xception``), so timm's ImageNet weights load into it.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import timm
import torch
from torch import Tensor, nn

from unmask.detectors.base import Detector, Paper, check_input_size
from unmask.detectors.weights import load_weights

#: Channels of the twelve blocks' outputs at full width.
_BLOCKS = (128, 256, *[728] * 9, 1024)
#: The blocks that halve the picture.
_HALVING = (1, 2, 3, 12)


class XceptionBackbone(nn.Module):
    """Two convolutions, twelve residual blocks of separable ones and two more: (B, C, S, S) to (B, F, S / 32, S / 32).

    Args:
        in_channels: C.
        width: share of the channels, 1 as published; tests take less.
        pretrained: let timm download ImageNet weights (needs a network). Further input channels get the mean of three.
        weights: a file of such weights instead.

    Attributes:
        num_features: F, 2048 at full width.

    Raises:
        ValueError: ``weights`` does not fit.
    """

    def __init__(
        self,
        *,
        in_channels: int = 3,
        width: float = 1.0,
        pretrained: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        self.width = width
        first, second = self.channels(32), self.channels(64)
        self.conv1 = nn.Conv2d(in_channels, first, 3, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.conv2 = nn.Conv2d(first, second, 3, bias=False)
        self.bn2 = nn.BatchNorm2d(second)
        before = second
        for number, full in enumerate(_BLOCKS, start=1):
            after = self.channels(full)
            setattr(self, f"block{number}", _Block(before, after, number))
            before = after
        self.conv3 = _Separable(before, self.channels(1536))
        self.bn3 = nn.BatchNorm2d(self.channels(1536))
        self.num_features = self.channels(2048)
        self.conv4 = _Separable(self.channels(1536), self.num_features)
        self.bn4 = nn.BatchNorm2d(self.num_features)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if pretrained:
            self._take(timm.create_model("legacy_xception", pretrained=True, num_classes=0))
        elif weights is not None:
            given = timm.create_model("legacy_xception", num_classes=0)
            load_weights(given, weights)
            self._take(given)

    def channels(self, full: int) -> int:
        """So many of ``full`` channels as this width has."""
        return max(int(full * self.width), 4)

    def stem(self, images: Tensor) -> Tensor:
        """What comes before the first block: (B, C, S, S) to (B, 64, S / 2, S / 2)."""
        relu = nn.functional.relu
        return relu(self.bn2(self.conv2(relu(self.bn1(self.conv1(images))))))

    def blocks(self, maps: Tensor, first: int, last: int) -> Tensor:
        """Run blocks ``first`` to ``last``, from 1 to 12, both included."""
        for number in range(first, last + 1):
            maps = getattr(self, f"block{number}")(maps)
        return maps

    def tail(self, maps: Tensor) -> Tensor:
        """What comes after the last block: (B, 1024, S / 32, S / 32) to (B, 2048, S / 32, S / 32)."""
        relu = nn.functional.relu
        return relu(self.bn4(self.conv4(relu(self.bn3(self.conv3(maps))))))

    def group_matcher(self, *, coarse: bool = False) -> dict[str, object]:
        """Its layers from the first to the last, in timm's way of telling them."""
        blocks: object = r"^block(\d+)"
        return {
            "stem": r"^conv[12]|bn[12]",
            "blocks": blocks if coarse else [(blocks, None), (r"^conv[34]|bn[34]", (99,))],
        }

    def forward(self, images: Tensor) -> Tensor:
        """All of it, to the maps before pooling."""
        return self.tail(self.blocks(self.stem(images), 1, 12))

    def _take(self, given: nn.Module) -> None:
        state = given.state_dict()
        own = self.conv1.weight
        if own.shape != state["conv1.weight"].shape:
            more = own.shape[1] - 3
            mean = state["conv1.weight"].mean(1, keepdim=True).expand(-1, max(more, 0), -1, -1)
            state["conv1.weight"] = torch.cat([state["conv1.weight"], mean], 1)[:, : own.shape[1]]
        try:
            self.load_state_dict(state)
        except RuntimeError as error:
            raise ValueError(f"ImageNet weights are for Xception of full width, not {self.width}") from error


class Xception(Detector):
    """Xception with one logit.

    Args:
        input_size: side of the crops in pixels.
        drop_rate: dropout before the last layer.
        width: see ``XceptionBackbone``.
        pretrained: see ``XceptionBackbone``.
        weights: see ``XceptionBackbone``.
    """

    paper: ClassVar[Paper] = Paper(
        title="Rössler et al., FaceForensics++: Learning to Detect Manipulated Facial Images, ICCV 2019; network: "
        "Chollet, Xception: Deep Learning with Depthwise Separable Convolutions, CVPR 2017",
        url="https://arxiv.org/abs/1901.08971",
        parameters="22.9 M with ImageNet's classifier of 1,000 classes (Chollet, table 3: 22,855,952)",
        departs="one logit in place of two classes; trained in one go, not the last layer first",
    )

    def __init__(
        self,
        *,
        input_size: int,
        drop_rate: float = 0.0,
        width: float = 1.0,
        pretrained: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        check_input_size(input_size, least=32)
        self.input_size = input_size
        self.backbone = XceptionBackbone(width=width, pretrained=pretrained, weights=weights)
        self.dropout = nn.Dropout(drop_rate)
        self.head = nn.Linear(self.backbone.num_features, 1)

    def features(self, images: Tensor) -> Tensor:
        """Pooled maps, with dropout in training: (B, 3, S, S) in [0, 1] to (B, F)."""
        maps = self.backbone(centred(images))  # (B, F, S / 32, S / 32)
        pooled: Tensor = self.dropout(maps.mean((2, 3)))
        return pooled


def centred(images: Tensor) -> Tensor:
    """Pictures in [0, 1] to [-1, 1], as Xception's ImageNet weights want them."""
    return (images * 2 - 1).contiguous(memory_format=torch.channels_last)


class _Separable(nn.Module):
    """A 3 x 3 convolution of each channel, then one of 1 x 1 across them."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, before, 3, padding=1, groups=before, bias=False)
        self.pointwise = nn.Conv2d(before, after, 1, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.pointwise(self.conv1(maps))
        return out


class _Block(nn.Module):
    """Two or three separable convolutions beside a skip, halving the picture at the entrance and at the exit."""

    def __init__(self, before: int, after: int, number: int) -> None:
        super().__init__()
        halving = number in _HALVING
        # The exit block widens at its end, the others at their beginning.
        widths = [before, *([before] if number == 12 else [after]), *([after] * (1 if halving else 2))]
        layers: list[nn.Module] = []
        for one, two in pairwise(widths):
            layers += [nn.ReLU(), _Separable(one, two), nn.BatchNorm2d(two)]
        if number == 1:  # the stem ends in one
            layers = layers[1:]
        if halving:
            layers.append(nn.MaxPool2d(3, 2, 1))
            self.skip: nn.Module | None = nn.Conv2d(before, after, 1, stride=2, bias=False)
            self.skipbn = nn.BatchNorm2d(after)
        else:
            self.skip = None
        self.rep = nn.Sequential(*layers)

    def forward(self, maps: Tensor) -> Tensor:
        beside = maps if self.skip is None else self.skipbn(self.skip(maps))
        out: Tensor = self.rep(maps) + beside
        return out
