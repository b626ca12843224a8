"""The bootstrap of many systems at once: one metric, the same weights for all of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from unmask.scoring.intervals import Resampling, bootstrap
from unmask.scoring.metrics import METRICS, Metric, Settings
from unmask.scoring.sample import Floats, Ints, Ordering

#: Weights that are held at a time: they stay in the processor's cache. The cut changes no result.
_HELD = 262_144

#: Counts of drawn rows; a replicate of the most rows that a table may have stays far below the largest.
_Counts = NDArray[np.int32]


def replicate(
    metric: Metric,
    labels: Ints,
    scores: Floats,
    resampling: Resampling,
    settings: Settings,
    *,
    threads: int | None = None,
) -> Floats:
    """A metric of every system in every replicate.

    Args:
        metric: defined on these rows.
        labels: (N,), 1 = fake, 0 = real.
        scores: (S, N), finite.
        resampling: of those rows.
        settings: clip and the like.
        threads: how many; one a processor by default. They change no result.

    Returns:
        (S, B), B = ``resampling.replicates``; NaN where a replicate has no value. Equal systems have equal values.
    """
    if metric is METRICS["roc_auc"]:
        return _areas(labels, scores, resampling, threads or os.cpu_count() or 1)
    if metric is METRICS["log_loss"]:
        return _log_losses(labels, scores, resampling, settings, threads or os.cpu_count() or 1)
    return bootstrap([metric], [Ordering(labels, each) for each in scores], resampling, settings)[:, 0]


def _in_blocks(systems: int, resampling: Resampling, threads: int, values: Callable[[Floats], Floats]) -> Floats:
    """What ``values`` makes of the weights of some replicates, (N, b) to (S, b), put together for all: (S, B)."""
    found = np.empty((systems, resampling.replicates))
    step = max(1, _HELD // len(resampling.cluster))

    def fill(first: int) -> None:
        last = min(first + step, resampling.replicates)
        found[:, first:last] = values(resampling.weights(first, last))

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(fill, range(0, resampling.replicates, step)):
            pass
    return found


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

    def beaten(self, fakes: _Counts, reals: _Counts) -> Floats:
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


def _areas(labels: Ints, scores: Floats, resampling: Resampling, threads: int) -> Floats:
    """ROC AUC. Whole numbers up to the last division, so that equal areas are equal to the last bit."""
    fake, real = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    systems = [_Standing(each[fake], each[real]) for each in scores]

    def values(weights: Floats) -> Floats:
        counts = weights.astype(np.int32)
        fakes, reals = np.ascontiguousarray(counts[fake].T), np.ascontiguousarray(counts[real].T)
        pairs = 2.0 * fakes.sum(axis=1, dtype=np.float64) * reals.sum(axis=1, dtype=np.float64)
        return np.asarray(np.stack([system.beaten(fakes, reals) for system in systems]) / pairs)

    return _in_blocks(len(systems), resampling, threads, values)


def _log_losses(labels: Ints, scores: Floats, resampling: Resampling, settings: Settings, threads: int) -> Floats:
    """Log loss: the product of the rows' losses with the weights."""
    clipped = np.clip(scores, settings.clip, 1.0 - settings.clip)
    losses = -np.log(np.where(labels == 1, clipped, 1.0 - clipped))

    def values(weights: Floats) -> Floats:
        # Not ``@``: its last digits depend on the number of processors, and on a system's place among the others.
        summed = np.einsum("sn,bn->sb", losses, np.ascontiguousarray(weights.T))
        return np.asarray(summed / weights.sum(axis=0))

    return _in_blocks(len(losses), resampling, threads, values)
