"""``compare``: predictions of several systems and one answer key become a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from unmask.scoring.comparison.comparison import Comparison, System
from unmask.scoring.comparison.delong import delong
from unmask.scoring.comparison.differences import Differences, paired_differences
from unmask.scoring.comparison.ranks import first_shares, mean_kendall_tau, rank_interval, rank_shares, ranks
from unmask.scoring.comparison.replicates import replicate
from unmask.scoring.comparison.systems import Source, Systems, read_systems
from unmask.scoring.comparison.tiers import level, needed_replicates, tiers
from unmask.scoring.estimates import Protocol
from unmask.scoring.intervals import Resampling, percentile_interval
from unmask.scoring.joining import USUAL_AGGREGATION
from unmask.scoring.metrics import METRICS, SMALLEST_CLIP, Metric, Settings, Undefined
from unmask.scoring.sample import Floats, Sample
from unmask.tables.errors import UnmaskError
from unmask.tables.reading import shown


def compare(
    answers: Source,
    predictions: Sequence[str | Path] | Mapping[str, Source],
    *,
    metric: str = "roc_auc",
    seed: int = 0,
    replicates: int = 1000,
    confidence: float = 0.95,
    clip: float = SMALLEST_CLIP,
    threshold: float = 0.5,
    prevalence: float = 0.001,
    budget: float = 0.01,
    trained_prevalence: float = 0.5,
    split: str | None = None,
    usage: str | None = None,
    aggregation: str = USUAL_AGGREGATION,
) -> Comparison:
    """Compare systems on the rows that all of them answered.

    Every system is scored with the same replicates of the same rows, so that differences and ranks are paired. The
    order of the files, and of their rows, changes nothing.

    Args:
        answers: file or frame: an answer key, or a manifest.
        predictions: two files or more, named after themselves; or name to file or frame. As in ``score``.
        metric: one of ``METRICS``.
        seed: of the bootstrap, at least 0.
        replicates: of the bootstrap, at least 1.
        confidence: of the intervals, between 0 and 1; tiers are told apart at what it leaves to 1.
        clip: as in ``score``.
        threshold: as in ``score``.
        prevalence: as in ``score``.
        budget: as in ``score``.
        trained_prevalence: as in ``score``.
        split: keep only this split, where ``answers`` is a manifest.
        usage: compare only on the rows of this usage ("public" or "private"); None for both.
        aggregation: as in ``score``, of all systems that have a row for each frame.

    Raises:
        UnmaskError: with every fault of every file; there is no such metric, one system only, no row that all
            answered, no such aggregation, or no system has a value.
        ValueError: a parameter out of its range.
    """
    if metric not in METRICS:
        raise UnmaskError(f"there is no metric {shown(metric)}", next_step=f"give one of {', '.join(METRICS)}")
    settings = Settings(clip, threshold, prevalence, budget, trained_prevalence)
    protocol = Protocol(settings, seed, replicates, confidence)
    found = read_systems(answers, predictions, split=split, usage=usage, aggregation=aggregation)
    labels, clusters = found.rows["label"].to_numpy(), found.rows["cluster"]
    resampling = Resampling.of(labels, clusters, replicates=replicates, seed=seed)
    systems, scores = _in_order(found, METRICS[metric], settings)
    differences = tau = None
    if resampling.varies:
        drawn = replicate(METRICS[metric], labels, scores, resampling, settings)
        systems, differences, tau = _uncertain(systems, METRICS[metric], drawn, protocol, resampling.fewest)
    covariances = None
    if metric == "roc_auc" and min(np.bincount(labels, minlength=2)) > 1:
        covariances = delong(labels, scores)
    return Comparison(
        METRICS[metric], systems, differences, covariances, tau, found.rows, found.expected, protocol, found.answers
    )


def _in_order(found: Systems, metric: Metric, settings: Settings) -> tuple[list[System], Floats]:
    """The systems with value and rank, in order, and the scores of those that have one."""
    systems: list[tuple[System, Floats]] = []
    labels = found.rows["label"].to_numpy()
    told = zip(found.names, found.unanswered, found.aggregations, found.hashes, strict=True)
    for (name, unanswered, aggregation, digest), each in zip(told, found.scores, strict=True):
        system = System(name, unanswered, aggregation, digest)
        try:
            systems.append((replace(system, value=metric.value(Sample.of(labels, each), settings)), each))
        except Undefined as undefined:
            systems.append((replace(system, reason=undefined.reason), each))
    sign = _sign(metric)
    systems.sort(key=lambda pair: (pair[0].value is None, sign * (pair[0].value or 0.0), pair[0].name))
    values = np.array([system.value for system, _ in systems if system.value is not None])
    if not len(values):
        what = f"no system has a {metric.title}: {systems[0][0].reason}"
        raise UnmaskError(what, next_step="compare on other rows, or by another --metric")
    places = ranks(sign * values[:, None])[:, 0].tolist()
    ordered = [replace(system, rank=rank) for (system, _), rank in zip(systems, places, strict=False)]
    without = [system for system, _ in systems[len(values) :]]
    return [*ordered, *without], np.stack([each for _, each in systems[: len(values)]])


def _uncertain(
    systems: list[System], metric: Metric, drawn: Floats, protocol: Protocol, clusters: int
) -> tuple[list[System], Differences, float | None]:
    """The systems with what the replicates (S, B) of the first S, over so many clusters, tell of them."""
    confidence = protocol.confidence
    values = np.array([system.value for system in systems[: len(drawn)]], dtype=np.float64)
    rank = np.array([system.rank for system in systems[: len(drawn)]], dtype=np.int64)
    differences = paired_differences(values, drawn, confidence, clusters)
    # Who has no value in a replicate is last in it.
    places = ranks(np.nan_to_num(_sign(metric) * drawn, nan=np.inf))
    alpha = level(confidence)
    enough = protocol.replicates >= needed_replicates(len(drawn), alpha)
    told = zip(
        systems, drawn, places, first_shares(places).tolist(), rank_shares(places).tolist(),
        tiers(differences.p, alpha).tolist() if enough else [None] * len(drawn), strict=False,
    )  # fmt: skip
    found = []
    for system, replicates, own, first, shares, tier in told:
        best, worst = rank_interval(system.rank or 1, own, confidence)
        system = replace(system, rank_low=best, rank_high=worst, first=first, shares=tuple(shares), tier=tier)
        if nowhere := int(np.isnan(replicates).sum()):
            reason = f"no interval: {metric.nowhere} in {nowhere:,} of {len(replicates):,} replicates"
            found.append(replace(system, reason=reason))
        else:
            low, high = percentile_interval(replicates, confidence, clusters)
            found.append(replace(system, low=low, high=high))
    return [*found, *systems[len(drawn) :]], differences, mean_kendall_tau(rank, places)


def _sign(metric: Metric) -> float:
    """What makes a loss of the metric."""
    return 1.0 if metric.direction == "lower" else -1.0
