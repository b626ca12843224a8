"""RECCE: Xception that learns to draw real faces again, and looks where it fails to.

Three parts stand beside the backbone: a decoder from the fourth block, a graph from the middle to the decoder's finer
maps, and an attention by the difference between the picture and its reconstruction.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Batch, Detector, Paper, check_input_size, classification
from unmask.detectors.xception import XceptionBackbone, centred

#: Weights of the reconstruction's and the metric loss, and the level that the cross-entropy floats at.
_DRAWING, _METRIC, _FLOOD = 0.1, 0.1, 0.04
_NOISE = 1e-6


class Recce(Detector):
    """Xception with reconstruction of reals, metric learning, guided attention and graph reasoning.

    Args:
        input_size: side of the crops in pixels.
        drop_rate: dropout before the decoder, before the last layer, and in the two additions.
        width: see ``XceptionBackbone``; the additions are as wide.
        pretrained: see ``XceptionBackbone``.
        weights: see ``XceptionBackbone``.
    """

    paper: ClassVar[Paper] = Paper(
        title="Cao et al., End-to-End Reconstruction-Classification Learning for Face Forgery Detection, CVPR 2022",
        url="https://openaccess.thecvf.com/content/CVPR2022/html/"
        "Cao_End-to-End_Reconstruction-Classification_Learning_for_Face_Forgery_Detection_CVPR_2022_paper.html",
        parameters="not stated; 23.8 M by the layers of the authors' code, less an unused classifier of 1,000 classes",
        departs="nowhere from the authors' code, which has more than the paper says: the weights of the losses, 0.1 "
        "each, flooding of the cross-entropy at 0.04, and noise of only 1e-6",
    )
    head: nn.Linear

    def __init__(
        self,
        *,
        input_size: int,
        drop_rate: float = 0.2,
        width: float = 1.0,
        pretrained: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        check_input_size(input_size, least=32)
        self.input_size = input_size
        self.backbone = XceptionBackbone(width=width, pretrained=pretrained, weights=weights)
        middle, fine, finer, finest = (self.backbone.channels(full) for full in (728, 256, 128, 64))
        self.dropout = nn.Dropout(drop_rate)
        self.decode1 = nn.Sequential(_Doubling(middle, fine), _Block(fine))
        self.decode2 = nn.Sequential(_Doubling(fine, finer), _Block(finer))
        self.draw = nn.Sequential(_Doubling(finer, finest), nn.Conv2d(finest, 3, 1, bias=False), nn.Tanh())
        self.reasoning = _Reasoning(middle, (fine, finer), fine, drop_rate)
        self.attention = _Attention(middle, drop_rate)
        self.head = nn.Linear(self.backbone.num_features, 1)

    def features(self, images: Tensor) -> Tensor:
        """Pooled maps, with dropout in training: (B, 3, S, S) in [0, 1] to (B, F)."""
        return self._seen(centred(images)).features

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy, what is wrong with the reals' reconstructions, and how far the reals are from each other."""
        images, labels = centred(batch["images"]), batch["labels"]
        seen = self._seen(images)
        main = classification(self.head(seen.features).squeeze(1), batch)
        real = (labels == 0).float()  # (B,)
        wrong = (seen.drawn.float() - images.float()).abs().mean((1, 2, 3))  # (B,)
        return {
            "classification": (main - _FLOOD).abs() + _FLOOD,
            "reconstruction": _DRAWING * (wrong * real).sum() / real.sum().clamp(min=1),
            "metric": _METRIC * torch.stack([metric_loss(maps, labels) for maps in seen.compared]).sum(),
        }

    def _seen(self, images: Tensor) -> _Seen:
        """All that a pass finds in pictures in [-1, 1]."""
        net = self.backbone
        middle = net.blocks(net.stem(self._noisy(images)), 1, 4)  # (B, 728, S / 16, S / 16)
        fine = self.decode1(self.dropout(middle))  # (B, 256, S / 8, S / 8)
        finer = self.decode2(fine)  # (B, 128, S / 4, S / 4)
        drawn = functional.interpolate(
            self.draw(finer), size=(self.input_size, self.input_size), mode="bilinear", align_corners=True
        )  # (B, 3, S, S)
        maps = net.blocks(middle, 5, 7)
        maps = net.blocks(maps + self.reasoning(maps, (fine, finer)), 8, 8)
        maps = net.tail(net.blocks(self.attention(maps, (images - drawn).abs()), 9, 12))  # (B, F, S / 32, S / 32)
        return _Seen(self.dropout(maps.mean((2, 3))), drawn, (middle, fine, finer))

    def _noisy(self, images: Tensor) -> Tensor:
        """In training every second picture, by chance, with white noise."""
        if not self.training:
            return images
        chosen = (torch.rand(len(images), 1, 1, 1, device=images.device) > 0.5).to(images.dtype)
        return (images + _NOISE * torch.randn_like(images) * chosen).clamp(-1, 1)


class _Seen(NamedTuple):
    """What a pass finds.

    Attributes:
        features: (B, F).
        drawn: the reconstruction, (B, 3, S, S) in [-1, 1].
        compared: the maps that the metric loss compares, from coarse to fine.
    """

    features: Tensor
    drawn: Tensor
    compared: tuple[Tensor, Tensor, Tensor]


