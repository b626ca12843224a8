"""Bootstrap: how much a score would move if other files had been drawn.

Clusters (a source video, a person) are drawn with replacement, all their rows together, because rows of one cluster
are not independent. Clusters fall into three strata: fakes only, reals only, and both (an original beside the fakes
made from it). Each stratum keeps its number of clusters, so every replicate has both classes where the data have.

Replicate b's weights depend on the clusters, the seed and b alone. Every system that is scored with the same
``Resampling`` sees the same replicates, which makes differences and ranks paired.

Above ``EXACT`` rows the replicates are those of cells of rows with nearly the same score; what that moves the value
itself is taken off again.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from statistics import NormalDist

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from unmask.scoring.areas import Areas
from unmask.scoring.binning import Cells
from unmask.scoring.binomial import beta_quantile
from unmask.scoring.metrics import METRICS, Metric, Settings
from unmask.scoring.sample import Counts, Floats, Ints, Ordering, Sample

#: Weights that are held at a time: 1 MB of counts, which stay in the processor's cache.
_HELD = 262_144
#: Bytes of the largest block for which glibc can learn that.
_KEPT = 2**25 - 2**16
#: Most rows whose replicates are made of the rows themselves.
EXACT = 20_000


@dataclass(frozen=True)
class Resampling:
    """Which rows are drawn together, and how often.

    Attributes:
        cluster: (N,), number of each row's cluster, 0 to C - 1.
        strata: how many clusters each stratum has: the first are numbered from 0, and so on up to C - 1.
        fewest: clusters of the class that has fewer of them, but not just one; 0 where both have just one.
        replicates: how many.
        seed: of the draws.
    """

    cluster: Ints
    strata: tuple[int, ...]
    fewest: int
    replicates: int
    seed: int

    @classmethod
    def of(
        cls, labels: ArrayLike, clusters: ArrayLike | pl.Series, *, replicates: int = 1000, seed: int = 0
    ) -> Resampling:
        """Strata for these rows.

        Args:
            labels: (N,), 1 = fake, 0 = real.
            clusters: (N,), names of the clusters.
            replicates: at least 1.
            seed: at least 0.
        """
        if replicates < 1 or seed < 0:
            raise ValueError(f"replicates {replicates} must be at least 1 and seed {seed} at least 0")
        # polars numbers ten million names in seconds, in the order in which numpy, within minutes, would.
        names = clusters if isinstance(clusters, pl.Series) else pl.Series(np.asarray(clusters))
        cluster: Ints = names.rank("dense").to_numpy().astype(np.int64) - 1
        rows = np.bincount(cluster)
        fakes = np.bincount(cluster, weights=np.asarray(labels))
        kind = np.where(fakes == 0, 0, np.where(fakes == rows, 1, 2))
        number = np.empty(len(kind), dtype=np.int64)
        number[np.argsort(kind, kind="stable")] = np.arange(len(kind))
        strata = tuple(count for count in np.bincount(kind, minlength=3).tolist() if count)
        counts = (int((fakes > 0).sum()), int((fakes < rows).sum()))
        fewest = min((count for count in counts if count > 1), default=0)
        return cls(number[cluster], strata, fewest, replicates, seed)

    @property
    def varies(self) -> bool:
        """Whether any stratum has two clusters; otherwise all replicates are the data themselves."""
        return any(count > 1 for count in self.strata)

    @cached_property
    def single(self) -> bool:
        """Whether each row is drawn by itself."""
        return len(self.cluster) == sum(self.strata)

    def weights(self, first: int, last: int) -> Counts:
        """How often each row is drawn in the replicates from ``first`` up to ``last``: (N, last - first)."""
        draws = np.stack([self.draws(replicate) for replicate in range(first, last)])
        return np.take(np.ascontiguousarray(draws.T), self.cluster, axis=0)

    def draws(self, replicate: int) -> Counts:
        """How often each cluster is drawn in one replicate: (C,)."""
        generator = self._generator(replicate)
        drawn = [np.bincount(generator.integers(0, n, size=n), minlength=n) for n in self.strata]
        return np.concatenate(drawn, dtype=np.int32, casting="same_kind")

    def cell_counts(self, cells: Cells, replicate: int) -> Counts:
        """How often any row of each cell is drawn in one replicate, where each is drawn by itself: (C,).

        Distributed as ``draws`` are, but drawn at once for a whole cell: not paired with other systems' cells.
        """
        counts = np.zeros(len(cells.counts), dtype=np.int32)
        generator = self._generator(replicate)
        for label in (0, 1):
            members = np.flatnonzero(cells.ordering.labels == label)
            total = cells.counts[members].sum()
            if total:
                counts[members] = generator.multinomial(total, cells.counts[members] / total)
        return counts

    def _generator(self, replicate: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, replicate))


def bootstrap(
    metrics: Sequence[Metric],
    systems: Sequence[Ordering],
    resampling: Resampling,
    settings: Settings,
    *,
    paired: bool = False,
) -> Floats:
    """Every metric of every system in every replicate.

    Args:
        metrics: M metrics that are all defined on the rows.
        systems: S orderings of the same rows in the same order.
        resampling: of those rows.
        settings: clip and threshold.
        paired: whether another call with the same resampling must draw the same; several systems of one call always do.
            One system of very many rows takes longer then.

    Returns:
        (S, M, B), B = ``resampling.replicates``; the same for any number of processors.
    """
    values = np.empty((len(systems), len(metrics), resampling.replicates))
    of_rows = len(resampling.cluster) <= EXACT
    areas = [m for m, metric in enumerate(metrics) if metric is METRICS["roc_auc"] and of_rows]
    quick = Areas(systems[0].labels, [ordering.scores for ordering in systems]) if areas else None

    def fill(block: slice, samples: list[Sample]) -> None:
        for m, metric in enumerate(metrics):
            if quick is not None and m in areas:
                values[:, m, block] = quick(samples[0].given)
                continue
            for s, sample in enumerate(samples):
                values[s, m, block] = metric.batch(sample, settings)

    drawn = draw(systems, resampling, fill, cuts=(settings.threshold,), paired=paired)
    return drawn.moved_back(values, metrics, settings) if isinstance(drawn, _Cells) else values


def draw(
    systems: Sequence[Ordering],
    resampling: Resampling,
    use: Callable[[slice, list[Sample]], None],
    *,
    cuts: Sequence[float] = (),
    paired: bool = False,
) -> _Rows | _Cells:
    """Draw all replicates, in blocks and on all processors, and hand each block's samples to ``use``.

    Args:
        systems: S orderings of the same rows in the same order.
        resampling: of those rows.
        use: takes which replicates a block holds, and S samples with a column of weights for each.
        cuts: thresholds that ``use`` looks at: cells keep to one side of them.
        paired: as in ``bootstrap``.

    Returns:
        What they were drawn from.
    """
    many = len(resampling.cluster) > EXACT
    drawn = _Cells(systems, resampling, cuts, paired=paired) if many else _Rows(systems, resampling)
    in_blocks(drawn.height, resampling.replicates, lambda block: use(block, drawn.samples(block.start, block.stop)))
    return drawn


def in_blocks(height: int, count: int, use: Callable[[slice], None]) -> None:
    """Call ``use`` for blocks of replicates, on all processors.

    Args:
        height: weights that a replicate has.
        count: of replicates.
        use: takes which replicates a block holds; nothing but speed may depend on how they are cut.
    """
    # glibc gives large blocks back to the system at once, and each new one costs as much as what is computed in it.
    # Once it has seen a block of this size come and go, it keeps them.
    np.empty(_KEPT, np.uint8)
    step = max(1, _HELD // max(1, height))
    with ThreadPoolExecutor(_processors()) as pool:
        for _ in pool.map(lambda first: use(slice(first, min(first + step, count))), range(0, count, step)):
            pass


class _Rows:
    """Replicates of the rows themselves."""

    def __init__(self, systems: Sequence[Ordering], resampling: Resampling) -> None:
        self._systems, self._resampling = systems, resampling
        self.height = len(resampling.cluster)

    def samples(self, first: int, last: int) -> list[Sample]:
        """Each system's sample of the replicates from ``first`` up to ``last``."""
        weights = self._resampling.weights(first, last)
        return [Sample(ordering, weights) for ordering in self._systems]


