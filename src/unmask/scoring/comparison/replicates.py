"""The bootstrap of many systems at once: one metric, the same weights for all of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from unmask.scoring.areas import Areas
from unmask.scoring.intervals import Resampling, bootstrap
from unmask.scoring.metrics import METRICS, Metric, Settings
from unmask.scoring.sample import Counts, Floats, Ints, Ordering

#: Weights that are held at a time: they stay in the processor's cache. The cut changes no result.
_HELD = 262_144


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
        return _in_blocks(len(scores), resampling, threads or os.cpu_count() or 1, Areas(labels, scores))
    if metric is METRICS["log_loss"]:
        return _log_losses(labels, scores, resampling, settings, threads or os.cpu_count() or 1)
    return bootstrap([metric], [Ordering(labels, each) for each in scores], resampling, settings)[:, 0]


def _in_blocks(systems: int, resampling: Resampling, threads: int, values: Callable[[Counts], Floats]) -> Floats:
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


def _log_losses(labels: Ints, scores: Floats, resampling: Resampling, settings: Settings, threads: int) -> Floats:
    """Log loss: the product of the rows' losses with the weights."""
    clipped = np.clip(scores, settings.clip, 1.0 - settings.clip)
    losses = -np.log(np.where(labels == 1, clipped, 1.0 - clipped))

    def values(counts: Counts) -> Floats:
        # Not ``@``: its last digits depend on the number of processors, and on a system's place among the others.
        summed = np.einsum("sn,bn->sb", losses, np.ascontiguousarray(counts.T, dtype=np.float64))
        return np.asarray(summed / counts.sum(axis=0))

    return _in_blocks(len(losses), resampling, threads, values)
