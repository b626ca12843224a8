"""UCF: takes apart what a picture shows, what its manipulation leaves behind, and what all manipulations leave behind.

One Xception sees the content, another the traces, which split into those of one manipulation and those common to all.
A decoder must draw pictures again from one picture's content and another's traces. Only the common traces judge.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Batch, Detector, Paper, check_input_size, check_whole, classification
from unmask.detectors.xception import XceptionBackbone, centred

#: Weights of the losses beside the classification.
_SPECIFIC, _DRAWING, _CONTRAST = 0.1, 0.3, 0.05
_MARGIN = 3.0
#: Share of the steps in which common traces change places among the reals and among the fakes.
_SHUFFLED = 0.7


class UCF(Detector):
    """Two encoders, a decoder, and heads for common and for specific traces.

    Args:
        input_size: side of the crops in pixels, from 64 to 1024.
        methods: how many manipulations the training data tell apart, from 1 to 1,000.
        drop_rate: share of the heads' logits that are zeroed in training.
        width: see ``XceptionBackbone``; what follows is as wide.
        pretrained: see ``XceptionBackbone``, for both encoders.
        weights: see ``XceptionBackbone``, for both encoders.

    Raises:
        ValueError: ``input_size`` or ``methods`` is out of range, or ``weights`` does not fit.
    """

    paper: ClassVar[Paper] = Paper(
        title="Yan et al., UCF: Uncovering Common Features for Generalizable Deepfake Detection, ICCV 2023",
        url="https://arxiv.org/abs/2304.13949",
        parameters="not stated; 46.8 M by the layers of the authors' code (DeepfakeBench)",
        departs="one logit in place of two classes for the common traces; pictures are drawn at any size, not at "
        "multiples of 32 only; weights of the losses, the margin and dropout of logits are those of the authors' code",
    )
    wants: ClassVar[tuple[str, ...]] = ("methods",)
    head: nn.Linear

    def __init__(
        self,
        *,
        input_size: int,
        methods: int = 4,
        drop_rate: float = 0.2,
        width: float = 1.0,
        pretrained: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        check_input_size(input_size, least=64)
        check_whole("methods", methods, 1, 1000)
        self.input_size = input_size
        self.methods = methods
        self.traces = _Encoder(width=width, pretrained=pretrained, weights=weights)
        self.content = _Encoder(width=width, pretrained=pretrained, weights=weights)
        channels = self.traces.channels
        half = channels // 2
        self.specific = _split(channels)
        self.common = _split(channels)
        self.decoder = _Decoder(channels, input_size)
        self.dropout = nn.Dropout(drop_rate)
        self.specific_head = nn.Sequential(nn.Linear(half, channels), nn.LeakyReLU(), nn.Linear(channels, methods + 1))
        self.hidden = nn.Sequential(nn.Linear(half, channels), nn.LeakyReLU())
        self.head = nn.Linear(channels, 1)

    def features(self, images: Tensor) -> Tensor:
        """The last hidden layer of the common traces: (B, 3, S, S) in [0, 1] to (B, F)."""
        common = self.common(self.traces(centred(images)))  # (B, 256, S / 32, S / 32)
        hidden: Tensor = self.hidden(common.mean((2, 3)))
        return hidden

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy of the common traces and of the specific ones, the reconstructions, and the contrasts.

        Raises:
            ValueError: a number in "methods" is not from 0 to the detector's ``methods``.
        """
        methods = batch["methods"]
        if not 0 <= int(methods.min()) <= int(methods.max()) <= self.methods:
            raise ValueError(
                f"the batch has methods {int(methods.min())} to {int(methods.max())}, "
                f"this detector is built for 0 to {self.methods}: set its argument methods"
            )
        images = centred(batch["images"])
        seen = self._taken_apart(images, batch["labels"])
        common, specific = seen.common.mean((2, 3)), seen.specific.mean((2, 3))  # (B, 256), (B, 256)
        logits = self.dropout(self.head(self.hidden(common))).squeeze(1)  # (B,)
        kinds = self.dropout(self.specific_head(specific))  # (B, 1 + methods)
        return {
            "classification": classification(logits, batch),
            "specific": _SPECIFIC * functional.cross_entropy(kinds.float(), methods),
            "reconstruction": _DRAWING * self._drawing(images, seen),
            "contrast": _CONTRAST * contrast(common.float(), specific.float(), batch["labels"], methods),
        }

    def _taken_apart(self, images: Tensor, labels: Tensor) -> _Apart:
        traces = self.traces(images)  # (B, 512, S / 32, S / 32)
        common = self.common(traces)
        if self.training and torch.rand(()) < _SHUFFLED:
            common = common[shuffled(labels)]
        return _Apart(self.specific(traces), common, self.content(images))

    def _drawing(self, images: Tensor, seen: _Apart) -> Tensor:
        """Mean distances of each class's pictures drawn with their own traces and with their partners', added up."""
        traces = torch.cat([seen.specific, seen.common], 1)  # (B, 512, S / 32, S / 32)
        partners = torch.arange(len(traces), device=traces.device) ^ 1  # rows 2 i and 2 i + 1 are a pair
        own, crossed = self.decoder(seen.content, traces), self.decoder(seen.content, traces[partners])
        # Each of four means, of reals and fakes, own and crossed, is over half of the batch.
        return 2 * ((own - images).abs().float().mean() + (crossed - images).abs().float().mean())