class _Cells:
    """Replicates of cells, and how far cells move the values of the rows."""

    def __init__(
        self, systems: Sequence[Ordering], resampling: Resampling, cuts: Sequence[float], *, paired: bool
    ) -> None:
        self._systems, self._resampling = systems, resampling
        self._cells = [Cells.of(ordering, cuts) for ordering in systems]
        # One system alone needs no row's own count, only each cell's, and that is drawn a hundred times as fast.
        self._at_once = len(systems) == 1 and resampling.single and not paired
        self._clusters = [] if self._at_once else [resampling.cluster[np.argsort(c.of_row)] for c in self._cells]
        self.height = max(len(cells.counts) for cells in self._cells)

    def samples(self, first: int, last: int) -> list[Sample]:
        """Each system's sample of the replicates from ``first`` up to ``last``."""
        weights = [np.empty((len(cells.counts), last - first), dtype=np.int32) for cells in self._cells]
        for column, replicate in enumerate(range(first, last)):
            if self._at_once:
                weights[0][:, column] = self._resampling.cell_counts(self._cells[0], replicate)
                continue
            draws = self._resampling.draws(replicate)
            for s, cells in enumerate(self._cells):
                starts = np.cumsum(cells.counts) - cells.counts
                weights[s][:, column] = np.add.reduceat(draws[self._clusters[s]], starts)
        return [Sample(cells.ordering, each) for cells, each in zip(self._cells, weights, strict=True)]

    def moved_back(self, values: Floats, metrics: Sequence[Metric], settings: Settings) -> Floats:
        """``values`` (S, M, B) less what the metrics of the data themselves become where cells stand for rows."""
        for s, (ordering, cells) in enumerate(zip(self._systems, self._cells, strict=True)):
            rows = Sample(ordering, np.ones((len(ordering.scores), 1)))
            binned = Sample(cells.ordering, cells.counts[:, None].astype(np.int32))
            for m, metric in enumerate(metrics):
                moved = metric.batch(rows, settings) - metric.batch(binned, settings)
                values[s, m] = np.clip(values[s, m] + moved, metric.low, metric.high)
        return values


