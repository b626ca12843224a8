"""The ROC AUC of replicates of rows, several times as quick as by the curve, for one system or many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unmask.scoring.sample import Counts, Floats, Ints


class Areas:
    """ROC AUC of every system from how often rows are drawn.

    Whole numbers up to the last division, so that equal areas are equal to the last bit.

    Args:
        labels: (N,), 1 = fake, 0 = real; both there.
        scores: (S, N), finite.
    """

    def __init__(self, labels: Ints, scores: Floats | Sequence[Floats]) -> None:
        self._fake, self._real = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
        self._systems = [_Standing(each[self._fake], each[self._real]) for each in scores]

    def __call__(self, counts: Counts | Floats) -> Floats:
        """From (N, B) whole counts, which draw both classes in each replicate: (S, B)."""
        fakes, reals = (
            np.ascontiguousarray(np.take(counts, rows, axis=0).T, dtype=np.int32) for rows in (self._fake, self._real)
        )
        pairs = 2.0 * fakes.sum(axis=1, dtype=np.float64) * reals.sum(axis=1, dtype=np.float64)
        return np.asarray(np.stack([system.beaten(fakes, reals) for system in self._systems]) / pairs)


class _Standing:
    """Where the reals of one system stand among its fakes.

    Attributes:
        order: (P,), positions of the fakes by descending score.
        above: (N - P,), for each real the number of fakes that score above it.
        level: (N - P,), the number of fakes that score at or above it.
        tied: whether any fake and real have the same score.
    """

    def __init__(self, fakes: Floats, reals: Floats) -> None:
        self.order = np.argsort(-fakes, kind="stable")
        descending = -fakes[self.order]
        self.above = np.searchsorted(descending, -reals, side="left")
        self.level = np.searchsorted(descending, -reals, side="right")
        self.tied = bool((self.above < self.level).any())

    def beaten(self, fakes: Counts, reals: Counts) -> Floats:
        """Twice the weight of pairs whose fake scores above the real, ties counting one half: (B,), without rounding.

        Args:
            fakes: (B, P), how often each is drawn.
            reals: (B, N - P).
        """
        caught = np.zeros((len(fakes), fakes.shape[1] + 1), dtype=np.int32)
        np.cumsum(np.take(fakes, self.order, axis=1), axis=1, dtype=np.int32, out=caught[:, 1:])
        below = np.take(caught, self.above, axis=1)
        if self.tied:
            below += np.take(caught, self.level, axis=1)
        else:
            below *= 2
        return np.asarray(np.einsum("bj,bj->b", below, reals, dtype=np.float64))
