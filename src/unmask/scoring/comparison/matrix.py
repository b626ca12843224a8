"""The matrix of pairwise differences, as the page shows it: readable with three systems and with thirty."""

from __future__ import annotations

import math
from dataclasses import dataclass

from unmask.scoring.comparison.comparison import Comparison

#: With more systems than these a cell shows only how far apart two are, as a whole number of some unit.
_ROOMY = 10
#: p at or below which a cell is shaded, the darkest first.
_SHADES = (0.001, 0.01, 0.05)


@dataclass(frozen=True)
class Cell:
    """One pair.

    Attributes:
        text: the difference, row less column; where the matrix has a unit, how many of it the two are apart.
        p: as people read it.
        told: all that is known of the pair, in words.
        shade: 3 where p is at most 0.001, 2 at most 0.01, 1 at most 0.05, 0 above or where there is none.
    """

    text: str
    p: str
    told: str
    shade: int


@dataclass(frozen=True)
class Matrix:
    """Each system against those behind it.

    Attributes:
        names: of the systems, by rank.
        rows: a row for each system but the last: a cell for each system behind it.
        unit: what a whole number in a cell stands for; None where cells have room for decimals and p.
    """

    names: list[str]
    rows: list[list[Cell]]
    unit: float | None


def matrix(comparison: Comparison, most: int) -> Matrix | None:
    """The matrix of the first ``most`` systems; None where there are no differences."""
    systems, found = comparison.ranked[:most], comparison.differences
    count = len(systems)
    if found is None or count < 2:
        return None
    largest = float(abs(found.value[:count, :count]).max())
    unit = None if count <= _ROOMY else 10.0 ** (math.floor(math.log10(largest)) - 2) if largest else 1.0
    rows = []
    for i in range(count - 1):
        cells = []
        for j in range(i + 1, count):
            value, low, high, p = (float(each[i, j]) for each in vars(found).values())
            text = f"{value:+.3f}" if unit is None else f"{round(abs(value) / unit)}"
            span = "" if math.isnan(low) else f" ({low:+.4f} to {high:+.4f})"
            told = f"{systems[i].name} less {systems[j].name}: {value:+.4f}{span}, {told_p(p)}"
            cells.append(Cell(text, told_p(p), told, sum(p <= shade for shade in _SHADES)))
        rows.append(cells)
    return Matrix([system.name for system in systems], rows, unit)


def told_p(p: float) -> str:
    """``p = 0.012``, ``p < 0.001``, or that there is none."""
    if math.isnan(p):
        return "no p"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
