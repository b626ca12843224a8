"""Which crops an epoch of training shows, and in which order.

All chance is a function of the seed and the epoch, and of nothing that happened before: a run that was stopped can go
on with the very pairs that it would have seen, and any number of processes share the same ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CropFile:
    """The crops of one file.

    Attributes:
        rows: (K,) where they stand in the store.
        frames: (K,) which frames of the file they are.
        group: what balancing looks at, coarsest first, such as (dataset, method).
        source: what a forged file shares with the real one that it was made from; None where that is not known.
        method: the manipulation; "" of a real one, or where it is not known.
    """

    rows: np.ndarray
    frames: np.ndarray
    group: tuple[str, ...] = ()
    source: tuple[str, ...] | None = None
    method: str = ""


@dataclass(frozen=True)
class Pair:
    """A real crop and a forged one.

    Attributes:
        real: its row in the store.
        fake: its row in the store; None where one is to be forged out of the real one.
        method: the manipulation of a stored one; "" where it is not known.
        seed: of all else that is left to chance in the two.
    """

    real: int
    fake: int | None
    method: str
    seed: int


@dataclass(frozen=True)
class PairPlan:
    """What an epoch is drawn from, and how.

    Attributes:
        reals: the real files.
        fakes: the forged files; may be empty if ``blends`` is 1.
        seed: of the run.
        repeats: how many crops of each real file an epoch shows, on average where groups are balanced; a crop comes
            again only after all of its file have been shown.
        blends: share of the pairs whose fake is forged on the spot, 0 to 1.
        twins: whether a fake is taken of those made from the pair's real file, and of the same frame, where there is
            one.
    """

    reals: Sequence[CropFile]
    fakes: Sequence[CropFile]
    seed: int
    repeats: int = 1
    blends: float = 0.0
    twins: bool = False

    def __len__(self) -> int:
        """Number of pairs in an epoch."""
        return len(self.reals) * self.repeats

    def epoch(self, number: int) -> list[Pair]:
        """The pairs of one epoch, counted from 0, in the order in which they are shown."""
        rng = np.random.default_rng([self.seed, number])
        files = _drawn(balanced([each.group for each in self.reals]), len(self), rng)
        reals = _crops(self.reals, files, rng)
        stored = np.ones(len(self), dtype=bool)
        share = self.blends if self.fakes else 1.0
        stored[rng.permutation(len(self))[: round(share * len(self))]] = False
        fakes: list[tuple[int, str] | None] = [None] * len(self)
        places = np.flatnonzero(stored)
        for place, fake in zip(places, self._fakes(files[places], reals[places], rng), strict=True):
            fakes[place] = fake
        seeds = rng.integers(2**62, size=len(self))
        return [
            Pair(int(real), fake[0] if fake else None, fake[1] if fake else "", int(seed))
            for real, fake, seed in zip(reals, fakes, seeds, strict=True)
        ]

    def _fakes(self, files: np.ndarray, reals: np.ndarray, rng: np.random.Generator) -> list[tuple[int, str]]:
        """A stored fake, row and manipulation, for each of some real crops, given by file and row."""
        if not len(files):
            return []
        weights = balanced([each.group for each in self.fakes])
        drawn = _drawn(weights, len(files), rng)
        rows = _crops(self.fakes, drawn, rng)
        if self.twins:
            made_of = defaultdict(list)
            for number, fake in enumerate(self.fakes):
                made_of[fake.source].append(number)
            for place, (file, row) in enumerate(zip(files, reals, strict=True)):
                real = self.reals[file]
                candidates = made_of[real.source] if real.source is not None else []
                if candidates:
                    odds = weights[candidates] / weights[candidates].sum()
                    drawn[place] = rng.choice(candidates, p=odds)
                    twin = self.fakes[drawn[place]]
                    same = twin.rows[twin.frames == real.frames[real.rows == row][0]]
                    rows[place] = rng.choice(same if len(same) else twin.rows)
        return [(int(row), self.fakes[file].method) for row, file in zip(rows, drawn, strict=True)]


def balanced(groups: Sequence[tuple[str, ...]]) -> np.ndarray:
    """Weights that make every group count alike among its siblings, and every file alike within its group.

    Args:
        groups: of each of N files, from the coarsest to the finest, all of one length.

    Returns:
        (N,) float64, their sum 1.
    """
    weights = np.ones(len(groups))
    for depth in range(len(groups[0]) if groups else 0):
        children: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for group in groups:
            children[group[:depth]].add(group[depth])
        weights /= [len(children[group[:depth]]) for group in groups]
    sizes: dict[tuple[str, ...], int] = defaultdict(int)
    for group in groups:
        sizes[group] += 1
    found: np.ndarray = weights / [sizes[group] for group in groups]
    return found


def _drawn(weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """``count`` places by weight, each as often as its weight says, to within one, in random order.

    Systematic sampling: equal weights and as many draws as places show each place once.
    """
    order = rng.permutation(len(weights))
    heights = np.cumsum(weights[order])
    marks = (np.arange(count) + rng.random()) / count * heights[-1]
    places = np.searchsorted(heights, marks, side="right").clip(max=len(weights) - 1)
    found: np.ndarray = order[rng.permutation(places)]
    return found


def _crops(files: Sequence[CropFile], drawn: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A row for each drawn file, all of a file's rows before one comes again."""
    waiting: dict[int, list[int]] = {}
    found = np.empty(len(drawn), dtype=np.int64)
    for place, file in enumerate(drawn.tolist()):
        if not waiting.get(file):
            waiting[file] = rng.permutation(files[file].rows).tolist()
        found[place] = waiting[file].pop()
    return found
