"""Very many rows as a few thousand cells, so that a thousand bootstrap replicates of a million rows take seconds.

Rows whose scores are next to each other make a bin; the rows of one label in it a cell. A bin is so small that a
replicate's curve is about as exact as with all rows: it holds at most a quarter of the standard deviation of the number
of fakes, and of reals, that score above it, and its scores differ by at most 0.05 in their log odds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unmask.scoring.sample import Floats, Ints, Ordering

#: Most rows of a class in a bin, in standard deviations of how many are drawn above it.
_DEVIATIONS = 0.25
#: Most that the log odds of a bin's scores differ.
_LOG_ODDS = 0.05
#: Scores nearer to 0 or 1 than this are alike.
_NEAR = 1e-15


@dataclass(frozen=True)
class Cells:
    """The cells of some rows.

    Attributes:
        ordering: of the cells, each with its label and the mean score of its bin.
        of_row: (N,), each row's cell.
        counts: (C,), rows of each cell, at least 1.
    """

    ordering: Ordering
    of_row: Ints
    counts: Ints

    @classmethod
    def of(cls, rows: Ordering, cuts: Sequence[float] = ()) -> Cells:
        """Cells for these rows; tied scores are never parted.

        Args:
            rows: what to stand for.
            cuts: thresholds: a score at or above one shares no bin with a score below it.
        """
        bins = _bins(rows, cuts)
        scores = rows.scores[rows.order]
        starts = np.flatnonzero(np.diff(bins, prepend=-1))
        sizes = np.diff(starts, append=len(bins))
        # Held inside the bin, so that rounding never changes the order of two bins.
        means = np.clip(np.add.reduceat(scores, starts) / sizes, scores[starts + sizes - 1], scores[starts])
        found, of_ordered, counts = np.unique(
            2 * bins + rows.labels[rows.order], return_inverse=True, return_counts=True
        )
        of_row = np.empty(len(bins), dtype=np.int64)
        of_row[rows.order] = of_ordered
        return cls(Ordering(found % 2, means[found // 2]), of_row, counts)


def _bins(rows: Ordering, cuts: Sequence[float]) -> Ints:
    """(N,) number of the bin of each row, in the order of ``rows.order``: from 0 up, never down."""
    fakes_above = np.cumsum(rows.labels[rows.order])[rows.starts] - rows.labels[rows.order][rows.starts]
    reals_above = rows.starts - fakes_above
    score = np.clip(rows.thresholds, _NEAR, 1.0 - _NEAR)
    places = (
        _place(fakes_above, int(rows.labels.sum())),
        _place(reals_above, len(rows.labels) - int(rows.labels.sum())),
        np.floor((np.log1p(-score) - np.log(score)) / _LOG_ODDS),
        *(rows.thresholds < cut for cut in cuts),
    )
    begins = np.any([np.diff(place, prepend=place[0]) != 0 for place in places], axis=0)
    return np.repeat(np.cumsum(begins), np.diff(rows.starts, append=len(rows.order)))


def _place(above: Ints, total: int) -> Floats:
    """In which part of its class a row is with ``above`` of it higher: parts of ``_DEVIATIONS`` of the nearer end's."""
    steps = 2.0 / _DEVIATIONS
    low = steps * np.sqrt(np.minimum(above, total - above))
    return np.floor(np.where(2 * above <= total, low, 2.0 * steps * np.sqrt(total / 2.0) - low))
