"""A table of files: ``metadata.csv`` at the root of a folder, or the table that ``csv`` is given.

Columns: ``path`` (relative to the root, with '/') and ``label`` (1 = fake, 0 = real, or empty); then any of ``id`` (the
path where it is not given), ``split`` (train, validation, test), ``method``, ``source_id``, ``subject_id``,
``compression`` and any other column, which becomes a slice. It lists every file that is to be indexed. A path may be
that of a folder whose pictures are the frames of one video.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import polars as pl

from unmask.datasets.base import Row
from unmask.datasets.files import EMPTY, media_below, media_of
from unmask.datasets.own_data import label_of, split_of
from unmask.datasets.report import Report
from unmask.datasets.sequences import NO_PICTURES, holds_pictures
from unmask.tables.checks import check_choices, check_ids, check_labels, require_columns
from unmask.tables.errors import Problem
from unmask.tables.manifest import SPLITS, stays_inside
from unmask.tables.reading import RawTable, read_table, shown

#: Columns that the index fills by itself.
RESERVED = frozenset({"media", "dataset", "root"})


def read(path: Path, root: Path, report: Report) -> list[Row]:
    """The rows of the table whose files are there; the others are counted as missing, unlisted files as odd.

    Raises:
        TableError: with every fault of the table.
    """
    table = read_table(path)
    if not require_columns(table, ("path", "label")):
        table.refuse_if_faulty()
    rows = read_rows(table, root)
    listed = {row["path"] for row in rows}
    for _, there, _ in media_below(root, root, Report()):
        if there not in listed and there.rpartition("/")[0] not in listed:
            report.add_odd(f"files that {path.name} does not name, left out", there)
    return keep_present(rows, path, root, report)


def read_rows(table: RawTable, root: Path, *, words: bool = False) -> list[Row]:
    """The rows of a table that has the columns ``path`` and ``label``.

    Args:
        table: as ``read_table`` gives it.
        root: what paths are relative to.
        words: whether labels and splits may also be words such as ``bonafide`` and ``dev``
            (``unmask.datasets.own_data``).

    Raises:
        TableError: with every fault of the table.
    """
    paths = check_ids(table, "path")
    columns: dict[str, pl.Series | list[str | None] | list[int | None]] = {
        "id": check_ids(table) if "id" in table.columns else paths,
        "path": paths,
        "media": [_media(table, line, path, root) for line, path in zip(table.lines, paths, strict=True)],
        "label": _labels_in_words(table) if words else check_labels(table, empty=True),
        "split": _splits(table, words=words),
    }
    for name, cells in table.columns.items():
        if name in RESERVED:
            what = f"the column {shown(name)} is filled by the index"
            table.problems.append(Problem(1, what, "rename it, or leave it out"))
        elif name not in columns:
            columns[name] = [str(cell) if cell not in (None, "") else None for cell in cells]
    table.refuse_if_faulty()
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def keep_present(rows: list[Row], path: Path, root: Path, report: Report) -> list[Row]:
    """Those of the rows of the table at ``path`` whose files are there; the report is told of the others."""
    kept = []
    for row in rows:
        try:
            found = os.stat(root / str(row["path"]))  # noqa: PTH116  # called once for each file
        except OSError:
            report.add_odd(f"files that {path.name} names and that are not there", str(row["path"]))
            continue
        if stat.S_ISDIR(found.st_mode) and not holds_pictures(root / str(row["path"])):
            report.add_odd(NO_PICTURES, str(row["path"]))
            continue
        if not found.st_size and not stat.S_ISDIR(found.st_mode):
            report.add_odd(EMPTY, str(row["path"]))
        kept.append(row)
    report.count(f"files of {path.name}", len(rows), len(kept))
    return kept


def _media(table: RawTable, line: int, path: str, root: Path) -> str | None:
    if path and not stays_inside(path):
        table.problems.append(
            Problem(line, f"the path {shown(path)} leads out of the folder", "write it relative to the root, with '/'")
        )
        return None
    media = media_of(path)
    if path and media is None:
        place = os.path.join(root, path)  # noqa: PTH118  # unlike Path, these take a name that is too long
        if os.path.isdir(place) or not (os.path.splitext(path)[1] or os.path.exists(place)):  # noqa: PTH110,PTH112,PTH122
            return "video"  # a folder of frames, or what would be one if it were there
        table.problems.append(
            Problem(line, f"{shown(path)} is not video, picture or sound by its ending", "leave the row out")
        )
    return media


def _splits(table: RawTable, *, words: bool) -> pl.Series | list[str | None]:
    if "split" not in table.columns:
        return [None] * len(table.lines)
    if words:
        cells = table.columns["split"]
        table.columns["split"] = pl.Series([(split_of(c) or c) if isinstance(c, str) else c for c in cells])
    return check_choices(table, "split", SPLITS)


def _labels_in_words(table: RawTable) -> list[int | None]:
    """The labels, as 0 and 1 or as words; None for an empty cell."""
    labels: list[int | None] = []
    for line, cell in zip(table.lines, table.columns["label"], strict=True):
        word = label_of(cell) if isinstance(cell, str) else None
        if cell is None or cell == "":
            labels.append(None)
        elif word is not None:
            labels.append(word)
        elif cell in ("0", "1", "0.0", "1.0") or (cell in (0, 1) and not isinstance(cell, bool)):
            labels.append(int(float(str(cell))))
        else:
            what = f"the label {shown(str(cell))} is neither 0 or 1 nor a word for real or fake"
            table.problems.append(Problem(line, what, "write real or fake, or 0 for real and 1 for fake"))
            labels.append(None)
    return labels
