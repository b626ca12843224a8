"""SPSL: the phase spectrum beside the colours, and an Xception too shallow to see more than texture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from unmask.detectors.base import Detector, Paper, check_input_size
from unmask.detectors.xception import XceptionBackbone, centred

#: Below this magnitude a coefficient of a picture in [-1, 1] is rounding; the noise of 8-bit pixels is 100 times that.
_NOTHING = 1e-3


class SPSL(Detector):
    """Xception without its eight middle blocks, on colours and on the picture that the phases alone make.

    Args:
        input_size: side of the crops in pixels.
        drop_rate: dropout before the last layer.
        width: see ``XceptionBackbone``.
        pretrained: see ``XceptionBackbone``; the middle blocks' weights are left out.
        weights: see ``XceptionBackbone``.

    Raises:
        ValueError: ``input_size`` is out of range, or ``weights`` does not fit.
    """

    paper: ClassVar[Paper] = Paper(
        title="Liu et al., Spatial-Phase Shallow Learning: Rethinking Face Forgery Detection in Frequency Domain, "
        "CVPR 2021",
        url="https://arxiv.org/abs/2103.01856",
        parameters="not stated",
        departs="one logit in place of two classes; the authors' code is not public, so what is left out is as in "
        "DeepfakeBench's shallow Xception, blocks 4 to 11, though its own figures come from the whole network; the "
        "fourth channel's first weights are the mean of three, not all four",
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
        self.phase = PhaseOnly(input_size)
        self.backbone = XceptionBackbone(in_channels=4, width=width, pretrained=pretrained, weights=weights)
        for number in range(4, 12):
            delattr(self.backbone, f"block{number}")
        self.dropout = nn.Dropout(drop_rate)
        self.head = nn.Linear(self.backbone.num_features, 1)

    def features(self, images: Tensor) -> Tensor:
        """Pooled maps, with dropout in training: (B, 3, S, S) in [0, 1] to (B, F)."""
        images = centred(images)
        with torch.autocast(images.device.type, enabled=False):
            phase = self.phase(images.float())  # (B, 1, S, S)
        maps = self.backbone.stem(torch.cat([images, phase], 1))  # (B, 64, S / 2, S / 2)
        maps = self.backbone.blocks(self.backbone.blocks(maps, 1, 3), 12, 12)
        pooled: Tensor = self.dropout(self.backbone.tail(maps).mean((2, 3)))
        return pooled


class PhaseOnly(nn.Module):
    """A picture's grey with every coefficient of its Fourier transform brought to magnitude 1.

    By matrices, which every export format knows.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        places = torch.arange(size)
        angles = (places[:, None] * places % size).double() * (2 * math.pi / size)
        self.cosines = nn.Buffer(angles.cos().float())
        self.sines = nn.Buffer(angles.sin().float())

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, 1, S, S)."""
        cosines, sines = self.cosines, self.sines
        grey = images.mean(1, keepdim=True)
        across, down = cosines @ grey, sines @ grey
        real, imaginary = across @ cosines - down @ sines, -(across @ sines + down @ cosines)
        squared = real.square() + imaginary.square()
        size = squared.clamp(min=_NOTHING**2).sqrt()
        nothing = squared < _NOTHING**2  # has phase 0
        real = torch.where(nothing, 1.0, real / size)
        imaginary = torch.where(nothing, 0.0, imaginary / size)
        # The real part of the inverse transform.
        across, down = cosines @ real - sines @ imaginary, cosines @ imaginary + sines @ real
        return (across @ cosines - down @ sines) / grey.shape[-1] ** 2
