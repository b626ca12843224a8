"""Two Xceptions, one on colours and one on the noise that SRM filters leave, that guide and attend to each other."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Batch, Detector, Paper, check_input_size, classification
from unmask.detectors.xception import XceptionBackbone, centred

#: How far on the right side of 0 a logit shall be: AM-softmax's margin of 0.45, times its scale of 30.
_MARGIN = 0.45 * 30


class SRM(Detector):
    """The two-stream network with high-frequency features.

    Args:
        input_size: side of the crops in pixels; the attention between streams is built for it.
        drop_rate: dropout before the last layer.
        width: see ``XceptionBackbone``; of both streams.
        pretrained: see ``XceptionBackbone``.
        weights: see ``XceptionBackbone``.

    Raises:
        ValueError: ``input_size`` is out of range, or ``weights`` does not fit.
    """

    paper: ClassVar[Paper] = Paper(
        title="Luo et al., Generalizing Face Forgery Detection with High-frequency Features, CVPR 2021",
        url="https://arxiv.org/abs/2103.12376",
        parameters="not stated",
        departs="one logit in place of two classes; AM-softmax is the margin of 13.5 that it comes to for one logit, "
        "its scale left to the last layer, so logits are large before calibration; every channel goes through all "
        "three SRM filters, where the public code gives most channels one of them thrice; the fused maps are "
        "multiplied by their channel attention as in DeepfakeBench, not added to as in the author's repository",
    )
    head: nn.Linear

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
        self.colours = XceptionBackbone(width=width, pretrained=pretrained, weights=weights)
        self.noise = XceptionBackbone(width=width, pretrained=pretrained, weights=weights)
        channels = self.colours.channels
        self.residual = Residual(3)
        self.inner1 = InnerResidual(channels(32))
        self.inner2 = InnerResidual(channels(64))
        self.guide = Guide(channels(32), channels(64))
        self.guided = nn.Sequential(nn.BatchNorm2d(channels(64)), nn.ReLU())
        side = (input_size - 3) // 2 - 1  # after the stem
        for _ in range(3):
            side = (side + 1) // 2
        self.attention3 = CrossAttention(channels(728), side)
        self.attention7 = CrossAttention(channels(728), side)
        self.fusion = Fusion(self.colours.num_features)
        self.dropout = nn.Dropout(drop_rate)
        self.head = nn.Linear(self.colours.num_features, 1)

    def features(self, images: Tensor) -> Tensor:
        """Pooled maps of both streams as one, with dropout in training: (B, 3, S, S) in [0, 1] to (B, F)."""
        images, relu = centred(images), functional.relu
        seen, left = self.colours, self.noise
        noise = self.residual.summed(images)  # (B, 3, S, S)
        one = relu(seen.bn1(seen.conv1(images)))  # (B, 32, S / 2, S / 2)
        two = relu(relu(left.bn1(left.conv1(noise))) + self.inner1(one))
        one = relu(seen.bn2(seen.conv2(one)))  # (B, 64, S / 2, S / 2)
        two = relu(relu(left.bn2(left.conv2(two))) + self.inner2(one))
        one = self.guided(one * (1 + self.guide(self.residual.summed(noise))))
        one, two = self.attention3(seen.blocks(one, 1, 3), left.blocks(two, 1, 3))  # (B, 728, S / 16, S / 16)
        one, two = self.attention7(seen.blocks(one, 4, 7), left.blocks(two, 4, 7))
        one, two = seen.blocks(one, 8, 12), left.blocks(two, 8, 12)  # (B, 1024, S / 32, S / 32)
        fused = self.fusion(_tail(seen, one), _tail(left, two))  # (B, F, S / 32, S / 32)
        pooled: Tensor = self.dropout(fused.mean((2, 3)))
        return pooled

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy of logits moved towards the wrong side by the margin."""
        logits = self(batch["images"]).float()
        return {"classification": classification(logits - _MARGIN * (2 * batch["labels"] - 1), batch)}


def _tail(backbone: XceptionBackbone, maps: Tensor) -> Tensor:
    """Xception's last two convolutions without the last ReLU."""
    maps = functional.relu(backbone.bn3(backbone.conv3(maps)))
    out: Tensor = backbone.bn4(backbone.conv4(maps))
    return out