class _Apart(NamedTuple):
    """Pictures taken apart, each (B, ..., S / 32, S / 32).

    Attributes:
        specific: traces of one manipulation, 256 channels.
        common: traces of all, 256 channels.
        content: 512 channels.
    """

    specific: Tensor
    common: Tensor
    content: Tensor


def shuffled(kinds: Tensor) -> Tensor:
    """Places of the rows, (B,), changed by chance among rows of the same kind."""
    chance = torch.randperm(len(kinds), device=kinds.device)
    order = torch.argsort(kinds, stable=True)
    return torch.empty_like(order).index_copy(0, order, chance[torch.argsort(kinds[chance], stable=True)])


def contrast(common: Tensor, specific: Tensor, labels: Tensor, methods: Tensor) -> Tensor:
    """Traces must be nearer to another of their kind than to the other class's, by a margin.

    The first other is drawn by chance: of the same class for common traces, of the same manipulation for specific
    ones. The second is a row of the other class, drawn alike.

    Args:
        common: (B, C).
        specific: (B, C).
        labels: (B,), 0 and 1 in turn.
        methods: (B,), from 0.

    Returns:
        The sum of four means of a hinge, of real and of fake, common and specific traces.
    """
    partners = torch.arange(len(common), device=common.device) ^ 1
    total = common.new_zeros(())
    for values, kinds in ((common, labels), (specific, methods)):
        alike = values[shuffled(kinds)]
        near = functional.pairwise_distance(values, alike)  # (B,)
        far = functional.pairwise_distance(values, alike[partners])
        total = total + 2 * (near - far + _MARGIN).clamp(min=0).mean()
    return total


class _Encoder(nn.Module):
    """Xception without its last ReLU, and a convolution to 512 channels: (B, 3, S, S) to (B, 512, S / 32, S / 32)."""

    def __init__(self, *, width: float, pretrained: bool, weights: str | Path | None) -> None:
        super().__init__()
        self.backbone = XceptionBackbone(width=width, pretrained=pretrained, weights=weights)
        self.channels = 2 * self.backbone.channels(256)  # even at any width
        self.adjust = nn.Sequential(
            nn.Conv2d(self.backbone.num_features, self.channels, 1), nn.BatchNorm2d(self.channels), nn.ReLU()
        )

    def forward(self, images: Tensor) -> Tensor:
        net = self.backbone
        maps = net.blocks(net.stem(images), 1, 12)
        maps = net.bn4(net.conv4(functional.relu(net.bn3(net.conv3(maps)))))
        out: Tensor = self.adjust(maps)
        return out


class _Decoder(nn.Module):
    """Draws a picture of given content with given traces: from (B, 512, H, W) each to (B, 3, S, S) in [-1, 1]."""

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.dropout = nn.Dropout(0.3)
        widths = [channels // share for share in (1, 2, 4, 8)]
        self.stages = nn.ModuleList(
            nn.Sequential(
                *(nn.Conv2d(before, after, 3, padding=1), nn.ReLU()),
                *(nn.Conv2d(after, after, 3, padding=1), nn.ReLU()),
            )
            for before, after in pairwise(widths)
        )
        self.draw = nn.Conv2d(widths[-1], 3, 1)

    def forward(self, content: Tensor, traces: Tensor) -> Tensor:
        for number, stage in enumerate(self.stages, start=1):
            content = stage(self._grown(restyled(content, traces)))
            if number < len(self.stages):
                traces = stage(self._grown(traces))
        maps = self.draw(content)  # (B, 3, 8 H, 8 W)
        size = (self.size, self.size)
        return functional.interpolate(maps, size=size, mode="bilinear", align_corners=True).tanh()

    def _grown(self, maps: Tensor) -> Tensor:
        out: Tensor = self.dropout(functional.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=True))
        return out


def restyled(content: Tensor, style: Tensor) -> Tensor:
    """Maps with the mean and the deviation, channel by channel, of other maps (AdaIN, Huang and Belongie, 2017).

    Args:
        content: (B, C, H, W), at least two pixels.
        style: (B, C, H', W').
    """
    with torch.autocast(content.device.type, enabled=False):
        content, style = content.float(), style.float()
        spread, mean = torch.var_mean(content, (2, 3), keepdim=True)
        new_spread, new_mean = torch.var_mean(style, (2, 3), keepdim=True)
        return (content - mean) / (spread + 1e-5).sqrt() * (new_spread + 1e-5).sqrt() + new_mean


def _split(channels: int) -> nn.Sequential:
    """Three convolutions of 1 x 1 to half of the channels."""
    half = channels // 2
    return nn.Sequential(
        *(nn.Conv2d(channels, half, 1), nn.LeakyReLU()),
        *(nn.Conv2d(half, half, 1), nn.LeakyReLU()),
        nn.Conv2d(half, half, 1),
    )
