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
    <any>/labels.csv        the released test set: "filename,label", 1 = fake, beside its clips, test_videos/ or videos/
    <any>/metadata.json     the same with ``"is_fake": 0|1`` for each clip

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
from unmask.datasets.files import (
    UNWRITABLE,
    bare,
    find_file,
    find_folder,
    folders,
    media_files,
    read_json,
    reason_to_skip,
    relative,
)
from unmask.datasets.metadata_csv import RESERVED
from unmask.datasets.report import Report
from unmask.datasets.splits import SHARES, connect, draw, rule
from unmask.tables.checks import check_ids, check_labels, require_columns
from unmask.tables.errors import DatasetError, Faults, Problem
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
#: What stands under ``label`` and, in the released test set, under ``is_fake``.
CLASSES = {"REAL": 0, "FAKE": 1}
NUMBERS = {"0": 0, "1": 1, "False": 0, "True": 1}
#: Keys of an entry that are read, or would name what the index fills; further ones with text in them become columns.
STATED = frozenset({"label", "is_fake", "split", "original", *RESERVED})

_PART = re.compile(r"dfdctrainpart(\d+)")
_NAMED = re.compile(rf"{_PART.pattern}|trainsamplevideos")
_NO_METADATA = f"parts without {METADATA}, left out: nothing else says what is real and what is fake"
_NO_CLIPS = "files that are not video, left out"
_UNCHANGED = "download it again, unchanged"
_REMEDY = f"{_UNCHANGED}; clips without labels need no {METADATA}, those of the test set {LABELS}"
_LISTED_BUT_MISSING = "files that the metadata names and that are not there"
_NOT_LISTED = "files that the metadata does not name, left out"


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of every part, sample and test folder at ``root`` or one or two levels below it."""
    rows: list[Row] = []
    loose: list[Row] = []
    for folder in _homes(root, report):
        labels, metadata = find_file([folder], LABELS), find_file([folder], METADATA)
        if labels:
            rows += _read_test(folder, labels, root, report)
        elif metadata:
            number = _part_number(folder, root)
            found = _read_labelled(folder, metadata, root, report, numbered=number is not None)
            if number is None:
                rows += [row for row in found if "split" in row]
                loose += [row for row in found if "split" not in row]
            elif number in PARTS:
                rows += [row | {"split": PARTS[number], "split_rule": PARTS_RULE} for row in found]
            else:
                report.add_odd("parts beyond 0 to 49, left out", relative(folder, root))
        else:
            rows += _read_unlabelled(folder, root, report)
    return rows + _deal_out(loose, options.seed, report)


def _homes(root: Path, report: Report) -> list[Path]:
    """The folders that hold clips: the root itself, or one or two levels below: unpacked parts may be nested.

    A labels.csv speaks for the folder of clips beside it, which then is not looked into again.
    """
    homes: list[Path] = []
    seen: list[Path] = []
    level = [root]
    for _ in range(3):
        seen += level
        homes += [folder for folder in level if _holds_clips(folder)]
        level = [below for folder in level for below in _below(folder)]
    told = {*homes, *(home.parent for home in homes)}
    for folder in seen:
        if _NAMED.fullmatch(bare(folder.name)) and folder not in told:
            report.add_odd(_NO_METADATA, relative(folder, root).rstrip("/") or folder.name)
    return homes


def _below(folder: Path) -> list[Path]:
    spoken_for = _test_clips(folder) if find_file([folder], LABELS) else None
    return [folder / name for name in folders(folder) if folder / name != spoken_for]


def _holds_clips(folder: Path) -> bool:
    return bare(folder.name) == "testvideos" or any(find_file([folder], name) for name in (METADATA, LABELS))


def _test_clips(folder: Path) -> Path:
    """Where the clips lie that the labels.csv in ``folder`` is about."""
    return find_folder(folder, "test_videos") or find_folder(folder, "videos") or folder


def _part_number(folder: Path, root: Path) -> int | None:
    for name in (folder.name, folder.parent.name if folder != root else ""):
        match = _PART.fullmatch(bare(name))
        if match:
            return int(match[1])
    return None


def _read_labelled(folder: Path, metadata: Path, root: Path, report: Report, *, numbered: bool) -> list[Row]:
    """The rows of a folder with a metadata.json; those that are of the released test set come with their split."""
    entries = read_json(metadata)
    if not isinstance(entries, dict):
        raise DatasetError("not an object of file names", where=metadata, next_step="download it again")
    _refuse_faults(entries, metadata, numbered=numbered)
    files = {name: (path, media) for name, path, media in media_files(folder, root, report, known=(METADATA,))}
    rows: list[Row] = []
    for name, entry in entries.items():
        if name not in files:
            report.add_odd(_LISTED_BUT_MISSING, relative(folder, root) + name)
            continue
        path, media = files.pop(name)
        label = _label(entry)
        further = {key: value for key, value in entry.items() if key not in STATED and _is_text(key, value)}
        row: Row = {"id": name, "path": path, "media": media, "label": label}
        row |= {"source_id": entry.get("original") if label else name}
        test: Row = {"split": "test", "split_rule": "official"} if "is_fake" in entry else {}
        rows.append(further | row | test)
    for path, _ in files.values():
        report.add_odd(_NOT_LISTED, path)
    report.count(relative(folder, root).rstrip("/") or folder.name, len(entries), len(rows))
    return rows


def _label(entry: dict[str, Any]) -> int | None:
    """What an entry says that its clip is; None where it says nothing, or two things."""
    said = {CLASSES.get(str(entry["label"]).upper())} if "label" in entry else set()
    said |= {NUMBERS.get(str(entry["is_fake"]))} if "is_fake" in entry else set()
    return said.pop() if len(said) == 1 else None


def _refuse_faults(entries: dict[str, Any], metadata: Path, *, numbered: bool) -> None:
    """Raise TableError with every fault of a metadata.json; that of a numbered part has its labels in words."""
    faults = Faults(metadata)
    for name, entry in entries.items():
        stated = entry if isinstance(entry, dict) and ("label" in entry or not numbered) else {}
        original = stated.get("original")
        if not _is_plain(name):
            faults.append(Problem(0, f"{shown(name)} is not a plain file name", _UNCHANGED))
        elif original is not None and not _is_plain(original):
            what = f"{shown(str(original))}, the original of {shown(name)}, is not a plain file name"
            faults.append(Problem(0, what, _UNCHANGED))
        elif _label(stated) is None:
            faults.append(Problem(0, f"the label of {shown(name)} is neither REAL nor FAKE", _REMEDY))
    faults.refuse()


def _is_plain(name: Any) -> bool:
    """Whether it is the name of a file, without a folder, that a table can carry."""
    return isinstance(name, str) and stays_inside(name) and "/" not in name and reason_to_skip(name) != UNWRITABLE


def _is_text(key: str, value: Any) -> bool:
    """Whether what an entry says besides can be a column of a table."""
    return isinstance(value, str) and f"{key}{value}".isprintable()


def _read_unlabelled(folder: Path, root: Path, report: Report) -> list[Row]:
    rule_name = "folder test_videos"
    rows: list[Row] = []
    for name, path, media in media_files(folder, root, report):
        if media != "video":
            report.add_odd(_NO_CLIPS, path)
            continue
        rows.append({"id": name, "path": path, "media": media, "label": None, "split": "test", "split_rule": rule_name})
    return rows


def _read_test(folder: Path, labels: Path, root: Path, report: Report) -> list[Row]:
    table = read_table(labels)
    if not require_columns(table, ("filename", "label")):
        table.refuse_if_faulty()
    names, classes = check_ids(table, "filename"), check_labels(table)
    for line, name in zip(table.lines, names, strict=True):
        if name and not _is_plain(name):
            table.problems.append(Problem(line, f"{shown(name)} is not a plain file name", _UNCHANGED))
    table.refuse_if_faulty()
    place = _test_clips(folder)
    files = {name: (path, media) for name, path, media in media_files(place, root, report, known=(LABELS, METADATA))}
    rows: list[Row] = []
    for name, label in zip(names, classes, strict=True):
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
