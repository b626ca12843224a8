"""Charts as inline SVG: drawn by pygal, stripped of its scripts and styles, coloured by the page's own CSS."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pygal

from unmask.scoring.curves import Curve
from unmask.scoring.sample import Floats

_BINS = 20
#: Where axes of shares, and of error rates on a probit scale, have their ticks.
_SHARES = {f"{share:g}": share for share in (0, 0.25, 0.5, 0.75, 1)}
_ERRORS = {f"{percent:g}": percent / 100 for percent in (0.1, 1, 5, 20, 50, 80)}
_SIZE = {"width": 460, "height": 400, "margin": 8, "show_legend": False, "js": [], "css": []}
#: What of pygal's output serves only its scripts, which the page leaves out.
_FOR_SCRIPTS = ("plot overlay", "plot text-overlay", "plot tooltip-overlay")


def roc_chart(curve: Curve) -> str:
    """The ROC curve with its band and the diagonal of guessing."""
    return _curve_chart(
        curve, [(0, 0), (1, 1)], _SHARES, _SHARES, x_title="reals called fake", y_title="fakes caught",
        label="ROC curve: share of fakes caught against share of reals called fake",
    )  # fmt: skip


def det_chart(curve: Curve) -> str:
    """The DET curve, from the ROC curve: both error rates on probit scales, on which normal scores make a line."""
    normal = NormalDist()
    ticks = {name: normal.inv_cdf(share) for name, share in _ERRORS.items()}
    first, last = min(ticks.values()), max(ticks.values())

    def probit(rates: Floats) -> Floats:
        return np.array([normal.inv_cdf(rate) if 0 < rate < 1 else np.sign(rate - 0.5) * 9 for rate in rates])

    x, missed = probit(curve.x), probit(1 - curve.y)
    seen = (x >= first) & (x <= last) & (missed <= last)
    missed, low, high = (
        np.clip(each, first, last)[seen] for each in (missed, probit(1 - curve.high), probit(1 - curve.low))
    )
    guessing = [(first, last), (last, first)]
    return _curve_chart(
        Curve(x[seen], missed, low, high), guessing, ticks, ticks, x_title="reals called fake, %",
        y_title="fakes missed, %",
        label="DET curve: share of fakes missed against share of reals called fake",
    )  # fmt: skip


def precision_chart(curve: Curve, share: float) -> str:
    """Precision by recall with its band; guessing has the ``share`` of fakes in the set throughout."""
    return _curve_chart(
        curve, [(0, share), (1, share)], _SHARES, _SHARES, x_title="fakes caught", y_title="of those called, fake",
        label="Precision-recall curve: share of fakes among those called fake against share of fakes caught",
    )  # fmt: skip


def budget_chart(curve: Curve) -> str:
    """Recall by review budget with its band, the budget on a logarithmic scale."""
    x = np.log10(curve.x)
    lowest = math.floor(x[0])
    ticks = {f"{100 * 10.0**power:g}": float(power) for power in range(lowest, 1)}
    guessing = [(power, 10.0**power) for power in np.linspace(x[0], 0, 40).tolist()]
    return _curve_chart(
        Curve(x, curve.y, curve.low, curve.high), guessing, ticks, _SHARES, x_title="of all, looked at by people, %",
        y_title="fakes found", label="Share of fakes found against share of the stream that people look at",
    )  # fmt: skip


def reliability_chart(curve: Curve) -> str:
    """Share of fakes by score with its band and the diagonal, on which scores are as good as their word."""
    return _curve_chart(
        curve, [(0, 0), (1, 1)], _SHARES, _SHARES, x_title="mean score", y_title="share of fakes",
        label="Reliability curve: share of fakes against mean score, in bins of equally many",
    )  # fmt: skip


def histogram_chart(rows: pl.DataFrame) -> str:
    """How the scores of reals and of fakes are spread over [0, 1]: percent of each class in 20 bins."""
    edges = np.linspace(0.0, 1.0, _BINS + 1)
    chart = pygal.Bar(
        **_SIZE, x_labels=[f"{edge:.1f}" if i % 4 == 0 else "" for i, edge in enumerate(edges[:-1])],
        truncate_label=-1, spacing=14, min_scale=3, max_scale=5, x_title="score", y_title="percent of the class",
    )  # fmt: skip
    for name, label in (("reals", 0), ("fakes", 1)):
        scores = rows.filter(pl.col("label") == label)["score"].to_numpy()
        counts = np.histogram(scores, edges)[0]
        chart.add(name, [round(100.0 * float(count) / max(len(scores), 1), 2) for count in counts])
    return inline(chart, "histogram", "Histogram: scores of reals and of fakes")


def counts_chart(
    groups: Mapping[str, Sequence[int]], names: Sequence[str], *, x_title: str, y_title: str, label: str
) -> str:
    """Counts in bins, those of one group on top of the other's.

    Args:
        groups: name of a group -> its count in each bin.
        names: what stands below each bin; "" for nothing.
        x_title: what the bins are of.
        y_title: what is counted.
        label: what the chart shows, for those who cannot see it.
    """
    chart = pygal.StackedBar(
        **_SIZE, x_labels=names, truncate_label=-1, spacing=14, min_scale=3, max_scale=5, x_title=x_title,
        y_title=y_title, value_formatter=lambda count: f"{count:,.0f}",
    )  # fmt: skip
    for name, counts in groups.items():
        chart.add(name, list(counts))
    return inline(chart, "histogram counts", label)


def _curve_chart(
    curve: Curve,
    other: Sequence[tuple[float, float]],
    x_ticks: Mapping[str, float],
    y_ticks: Mapping[str, float],
    *,
    x_title: str,
    y_title: str,
    label: str,
) -> str:
    """A curve, its band, and the line of a detector that says nothing or of one that is as good as its word."""
    (x_first, *_, x_last), (y_first, *_, y_last) = sorted(x_ticks.values()), sorted(y_ticks.values())
    chart = pygal.XY(
        **_SIZE, show_dots=False, range=(y_first, y_last), xrange=(x_first, x_last), show_x_guides=True,
        x_labels=_ticks(x_ticks), y_labels=_ticks(y_ticks), x_title=x_title, y_title=y_title,
    )  # fmt: skip
    there = np.isfinite(curve.low)
    x = curve.x[there].tolist()
    edge = [
        *zip(x, curve.high[there].tolist(), strict=True),
        *reversed([*zip(x, curve.low[there].tolist(), strict=True)]),
    ]
    chart.add("band", [*edge, *edge[:1]], fill=True)
    chart.add("other", list(other))
    chart.add("this detector", [*zip(curve.x.tolist(), curve.y.tolist(), strict=True)])
    return inline(chart, "curve", label)


def _ticks(places: Mapping[str, float]) -> list[dict[str, object]]:
    return [{"label": name, "value": place} for name, place in places.items()]


def inline(chart: pygal.graph.graph.Graph, kind: str, label: str) -> str:
    """The chart as an ``svg`` element without identifiers, dates, scripts or addresses."""
    root = chart.render_tree()
    for parent in list(root.iter()):
        for child in list(parent):
            wanted = isinstance(child.tag, str) and child.tag.rsplit("}")[-1] not in ("defs", "title", "desc")
            if not wanted or child.get("class") in _FOR_SCRIPTS:
                parent.remove(child)
    shape = root.get("viewBox")
    root.attrib.clear()
    root.attrib.update({"class": f"chart {kind}", "viewBox": shape, "role": "img", "aria-label": label})
    return ElementTree.tostring(root, encoding="unicode", method="html")
