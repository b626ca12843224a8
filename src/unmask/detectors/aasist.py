"""AASIST: graph attention over the bands and the moments of a sound at once."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Detector, Paper, check_whole
from unmask.detectors.rawnet2 import RATE, band_pass

#: Filters of the front end, and their length.
_BANDS, _LENGTH = 70, 129
#: How often the length is divided by three: once after the filters, once in each of six blocks.
_POOLINGS = 7
#: What the attention's scores are divided by, over one kind of nodes and over both.
_TEMPERATURE, _MIXED_TEMPERATURE = 2.0, 100.0


class Aasist(Detector):
    """AASIST with one logit.

    Args:
        samples: length of the sound at 16 kHz, from 2,315 (one moment is left) to 960,000.
        channels: of the first three blocks of the encoder, and of the other three.
        graph_sizes: width of the nodes in the first graphs, and in those of both kinds of nodes.
        keep: share of the nodes that stay after the graph of bands, that of moments and each of both.
        drop_rate: dropout before the last layer.

    Raises:
        ValueError: ``samples`` is out of range.
    """

    paper: ClassVar[Paper] = Paper(
        title="Jung et al., AASIST: Audio Anti-Spoofing using Integrated Spectro-Temporal Graph Attention Networks, "
        "ICASSP 2022",
        url="https://arxiv.org/abs/2110.01200",
        parameters="297,866; AASIST-L 85,306 (the authors' code)",
        departs="one logit in place of two classes. As in the authors' code, whose results are published, the first "
        "convolution of a block sees the block's input: its batch normalisation and activation are computed there and "
        "not used, so they are left out here (512 and 272 parameters)",
    )
    takes: ClassVar[tuple[str, ...]] = ("sound",)

    def __init__(
        self,
        *,
        samples: int,
        channels: tuple[int, int] = (32, 64),
        graph_sizes: tuple[int, int] = (64, 32),
        keep: tuple[float, float, float] = (0.5, 0.7, 0.5),
        drop_rate: float = 0.5,
    ) -> None:
        super().__init__()
        check_whole("samples", samples, _LENGTH - 1 + 3**_POOLINGS, 60 * RATE)
        self.samples = samples
        few, many = channels
        first, second = graph_sizes
        self.filters = nn.Buffer(band_pass(_BANDS, _LENGTH), persistent=False)
        self.norm = nn.BatchNorm2d(1)
        widths = (1, few, few, many, many, many, many)
        self.encoder = nn.Sequential(*(_Block(*pair) for pair in pairwise(widths)))
        self.place = nn.Parameter(torch.randn(1, _BANDS // 3, many))
        self.bands = _Graph(many, first)
        self.moments = _Graph(many, first)
        self.bands_pool = _Pool(first, keep[0])
        self.moments_pool = _Pool(first, keep[1])
        self.branches = nn.ModuleList(_Branch(first, second, keep[2]) for _ in range(2))
        self.way_dropout = nn.Dropout(0.2)
        self.dropout = nn.Dropout(drop_rate)
        self.head = nn.Linear(5 * second, 1)

    def features(self, sound: Tensor) -> Tensor:
        """What both kinds of nodes and the stack node say, with dropout in training: (B, N) to (B, F)."""
        picture = functional.conv1d(sound[:, None], self.filters).abs()[:, None]  # (B, 1, 70, N - 128)
        maps = self.encoder(functional.selu(self.norm(functional.max_pool2d(picture, 3)))).abs()  # (B, C, 23, T)
        bands = self.bands_pool(self.bands(maps.amax(3).transpose(1, 2) + self.place))  # (B, S, D)
        moments = self.moments_pool(self.moments(maps.amax(2).transpose(1, 2)))  # (B, R, D)
        one, two = (
            [self.way_dropout(nodes) for nodes in branch(moments, bands)]  # each (B, nodes, D')
            for branch in self.branches
        )
        moments, bands, stack = (torch.maximum(*pair) for pair in zip(one, two, strict=True))
        parts = [moments.abs().amax(1), moments.mean(1), bands.abs().amax(1), bands.mean(1), stack[:, 0]]
        found: Tensor = self.dropout(torch.cat(parts, 1))
        return found


class _Block(nn.Module):
    """Two convolutions beside a skip; time is divided by three."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, (2, 3), padding=1)
        self.norm = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, (2, 3), padding=(0, 1))
        self.skip = nn.Identity() if before == after else nn.Conv2d(before, after, (1, 3), padding=(0, 1))

    def forward(self, maps: Tensor) -> Tensor:
        inner = self.conv2(functional.selu(self.norm(self.conv1(maps))))
        return functional.max_pool2d(inner + self.skip(maps), (1, 3))


