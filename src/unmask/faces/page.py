"""A store's numbers as HTML: one page that opens from disk, without scripts and without a network."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jinja2 import PackageLoader

from unmask.faces.coverage import Coverage
from unmask.faces.look import shrink
from unmask.faces.stats import FaceStats, Histogram, Shown
from unmask.faces.store import FaceStore
from unmask.media.encode import encode_jpeg
from unmask.scoring.charts import counts_chart
from unmask.scoring.page import environment
from unmask.tables.errors import MediaError

#: Side of the pictures in the page, in pixels, and the quality of their JPEGs.
_SIDE, _QUALITY = 192, 85
#: Every so many bins have their lower edge below them: there is no room for all.
_LABELLED = 4


def render(stats: FaceStats, store: FaceStore, *, words: Mapping[str, str]) -> str:
    """The page as HTML text.

    Args:
        stats: the numbers of ``store``.
        store: whose crops are shown.
        words: reason to what it means.
    """
    sides, confidences = stats.side.histogram, stats.confidence.histogram
    return environment(PackageLoader("unmask.faces")).get_template("faces.html").render(
        stats=stats, name=store.folder.resolve().name, words=words, settings=list(flat(stats.settings)),
        top=_top(stats.coverage) if stats.coverage else None,
        sides=_chart(sides, "longer side of the face, pixels", "Histogram: sizes of the faces in their frames"),
        confidences=_chart(confidences, "confidence", "Histogram: confidence of the face detector"),
        least_sure=_with_pictures(store, stats.least_sure), smallest=_with_pictures(store, stats.smallest),
    )  # fmt: skip


def flat(settings: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """The settings without nesting: ``crop.size``, 256. Whatever settings a store has are shown, in their order."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from ((f"{key}.{inner}", cell) for inner, cell in flat(value))
        else:
            yield key, value


def _top(coverage: Coverage) -> float:
    """Where the bars of shares end: the next 5 % above the highest interval, so that small shares can be told apart."""
    highs = [group.high for groups in coverage.groups.values() for group in groups if group.high is not None]
    return min(math.ceil(20 * max(highs)) / 20, 1.0)


def _chart(histogram: Histogram, x_title: str, label: str) -> str:
    edges = histogram.edges
    names = [f"{edge:g}" if place % _LABELLED == 0 else "" for place, edge in enumerate(edges[:-1])]
    if edges[-1] - edges[-2] > 1.01 * (edges[1] - edges[0]):  # a last bin that is wider says so, and gets room for it
        names[-2:] = "", f"{edges[-2]:g}+"
    groups = {"track 0, the face": histogram.first, "other tracks": histogram.others}
    return counts_chart(groups, names, x_title=x_title, y_title="crops", label=label)


def _with_pictures(store: FaceStore, crops: Sequence[Shown]) -> list[tuple[Shown, str | None]]:
    return [(crop, _picture(store, crop.row)) for crop in crops]


def _picture(store: FaceStore, row: int) -> str | None:
    """A crop as an address that holds the picture itself; None where it is damaged.

    It is encoded anew, whatever the store's encoding is: no byte of a stranger's store gets into the page.
    """
    try:
        image = shrink(store.image(row), _SIDE)
    except MediaError:
        return None
    return "data:image/jpeg;base64," + b64encode(encode_jpeg(np.asarray(image), _QUALITY)).decode("ascii")
