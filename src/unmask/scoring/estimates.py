"""All metrics of one set of rows, each with its interval or with the reason why it has no value."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from unmask.scoring.intervals import Resampling, bootstrap, percentile_interval
from unmask.scoring.metrics import METRICS, Metric, Settings
from unmask.scoring.sample import Ordering, Sample


@dataclass(frozen=True)
class Protocol:
    """How numbers are made: the same for the whole set and for each slice.

    Attributes:
        settings: clip and threshold.
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
    """

    metric: Metric
    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None

    def to_dict(self) -> dict[str, object]:
        """``{"value", "low", "high", "n", "direction"}``, or ``{"value": null, "reason", "n"}``."""
        if self.value is None:
            return {"value": None, "reason": self.reason, "n": self.n}
        told: dict[str, object] = {"value": self.value, "low": self.low, "high": self.high, "n": self.n}
        told["direction"] = self.metric.direction
        return told if self.reason is None else told | {"reason": self.reason}


def estimate(rows: pl.DataFrame, protocol: Protocol) -> dict[str, Estimate]:
    """Every metric of ``METRICS`` on ``rows``.

    Args:
        rows: columns label, score (no null) and cluster. A slice is resampled as a set of its own: its numbers are
            those that scoring its rows alone would give.
        protocol: settings and bootstrap.
    """
    labels, scores = rows["label"].to_numpy(), rows["score"].to_numpy()
    fakes, reals = int((labels == 1).sum()), int((labels == 0).sum())
    missing = {name: metric.missing(fakes, reals) for name, metric in METRICS.items()}
    defined = [metric for name, metric in METRICS.items() if missing[name] is None]
    n = rows.height
    found = {name: Estimate(METRICS[name], n, reason=reason) for name, reason in missing.items()}
    if not defined:
        return found
    ordering = Ordering(labels, scores)
    sample = Sample.of(labels, scores)
    clusters = rows["cluster"].to_numpy()
    resampling = Resampling.of(labels, clusters, replicates=protocol.replicates, seed=protocol.seed)
    if not resampling.varies:
        reason = "no interval: all rows of a class belong to one cluster"
        return found | {m.name: Estimate(m, n, m.value(sample, protocol.settings), reason=reason) for m in defined}
    replicates = bootstrap(defined, [ordering], resampling, protocol.settings)[0]
    for metric, drawn in zip(defined, replicates, strict=True):
        low, high = percentile_interval(drawn, protocol.confidence)
        found[metric.name] = Estimate(metric, n, metric.value(sample, protocol.settings), low, high)
    return found
