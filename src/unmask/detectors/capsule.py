"""Capsule-Forensics: small capsules on the front of VGG-19, which agree by routing on what is real and what is fake."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import timm
import torch
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Batch, Detector, Paper, check_input_size
from unmask.detectors.weights import load_weights

#: Output channels of VGG-19's convolutions up to its third pooling, 0 where it pools.
_FRONT = (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0)
_CAPSULES = 10
#: Sizes of what a primary capsule says and of what an output capsule says.
_SAYS, _ANSWERS = 8, 4
_ROUNDS = 2
_NOISE = 0.01


class Capsule(Detector):
    """Ten primary capsules, dynamic routing in two rounds, and two output capsules: real and fake.

    Args:
        input_size: side of the crops in pixels, from 16 to 1024.
        drop_rate: share of the primary capsules' votes that are left out in training, from 0 to below 1.
        pretrained: let timm download VGG-19's ImageNet weights (needs a network).
        weights: a file of such weights instead, timm's or torchvision's. With either the front is frozen.

    Raises:
        ValueError: ``input_size`` or ``drop_rate`` is out of range, or ``weights`` does not fit.
    """

    paper: ClassVar[Paper] = Paper(
        title="Nguyen, Yamagishi and Echizen, Use of a Capsule Network to Detect Fake Images and Videos, 2019",
        url="https://arxiv.org/abs/1910.12467",
        parameters="3,896,638 by the layers of the authors' code, 2,325,568 of them VGG-19's",
        departs="one logit: the sum over four dimensions of the two output capsules' differences, where the authors "
        "average four softmaxes, which never leaves 0.27 to 0.73; what is trained is theirs, a cross-entropy for each "
        "dimension; without ImageNet's weights the front is trained, not frozen",
    )

    def __init__(
        self,
        *,
        input_size: int,
        drop_rate: float = 0.05,
        pretrained: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        check_input_size(input_size)
        if isinstance(drop_rate, bool) or not isinstance(drop_rate, int | float) or not 0 <= drop_rate < 1:
            raise ValueError(f"drop_rate is {drop_rate!r}, not a number from 0 to below 1")
        self.input_size = input_size
        self.drop_rate = drop_rate
        self.mean = nn.Buffer(torch.tensor(IMAGENET_DEFAULT_MEAN).view(1, 3, 1, 1))
        self.std = nn.Buffer(torch.tensor(IMAGENET_DEFAULT_STD).view(1, 3, 1, 1))
        self.front = _Front()
        if pretrained:
            given = timm.create_model("vgg19", pretrained=True).state_dict()
            self.front.load_state_dict({name: given[name] for name in self.front.state_dict()})
        elif weights is not None:
            load_weights(self.front, weights)
        if pretrained or weights is not None:
            self.front.requires_grad_(False)
        self.primary = _Primaries()
        self.routes = nn.Parameter(torch.randn(2, _CAPSULES, _ANSWERS, _SAYS))
        self.head = None

    def features(self, images: Tensor) -> Tensor:
        """What the output capsules say, real's four numbers, then fake's: (B, 3, S, S) in [0, 1] to (B, 8)."""
        images = ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        maps = self.front(images)  # (B, 256, S / 8, S / 8)
        with torch.autocast(maps.device.type, enabled=False):  # lengths near zero are divided by
            said = squash(self.primary(maps.float()), 1)  # (B, 10, 8)
            return self._route(said).flatten(1)  # (B, 2 * 4)

    def forward(self, images: Tensor) -> Tensor:  # type: ignore[override]
        """Logits of fake, (B,)."""
        return self._differences(images).sum(1)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """A cross-entropy for each dimension of the output capsules, added up."""
        votes = self._differences(batch["images"])  # (B, 4)
        targets = batch["targets"][:, None].expand_as(votes)
        terms = functional.binary_cross_entropy_with_logits(votes, targets, reduction="none")  # (B, 4)
        return {"classification": terms.sum(1).mean()}

    def _differences(self, images: Tensor) -> Tensor:
        """How much more the capsule of fake says than that of real, (B, 4)."""
        real, fake = self.features(images).chunk(2, 1)
        return fake - real

    def _route(self, said: Tensor) -> Tensor:
        """What the output capsules make of the primary ones: (B, 10, 8) to (B, 2, 4)."""
        routes: Tensor = self.routes
        if self.training:
            routes = routes + _NOISE * torch.randn_like(routes)
        votes = torch.einsum("ocas,bcs->boca", routes, said)  # (B, 2, 10, 4)
        if self.training:
            votes = votes * (torch.rand_like(votes) >= self.drop_rate)
        agreement = torch.zeros_like(votes)
        for _ in range(_ROUNDS - 1):
            answers = squash((agreement.softmax(2) * votes).sum(2, keepdim=True), 3)  # (B, 2, 1, 4)
            agreement = agreement + votes * answers
        return squash((agreement.softmax(2) * votes).sum(2), 2)


def squash(vectors: Tensor, axis: int) -> Tensor:
    """Vectors along ``axis`` brought to a length below one: n becomes n^2 / (1 + n^2), and none stays none."""
    squared = vectors.square().sum(axis, keepdim=True)
    return vectors * squared / ((1 + squared) * (squared + 1e-12).sqrt())


class _Front(nn.Module):
    """VGG-19 up to its third pooling, under its own names: (B, 3, S, S) to (B, 256, S / 8, S / 8)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for after in _FRONT:
            if after:
                convolution = nn.Conv2d(before, after, 3, padding=1)
                nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
                layers += [convolution, nn.ReLU()]
                before = after
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        maps: Tensor = self.features(images)
        return maps


class _Primaries(nn.Module):
    """The primary capsules beside each other, as groups of channels: (B, 256, H, W) to (B, 10, 8)."""

    def __init__(self) -> None:
        super().__init__()
        wide, narrow, inner = 64 * _CAPSULES, 16 * _CAPSULES, _SAYS * _CAPSULES
        self.maps = nn.Sequential(
            *(nn.Conv2d(256, wide, 3, padding=1), nn.BatchNorm2d(wide), nn.ReLU()),
            *(nn.Conv2d(wide, narrow, 3, padding=1, groups=_CAPSULES), nn.BatchNorm2d(narrow), nn.ReLU()),
        )
        self.statistics = nn.Sequential(
            nn.Conv1d(2 * _CAPSULES, inner, 5, stride=2, padding=2, groups=_CAPSULES),
            nn.BatchNorm1d(inner),
            nn.Conv1d(inner, _CAPSULES, 3, padding=1, groups=_CAPSULES),
            nn.BatchNorm1d(_CAPSULES),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv1d | nn.Conv2d):
                nn.init.normal_(module.weight, 0.0, 0.02)
            elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1.0, 0.02)

    def forward(self, maps: Tensor) -> Tensor:
        pixels = self.maps(maps).flatten(2).unflatten(1, (_CAPSULES, 16))  # (B, 10, 16, N)
        # A constant map has no derivative of its deviation without the little that is added.
        deviation = (pixels.var(3) + 1e-12).sqrt()
        seen = torch.stack([pixels.mean(3), deviation], 2)  # (B, 10, 2, 16)
        said: Tensor = self.statistics(seen.flatten(1, 2))
        return said
