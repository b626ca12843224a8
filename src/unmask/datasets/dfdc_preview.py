"""DFDC preview: clips of 66 paid actors and face swaps by two methods, before the Deepfake Detection Challenge.

Source: https://ai.meta.com/datasets/dfdc/ (data/dfdc_preview.md).
Licence: the terms shown there.
Counts: 5,250 clips = 4,119 fake (3,975 by method A, 144 by method B) + 1,131 real; the official test set has 777 = 501
fake + 276 real.
Citation: Dolhansky et al., The Deepfake Detection Challenge (DFDC) Preview Dataset, arXiv:1910.08854, 2019.

Layout::

    original_videos/643598/643598_A_001.mp4                         <actor>_<recording>_<clip>
    method_A/1003254/1003254_A/1255229_1003254_A_001.mp4            <donor>_<target>_<recording>_<clip>
    method_B/...                                                    likewise
    dataset.json

A fake shows the clip ``<target>_<recording>_<clip>`` with the face of the donor, whom the metadata calls
``swapped_id``. ``dataset.json`` is ``{"<path>": {"label": "real"|"fake", "set": "train"|"test", "augmentations":
[...], "target_id": ..., "swapped_id": ...}}``. There is no validation split.

How it is read: ids are ``<first folder>/<file>``. The folder says what is real, the name who is seen: ``subject_id`` is
the target, ``donor_id`` the donor, ``source_id`` the real twin. ``dataset.json`` gives the test set and the column
``augmentation``, and must agree with the folders. Validation is carved out of train as in Celeb-DF: by groups of people
who were swapped with each other where that comes near 15 %, else by target, and then the report says so.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.files import bare, find_file, find_folder, media_below, read_json
from unmask.datasets.report import Report
from unmask.datasets.splits import SHARES, SHARES_WITHOUT_TEST, draw_by_people
from unmask.tables.errors import DatasetError, Faults, Problem
from unmask.tables.reading import shown

METADATA = "dataset.json"
CLASSES = {"real": 0, "fake": 1}
SETS = ("train", "test")

_REAL = re.compile(r"(?P<target>\d+)_(?P<take>[A-Za-z]\w*)\.(?i:mp4)", re.ASCII)
_FAKE = re.compile(r"(?P<donor>\d+)_(?P<target>\d+)_(?P<take>[A-Za-z]\w*)\.(?i:mp4)", re.ASCII)
#: First folder -> (label, files it has, names in it).
PARTS = {
    "original_videos": (0, 1131, _REAL),
    "method_A": (1, 3975, _FAKE),
    "method_B": (1, 144, _FAKE),
}
_SPELLING = {bare(part): part for part in PARTS}
_UNCHANGED = "download it again, unchanged"


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of the three folders, as far as they are there."""
    rows = [row for part in PARTS for row in _read_part(part, root, report)]
    if not rows:
        return rows
    path = find_file([options.splits] if options.splits else [root], METADATA)
    if path is None and options.splits:
        raise DatasetError(f"there is no {METADATA}", where=options.splits, next_step="name the folder that it lies in")
    if path is None:
        report.note(
            f"{METADATA} was not found in {root}: all three splits were drawn by seed, so numbers will not compare "
            "with published ones; put it there, or name its folder with --splits"
        )
        return draw_by_people(rows, SHARES, options.seed, report)
    return _split_officially(rows, read_metadata(path), options.seed, report)


def _read_part(part: str, root: Path, report: Report) -> list[Row]:
    label, expected, names = PARTS[part]
    folder = find_folder(root, part)
    rows: list[Row] = []
    for name, path, media in media_below(folder, root, report) if folder else ():
        match = names.fullmatch(name)
        if match is None:
            report.add_odd(f"files not named like one of {part}, left out", path)
            continue
        people = match.groupdict()
        row: Row = {"id": f"{part}/{name}", "path": path, "media": media, "label": label}
        row |= {"method": part if label else None, "source_id": f"{people['target']}_{people['take']}"}
        rows.append(row | {"subject_id": people["target"], "donor_id": people.get("donor")})
    report.count(part, expected, len(rows))
    return rows


def _split_officially(rows: list[Row], listed: dict[str, Row], seed: int, report: Report) -> list[Row]:
    kept = []
    for row in rows:
        stated = listed.get(str(row["id"]).casefold())
        if stated is None:
            report.add_odd(f"files that {METADATA} does not name, left out", str(row["path"]))
            continue
        kept.append(row | stated)
    report.count(f"files of {METADATA}", len(listed), len(kept))
    test = [row | {"split_rule": "official"} for row in kept if row["split"] == "test"]
    train = [row for row in kept if row["split"] == "train"]
    return test + (draw_by_people(train, SHARES_WITHOUT_TEST, seed, report) if train else [])


def read_metadata(path: Path) -> dict[str, Row]:
    """What the metadata says of each file, by its id in lower case: the columns split and augmentation.

    A key may have folders of somebody else before it, in either slash. Keys are only ever compared with the names of
    files that are there, so that none can lead out of the root.

    Raises:
        DatasetError: it is not JSON, or not an object.
        TableError: with every fault of its entries.
    """
    entries = read_json(path)
    if not isinstance(entries, dict):
        raise DatasetError("not an object of file names", where=path, next_step=_UNCHANGED)
    faults = Faults(path)
    found: dict[str, Row] = {}
    for key, entry in entries.items():
        steps = key.replace("\\", "/").split("/")
        part = next((_SPELLING[bare(step)] for step in steps[:-1] if bare(step) in _SPELLING), None)
        if part is None:
            faults.append(Problem(0, f"{shown(key)} lies in none of {', '.join(PARTS)}", _UNCHANGED))
            continue
        id_ = f"{part}/{steps[-1]}".casefold()
        wrong = _fault(entry, part) or ("it is named twice" if id_ in found else None)
        if wrong:
            faults.append(Problem(0, f"{shown(key)}: {wrong}", _UNCHANGED))
            continue
        augmentations = entry.get("augmentations") or []
        found[id_] = {"split": entry["set"], "augmentation": ", ".join(augmentations) or None}
    faults.refuse()
    return found


def _fault(entry: Any, part: str) -> str | None:
    """What is wrong with one entry of the metadata, None for nothing."""
    if not isinstance(entry, dict):
        return "it has no label and no set"
    label, set_, augmentations = entry.get("label"), entry.get("set"), entry.get("augmentations")
    if not isinstance(label, str) or label not in CLASSES:
        return f"the label {shown(str(label))} is neither real nor fake"
    if CLASSES[label] != PARTS[part][0]:
        return f"the label {label} contradicts the folder {part}"
    if not isinstance(set_, str) or set_ not in SETS:
        return f"the set {shown(str(set_))} is neither train nor test"
    if augmentations and not (isinstance(augmentations, list) and all(map(_is_word, augmentations))):
        return "the augmentations are not a list of words"
    return None


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


ADAPTER = Adapter(
    name="dfdc_preview",
    title="the DFDC preview",
    layout="original_videos/, method_A/, method_B/ and dataset.json",
    about=About(("video",), 1131, 4119, 66, "the makers' terms of use", "account, https://ai.meta.com/datasets/dfdc/"),
    read=read,
    options=frozenset({"splits"}),
)
