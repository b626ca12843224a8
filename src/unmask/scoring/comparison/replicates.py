"""The bootstrap of many systems at once: one metric, the same weights for all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unmask.scoring.areas import Areas
from unmask.scoring.intervals import Resampling, bootstrap, in_blocks
from unmask.scoring.metrics import METRICS, Metric, Settings
from unmask.scoring.sample import Counts, Floats, Ints, Ordering


def replicate(metric: Metric, labels: Ints, scores: Floats, resampling: Resampling, settings: Settings) -> Floats:
    """A metric of every system in every replicate.

    Args:
        metric: defined on these rows.
        labels: (N,), 1 = fake, 0 = real.
        scores: (S, N), finite.
        resampling: of those rows.
        settings: clip and the like.

    Returns:
        (S, B), B = ``resampling.replicates``; NaN where a replicate has no value. Equal systems have equal values.
    """
    if metric is METRICS["roc_auc"]:
        return _for_all(len(scores), resampling, Areas(labels, scores))
    if metric is METRICS["log_loss"]:
        return _log_losses(labels, scores, resampling, settings)
    return bootstrap([metric], [Ordering(labels, each) for each in scores], resampling, settings)[:, 0]


def _for_all(systems: int, resampling: Resampling, values: Callable[[Counts], Floats]) -> Floats:
    """What ``values`` makes of the weights of some replicates, (N, b) to (S, b), put together for all: (S, B)."""
    found = np.empty((systems, resampling.replicates))

    def fill(block: slice) -> None:
        found[:, block] = values(resampling.weights(block.start, block.stop))

    in_blocks(len(resampling.cluster), resampling.replicates, fill)
    return found


def _log_losses(labels: Ints, scores: Floats, resampling: Resampling, settings: Settings) -> Floats:
    """Log loss: the product of the rows' losses with the weights."""
    clipped = np.clip(scores, settings.clip, 1.0 - settings.clip)
    losses = -np.log(np.where(labels == 1, clipped, 1.0 - clipped))

    def values(counts: Counts) -> Floats:
        # Not ``@``: its last digits depend on the number of processors, and on a system's place among the others.
        summed = np.einsum("sn,bn->sb", losses, np.ascontiguousarray(counts.T, dtype=np.float64))
        return np.asarray(summed / counts.sum(axis=0))

    return _for_all(len(losses), resampling, values)