class _Graph(nn.Module):
    """Attention among nodes of one kind: (B, N, D) to (B, N, E)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.2)
        self.pairs = nn.Linear(before, after)
        self.score = _column(after)
        self.attended = nn.Linear(before, after)
        self.own = nn.Linear(before, after)
        self.norm = nn.BatchNorm1d(after)

    def forward(self, nodes: Tensor) -> Tensor:
        nodes = self.dropout(nodes)
        pairs = torch.tanh(self.pairs(nodes[:, :, None] * nodes[:, None]))  # (B, N, N, E)
        shares = functional.softmax((pairs @ self.score)[..., 0] / _TEMPERATURE, 2)  # (B, N, N)
        return _activated(self.norm, self.attended(shares @ nodes) + self.own(nodes))


class _MixedGraph(nn.Module):
    """Attention among nodes of two kinds, and of a stack node to all: widths D to E."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.first = nn.Linear(before, before)
        self.second = nn.Linear(before, before)
        self.dropout = nn.Dropout(0.2)
        self.pairs = nn.Linear(before, after)
        self.score_first, self.score_second, self.score_mixed = (_column(after) for _ in range(3))
        self.attended = nn.Linear(before, after)
        self.own = nn.Linear(before, after)
        self.norm = nn.BatchNorm1d(after)
        self.stack_pairs = nn.Linear(before, after)
        self.stack_score = _column(after)
        self.stack_attended = nn.Linear(before, after)
        self.stack_own = nn.Linear(before, after)

    def forward(self, first: Tensor, second: Tensor, stack: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        count = first.shape[1]
        nodes = self.dropout(torch.cat([self.first(first), self.second(second)], 1))  # (B, N, D)
        scores = torch.tanh(self.stack_pairs(nodes * stack)) @ self.stack_score  # (B, N, 1)
        shares = functional.softmax(scores / _MIXED_TEMPERATURE, 1).transpose(1, 2)  # (B, 1, N)
        stack = self.stack_attended(shares @ nodes) + self.stack_own(stack)  # (B, 1, E)
        pairs = torch.tanh(self.pairs(nodes[:, :, None] * nodes[:, None]))  # (B, N, N, E)
        upper = torch.cat([pairs[:, :count, :count] @ self.score_first, pairs[:, :count, count:] @ self.score_mixed], 2)
        lower = torch.cat(
            [pairs[:, count:, :count] @ self.score_mixed, pairs[:, count:, count:] @ self.score_second], 2
        )
        shares = functional.softmax(torch.cat([upper, lower], 1)[..., 0] / _MIXED_TEMPERATURE, 2)  # (B, N, N)
        nodes = _activated(self.norm, self.attended(shares @ nodes) + self.own(nodes))
        return nodes[:, :count], nodes[:, count:], stack


class _Pool(nn.Module):
    """The nodes of the highest scores, weighted by them: a share of N."""

    def __init__(self, width: int, keep: float) -> None:
        super().__init__()
        self.keep = keep
        self.dropout = nn.Dropout(0.3)
        self.score = nn.Linear(width, 1)

    def forward(self, nodes: Tensor) -> Tensor:
        scores = self.score(self.dropout(nodes)).sigmoid()  # (B, N, 1)
        count = max(int(nodes.shape[1] * self.keep), 1)
        order = scores.topk(count, dim=1).indices.expand(-1, -1, nodes.shape[2])
        return (nodes * scores).gather(1, order)


class _Branch(nn.Module):
    """Two graphs of both kinds, one after the other, with a stack node that starts as a learned vector."""

    def __init__(self, before: int, after: int, keep: float) -> None:
        super().__init__()
        self.stack = nn.Parameter(torch.randn(1, 1, before))
        self.one = _MixedGraph(before, after)
        self.moments_pool = _Pool(after, keep)
        self.bands_pool = _Pool(after, keep)
        self.two = _MixedGraph(after, after)

    def forward(self, moments: Tensor, bands: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        moments, bands, stack = self.one(moments, bands, self.stack)
        moments, bands = self.moments_pool(moments), self.bands_pool(bands)
        more_moments, more_bands, more_stack = self.two(moments, bands, stack)
        return moments + more_moments, bands + more_bands, stack + more_stack


def _column(length: int) -> nn.Parameter:
    return nn.Parameter(nn.init.xavier_normal_(torch.empty(length, 1)))


def _activated(norm: nn.BatchNorm1d, nodes: Tensor) -> Tensor:
    """Batch normalisation of each feature over all nodes, then SELU."""
    return functional.selu(norm(nodes.transpose(1, 2)).transpose(1, 2))
