"""The Ladder: a public score that moves only where a submission is better than the best before by more than chance.

Whoever may ask often enough can otherwise climb the public part by noise alone, or read labels off tiny changes: one
row that is put first by itself moves an AUC by more than four digits hide. Source: Blum and Hardt 2015, "The Ladder: a
reliable leaderboard for machine learning competitions", parameter-free form: the step is made of the standard error of
the paired difference, here from the bootstrap, so that it serves any metric. Two changes: the first rung is what a
submission gets that says nothing, or the first question of each team would be answered whatever it asks; and the step
is two standard errors, since the difference that one row makes is about one.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from unmask.challenge.marks import Mark
from unmask.scoring.metrics import Metric

#: Standard errors by which a submission has to be better.
_STEP = 2.0


def climb(marks: Iterable[Mark], metric: Metric, start: Mark) -> list[int | None]:
    """Whose score each submission shows: its own number where it climbs, else that of the last one that did.

    Args:
        marks: of one team on one part, in the order in which they were received.
        metric: the primary one.
        start: of a submission that says nothing, on the same part.

    Returns:
        For each mark the number, from 0, of the mark whose score is shown; None where that of ``start`` is.
    """
    sign = 1.0 if metric.direction == "lower" else -1.0
    best, number_of_best = start, None
    shown: list[int | None] = []
    for number, mark in enumerate(marks):
        if mark.score is not None and _better(mark, best, sign):
            best, number_of_best = mark, number
        shown.append(number_of_best)
    return shown


def _better(mark: Mark, best: Mark, sign: float) -> bool:
    """Whether ``mark`` is ahead of ``best`` by more than ``_STEP`` standard errors of their difference."""
    if best.score is None:
        return True
    gain = sign * (best.score - (mark.score or 0.0))
    differences = mark.replicates[0] - best.replicates[0]
    differences = differences[np.isfinite(differences)]
    return gain > (_STEP * float(differences.std()) if differences.size else 0.0)
