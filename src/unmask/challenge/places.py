"""Ranks from marks: who is where, where else they may stand, and who cannot be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unmask.challenge.definition import Definition
from unmask.challenge.folder import CONFIDENCE
from unmask.challenge.marks import Mark
from unmask.scoring.comparison.differences import paired_differences
from unmask.scoring.comparison.ranks import rank_interval, ranks
from unmask.scoring.comparison.tiers import level, needed_replicates, tiers
from unmask.scoring.intervals import percentile_interval
from unmask.scoring.metrics import Metric
from unmask.scoring.sample import Floats, Ints


@dataclass(frozen=True)
class Place:
    """Where one submission stands.

    Attributes:
        rank: from 1; None where the primary metric is undefined. Submissions that show the same numbers share it.
        score: the primary metric, rounded as shown.
        ties: the tie-breakers, rounded as shown; None where undefined.
        low: lower end of the score's interval; None where there is none.
        high: its upper end.
        rank_low: best rank in the middle 95 % of the replicates, never worse than ``rank``.
        rank_high: worst rank in the middle 95 % of the replicates, never better than ``rank``.
        tier: from 1: submissions that cannot be told apart from the first of their tier; None where there are too few
            replicates to tell so many apart.
        reason: why there is no score.
    """

    rank: int | None = None
    score: float | None = None
    ties: tuple[float | None, ...] = ()
    low: float | None = None
    high: float | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    tier: int | None = None
    reason: str | None = None


def place(marks: Sequence[Mark], definition: Definition, fewest: int) -> list[Place]:
    """Where each mark stands among the others.

    Ranks are made from numbers rounded to the definition's ``digits``, so that what is shown decides. Equal scores are
    parted by the tie-breakers, an undefined one being worse than any value.

    Args:
        marks: of the same part of the same challenge, at least one.
        definition: the challenge's.
        fewest: ``Marker.fewest`` of that part.
    """
    scored = [number for number, mark in enumerate(marks) if mark.score is not None]
    found = [Place(reason=mark.reason) for mark in marks]
    if not scored:
        return found
    digits, metrics = definition.digits, definition.metrics
    values = np.array([marks[number].values for number in scored], dtype=np.float64).T  # (M, S), NaN for None
    order = _ranks(_losses(values, metrics, digits)[:, :, None])[:, 0]
    for number, rank, own in zip(scored, order.tolist(), np.round(values, digits).T, strict=True):
        rounded = tuple(None if np.isnan(value) else float(value) for value in own)
        found[number] = Place(rank, rounded[0], rounded[1:])
    drawn = np.stack([marks[number].replicates for number in scored], axis=1)  # (M, S, B)
    if not drawn.shape[2]:
        return found
    # Who has no value in a replicate is last in it.
    places = _ranks(_losses(drawn, metrics, digits))
    told = _tiers(values[0], drawn[0], order, fewest)
    for number, replicates, own_places, tier in zip(scored, drawn[0], places, told, strict=True):
        found[number] = _with_intervals(found[number], replicates, own_places, tier, fewest, digits)
    return found


def _losses(values: Floats, metrics: Sequence[Metric], digits: int) -> Floats:
    """(M, ...) values as rounded losses: the smaller, the better; infinite where there is no value."""
    signs = np.array([1.0 if metric.direction == "lower" else -1.0 for metric in metrics])
    signed = signs.reshape(-1, *[1] * (values.ndim - 1)) * np.round(values, digits)
    return np.asarray(np.nan_to_num(signed, nan=np.inf, posinf=np.inf, neginf=-np.inf))


def _ranks(losses: Floats) -> Ints:
    """(S, B) ranks from (M, S, B) losses, of which the first decides, the second where that is the same, and so on."""
    combined = losses[-1]
    for loss in losses[-2::-1]:
        combined = np.stack([_together(first, then) for first, then in zip(loss.T, combined.T, strict=True)], axis=1)
    return ranks(combined)


def _together(first: Floats, then: Floats) -> Floats:
    """(S,) numbers in the order of ``first``, and of ``then`` where that is the same."""
    outer, inner = (np.unique(each, return_inverse=True)[1] for each in (first, then))
    return np.asarray(outer * float(len(first)) + inner)


def _tiers(values: Floats, drawn: Floats, order: Ints, fewest: int) -> list[int | None]:
    """Tier of each of S submissions, from unrounded scores (S,) and replicates (S, B)."""
    alpha = level(CONFIDENCE)
    if drawn.shape[1] < needed_replicates(len(values), alpha):
        return [None] * len(values)
    by_rank = np.argsort(order, kind="stable")
    differences = paired_differences(values[by_rank], drawn[by_rank], CONFIDENCE, fewest)
    found = np.empty(len(values), dtype=np.int64)
    found[by_rank] = tiers(differences.p, alpha)
    return [int(tier) for tier in found]


def _with_intervals(
    found: Place, replicates: Floats, places: Ints, tier: int | None, fewest: int, digits: int
) -> Place:
    best, worst = rank_interval(found.rank or 1, places, CONFIDENCE)
    low = high = None
    if not np.isnan(replicates).any():
        low, high = (round(end, digits) for end in percentile_interval(replicates, CONFIDENCE, fewest))
    return Place(found.rank, found.score, found.ties, low, high, best, worst, tier, found.reason)
