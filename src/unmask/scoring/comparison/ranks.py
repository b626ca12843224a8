"""Ranks: of the systems on the rows themselves, and in every replicate."""

from __future__ import annotations

import numpy as np

from unmask.scoring.sample import Floats, Ints


def ranks(losses: Floats) -> Ints:
    """Rank of each system in each column of (S, B) losses: 1 + the number of systems with a smaller loss."""
    found = np.empty(losses.shape, dtype=np.int64)
    for column in range(losses.shape[1]):
        found[:, column] = 1 + np.searchsorted(np.sort(losses[:, column]), losses[:, column])
    return found


def rank_interval(rank: int, places: Ints, confidence: float) -> tuple[int, int]:
    """Best and worst rank in the middle ``confidence`` of (B,) places; ``rank`` itself is always among them."""
    tail = 50.0 * (1.0 - confidence)
    best, worst = np.percentile(places, (tail, 100.0 - tail), method="inverted_cdf")
    return min(int(best), rank), max(int(worst), rank)


def first_shares(places: Ints) -> Floats:
    """How often each of (S, B) is first: (S,), together 1. Where several are, each has its part of the replicate."""
    first = places == 1
    return np.asarray((first / first.sum(axis=0)).mean(axis=1))


def rank_shares(places: Ints) -> Floats:
    """(S, S) share of the replicates in which the row's system has rank 1, 2, ... S."""
    count, replicates = places.shape
    return np.asarray(np.stack([np.bincount(each - 1, minlength=count) for each in places]) / replicates)


def mean_kendall_tau(rank: Ints, places: Ints) -> float | None:
    """Mean over the replicates of Kendall's tau-b between their ranking and the full one; range [-1, 1].

    1: every replicate ranks as all rows do. A replicate in which all systems tie says nothing, and counts as 0. None
    where all tie on the rows themselves. Source: Wiesenfarth et al. 2021, "Methods and open-source toolkit for
    analyzing and visualizing challenge results".

    Args:
        rank: (S,), on the rows themselves.
        places: (S, B).
    """
    agreeing, told = np.zeros(places.shape[1]), np.zeros(places.shape[1])
    pairs = 0
    for one in range(len(rank) - 1):
        full = np.sign(rank[one] - rank[one + 1 :])
        drawn = np.sign(places[one] - places[one + 1 :])
        agreeing += full @ drawn
        told += (drawn != 0).sum(axis=0)
        pairs += int((full != 0).sum())
    if not pairs:
        return None
    return float(np.mean(agreeing / np.sqrt(pairs * np.maximum(told, 1.0))))
