"""Labels, scores and row weights, sorted once, and the curve that the ranking metrics share.

Weights stand in columns: one column is one way to weigh the rows, such as one bootstrap replicate. Every metric is
computed for all columns at once, so that the value and its replicates come out of the same lines of code.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: How often rows are drawn: of the most rows that a table may have, no sum is beyond it.
Counts = NDArray[np.int32]


class Ordering:
    """Rows in descending order of score, with tied scores found.

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), finite.

    Raises:
        ValueError: other shapes, another label, or a score that is not finite.
    """

    def __init__(self, labels: ArrayLike, scores: ArrayLike) -> None:
        given = np.asarray(labels)
        self.scores: Floats = np.asarray(scores, dtype=np.float64)
        if given.ndim != 1 or given.shape != self.scores.shape:
            raise ValueError(f"labels {given.shape} and scores {self.scores.shape} must both be of shape (N,)")
        if not np.isin(given, (0, 1)).all():
            raise ValueError("labels must be 1 (fake) or 0 (real)")
        if not np.isfinite(self.scores).all():
            raise ValueError("scores must be finite")
        self.labels: Ints = given.astype(np.int64)
        self.order: Ints = np.argsort(-self.scores, kind="stable")
        descending = self.scores[self.order]
        #: (G,): where each group of tied scores starts in ``order``.
        self.starts: Ints = np.flatnonzero(np.concatenate(([True], descending[1:] < descending[:-1]))[: given.size])
        #: (G,): the score of each group, descending.
        self.thresholds: Floats = descending[self.starts]


class Sample:
    """An ordering with weights.

    Args:
        ordering: labels and scores, (N,).
        weights: (N, B), not negative; whole numbers as such where they are some, which is faster.

    Attributes:
        given: the weights as they were given.
        fakes: (B,), the weight of all fakes.
        reals: (B,), the weight of all reals.
    """

    def __init__(self, ordering: Ordering, weights: Floats | Counts) -> None:
        if weights.ndim != 2 or len(weights) != len(ordering.scores):
            raise ValueError(f"weights {weights.shape} must be of shape (N, B) with N = {len(ordering.scores)}")
        self.ordering = ordering
        self.weights: Floats = weights.astype(np.float64, copy=False)
        self.given = weights
        fake = (ordering.labels == 1).astype(np.float64)
        self.fakes: Floats = fake @ self.weights
        self.reals: Floats = (1.0 - fake) @ self.weights

    @classmethod
    def of(cls, labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> Sample:
        """A sample with one column of weights: ``weights`` of shape (N,), or all ones."""
        ordering = Ordering(labels, scores)
        column = np.ones(len(ordering.scores)) if weights is None else np.asarray(weights, dtype=np.float64)
        if column.shape != ordering.scores.shape or not np.isfinite(column).all() or (column < 0).any():
            raise ValueError("weights must be finite, not negative, and one for each row")
        return cls(ordering, column[:, None])

    @cached_property
    def _own(self) -> tuple[Floats | Counts, Floats | Counts]:
        """``steps`` in the kind of the weights that were given."""
        order, starts = self.ordering.order, self.ordering.starts
        fake = (self.ordering.labels[order] == 1)[:, None]
        ordered = np.take(self.given, order, axis=0)
        caught = ordered * fake
        alarms = np.subtract(ordered, caught, out=ordered)
        if len(starts) < len(order):
            return np.add.reduceat(caught, starts, axis=0), np.add.reduceat(alarms, starts, axis=0)
        return caught, alarms

    @cached_property
    def steps(self) -> tuple[Floats, Floats]:
        """Weight of the fakes, and of the reals, that have each distinct score, the highest first: (G, B) each."""
        caught, alarms = self._own
        return caught.astype(np.float64, copy=False), alarms.astype(np.float64, copy=False)

    @cached_property
    def curve(self) -> tuple[Floats, Floats]:
        """Weight of the fakes, and of the reals, that score at or above each threshold: (G, B) each, ties collapsed."""
        # Whole numbers are summed ten times as fast: the next need not wait for the rounding of the last.
        caught, alarms = (np.cumsum(each, axis=0, dtype=each.dtype) for each in self._own)
        return caught.astype(np.float64, copy=False), alarms.astype(np.float64, copy=False)

    @cached_property
    def rates(self) -> tuple[Floats, Floats]:
        """Share of the fakes, and of the reals, that score at or above each threshold: (1 + G, B) each, from 0 to 1.

        The first row, of zeros, is a threshold above all scores.
        """
        start = np.zeros((1, self.weights.shape[1]))
        caught, alarms = self.curve
        return np.concatenate([start, caught / self.fakes]), np.concatenate([start, alarms / self.reals])

    def called(self, fake: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Share of the fakes, and of the reals, among (N,) rows that are called fake: (B,) each."""
        labels = self.ordering.labels
        caught = (fake & (labels == 1)).astype(np.float64) @ self.weights / self.fakes
        return caught, (fake & (labels == 0)).astype(np.float64) @ self.weights / self.reals
