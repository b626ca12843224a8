"""Inception-I3D: Inception's kernels inflated into time.

Its tensors bear the names of the public PyTorch port, so that port's Kinetics weights load into it.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Detector, Paper, check_input_size, check_whole
from unmask.detectors.weights import load_weights

#: Channels of each module's branches: 1; 3 x 3 x 3 before and after; another such before and after; after the pool.
_MODULES = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
#: The pools before some of them: kernel and stride.
_POOLS = {
    "Mixed_3b": ("MaxPool3d_3a_3x3", (1, 3, 3), (1, 2, 2)),
    "Mixed_4b": ("MaxPool3d_4a_3x3", (3, 3, 3), (2, 2, 2)),
    "Mixed_5b": ("MaxPool3d_5a_2x2", (2, 2, 2), (2, 2, 2)),
}


class I3d(Detector):
    """Inception-I3D on RGB with one logit.

    Args:
        input_size: side of the crops in pixels.
        frames: length of the clips, from 1 to 256.
        drop_rate: dropout before the last layer.
        width: share of the channels, 1 as published; tests take less.
        weights: a file of Kinetics weights to start from; see ``load_weights``.

    Raises:
        ValueError: a number is out of range, or ``weights`` does not fit.
    """

    paper: ClassVar[Paper] = Paper(
        title="Carreira and Zisserman, Quo Vadis, Action Recognition? A New Model and the Kinetics Dataset, CVPR 2017",
        url="https://arxiv.org/abs/1705.07750",
        parameters="25 M for two streams (table 1); 12.7 M for RGB with 400 classes in the public PyTorch port",
        departs="one logit in place of 400 classes; batch normalisation has a scale, as in the public PyTorch port; "
        "maps are averaged over all of time at once, not in pairs first",
    )
    takes: ClassVar[tuple[str, ...]] = ("clips",)

    def __init__(
        self,
        *,
        input_size: int,
        frames: int,
        drop_rate: float = 0.5,
        width: float = 1.0,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        check_input_size(input_size)
        check_whole("frames", frames, 1, 256)
        self.input_size, self.frames = input_size, frames

        def channels(full: int) -> int:
            return max(int(full * width), 4)

        first, second = channels(64), channels(192)
        self.backbone = nn.Sequential()
        self.backbone.add_module("Conv3d_1a_7x7", _Unit(3, first, 7, 2))
        self.backbone.add_module("MaxPool3d_2a_3x3", _Pool((1, 3, 3), (1, 2, 2)))
        self.backbone.add_module("Conv3d_2b_1x1", _Unit(first, first, 1))
        self.backbone.add_module("Conv3d_2c_3x3", _Unit(first, second, 3))
        before = second
        for name, full in _MODULES.items():
            if name in _POOLS:
                pool, kernel, stride = _POOLS[name]
                self.backbone.add_module(pool, _Pool(kernel, stride))
            module = _Inception(before, [channels(one) for one in full])
            self.backbone.add_module(name, module)
            before = module.channels
        for one in self.backbone.modules():
            if isinstance(one, nn.Conv3d):
                nn.init.kaiming_normal_(one.weight, mode="fan_out", nonlinearity="relu")
        self.dropout = nn.Dropout(drop_rate)
        self.head = nn.Linear(before, 1)
        nn.init.normal_(self.head.weight, std=0.01)  # a small one starts at probability 1/2
        nn.init.zeros_(self.head.bias)
        if weights is not None:
            load_weights(self.backbone, weights)

    def features(self, clips: Tensor) -> Tensor:
        """Maps averaged over space and time, with dropout in training: (B, T, 3, S, S) in [0, 1] to (B, 1024)."""
        maps = self.backbone((clips * 2 - 1).transpose(1, 2))  # (B, 1024, T / 8, S / 32, S / 32)
        found: Tensor = self.dropout(maps.mean((2, 3, 4)))
        return found


class _Unit(nn.Module):
    """A convolution that keeps the size but for its stride, batch normalisation, ReLU."""

    def __init__(self, before: int, after: int, size: int, stride: int = 1) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(before, after, size, stride, bias=False)
        self.bn = nn.BatchNorm3d(after, eps=0.001, momentum=0.01)

    def forward(self, maps: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv3d(_padded(maps, self.conv3d.kernel_size, self.conv3d.stride))))


class _Pool(nn.Module):
    """The largest value, with zeros around the maps, which ReLU left nowhere below zero."""

    def __init__(self, size: tuple[int, int, int], stride: tuple[int, int, int]) -> None:
        super().__init__()
        self.size, self.stride = size, stride

    def forward(self, maps: Tensor) -> Tensor:
        return functional.max_pool3d(_padded(maps, self.size, self.stride), self.size, self.stride)


class _Inception(nn.Module):
    """Four branches side by side."""

    def __init__(self, before: int, widths: list[int]) -> None:
        super().__init__()
        self.b0 = _Unit(before, widths[0], 1)
        self.b1a = _Unit(before, widths[1], 1)
        self.b1b = _Unit(widths[1], widths[2], 3)
        self.b2a = _Unit(before, widths[3], 1)
        self.b2b = _Unit(widths[3], widths[4], 3)
        self.b3a = _Pool((3, 3, 3), (1, 1, 1))
        self.b3b = _Unit(before, widths[5], 1)
        self.channels = widths[0] + widths[2] + widths[4] + widths[5]

    def forward(self, maps: Tensor) -> Tensor:
        branches = [self.b0(maps), self.b1b(self.b1a(maps)), self.b2b(self.b2a(maps)), self.b3b(self.b3a(maps))]
        return torch.cat(branches, 1)


def _padded(maps: Tensor, size: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """Zeros around, the odd one behind, so that a length becomes its stride's share of it, rounded up."""
    around: list[int] = []
    for length, kernel, step in zip(maps.shape[2:], size, stride, strict=True):
        total = max(kernel - (length % step or step), 0)
        around = [total // 2, total - total // 2, *around]
    return functional.pad(maps, around)
