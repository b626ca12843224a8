"""F3-Net: an Xception on pictures split by frequency beside one on local statistics of frequency."""

from __future__ import annotations

import math
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Detector, Paper, check_input_size
from unmask.detectors.xception import XceptionBackbone, centred

#: Side and stride of the windows of local statistics in pixels, and their number of bands.
_WINDOW, _STRIDE, _BANDS = 10, 2, 6


class F3Net(Detector):
    """F3-Net with both of its streams and mix blocks after blocks 7 and 12.

    Args:
        input_size: side of the crops in pixels.
        drop_rate: dropout before the last layer.
        width: see ``XceptionBackbone``; of both streams.
        pretrained: see ``XceptionBackbone``.
        weights: see ``XceptionBackbone``.

    Raises:
        ValueError: ``input_size`` is out of range, or ``weights`` does not fit.
    """

    paper: ClassVar[Paper] = Paper(
        title="Qian et al., Thinking in Frequency: Face Forgery Detection by Mining Frequency-aware Clues, ECCV 2020",
        url="https://arxiv.org/abs/2007.09355",
        parameters="not stated",
        departs="one logit in place of two classes; a fourth filter passes all frequencies, as in DeepfakeBench; the "
        "authors' code is not public, so the mix block is that of github.com/yyk-wew/F3Net, which never trained it, "
        "less a bias that its batch norm removes; windows reach over a mirrored edge, so that both streams have maps "
        "of one size at any input size; a small constant keeps the logarithm of blank windows finite",
    )

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
        self.decomposition = Decomposition(input_size)
        # A width with which both streams' maps have one size from the first convolution on.
        self.statistics = LocalStatistics(padding=5 + input_size % 2)
        self.first = XceptionBackbone(in_channels=12, width=width, pretrained=pretrained, weights=weights)
        self.second = XceptionBackbone(in_channels=_BANDS, width=width, pretrained=pretrained, weights=weights)
        # The windows have halved the picture already.
        self.second.conv1.stride = (1, 1)
        self.mix7 = MixBlock(self.first.channels(728))
        self.mix12 = MixBlock(self.first.channels(1024))
        self.dropout = nn.Dropout(drop_rate)
        self.head = nn.Linear(2 * self.first.num_features, 1)

    def features(self, images: Tensor) -> Tensor:
        """Pooled maps of both streams, with dropout in training: (B, 3, S, S) in [0, 1] to (B, 2 F)."""
        with torch.autocast(images.device.type, enabled=False):
            split = self.decomposition(centred(images.float()))  # (B, 12, S, S)
            # Logarithms differ by less than what they have in common: lower precision would round that away.
            two = self.second.stem(self.statistics(images.float()))  # (B, 64, S / 2, S / 2)
        one = self.first.stem(split)
        one, two = self.first.blocks(one, 1, 7), self.second.blocks(two, 1, 7)
        one, two = self.mix7(one, two)
        one, two = self.first.blocks(one, 8, 12), self.second.blocks(two, 8, 12)
        one, two = self.mix12(one, two)
        maps = torch.cat([self.first.tail(one), self.second.tail(two)], 1)  # (B, 2 F, S / 32, S / 32)
        pooled: Tensor = self.dropout(maps.mean((2, 3)))
        return pooled


def cosines(size: int) -> Tensor:
    """The orthonormal discrete cosine transform (type 2) of ``size`` values as a matrix."""
    places = torch.arange(size, dtype=torch.float64)
    matrix = torch.cos(math.pi / size * places[:, None] * (places + 0.5)) * math.sqrt(2 / size)
    matrix[0] /= math.sqrt(2)
    return matrix.float()


class Decomposition(nn.Module):
    """Frequency-aware decomposition: the picture through four filters of its cosine transform, each partly learned.

    The fixed parts pass the lowest 1/16 of the spectrum by area, from there to 1/8, the rest, and all.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        frequency = torch.arange(size)[:, None] + torch.arange(size)  # of row and column
        low, middle = frequency < size / math.sqrt(8), frequency < size / 2
        fixed = torch.stack([low, middle & ~low, ~middle, torch.ones_like(low)])
        self.cosines = nn.Buffer(cosines(size))
        self.fixed = nn.Buffer(fixed.float())
        self.learned = nn.Parameter(torch.randn(4, size, size) * 0.1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, 12, S, S): all colours of the first filter, then of the next."""
        spectrum = self.cosines @ images @ self.cosines.T  # (B, 3, S, S)
        filters = self.fixed + _between(self.learned)  # (4, S, S)
        passed = spectrum[:, None] * filters[:, None]  # (B, 4, 3, S, S)
        return (self.cosines.T @ passed @ self.cosines).flatten(1, 2)


class LocalStatistics(nn.Module):
    """Local frequency statistics: how strong each band of the cosine transform is in a sliding window."""

    def __init__(self, padding: int) -> None:
        super().__init__()
        self.padding = padding
        matrix = cosines(_WINDOW)
        kernels = matrix[:, None, :, None] * matrix[None, :, None, :]  # (row's, column's frequency, row, column)
        frequency = torch.arange(_WINDOW)[:, None] + torch.arange(_WINDOW)
        fixed = [frequency * _BANDS // (2 * _WINDOW) == band for band in range(_BANDS)]
        self.kernels = nn.Buffer(kernels.flatten(0, 1)[:, None])
        self.fixed = nn.Buffer(torch.stack(fixed).float())
        self.learned = nn.Parameter(torch.randn(_BANDS, _WINDOW, _WINDOW) * 0.1)
        self.grey = nn.Buffer(torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1) * 255)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) in [0, 1] to (B, 6, S / 2, S / 2), logarithms to base 10."""
        grey = (images * self.grey).sum(1, keepdim=True)  # (B, 1, S, S)
        grey = functional.pad(grey, (self.padding,) * 4, mode="reflect")
        spectra = functional.conv2d(grey, self.kernels, stride=_STRIDE).abs()  # (B, 100, S / 2, S / 2)
        # The sum of |coefficient x filter| is a sum of |coefficient| with weights |filter|.
        filters = (self.fixed + _between(self.learned)).abs().flatten(1)[..., None, None]  # (6, 100, 1, 1)
        return (functional.conv2d(spectra, filters) + 1e-3).log10()


class MixBlock(nn.Module):
    """Each stream gets what the other has where the two, channel by channel, attend to each other."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.queries = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in range(2))
        self.keys = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in range(2))
        self.strengths = nn.Parameter(torch.zeros(2))
        self.scales = nn.ModuleList(nn.Conv2d(channels, channels, 1, groups=channels, bias=False) for _ in range(2))
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(2))

    def forward(self, one: Tensor, two: Tensor) -> tuple[Tensor, Tensor]:
        """Two of (B, C, H, H) to two of the same shape."""
        query = torch.cat([self.queries[0](one), self.queries[1](two)], 3)  # (B, C, H, 2 H)
        key = torch.cat([self.keys[0](one), self.keys[1](two)], 3)
        attention = (query @ key.transpose(2, 3)).softmax(3)  # (B, C, H, H)
        strengths = _between(self.strengths)
        to_one = self.norms[0](self.scales[0](two * attention * strengths[0]))
        to_two = self.norms[1](self.scales[1](one * attention * strengths[1]))
        return one + to_one, two + to_two


def _between(values: Tensor) -> Tensor:
    """Any number to (-1, 1)."""
    return (values / 2).tanh()
