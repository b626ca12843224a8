"""Where ids stand in a list of others, for strict reading and for joins.

Found by sorted hashes, which takes less than half the time of a join on the ids themselves.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
from numpy.typing import NDArray


def positions(ids: pl.Series, among: pl.Series) -> pl.Series:
    """For each of ``ids`` a position in ``among`` where the very same text stands.

    Args:
        ids: (N,) String, no nulls, in any order, repeated or not. The same order as that of ``among`` is quickest.
        among: (M,) String, no nulls; where an id is repeated, any of its positions may be given.

    Returns:
        (N,) UInt32; null where an id does not stand in ``among``.
    """
    if len(ids) == len(among) and ids.head(1).equals(among.head(1)) and (ids == among).all():
        return pl.arange(len(ids), dtype=pl.UInt32, eager=True)
    if among.is_empty():
        return pl.repeat(None, len(ids), dtype=pl.UInt32, eager=True)
    (asked, walk), (ranked, order) = _sorted_hashes(ids, among)
    if not np.array_equal(asked, ranked):
        # Sorted questions are answered in passing; in any other order, each would be a walk through memory.
        order = order[np.minimum(np.searchsorted(ranked, asked), len(ranked) - 1)]
    candidates = np.empty(len(ids), dtype=np.uint32)
    candidates[walk] = order
    # Hashes only lead to a candidate: whether it is the id, is decided by the text.
    found = pl.Series(candidates)
    same = among.gather(found) == ids
    return found if same.all() else found.set(~same, None)


def _sorted_hashes(ids: pl.Series, among: pl.Series) -> list[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
    """The hashes of both, ascending, and where each came from; no two different texts of ``among`` share one."""
    with ThreadPoolExecutor(2) as pool:
        for seed in itertools.count():
            both = list(pool.map(_sorted, [each.hash(seed).to_numpy() for each in (ids, among)]))
            ranked, order = both[1]
            twins = np.flatnonzero(ranked[1:] == ranked[:-1])
            if (among.gather(order[twins]) == among.gather(order[twins + 1])).all():
                break
    return both


def _sorted(values: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    order = np.argsort(values)
    return values[order], order
