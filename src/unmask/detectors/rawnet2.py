"""RawNet2 for anti-spoofing: fixed band-pass filters, residual blocks whose channels are scaled, a GRU over time."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Detector, Paper, check_whole

#: Samples a second.
RATE = 16_000
#: How often the length is divided by three: once after the filters, once in each of six blocks.
_POOLINGS = 7


class RawNet2(Detector):
    """RawNet2 with one logit.

    Args:
        samples: length of the sound at 16 kHz, from 3,211 (one step is left after the blocks) to 960,000.
        channels: of the first two blocks, and of the other four.
        units: of each of the GRU's layers, and of the layer after it.
        layers: of the GRU.

    Raises:
        ValueError: a number is out of range.
    """

    paper: ClassVar[Paper] = Paper(
        title="Tak et al., End-to-end anti-spoofing with RawNet2, ICASSP 2021; here as in the ASVspoof 2021 baseline",
        url="https://arxiv.org/abs/2011.01108",
        parameters="not stated; 17.6 M in the baseline's code",
        departs="one logit in place of two classes. As in the baseline's code, whose results are published, the first "
        "convolution of a block sees the block's input: its batch normalisation and activation are computed there and "
        "not used, so they are left out here. Filters are spaced in mel, as there",
    )
    takes: ClassVar[tuple[str, ...]] = ("sound",)

    def __init__(
        self, *, samples: int, channels: tuple[int, int] = (20, 128), units: int = 1024, layers: int = 3
    ) -> None:
        super().__init__()
        check_whole("samples", samples, 1024 + 3**_POOLINGS, 60 * RATE)
        self.samples = samples
        few, many = channels
        self.filters = nn.Buffer(band_pass(few, 1025), persistent=False)
        self.norm = nn.BatchNorm1d(few)
        self.blocks = nn.Sequential(
            *(_Block(few, few) for _ in range(2)), _Block(few, many), *(_Block(many, many) for _ in range(3))
        )
        self.last_norm = nn.BatchNorm1d(many)
        self.gru = nn.GRU(many, units, layers, batch_first=True)
        self.dense = nn.Linear(units, units)
        self.head = nn.Linear(units, 1)

    def features(self, sound: Tensor) -> Tensor:
        """The GRU's last state through one more layer: (B, N) to (B, units)."""
        bands = functional.conv1d(sound[:, None], self.filters)  # (B, few, N - 1024)
        maps = functional.selu(self.norm(functional.max_pool1d(bands.abs(), 3)))
        maps = functional.selu(self.last_norm(self.blocks(maps)))  # (B, many, T)
        states, _ = self.gru(maps.transpose(1, 2))  # (B, T, units)
        found: Tensor = self.dense(states[:, -1])
        return found


def band_pass(count: int, length: int) -> Tensor:
    """Band-pass filters side by side from 0 to 8 kHz, equally wide in mel: (count, 1, length), length odd.

    Each is the difference of two ideal low-pass filters, cut off by a Hamming window.
    """
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, count + 1) / 2595) - 1) * 2 / RATE  # shares of 8 kHz
    time = np.arange(length) - length // 2
    low_pass = edges[:, None] * np.sinc(edges[:, None] * time)
    filters = np.diff(low_pass, axis=0) * np.hamming(length)
    return torch.from_numpy(filters.astype(np.float32))[:, None]


class _Block(nn.Module):
    """Two convolutions beside a skip, then a scale and a shift of each channel from its mean over time."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(before, after, 3, padding=1)
        self.norm = nn.BatchNorm1d(after)
        self.conv2 = nn.Conv1d(after, after, 3, padding=1)
        self.skip = nn.Identity() if before == after else nn.Conv1d(before, after, 1)
        self.attention = nn.Linear(after, after)

    def forward(self, maps: Tensor) -> Tensor:
        inner = self.conv2(functional.leaky_relu(self.norm(self.conv1(maps)), 0.3))
        out = functional.max_pool1d(inner + self.skip(maps), 3)  # (B, C, N / 3)
        scale = self.attention(out.mean(2)).sigmoid()[:, :, None]  # (B, C, 1)
        scaled: Tensor = out * scale + scale
        return scaled