class Residual(nn.Module):
    """Three filters of the spatial rich model (Fridrich and Kodovsky, 2012), cut off at ±3."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        side, line = torch.tensor([-1.0, 2.0, -1.0]), torch.tensor([0.0, 1.0, -2.0, 1.0, 0.0])
        square5 = torch.tensor([[-1, 2, -2], [2, -6, 8], [-2, 8, -12]]).float()
        square5 = torch.cat([square5, square5[:, :2].flip(1)], 1)
        filters = torch.stack(
            [
                functional.pad(-torch.outer(side, side), (1, 1, 1, 1)) / 4,
                torch.cat([square5, square5[:2].flip(0)]) / 12,
                functional.pad(line[None], (0, 0, 2, 2)) / 2,
            ]
        )
        self.filters = nn.Buffer(filters[:, None])  # (3, 1, 5, 5)

    def summed(self, maps: Tensor) -> Tensor:
        """Each filter's answers over all channels: (B, C, H, W) to (B, 3, H, W)."""
        filters = self.filters.expand(-1, self.channels, -1, -1)
        return functional.conv2d(maps, filters, padding=2).clamp(-3, 3)

    def each(self, maps: Tensor) -> Tensor:
        """All filters' answers to every channel: (B, C, H, W) to (B, 3 C, H, W)."""
        filters = self.filters.repeat(self.channels, 1, 1, 1)
        return functional.conv2d(maps, filters, padding=2, groups=self.channels).clamp(-3, 3)


class InnerResidual(nn.Module):
    """The noise of maps inside the network: every channel's residuals, and a 1 x 1 convolution of them all."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.residual = Residual(channels)
        self.mix = nn.Conv2d(3 * channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        return functional.relu(self.norm(self.mix(self.residual.each(maps))))


class Guide(nn.Module):
    """Where noise tells the colours to look: spatial attention (CBAM's) upon a stem like Xception's."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, first, 3, stride=2, bias=False)
        self.norm1 = nn.BatchNorm2d(first)
        self.conv2 = nn.Conv2d(first, second, 3, bias=False)
        self.norm2 = nn.BatchNorm2d(second)
        self.attention = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, noise: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, 1, S / 2, S / 2) in [0, 1]."""
        relu = functional.relu
        maps = relu(self.norm2(self.conv2(relu(self.norm1(self.conv1(noise))))))
        summary = torch.cat([maps.mean(1, keepdim=True), maps.amax(1, keepdim=True)], 1)
        weight: Tensor = self.attention(summary).sigmoid()
        return weight


class CrossAttention(nn.Module):
    """Dual cross-modality attention: each stream gets what the other has at the places that answer to its own.

    Args:
        channels: C.
        side: H, of its square maps.
    """

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        narrow, places = max(channels // 8, 1), side**2
        self.keys = nn.ModuleList(nn.Conv2d(channels, narrow, 1) for _ in range(2))
        self.shared = nn.Conv2d(narrow, narrow, 1)
        self.values = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in range(2))
        self.spread = nn.ModuleList(nn.Linear(places, places) for _ in range(2))
        self.strengths = nn.Parameter(torch.zeros(2))
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_normal_(module.weight, gain=0.02)

    def forward(self, one: Tensor, two: Tensor) -> tuple[Tensor, Tensor]:
        """Two of (B, C, H, H) to two of the same shape."""
        first, second = (self.shared(key(maps)).flatten(2) for key, maps in zip(self.keys, (one, two), strict=True))
        energy = first.transpose(1, 2) @ second  # (B, places of one, places of two)
        to_one = self.spread[0](energy).softmax(2)
        to_two = self.spread[1](energy.transpose(1, 2)).softmax(2)
        from_one, from_two = (
            value(maps).flatten(2) for value, maps in zip(self.values, (one, two), strict=True)
        )  # (B, C, places)
        got_one = (from_two @ to_one.transpose(1, 2)).unflatten(2, one.shape[2:])
        got_two = (from_one @ to_two.transpose(1, 2)).unflatten(2, two.shape[2:])
        return one + self.strengths[0] * got_one, two + self.strengths[1] * got_two


class Fusion(nn.Module):
    """Maps of both streams as one, each channel weighted by what its mean and its maximum say (CBAM's)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(channels // 16, 1)
        self.mix = nn.Conv2d(2 * channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.squeeze = nn.Linear(channels, narrow, bias=False)
        self.widen = nn.Linear(narrow, channels, bias=False)
        for module in (self.squeeze, self.widen):
            nn.init.xavier_normal_(module.weight, gain=0.02)

    def forward(self, one: Tensor, two: Tensor) -> Tensor:
        """Two of (B, F, H, W) to one."""
        maps = functional.relu(self.norm(self.mix(torch.cat([one, two], 1))))
        means, maxima = (
            self.widen(functional.relu(self.squeeze(each))) for each in (maps.mean((2, 3)), maps.amax((2, 3)))
        )
        return maps * (means + maxima).sigmoid()[..., None, None]
