"""Charts as inline SVG: drawn by pygal, stripped of its scripts and styles, coloured by the page's own CSS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pygal

from unmask.scoring.sample import Sample

#: A ROC curve is drawn with at most this many points.
_POINTS = 250
_BINS = 20
_SIZE = {"width": 460, "height": 400, "margin": 8, "show_legend": False, "js": [], "css": []}
#: What of pygal's output serves only its scripts, which the page leaves out.
_FOR_SCRIPTS = ("plot overlay", "plot text-overlay", "plot tooltip-overlay")


def roc_chart(rows: pl.DataFrame) -> str:
    """The ROC curve of the scored rows (columns label, score; both classes) with the diagonal of guessing."""
    sample = Sample.of(rows["label"].to_numpy(), rows["score"].to_numpy())
    caught, alarms = (np.concatenate(([0.0], counts[:, 0])) for counts in sample.curve)
    kept = np.unique(np.linspace(0, len(caught) - 1, _POINTS).astype(np.int64))
    points = [(float(x), float(y)) for x, y in zip(alarms[kept] / alarms[-1], caught[kept] / caught[-1], strict=True)]
    ticks = [0, 0.25, 0.5, 0.75, 1]
    chart = pygal.XY(
        **_SIZE, show_dots=False, range=(0, 1), xrange=(0, 1), x_labels=ticks, y_labels=ticks, show_x_guides=True,
        x_title="reals called fake", y_title="fakes caught",
    )  # fmt: skip
    chart.add("guessing", [(0, 0), (1, 1)])
    chart.add("this detector", points)
    return _inline(chart, "roc", "ROC curve: share of fakes caught against share of reals called fake")


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
    return _inline(chart, "histogram", "Histogram: scores of reals and of fakes")


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
    return _inline(chart, "histogram counts", label)


def _inline(chart: pygal.graph.graph.Graph, kind: str, label: str) -> str:
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
