"""The chart of a comparison: how often each system takes each rank."""

from __future__ import annotations

from collections.abc import Sequence

import pygal

from unmask.scoring.charts import inline
from unmask.scoring.comparison.comparison import System

#: Height of one system's row and of what stands below them; width of one rank and of the names.
_ROW, _FOOT, _COLUMN, _NAMES = 34, 70, 24, 190
#: At least so wide: with few ranks the dots stand farther apart.
_WIDTH = 900
_LONGEST = 24


def ranks_chart(systems: Sequence[System]) -> str:
    """A dot for each system and rank, whose area is the share of the replicates. As challengeR's blob plots.

    Args:
        systems: as rows, the first at the top; the columns end with the last rank that any of them takes.
    """
    count = max(rank for system in systems for rank, share in enumerate(system.shares, start=1) if share)
    chart = pygal.Dot(
        width=max(_WIDTH, _NAMES + _COLUMN * count), height=_FOOT + _ROW * len(systems), margin=8, show_legend=False,
        x_labels=[str(rank) for rank in range(1, count + 1)], truncate_label=-1, x_title="rank", js=[], css=[],
    )  # fmt: skip
    for system in systems:
        name = system.name if len(system.name) <= _LONGEST else "…" + system.name[1 - _LONGEST :]
        chart.add(name, [share**0.5 or None for share in system.shares[:count]])
    return inline(chart, "ranks", "How often each system takes each rank")
