"""DFDC, the Deepfake Detection Challenge: clips of about ten seconds, some with a forged face, some with forged sound.

Source: https://ai.meta.com/datasets/dfdc/ and Kaggle's deepfake-detection-challenge (data/dfdc.md).
Licence: the terms shown at either place.
Counts: 128,154 clips = 104,500 fake + 23,654 real, 960 subjects; Kaggle's train part has 119,197 = 100,000 + 19,197,
the sample 400 with labels and 400 without.
Citation: Dolhansky et al., The DeepFake Detection Challenge (DFDC) Dataset, arXiv:2006.07397, 2020.

Layout: one of these, or several under one root, or one of the folders as the root::

    dfdc_train_part_<0..49>/<10 letters>.mp4 and metadata.json
    train_sample_videos/    the sample: clips and metadata.json
    test_videos/            Kaggle's clips without labels
    <any>/labels.csv        the released test set: "filename,label", 1 = fake, beside its clips or beside test_videos/

``metadata.json`` is ``{"<name>.mp4": {"label": "REAL"|"FAKE", "split": "train", "original": "<name>.mp4"}}``. On reals
``original`` is absent or null. The original of a fake lies in the same part, so parts are free of leaks.

How it is read: ids are file names, as in submissions. ``source_id`` is the original, for a real its own name. Parts
0-34 are train, 35-39 validation, 40-49 test, as in polimi-ispl/icpr2020dfdc; clips of no known part, such as the
sample, are dealt out by originals. The sound of a fake may be faked as well: the metadata does not tell.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.files import bare, find_file, find_folder, folders, media_files, read_json, relative
from unmask.datasets.report import Report
from unmask.datasets.splits import SHARES, connect, draw, rule
from unmask.tables.checks import check_ids, check_labels, require_columns
from unmask.tables.errors import DatasetError
from unmask.tables.manifest import stays_inside
from unmask.tables.reading import read_table, shown

METADATA = "metadata.json"
LABELS = "labels.csv"
#: Part number -> split, as in polimi-ispl/icpr2020dfdc.
PARTS = (
    dict.fromkeys(range(35), "train")
    | dict.fromkeys(range(35, 40), "validation")
    | dict.fromkeys(range(40, 50), "test")
)
PARTS_RULE = "parts 0-34/35-39/40-49 (ISPL)"
CLASSES = {"REAL": 0, "FAKE": 1}
#: Keys of an entry that are read; further ones with text in them become columns.
STATED = frozenset({"label", "split", "original"})

_PART = re.compile(r"dfdctrainpart(\d+)")
_LISTED_BUT_MISSING = "files that the metadata names and that are not there"
_NOT_LISTED = "files that the metadata does not name, left out"


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of every part, sample and test folder at ``root`` or one or two levels below it."""
    rows: list[Row] = []
    loose: list[Row] = []
    for folder in _homes(root):
        labels, metadata = find_file([folder], LABELS), find_file([folder], METADATA)
        if labels:
            rows += _read_test(folder, labels, root, report)
        elif metadata:
            found = _read_labelled(folder, metadata, root, report)
            number = _part_number(folder, root)
            if number is None:
                loose += found
            elif number in PARTS:
                rows += [row | {"split": PARTS[number], "split_rule": PARTS_RULE} for row in found]
            else:
                report.add_odd("parts beyond 0 to 49, left out", relative(folder, root))
        else:
            rows += _read_unlabelled(folder, root, report)
    return rows + _deal_out(loose, options.seed, report)


def _homes(root: Path) -> list[Path]:
    """The folders that hold clips: the root itself, or one or two levels below: unpacked parts may be nested.

    Below a folder with a labels.csv, which speaks for all of it, nothing more is looked for.
    """
    homes = []
    level = [root]
    for _ in range(3):
        homes += [folder for folder in level if _holds_clips(folder)]
        level = [folder / name for folder in level if not find_file([folder], LABELS) for name in folders(folder)]
    return homes


def _holds_clips(folder: Path) -> bool:
    return bare(folder.name) == "testvideos" or any(find_file([folder], name) for name in (METADATA, LABELS))


def _part_number(folder: Path, root: Path) -> int | None:
    for name in (folder.name, folder.parent.name if folder != root else ""):
        match = _PART.fullmatch(bare(name))
        if match:
            return int(match[1])
    return None


