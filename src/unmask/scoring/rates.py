"""Shares of rows at a fixed threshold, such as a false positive rate, with the two intervals that such a share has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unmask.scoring.binning import Cells
from unmask.scoring.binomial import clopper_pearson
from unmask.scoring.intervals import Resampling, percentile_interval
from unmask.scoring.sample import Floats, Ints, Ordering

Bools = NDArray[np.bool_]

#: Draws of clusters that are held at a time: 32 MB.
_HELD = 4_194_304


@dataclass(frozen=True)
class Rate:
    """A share of some rows.

    Attributes:
        events: rows that have it, such as reals that are called fake.
        trials: rows that could.
        clusters: that the trials are from.
        exact: Clopper and Pearson's interval, which takes rows to be independent; None without trials.
        clustered: bootstrap interval over clusters; None where each row is drawn by itself, or the trials are from one
            cluster only or are missing from some replicates.
    """

    events: int
    trials: int
    clusters: int
    exact: tuple[float, float] | None
    clustered: tuple[float, float] | None

    @property
    def value(self) -> float | None:
        """The share, in [0, 1]; None without trials."""
        return self.events / self.trials if self.trials else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """From the lower of the two lower ends to the higher of the two upper ends; None without trials.

        The exact interval is too narrow where rows come in clusters, the bootstrap's where there are few events: it has
        no width at all where there are none.
        """
        if self.exact is None or self.clustered is None:
            return self.exact
        return min(self.exact[0], self.clustered[0]), max(self.exact[1], self.clustered[1])

    def to_dict(self) -> dict[str, object]:
        """``{"value", "events", "n", "exact", "clustered"}``; each interval is ``{"low", "high"}`` or None."""
        return {
            "value": self.value,
            "events": self.events,
            "n": self.trials,
            "exact": None if self.exact is None else {"low": self.exact[0], "high": self.exact[1]},
            "clustered": None if self.clustered is None else {"low": self.clustered[0], "high": self.clustered[1]},
        }


@dataclass(frozen=True)
class Tally:
    """K shares of N rows, and how they are drawn anew.

    Attributes:
        events: (N, K), whether each row has what is counted; only where it could.
        trials: (N, K), whether it could.
        labels: (N,), 1 = fake, 0 = real.
        resampling: of these rows.
    """

    events: Bools
    trials: Bools
    labels: Ints
    resampling: Resampling

    def rates(self, confidence: float, drawn: Floats | None) -> list[Rate]:
        """The K shares.

        Args:
            confidence: of their intervals.
            drawn: what ``replicate`` gives; None for exact intervals alone.
        """
        found = []
        for k, (events, trials) in enumerate(zip(self.events.T, self.trials.T, strict=True)):
            event, trial = int(events.sum()), int(trials.sum())
            clusters = len(np.unique(self.resampling.cluster[trials]))
            exact = clopper_pearson(event, trial, confidence) if trial else None
            clustered = None
            if drawn is not None and not self.resampling.single and clusters > 1 and not np.isnan(drawn[:, k]).any():
                clustered = percentile_interval(drawn[:, k], confidence, clusters)
            found.append(Rate(event, trial, clusters, exact, clustered))
        return found

    def replicate(self) -> Floats:
        """The shares in each replicate: (B, K); NaN where no trial was drawn."""
        columns = np.concatenate([self.events, self.trials], axis=1)
        drawn = self._of_rows(columns) if self.resampling.single else self._of_clusters(columns)
        found, tried = np.split(drawn, 2, axis=1)
        return np.divide(found, tried, out=np.full_like(found, np.nan), where=tried > 0)

    def _of_clusters(self, columns: Bools) -> Floats:
        """How many rows of each replicate each of (N, C) columns holds for: (B, C)."""
        clusters = sum(self.resampling.strata)
        rows = self.resampling.cluster
        counts = np.stack([np.bincount(rows, each, minlength=clusters) for each in columns.T], axis=1)
        replicates = range(self.resampling.replicates)
        step = max(1, _HELD // clusters)
        # One product of many replicates is twenty times as fast as one of each.
        blocks = [replicates[first : first + step] for first in range(0, len(replicates), step)]
        return np.concatenate([np.stack(list(map(self.resampling.draws, block))) @ counts for block in blocks])

    def _of_rows(self, columns: Bools) -> Floats:
        """The same where each row is drawn by itself: rows for which the same holds are one cell."""
        # numpy's unique rows take forty times as long.
        alike = pl.DataFrame(np.column_stack([self.labels, columns]).astype(np.uint8)).select(pl.struct(pl.all()))
        of_row = alike.to_series().rank("dense").to_numpy().astype(np.int64) - 1
        _, first, counts = np.unique(of_row, return_index=True, return_counts=True)
        cells = Cells(Ordering(self.labels[first], np.zeros(len(first))), of_row, counts)
        draws = [self.resampling.cell_counts(cells, number) for number in range(self.resampling.replicates)]
        return np.asarray(np.stack(draws) @ columns[first].astype(np.float64))
