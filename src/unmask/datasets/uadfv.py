"""UADFV: 49 videos from YouTube and, of each, one face swap made with FakeApp.

Source: the authors' form (data/uadfv.md).
Licence: the authors' terms of use, which the form shows.
Counts: 49 real + 49 fake.
Citation: Yang, Li and Lyu, Exposing Deep Fakes Using Inconsistent Head Poses, ICASSP 2019.

Layout::

    real/0000.mp4 ... 0048.mp4
    fake/0000_fake.mp4 ... 0048_fake.mp4        made of the real of the same number

Other tools want the files one folder further down, as ``real/videos/0000.mp4``: they are found there too.

How it is read: ids are ``<folder>/<file>``; ``source_id`` is the number, which a fake shares with its real twin. There
is no official split: pairs are dealt out by seed. Nothing says who is seen in which video.
"""

from __future__ import annotations

import re
from pathlib import Path

from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.files import clip_files
from unmask.datasets.report import Report
from unmask.datasets.splits import SHARES, connect, deal

#: Folder -> (label, names in it).
PARTS = {
    "real": (0, re.compile(r"(\d+)\.mp4", re.ASCII)),
    "fake": (1, re.compile(r"(\d+)_fake\.mp4", re.ASCII)),
}
EXPECTED = 49


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of both folders, as far as they are there."""
    rows = [row for part in PARTS for row in _read_part(part, root, report)]
    if rows:
        report.warn(
            "UADFV does not say who is seen in its videos, so one person may be in two splits, and a score on the test "
            "split would flatter; with 49 pairs it means little anyway: train elsewhere, and test on all of it"
        )
    return deal(rows, connect([str(row["source_id"])] for row in rows), "source", SHARES, options.seed)


def _read_part(part: str, root: Path, report: Report) -> list[Row]:
    label, names = PARTS[part]
    rows: list[Row] = []
    for name, path, media in clip_files(part, root, report):
        match = names.fullmatch(name.casefold())
        if match is None:
            report.add_odd(f"files not named like one of {part}, left out", path)
            continue
        rows.append({"id": f"{part}/{match[0]}", "path": path, "media": media, "label": label, "source_id": match[1]})
    report.count(part, EXPECTED, len(rows))
    return rows


ADAPTER = Adapter(
    name="uadfv",
    title="UADFV",
    layout="real/0000.mp4 and fake/0000_fake.mp4",
    about=About(("video",), 49, 49, None, "the makers' terms of use", "form (data/uadfv.md)"),
    read=read,
)
