"""All metrics of one set of rows, each with its interval or with the reason why it has no value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from unmask.scoring.intervals import Resampling, bootstrap, percentile_interval
from unmask.scoring.metrics import METRICS, Metric, Settings, Undefined
from unmask.scoring.sample import Floats, Sample


@dataclass(frozen=True)
class Protocol:
    """How numbers are made: the same for the whole set and for each slice.

    Attributes:
        settings: clip, threshold, prevalence and the like.
        seed: of the bootstrap.
        replicates: of the bootstrap, at least 1.
        confidence: of the intervals, between 0 and 1.
    """

    settings: Settings
    seed: int
    replicates: int
    confidence: float

    def __post_init__(self) -> None:
        if not 0.0 < self.confidence < 1.0:
            raise ValueError(f"confidence {self.confidence!r} is not between 0 and 1")


@dataclass(frozen=True)
class Estimate:
    """One metric on one set of rows.

    Attributes:
        metric: what was measured.
        n: number of scored rows.
        value: None where undefined.
        low: lower end of the interval; None where the value is undefined or nothing can be drawn anew.
        high: upper end of the interval.
        reason: why there is no value, or no interval; None where there are both.
        details: further numbers beside the value, such as the false positive rate that was attained.
    """

    metric: Metric
    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None
    details: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """``{"value", "low", "high", "n", "direction"}`` and the details, or ``{"value": null, "reason", "n"}``."""
        if self.value is None:
            return {"value": None, "reason": self.reason, "n": self.n}
        told: dict[str, object] = {"value": self.value, "low": self.low, "high": self.high, "n": self.n}
        told |= {"direction": self.metric.direction, **self.details}
        return told if self.reason is None else told | {"reason": self.reason}


def estimate(rows: pl.DataFrame, protocol: Protocol) -> dict[str, Estimate]:
    """Every metric of ``METRICS`` on ``rows``.

    Args:
        rows: columns label, score (no null) and cluster. A slice is resampled as a set of its own: its numbers are
            those that scoring its rows alone would give.
        protocol: settings and bootstrap.
    """
    labels, scores = rows["label"].to_numpy(), rows["score"].to_numpy()
    sample = Sample.of(labels, scores)
    found = {
        name: _without_interval(metric, sample, rows.height, protocol.settings) for name, metric in METRICS.items()
    }
    defined = [each for each in found.values() if each.value is not None]
    if not defined:
        return found
    clusters = rows["cluster"]
    resampling = Resampling.of(labels, clusters, replicates=protocol.replicates, seed=protocol.seed)
    if not resampling.varies:
        reason = "no interval: all rows of a class belong to one cluster"
        return found | {each.metric.name: replace(each, reason=reason) for each in defined}
    metrics = [each.metric for each in defined]
    replicates = bootstrap(metrics, [sample.ordering], resampling, protocol.settings)[0]
    for each, drawn in zip(defined, replicates, strict=True):
        found[each.metric.name] = _with_interval(each, drawn, protocol.confidence, resampling.fewest)
    return found


def _without_interval(metric: Metric, sample: Sample, n: int, settings: Settings) -> Estimate:
    try:
        value = metric.value(sample, settings)
    except Undefined as undefined:
        return Estimate(metric, n, reason=undefined.reason)
    return Estimate(metric, n, value, details=metric.details(sample, settings))


def _with_interval(found: Estimate, replicates: Floats, confidence: float, clusters: int) -> Estimate:
    nowhere = int(np.isnan(replicates).sum())
    if nowhere:
        reason = f"no interval: {found.metric.nowhere} in {nowhere:,} of {len(replicates):,} replicates"
        return replace(found, reason=reason)
    low, high = percentile_interval(replicates, confidence, clusters)
    return replace(found, low=low, high=high)
