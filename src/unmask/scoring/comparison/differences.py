"""Paired differences: how far two systems are apart on the same rows, and how often chance does as much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unmask.scoring.intervals import tails
from unmask.scoring.sample import Floats

#: Two gaps that differ by this share of one are the same gap, rounded.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Differences:
    """Every system less every other.

    Attributes:
        value: (S, S), value of the row's system less that of the column's.
        low: (S, S), lower end of its percentile interval; NaN where there is none.
        high: (S, S), upper end.
        p: (S, S), two-sided, not adjusted for the number of pairs; 1 on the diagonal; NaN where there is none.
    """

    value: Floats
    low: Floats
    high: Floats
    p: Floats


def paired_differences(values: Floats, replicates: Floats, confidence: float, clusters: int) -> Differences:
    """Differences with intervals and p.

    p = (1 + the number of replicates with |D* - D| >= |D|) / (B + 1), D the difference and D* that of a replicate: how
    often a difference moves by as much as it is from 0. Source: Davison and Hinkley 1997, "Bootstrap methods", 4.4.

    Args:
        values: (S,), on the rows themselves.
        replicates: (S, B), NaN where a replicate has no value: pairs of such a system have neither interval nor p.
        confidence: of the intervals, between 0 and 1.
        clusters: what was drawn anew, ``Resampling.fewest``: the fewer, the wider the intervals.
    """
    count = len(values)
    ends = tails(confidence, clusters)
    shape = count, count
    found = Differences(values[:, None] - values, np.zeros(shape), np.zeros(shape), np.ones(shape))
    for one in range(count - 1):
        rest = slice(one + 1, count)
        value = found.value[one, rest]
        drawn = replicates[one] - replicates[rest]
        far = np.abs(drawn - value[:, None]) >= (1.0 - _ROUNDING) * np.abs(value)[:, None]
        p = (1.0 + far.sum(axis=1)) / (1.0 + replicates.shape[1])
        p[np.isnan(drawn).any(axis=1)] = np.nan
        found.p[one, rest] = found.p[rest, one] = p
        low, high = np.percentile(drawn, ends, axis=1)
        found.low[one, rest], found.high[one, rest] = low, high
        found.low[rest, one], found.high[rest, one] = -high, -low
    return found
