"""Charts as SVG files of their own: drawn by pygal, with colours for light and dark inside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from xml.etree import ElementTree

import pygal
from pygal.style import Style

#: Of pygal's output, what serves its scripts alone.
_FOR_SCRIPTS = "plot tooltip-overlay"
_STYLE = """
svg { --ink: #1c1d22; --soft: #62646e; --line: #dedcd3; --accent: #3d3bd1; --other: #c2410c; background: none }
@media (prefers-color-scheme: dark) {
  svg { --ink: #ecebe6; --soft: #a0a2ae; --line: #31343e; --accent: #9c9bff; --other: #ff8a55 }
}
text { font: 13px system-ui, "Segoe UI", Roboto, sans-serif; fill: var(--ink) }
.background { fill: none } .axis.x text { fill: var(--soft); text-anchor: middle }
.titles text { fill: var(--soft); text-anchor: middle } .axis.y text { text-anchor: end }
.guides path, .axis path { stroke: var(--line); fill: none }
path { fill: none } .dot { fill: var(--accent); stroke: var(--accent) }
"""
_ROWS = """
.series path { stroke: var(--accent); stroke-width: 5; stroke-linecap: round; opacity: .45 }
"""
_SHIFTS = """
.series path { stroke: var(--soft); stroke-width: 2; opacity: 1 } .before { fill: var(--hole); stroke-width: 2 }
svg { --hole: #fffefb } @media (prefers-color-scheme: dark) { svg { --hole: #1b1d24 } }
"""
_LINES = """
.text-overlay text { text-anchor: start; transform: translateY(-13px) }
.axis.x .guides:first-of-type text { text-anchor: start }
.axis.x .guides:last-of-type text { text-anchor: end }
.series path { stroke: var(--soft); stroke-width: 1.5 } .dot { fill: var(--soft); stroke: none }
.serie-0 path { stroke: var(--accent); stroke-width: 3 } .serie-0 .dot { fill: var(--accent) }
.serie-1 path { stroke: var(--other); stroke-width: 2.5; stroke-dasharray: 7 4 } .serie-1 .dot { fill: var(--other) }
.serie-2 path { stroke: var(--ink); stroke-width: 2; stroke-dasharray: 2 4 } .serie-2 .dot { fill: var(--ink) }
"""
#: Height of a row, and of what stands above and below all of them.
_ROW, _REST = 26, 80
_WIDTH = 520
#: What the style sheet below says of text, so that pygal leaves room for it.
_TEXT = Style(
    label_font_size=13, major_label_font_size=13, value_font_size=13, value_label_font_size=13, title_font_size=13
)  # fmt: skip
#: Longest name that a chart writes out.
_NAME = 20


#: When, and the best score from then on.
Step = tuple[datetime, float]


@lru_cache(maxsize=32)
def draw_intervals(rows: Sequence[tuple[str, int, int, int]]) -> str:
    """Which ranks each team could have: a bar from the best to the worst, with a dot at its own.

    Args:
        rows: team, rank, best and worst rank; the first first.
    """
    chart = _rows_chart([name for name, *_ in rows], max(worst for *_, worst in rows))
    for place, (_, rank, best, worst) in enumerate(rows):
        chart.add("", [_bare(best, -place), (rank, -place), _bare(worst, -place)])
    return standalone(chart, _ROWS)


@lru_cache(maxsize=32)
def draw_shifts(rows: Sequence[tuple[str, int, int]]) -> str:
    """How the private part moved each team: a ring at its public rank, a dot at its private one.

    Args:
        rows: team, public and private rank; by the private one.
    """
    chart = _rows_chart([name for name, *_ in rows], max(max(ranks) for _, *ranks in rows))
    for place, (_, public, private) in enumerate(rows):
        ring = {"value": (public, -place), "node": {"class": "dot before", "r": 6}}
        chart.add("", [ring, (private, -place)])
    return standalone(chart, _SHIFTS)


@lru_cache(maxsize=32)
def draw_progress(lines: Sequence[tuple[str, Sequence[Step]]], digits: int) -> str:
    """Each team's best score over time, named where its line ends.

    Args:
        lines: team and its steps: when, and the best score from then on; the first first.
        digits: decimals of scores.
    """
    times = [at.timestamp() for _, steps in lines for at, _ in steps]
    values = [value for _, steps in lines for _, value in steps]
    first, last = min(times), max(times)
    width = (last - first) or 3600.0
    low, high = min(values), max(values)
    height = (high - low) or 10.0**-digits
    chart = pygal.XY(
        style=_TEXT,
        width=_WIDTH, height=380, margin=8, margin_right=150, show_legend=False, js=[], css=[], dots_size=3,
        print_labels=True, xrange=(first, last + 0.08 * width), range=(low - 0.08 * height, high + 0.08 * height),
        x_labels=[{"label": _day(first, width), "value": first}, {"label": _day(last, width), "value": last}],
        y_labels=[{"label": f"{low + part * height:.{digits}f}", "value": low + part * height} for part in (0, 0.5, 1)],
        truncate_label=-1, x_title="UTC",
    )  # fmt: skip
    for (name, steps), level in zip(lines, _spread([s[-1][1] for _, s in lines], 0.065 * height), strict=True):
        points: list[object] = []
        for number, (at, value) in enumerate(steps):
            if number:
                points.append(_bare(at.timestamp(), steps[number - 1][1]))
            points.append((at.timestamp(), value))
        points.append(_bare(last, steps[-1][1]))
        points.append(_bare(last + 0.06 * width, level) | {"label": f" {_short(name)}"})
        chart.add("", points)
    return standalone(chart, _LINES)


def standalone(chart: pygal.graph.graph.Graph, style: str) -> str:
    """The chart as an SVG file without scripts, addresses and identifiers, styled by ``style``."""
    root = chart.render_tree()
    for parent in list(root.iter()):
        for child in list(parent):
            wanted = isinstance(child.tag, str) and child.tag.rsplit("}")[-1] not in ("defs", "title", "desc")
            if not wanted or child.get("class") == _FOR_SCRIPTS:
                parent.remove(child)
    shape = root.get("viewBox", "")
    root.attrib.clear()
    root.attrib.update({"xmlns": "http://www.w3.org/2000/svg", "viewBox": shape})
    sheet = ElementTree.Element("style")
    sheet.text = _STYLE + style
    root.insert(0, sheet)
    return ElementTree.tostring(root, encoding="unicode")


def _rows_chart(names: Sequence[str], most: int) -> pygal.XY:
    """A chart with a row for each name, and ranks along it."""
    step = max(1, round(most / 8))
    ticks = sorted({1, *range(step, most + 1, step)})
    return pygal.XY(
        style=_TEXT,
        width=_WIDTH, height=_ROW * len(names) + _REST, margin=8, show_legend=False, js=[], css=[], dots_size=5,
        range=(0.7 - len(names), 0.3), xrange=(0.7, most + 0.3), x_title="rank", truncate_label=-1,
        x_labels=[{"label": str(rank), "value": rank} for rank in ticks],
        y_labels=[{"label": _short(name), "value": -place} for place, name in enumerate(names)],
    )  # fmt: skip


def _bare(x: float, y: float) -> dict[str, object]:
    """A point of a line without a dot."""
    return {"value": (x, y), "node": {"r": 0}}


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"


def _day(moment: float, width: float) -> str:
    form = "%Y-%m-%d %H:%M" if width < 3 * 86_400 else "%Y-%m-%d"
    return f"{datetime.fromtimestamp(moment, UTC):{form}}"


def _spread(levels: Sequence[float], gap: float) -> list[float]:
    """``levels`` moved up so that no two are nearer than ``gap``."""
    order = sorted(range(len(levels)), key=lambda number: levels[number])
    found = list(levels)
    for under, over in pairwise(order):
        found[over] = max(found[over], found[under] + gap)
    return found