def metric_loss(maps: Tensor, labels: Tensor) -> Tensor:
    """How much less alike the reals are than they could be, and how much alike reals and fakes are.

    Alike is (1 + cosine) / 2 of two examples' pooled maps. Fakes are not compared with each other.

    Args:
        maps: (B, C, H, W).
        labels: (B,), 1 fake, 0 real.

    Returns:
        1 less the mean over pairs of reals, plus the mean over pairs of one real and one fake: from 0 to 2.
    """
    with torch.autocast(maps.device.type, enabled=False):
        pooled = functional.normalize(maps.float().mean((2, 3)), dim=1)  # (B, C)
        alike = (pooled @ pooled.T + 1) / 2  # (B, B)
    real = (labels == 0).float()
    mixed = (real[:, None] != real[None]).float()
    reals = real[:, None] * real[None] * (1 - torch.eye(len(real), device=real.device))
    within = (alike * reals).sum() / reals.sum().clamp(min=1)
    across = (alike * mixed).sum() / mixed.sum().clamp(min=1)
    return (1 - within + across).clamp(min=0)


class _Attention(nn.Module):
    """Brings out what lies where the reconstruction is wrong."""

    def __init__(self, channels: int, drop_rate: float) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            *(nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.ReLU()), *(nn.Conv2d(3, 1, 1, bias=False), nn.Sigmoid())
        )
        self.change = nn.Sequential(nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())
        self.dropout = nn.Dropout(drop_rate)

    def forward(self, maps: Tensor, wrong: Tensor) -> Tensor:
        size = (maps.shape[2], maps.shape[3])
        gate = self.gate(functional.interpolate(wrong, size=size, mode="bilinear", align_corners=True))  # (B, 1, H, W)
        out: Tensor = gate * self.change(maps) + self.dropout(maps)
        return out


class _Reasoning(nn.Module):
    """Tells each place of the middle what the decoder's finer places within it say.

    Args:
        channels: of the middle maps, (B, C, H, W).
        finer: channels of the decoder's maps, 2 H x 2 W and 4 H x 4 W.
        inner: channels of what is passed on.
        drop_rate: dropout at the end.
    """

    def __init__(self, channels: int, finer: tuple[int, int], inner: int, drop_rate: float) -> None:
        super().__init__()
        self.place = nn.Sequential(
            nn.Conv2d(channels, inner, 1, bias=False), nn.ReLU(), nn.Conv2d(inner, inner, 1, bias=False)
        )
        self.neighbours = nn.ModuleList(_Neighbours(channels, given, inner) for given in finer)
        self.project = nn.Sequential(
            *(nn.Conv2d(inner * (1 + len(finer)), channels, 1, bias=False), nn.ReLU()),
            *(nn.Conv2d(channels, channels, 1, bias=False), nn.Dropout(drop_rate)),
        )

    def forward(self, maps: Tensor, finer: tuple[Tensor, Tensor]) -> Tensor:
        place = self.place(maps)  # (B, I, H, W)
        found = [each(maps, place, given) for each, given in zip(self.neighbours, finer, strict=True)]
        out: Tensor = self.project(torch.sigmoid(torch.cat([*found, place], 1)))
        return out


class _Neighbours(nn.Module):
    """The weighted mean, at each place, of the r x r places of finer maps within it."""

    def __init__(self, channels: int, finer: int, inner: int) -> None:
        super().__init__()
        self.gate = nn.Conv2d(channels, inner, 1, bias=False)
        self.embed = nn.Sequential(nn.Linear(finer, inner, bias=False), nn.ReLU(), nn.Linear(inner, inner, bias=False))
        self.weigh = nn.Linear(2 * inner, 1, bias=False)

    def forward(self, maps: Tensor, place: Tensor, finer: Tensor) -> Tensor:
        ratio = finer.shape[-1] // maps.shape[-1]
        within = functional.pixel_unshuffle(finer, ratio).unflatten(1, (-1, ratio**2))  # (B, C, r^2, H, W)
        said = self.embed(within.permute(0, 3, 4, 2, 1))  # (B, H, W, r^2, I)
        asking = place.permute(0, 2, 3, 1).unsqueeze(3).expand(-1, -1, -1, ratio**2, -1)
        weights = self.weigh(torch.cat([asking, said], -1)).relu().softmax(3)  # (B, H, W, r^2, 1)
        mean = (weights * said).sum(3).permute(0, 3, 1, 2)  # (B, I, H, W)
        out: Tensor = mean * (1 - self.gate(maps).sigmoid())
        return out


def _separable(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, before, 3, padding=1, groups=before, bias=False), nn.Conv2d(before, after, 1, bias=False)
    )


class _Doubling(nn.Sequential):
    """Maps of twice the side and other channels."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(
            nn.UpsamplingNearest2d(scale_factor=2), _separable(before, after), nn.BatchNorm2d(after), nn.ReLU()
        )


class _Block(nn.Module):
    """Xception's block of three separable convolutions beside a skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(3):
            layers += [nn.ReLU(), _separable(channels, channels), nn.BatchNorm2d(channels)]
        self.layers = nn.Sequential(*layers)

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.layers(maps) + maps
        return out