def _processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def tails(confidence: float, clusters: int) -> tuple[float, float]:
    """Which percentiles of replicates bound an interval: further out than ``confidence`` says where clusters are few.

    Of n clusters the bootstrap's spread is too small by the square root of (n - 1) / n, and a normal's quantiles are
    too near for a spread that is itself estimated. The percentiles are those at which a normal is as far out as
    Student's t with n - 1 degrees of freedom, times the square root of n / (n - 1). Source: Hesterberg 2015, "What
    teachers should know about the bootstrap", section 5.3.

    Args:
        confidence: between 0 and 1.
        clusters: at least 2.

    Returns:
        From 0 to 100, the lower and the upper one.
    """
    degrees = clusters - 1
    # Student's t beyond which 1 - confidence lies on both sides, by way of the beta distribution.
    share = beta_quantile(1.0 - confidence, 0.5 * degrees, 0.5)
    t = math.sqrt(degrees * (1.0 / share - 1.0))
    low = 100.0 * NormalDist().cdf(-math.sqrt(clusters / degrees) * t)
    return low, 100.0 - low


def percentile_interval(replicates: Floats, confidence: float, clusters: int) -> tuple[float, float]:
    """The interval that (B,) replicates amount to, by linear interpolation between them.

    Args:
        replicates: of one value.
        confidence: between 0 and 1.
        clusters: what was drawn anew, ``Resampling.fewest``: the fewer, the wider.

    Returns:
        Its lower and upper end.
    """
    low, high = np.percentile(replicates, tails(confidence, clusters))
    return float(low), float(high)
