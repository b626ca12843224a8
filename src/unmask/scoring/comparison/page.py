"""``comparison.html``: one page that opens from disk, without scripts and without a network."""

from __future__ import annotations

from unmask.scoring.comparison.charts import ranks_chart
from unmask.scoring.comparison.comparison import Comparison
from unmask.scoring.comparison.matrix import matrix, told_p
from unmask.scoring.page import environment
from unmask.scoring.versions import versions

#: Systems that the matrix and the chart of ranks show, the first by rank; the table has all.
MOST = 30


def render(comparison: Comparison) -> str:
    """The page as HTML text."""
    ranked = comparison.ranked
    ends = [end for system in ranked for end in (system.value, system.low, system.high) if end is not None]
    first, last = min(ends), max(ends)
    # Some air on both sides; and a range of its own where all values are one.
    margin = 0.05 * (last - first) or 0.05
    verdict, tone = _verdict(comparison)
    shown = ranked[:MOST]
    return environment().get_template("comparison.html").render(
        comparison=comparison, metric=comparison.metric, basis=comparison.basis, verdict=verdict, tone=tone,
        first=first - margin, last=last + margin, most=MOST, matrix=matrix(comparison, MOST), told_p=told_p,
        versions=versions(),
        chart=ranks_chart(shown) if shown[0].shares else None,
        delong_p=None if comparison.delong is None else comparison.delong.p_values(),
        delong_ends=None if comparison.delong is None else comparison.delong.intervals(comparison.protocol.confidence),
    )  # fmt: skip


def _verdict(comparison: Comparison) -> tuple[str, str]:
    """Who is ahead, and whether anybody else could be; and the tone in which the page tells it."""
    ranked = comparison.ranked
    leader, same = ranked[0], sum(system.tier == 1 for system in ranked) - 1
    leading = sum(system.rank == 1 for system in ranked)
    if leading > 1:
        return f"{leading} systems share the first place", "unknown"
    if comparison.differences is None:
        return f"{leader.name} leads, but nothing says how surely", "unknown"
    if leader.tier is None:
        return f"{leader.name} leads; who is apart from it takes more replicates", "unknown"
    if same == 0:
        return f"{leader.name} is ahead of all others", "good"
    if same == len(ranked) - 1:
        return f"{leader.name} leads, but cannot be told apart from any other", "unknown"
    return f"{leader.name} leads, but cannot be told apart from {same} other{'s' if same > 1 else ''}", "fair"