def _read_labelled(folder: Path, metadata: Path, root: Path, report: Report) -> list[Row]:
    entries = read_json(metadata)
    if not isinstance(entries, dict):
        raise DatasetError("not an object of file names", where=metadata, next_step="download it again")
    files = {name: (path, media) for name, path, media in media_files(folder, root, report, known=(METADATA,))}
    rows: list[Row] = []
    for name, entry in entries.items():
        label, original = _check_entry(name, entry, metadata)
        if name not in files:
            report.add_odd(_LISTED_BUT_MISSING, relative(folder, root) + name)
            continue
        path, media = files.pop(name)
        source = original if label else name
        further = {key: value for key, value in entry.items() if key not in STATED and isinstance(value, str)}
        rows.append(further | {"id": name, "path": path, "media": media, "label": label, "source_id": source})
    for path, _ in files.values():
        report.add_odd(_NOT_LISTED, path)
    report.count(relative(folder, root).rstrip("/") or folder.name, len(entries), len(rows))
    return rows


def _check_entry(name: str, entry: Any, metadata: Path) -> tuple[int, str | None]:
    """(label, original) of one entry of a metadata.json."""
    _refuse_path(name, metadata)
    word = entry.get("label") if isinstance(entry, dict) else None
    if not isinstance(word, str) or word.upper() not in CLASSES:
        raise DatasetError(
            f"the label of {shown(name)} is neither REAL nor FAKE",
            where=metadata,
            next_step=f"download it again; clips without labels need no {METADATA}, those of the test set {LABELS}",
        )
    original = entry.get("original")
    if original is not None:
        _refuse_path(original, metadata)
    return CLASSES[word.upper()], original


def _refuse_path(name: Any, where: Path) -> None:
    if not isinstance(name, str) or not stays_inside(name) or "/" in name:
        raise DatasetError(
            f"{shown(str(name))} is not a plain file name", where=where, next_step="download the file again, unchanged"
        )


def _read_unlabelled(folder: Path, root: Path, report: Report) -> list[Row]:
    rule_name = "folder test_videos"
    return [
        {"id": name, "path": path, "media": media, "label": None, "split": "test", "split_rule": rule_name}
        for name, path, media in media_files(folder, root, report)
    ]


def _read_test(folder: Path, labels: Path, root: Path, report: Report) -> list[Row]:
    table = read_table(labels)
    if not require_columns(table, ("filename", "label")):
        table.refuse_if_faulty()
    names, classes = check_ids(table, "filename"), check_labels(table)
    table.refuse_if_faulty()
    place = find_folder(folder, "test_videos") or folder
    files = {name: (path, media) for name, path, media in media_files(place, root, report, known=(LABELS, METADATA))}
    rows: list[Row] = []
    for name, label in zip(names, classes, strict=True):
        _refuse_path(name, labels)
        if name not in files:
            report.add_odd(_LISTED_BUT_MISSING, relative(place, root) + name)
            continue
        path, media = files.pop(name)
        rows.append(
            {"id": name, "path": path, "media": media, "label": label, "split": "test", "split_rule": "official"}
        )
    for path, _ in files.values():
        report.add_odd(_NOT_LISTED, path)
    report.count(relative(folder, root).rstrip("/") or folder.name, len(names), len(rows))
    return rows


def _deal_out(rows: list[Row], seed: int, report: Report) -> list[Row]:
    """Split clips of no known part so that fakes stay with their original and with each other."""
    if rows:
        report.warn(
            f"{len(rows):,} clips of no numbered part were dealt to splits by their originals; DFDC does not say who "
            "is seen, so one person may lie in two splits, and a score on the test split would flatter. With the "
            "numbered parts, the split is that of polimi-ispl/icpr2020dfdc"
        )
    ids, labels = [str(row["id"]) for row in rows], [int(str(row["label"])) for row in rows]
    groups = connect([str(row["source_id"])] if row["source_id"] else [] for row in rows)
    made = rule("source", seed, SHARES)
    splits = draw(ids, labels, groups, SHARES, seed)
    return [row | {"split": split, "split_rule": made} for row, split in zip(rows, splits, strict=True)]


ADAPTER = Adapter(
    name="dfdc",
    title="DFDC",
    layout="dfdc_train_part_0/ to dfdc_train_part_49/, or train_sample_videos/, each with its metadata.json",
    about=About(
        ("video",), 23_654, 104_500, 960, "the makers' terms of use", "account, https://ai.meta.com/datasets/dfdc/"
    ),
    read=read,
)
