"""Linear-frequency cepstra through a light convolutional network: the classical detector of synthetic speech."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Detector, Paper, check_whole
from unmask.detectors.rawnet2 import RATE

#: Samples from one frame to the next, and in one frame.
_STEP, _FRAME = 160, 320
#: Points of the Fourier transform; filters, and coefficients before differences.
_POINTS, _FILTERS = 512, 20
#: Keeps the logarithm of silence finite.
_FLOOR = torch.finfo(torch.float32).eps


class LfccLcnn(Detector):
    """LCNN with a bidirectional LSTM on LFCC, with one logit.

    Args:
        samples: length of the sound at 16 kHz, from 2,400 (one step is left after the pooling) to 960,000.
        drop_rate: dropout after the convolutions.

    Raises:
        ValueError: ``samples`` is out of range.
    """

    paper: ClassVar[Paper] = Paper(
        title="Wang and Yamagishi, A Comparative Study on Recent Neural Spoofing Countermeasures for Synthetic Speech "
        "Detection, Interspeech 2021 (LFCC, LCNN-LSTM-sum); a baseline of ASVspoof 2021",
        url="https://arxiv.org/abs/2103.11326",
        parameters="not stated; 0.27 M in the authors' code",
        departs="nowhere in the network. LFCC are the paper's: 512 points, filters up to 8 kHz; the ASVspoof 2021 "
        "baseline takes 1,024 and up to 4 kHz. Sound has a fixed length here",
    )
    takes: ClassVar[tuple[str, ...]] = ("sound",)

    def __init__(self, *, samples: int, drop_rate: float = 0.7) -> None:
        super().__init__()
        check_whole("samples", samples, 15 * _STEP, 60 * RATE)
        self.samples = samples
        self.cepstra = Lfcc()
        pool = nn.MaxPool2d(2)
        self.convolutions = nn.Sequential(
            *(_Maxout(1, 32, 5), pool),
            *(_Maxout(32, 32, 1), _norm(32), _Maxout(32, 48, 3), pool, _norm(48)),
            *(_Maxout(48, 48, 1), _norm(48), _Maxout(48, 64, 3), pool),
            *(_Maxout(64, 64, 1), _norm(64), _Maxout(64, 32, 3), _norm(32)),
            *(_Maxout(32, 32, 1), _norm(32), _Maxout(32, 32, 3), pool),
        )
        self.dropout = nn.Dropout(drop_rate)
        width = 3 * _FILTERS // 16 * 32
        self.lstms = nn.ModuleList(nn.LSTM(width, width // 2, batch_first=True, bidirectional=True) for _ in range(2))
        self.head = nn.Linear(width, 1)

    def features(self, sound: Tensor) -> Tensor:
        """Mean over time of the maps and of what two LSTMs make of them: (B, N) to (B, 96)."""
        maps = self.dropout(self.convolutions(self.cepstra(sound)[:, None]))  # (B, 32, T / 16, 3)
        steps = maps.transpose(1, 2).flatten(2)  # (B, T / 16, 96)
        states = steps
        for lstm in self.lstms:
            states, _ = lstm(states)
        found: Tensor = (states + steps).mean(1)
        return found


class Lfcc(nn.Module):
    """Linear-frequency cepstral coefficients with energy and differences: (B, N) to (B, 1 + N // 160, 60).

    Frames of 20 ms every 10 ms under a Hamming window, of sound whose high tones are raised; power at 512 points;
    20 triangles of equal width; logarithm; cosine transform. The first coefficient makes way for the log energy.
    Then differences over two frames, and theirs.
    """

    def __init__(self) -> None:
        super().__init__()
        # The Fourier transform as a convolution, since ONNX then has it. Frames are centred, as zeros around them only
        # turn the phase.
        time = torch.arange(_FRAME, dtype=torch.float64)
        window = 0.54 - 0.46 * torch.cos(2 * math.pi * time / _FRAME)
        angles = 2 * math.pi / _POINTS * (torch.arange(_POINTS // 2 + 1)[:, None] * time)
        waves = torch.cat([torch.cos(angles) * window, torch.sin(angles) * window])
        self.waves = nn.Buffer(waves.float()[:, None], persistent=False)  # (514, 1, 320)
        bins = torch.linspace(0, _FILTERS + 1, _POINTS // 2 + 1)[:, None]  # in filters' half widths
        triangles = (1 - (bins - torch.arange(1, _FILTERS + 1)).abs()).clamp(min=0)
        self.triangles = nn.Buffer(triangles, persistent=False)  # (257, 20)
        order = torch.arange(_FILTERS)
        cosines = torch.cos(math.pi / _FILTERS * (order[:, None] + 0.5) * order) * (2 / _FILTERS) ** 0.5
        cosines[:, 0] *= 0.5**0.5
        self.cosines = nn.Buffer(cosines[:, 1:].contiguous(), persistent=False)  # (20, 19)

    def forward(self, sound: Tensor) -> Tensor:
        """(B, N) to (B, T, 60)."""
        with torch.autocast(sound.device.type, enabled=False):  # power spans ten orders of magnitude
            sound = sound.float()
            raised = torch.cat([sound[:, :1], sound[:, 1:] - 0.97 * sound[:, :-1]], 1)
            spectrum = functional.conv1d(raised[:, None], self.waves, stride=_STEP, padding=_STEP)  # (B, 514, T)
            real, imaginary = spectrum.transpose(1, 2).chunk(2, 2)
            power = real.square() + imaginary.square()  # (B, T, 257)
            energy = torch.log10(power.sum(2, keepdim=True) / _POINTS + _FLOOR)
            cepstra = torch.log10(power @ self.triangles + _FLOOR) @ self.cosines
            base = torch.cat([energy, cepstra], 2)  # (B, T, 20)
            change = _differences(base)
            return torch.cat([base, change, _differences(change)], 2)


class _Maxout(nn.Module):
    """A convolution of twice the channels, of which each pair's larger stays."""

    def __init__(self, before: int, after: int, size: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, 2 * after, size, padding=size // 2)

    def forward(self, maps: Tensor) -> Tensor:
        one, two = self.conv(maps).chunk(2, 1)
        return torch.maximum(one, two)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, affine=False)


def _differences(values: Tensor) -> Tensor:
    """The next frame's values less the last one's, at the ends their own: (B, T, C) to the same."""
    following = torch.cat([values[:, 1:], values[:, -1:]], 1)
    return following - torch.cat([values[:, :1], values[:, :-1]], 1)
