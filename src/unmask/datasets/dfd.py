"""DFD, Google's DeepFakeDetection: 28 paid actors in 16 scenes, and face swaps between them.

Source: https://github.com/ondyari/FaceForensics, whose script fetches it; by form (data/dfd.md).
Licence: the FaceForensics terms of use, which the form shows.
Counts: 363 real + 3,068 fake, in each compression.
Citation: Dufour and Gully, Contributing Data to Deepfake Detection Research, Google AI Blog, 2019.

Layout, in the tree of FaceForensics++::

    original_sequences/actors/{raw|c0,c23,c40}/videos/01__exit_phone_room.mp4
    manipulated_sequences/DeepFakeDetection/{raw|c0,c23,c40}/videos/01_02__exit_phone_room__YVGY8LOK.mp4
    manipulated_sequences/DeepFakeDetection/masks/videos/01_02__exit_phone_room__YVGY8LOK.mp4

A real is ``<actor>__<scene>``. A fake is ``<target>_<source>__<scene>__<experiment>``: the face of the source on the
target's scene, so its real twin is ``<target>__<scene>``. A pair of actors may have several experiments.

How it is read: ids are ``actors/<compression>/<name>`` and ``DeepFakeDetection/<compression>/<name>``; ``source_id`` is
the real twin's name, ``subject_id`` the target, ``donor_id`` the source. ``scene`` is a column. There is no official
split: whole groups of actors who were swapped with each other are dealt out where that comes near the shares; else the
split is by target alone, and then the report says so.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.faceforensics import masks, videos
from unmask.datasets.files import find_folder
from unmask.datasets.report import Report
from unmask.datasets.splits import SHARES, draw_by_people

METHOD = "DeepFakeDetection"
#: Folder in the tree -> files it has in each compression.
EXPECTED = {"actors": 363, METHOD: 3068}

_REAL = re.compile(r"(?P<target>\d+)__(?P<scene>\w+)\.\w+", re.ASCII)
_FAKE = re.compile(r"(?P<target>\d+)_(?P<donor>\d+)__(?P<scene>\w+)__[A-Za-z0-9]+\.\w+", re.ASCII)


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of the actors and of their swaps, in every compression that is there."""
    rows = _read_class("actors", find_folder(root, "original_sequences/actors"), root, report)
    rows += _read_class(METHOD, find_folder(root, f"manipulated_sequences/{METHOD}"), root, report)
    found = Counter((row["compression"], row["method"]) for row in rows)
    for compression in sorted({str(compression) for compression, _ in found}):
        report.count(f"{compression} actors (real)", EXPECTED["actors"], found[compression, None])
        report.count(f"{compression} {METHOD}", EXPECTED[METHOD], found[compression, METHOD])
    return draw_by_people(rows, SHARES, options.seed, report)


def _read_class(folder: str, home: Path | None, root: Path, report: Report) -> list[Row]:
    fake = folder == METHOD
    masked = masks(home, root) if fake else {}
    rows: list[Row] = []
    for match, name, row in videos(home, _FAKE if fake else _REAL, root, report):
        people = match.groupdict()
        row |= {"id": f"{folder}/{row['compression']}/{name}", "label": int(fake), "method": METHOD if fake else None}
        row |= {"source_id": f"{people['target']}__{people['scene']}", "subject_id": people["target"]}
        row |= {"donor_id": people.get("donor"), "scene": people["scene"], "mask": masked.get(name)}
        rows.append(row)
    return rows


ADAPTER = Adapter(
    name="dfd",
    title="DFD",
    layout="original_sequences/actors/c23/videos/01__exit_phone_room.mp4 and "
    "manipulated_sequences/DeepFakeDetection/c23/videos/01_02__exit_phone_room__YVGY8LOK.mp4",
    about=About(
        ("video",), 363, 3068, 28, "the FaceForensics terms of use", "form, https://github.com/ondyari/FaceForensics"
    ),
    read=read,
)
