"""Tiers: who cannot be told apart from the best."""

from __future__ import annotations

import numpy as np

from unmask.scoring.sample import Floats, Ints


def holm(p: Floats) -> Floats:
    """(M,) p-values adjusted by Holm 1979, so that the chance of any false finding among the M stays below the level.

    The smallest is multiplied by M, the next by M - 1, and so on; none falls below one that was smaller, or exceeds 1.
    """
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return adjusted


def tiers(p: Floats, alpha: float) -> Ints:
    """Tier of each system, from 1.

    The best of those without a tier is its tier's first; with it are all that cannot be told apart from it, which is
    tested against all others without a tier, Holm-adjusted. So a system may be in the tier of the first while one
    between the two, which varies less, is not.

    Args:
        p: (S, S), of the difference of each pair, systems by rank; NaN, where there is none, tells nothing apart.
        alpha: level at or below which an adjusted p tells two apart.
    """
    found = np.zeros(len(p), dtype=np.int64)
    tier = 0
    while (waiting := np.flatnonzero(found == 0)).size:
        tier += 1
        first, others = waiting[0], waiting[1:]
        found[first] = tier
        found[others[holm(np.nan_to_num(p[first, others], nan=1.0)) > alpha]] = tier
    return found


def level(confidence: float) -> float:
    """Alpha: what the confidence of the intervals leaves to 1."""
    return round(1.0 - confidence, 12)


def needed_replicates(systems: int, alpha: float) -> int:
    """Fewest replicates of which the smallest possible p, adjusted for ``systems`` - 1 tests, is at most ``alpha``."""
    return int(np.ceil((systems - 1) / alpha - 1e-9)) - 1
