"""Charts as SVG files of their own: drawn by pygal, with colours for light and dark inside."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from xml.etree import ElementTree

import pygal
from pygal.style import Style

#: Of pygal's output, what serves its scripts alone.
_FOR_SCRIPTS = "plot tooltip-overlay"
_STYLE = """
svg { --ink: #1c1d22; --soft: #62646e; --line: #dedcd3; --accent: #3d3bd1; background: none }
@media (prefers-color-scheme: dark) {
  svg { --ink: #ecebe6; --soft: #a0a2ae; --line: #31343e; --accent: #9c9bff }
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
.text-overlay text { text-anchor: start; transform: translate(-5px, -9px) }
.series path { stroke: var(--own); stroke-width: 2; stroke-dasharray: var(--dash) }
.dot { fill: var(--own); stroke: none }
.serie-0 path { stroke: var(--soft); stroke-width: .75; opacity: .7 }
svg {
  --a: #3d3bd1; --b: #c2410c; --c: #0b7a75; --d: #a21caf; --e: #62646e; --f: #85590a; --g: #b4232a; --h: #1c1d22
}
@media (prefers-color-scheme: dark) {
  svg {
    --a: #9c9bff; --b: #ff8a55; --c: #45c4bc; --d: #f0a0ff; --e: #a0a2ae; --f: #e6b957; --g: #ff8b8b; --h: #ecebe6
  }
}
.serie-1 { --own: var(--a) } .serie-1 path { stroke-width: 3 }
.serie-2 { --own: var(--b); --dash: 7 4 } .serie-3 { --own: var(--c); --dash: 2 4 }
.serie-4 { --own: var(--d) } .serie-5 { --own: var(--e); --dash: 7 4 } .serie-6 { --own: var(--f); --dash: 2 4 }
.serie-7 { --own: var(--g) } .serie-8 { --own: var(--h); --dash: 7 4 }
"""
#: Height of a row, and of what stands above and below all of them.
_ROW, _REST = 26, 80
#: As on a phone, where text would be too small to be read in a wider chart.
_WIDTH = 420
#: What the style sheet below says of text, so that pygal leaves room for it.
_TEXT = Style(
    label_font_size=13, major_label_font_size=13, value_font_size=13, value_label_font_size=13, title_font_size=13
)  # fmt: skip
#: Width that a chart gives to a name.
_NAME = 140.0
#: Widths of signs, about, in the font of charts; of all others, that of a capital or of a small letter.
_SIGNS = {**dict.fromkeys("iljtfrI.,:;'\"|!()[] -", 5.0), **dict.fromkeys("mwMW@%&", 12.0)}
_CAPITAL, _SMALL, _FULL = 9.5, 8.0, 14.0
_DAY = 86_400
#: Seconds from one tick of a time axis to the next.
_STEPS = (
    *(60 * each for each in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)),
    *(_DAY * each for each in (1, 2, 5, 10, 20, 30, 60, 90, 180, 365)),
)
_TICKS = 4

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
    width = max(last - first, 120.0)
    low, high = min(values), max(values)
    height = (high - low) or 10.0**-digits
    bottom, top = low - 0.08 * height, high + 0.08 * height
    zone, x_ticks = _times(last - width, last)
    room = max(_wide(_short(name)) for name, _ in lines)
    chart = pygal.XY(
        style=_TEXT,
        width=_WIDTH, height=380, margin=8, margin_right=round(room) + 18, show_legend=False, js=[], css=[],
        dots_size=3, print_labels=True, xrange=(last - width, last + 0.12 * width), range=(bottom, top),
        x_labels=x_ticks, y_labels=_levels(bottom, top, digits), truncate_label=-1, x_title=zone,
    )  # fmt: skip
    ends = [steps[-1][1] for _, steps in lines]
    names = _spread(ends, 0.06 * (top - bottom), bottom, top)
    between: list[object] = []
    for end, level in zip(ends, names, strict=True):
        between += [_bare(last, end), _bare(last + 0.1 * width, level), None]
    chart.add("", between, allow_interruptions=True)
    for (name, steps), level in zip(lines, names, strict=True):
        points: list[object] = []
        for number, (at, value) in enumerate(steps):
            if number:
                points.append(_bare(at.timestamp(), steps[number - 1][1]))
            points.append((at.timestamp(), value))
        points += [_bare(last, steps[-1][1]), None]
        points.append({"value": (last + 0.1 * width, level), "label": _short(name)})  # its dot has the line's colour
        chart.add("", points, allow_interruptions=True)
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
    names = [_short(name) for name in names]
    widest = max(map(_wide, names))
    counted = 0.6 * 13 * max(map(len, names))  # what pygal leaves room for
    return pygal.XY(
        style=_TEXT,
        width=_WIDTH, height=_ROW * len(names) + _REST, margin=8,
        margin_left=8 + max(0, round(widest - counted)), show_legend=False, js=[], css=[], dots_size=5,
        range=(0.7 - len(names), 0.3), xrange=(0.7, most + 0.3), x_title="rank", truncate_label=-1,
        x_labels=[{"label": str(rank), "value": rank} for rank in ticks],
        y_labels=[{"label": name, "value": -place} for place, name in enumerate(names)],
    )  # fmt: skip


def _bare(x: float, y: float) -> dict[str, object]:
    """A point of a line without a dot."""
    return {"value": (x, y), "node": {"r": 0}}


def _short(name: str) -> str:
    """A name, cut where it would be wider than a chart has room for."""
    if _wide(name) <= _NAME:
        return name
    while _wide(name) > _NAME - _FULL:
        name = name[:-1]
    return f"{name.rstrip()}…"


def _wide(text: str) -> float:
    """About how wide a text is."""
    return sum(_SIGNS.get(sign) or _width_of(sign) for sign in text)


def _width_of(sign: str) -> float:
    if unicodedata.combining(sign):
        return 0.0
    if unicodedata.east_asian_width(sign) in "WF":
        return _FULL
    return _CAPITAL if sign.isupper() else _SMALL


def _times(first: float, last: float) -> tuple[str, list[dict[str, object]]]:
    """What a time axis is called, and its ticks: round times between the two."""
    step = next((each for each in _STEPS if (last - first) / each <= _TICKS), _STEPS[-1])
    begin, end = (datetime.fromtimestamp(each, UTC) for each in (first, last))
    ticks = [step * number for number in range(math.ceil(first / step), math.floor(last / step) + 1)]
    if step < _DAY:
        form, ends = "%H:%M", (f"{begin:%Y-%m-%d}", f"{end:%Y-%m-%d}")
    else:
        form, ends = "%m-%d" if step < 30 * _DAY else "%Y-%m", (f"{begin:%Y}", f"{end:%Y}")
    labels = []
    for each in ticks:
        at = datetime.fromtimestamp(each, UTC)
        labels.append({"label": f"{at:%m-%d}" if step < _DAY and each % _DAY == 0 else f"{at:{form}}", "value": each})
    return f"time in UTC, {' to '.join(dict.fromkeys(ends))}", labels


def _levels(low: float, high: float, digits: int) -> list[dict[str, object]]:
    """Ticks of an axis of scores: round numbers between the two, with no more decimals than scores have."""
    tens = 10.0 ** math.floor(math.log10((high - low) / _TICKS))
    enough = next((tens * each for each in (1, 2, 5) if tens * each >= (high - low) / _TICKS), tens * 10)
    step = max(10.0**-digits, enough)
    shown = max(0, -math.floor(math.log10(step) + 1e-9))
    numbers = range(math.ceil(low / step), math.floor(high / step) + 1)
    return [{"label": f"{step * each:.{shown}f}", "value": step * each} for each in numbers]


def _spread(levels: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """``levels`` moved: no two nearer than ``gap``, all between ``low`` and ``high`` where there is room."""
    order = sorted(range(len(levels)), key=lambda number: levels[number])
    found = list(levels)
    over = low - gap
    for number in order:
        found[number] = over = max(found[number], over + gap)
    over = high + gap
    for number in reversed(order):
        found[number] = over = min(found[number], over - gap)
    return found
