"""``metadata.csv`` at the root of a folder: what its owner knows about each file, as a table.

Columns: ``path`` (relative to the root, with '/') and ``label`` (1 = fake, 0 = real, or empty); then any of ``id`` (the
path where it is not given), ``split`` (train, validation, test), ``method``, ``source_id``, ``subject_id``,
``compression`` and any other column, which becomes a slice. It lists every file that is to be indexed.
"""

from __future__ import annotations

import os
from pathlib import Path

from unmask.datasets.base import Row
from unmask.datasets.files import EMPTY, media_below, media_of
from unmask.datasets.report import Report
from unmask.tables.checks import check_choices, check_ids, check_labels, require_columns
from unmask.tables.errors import Problem
from unmask.tables.manifest import SPLITS, stays_inside
from unmask.tables.reading import RawTable, read_table, shown

NAME = "metadata.csv"

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
    rows = _rows(table)
    table.refuse_if_faulty()
    kept = []
    for row in rows:
        try:
            size = os.stat(root / str(row["path"])).st_size  # noqa: PTH116  # called once for each file
        except OSError:
            report.add_odd(f"files that {NAME} names and that are not there", str(row["path"]))
            continue
        if not size:
            report.add_odd(EMPTY, str(row["path"]))
        kept.append(row)
    report.count(f"files of {NAME}", len(rows), len(kept))
    listed = {row["path"] for row in rows}
    for _, there, _ in media_below(root, root, Report()):
        if there not in listed:
            report.add_odd(f"files that {NAME} does not name, left out", there)
    return kept


def _rows(table: RawTable) -> list[Row]:
    paths = check_ids(table, "path")
    columns: dict[str, list[str] | list[str | None] | list[int | None]] = {
        "id": check_ids(table) if "id" in table.columns else paths,
        "path": paths,
        "media": [_media(table, line, path) for line, path in zip(table.lines, paths, strict=True)],
        "label": check_labels(table, empty=True),
        "split": _splits(table),
    }
    for name, cells in table.columns.items():
        if name in RESERVED:
            table.problems.append(Problem(1, f"the column {shown(name)} is filled by the index", "leave it out"))
        elif name not in columns:
            columns[name] = [str(cell) if cell not in (None, "") else None for cell in cells]
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _media(table: RawTable, line: int, path: str) -> str | None:
    if path and not stays_inside(path):
        table.problems.append(
            Problem(line, f"the path {shown(path)} leads out of the folder", "write it relative to the root, with '/'")
        )
        return None
    media = media_of(path)
    if path and media is None:
        table.problems.append(
            Problem(line, f"{shown(path)} is not video, picture or sound by its ending", "leave the row out")
        )
    return media


def _splits(table: RawTable) -> list[str | None]:
    if "split" not in table.columns:
        return [None] * len(table.lines)
    return check_choices(table, "split", SPLITS)
