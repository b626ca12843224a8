"""The manifest: one row is one media file, or one sequence of frames.

``path`` is relative to ``root``, in POSIX form; ``root`` is the dataset's folder, absolute or relative to the
manifest's own. No path may lead out of its root. Where a folder of pictures is one video, ``media`` is video and
``path`` the folder, which may lie in an archive (``real_train/1.tar.gz/1/real/131``). ``label`` is 1 for fake and 0 for
real, and empty where it is not known (a hidden test set).
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath, PureWindowsPath

import polars as pl

from unmask.tables.checks import any_as_text, check_choices, check_ids, check_labels, require_columns
from unmask.tables.errors import Problem, TableError
from unmask.tables.reading import RawTable, parse_number, read_table, shown
from unmask.tables.writing import write_table

MEDIA = ("video", "image", "audio")
SPLITS = ("train", "validation", "test")

#: Columns every manifest has, in this order.
REQUIRED = {
    "id": pl.String,
    "path": pl.String,
    "media": pl.String,
    "label": pl.Int8,
    "split": pl.String,
    "dataset": pl.String,
}
#: Columns with a fixed meaning that a dataset may not have. Any further column becomes a slice.
OPTIONAL = {
    "root": pl.String,
    "method": pl.String,
    "source_id": pl.String,
    "subject_id": pl.String,
    "compression": pl.String,
    "duration_s": pl.Float64,
    "fps": pl.Float64,
    "license": pl.String,
    "split_rule": pl.String,
}


#: Most paths: names of plain letters, none of which begins with a dot. They need no taking apart.
_PLAIN_NAMES = re.compile(r"[\w-][\w.-]*(?:/[\w-][\w.-]*)*", re.ASCII)


def stays_inside(path: str) -> bool:
    """Whether a relative POSIX path names something below its root: not absolute, no ``..``, no drive, no backslash."""
    if _PLAIN_NAMES.fullmatch(path):
        return True
    pure = PurePosixPath(path)
    return (
        bool(path)
        and not pure.is_absolute()
        and ".." not in pure.parts
        and "\\" not in path
        and not PureWindowsPath(path).drive
    )


def read_manifest(path: str | Path, *, root: str | Path | None = None) -> pl.DataFrame:
    """Read and check a manifest.

    Args:
        path: ``.csv``, ``.csv.gz`` or ``.parquet``.
        root: the dataset's folder now, where it has moved since the manifest was written.

    Returns:
        The required columns, then the others, with ``root`` filled in and absolute. Text columns are String; other
        columns keep their type (CSV: String).

    Raises:
        TableError: with every fault of the file.
        UnmaskError: the file is missing or of another kind.
    """
    path = Path(path)
    table = read_table(path)
    if not require_columns(table, REQUIRED):
        table.refuse_if_faulty()
    columns: dict[str, pl.Series] = {
        "id": check_ids(table),
        "path": pl.Series(_paths(table), dtype=pl.String),
        "media": check_choices(table, "media", MEDIA),
        "label": check_labels(table, empty=True),
        "split": check_choices(table, "split", SPLITS),
    }
    for name in table.columns:
        if name not in columns and name != "root":
            columns[name] = _further_column(table, name)
    columns["root"] = _roots(table, path, root)
    table.refuse_if_faulty()
    return pl.DataFrame(columns)


def _paths(table: RawTable) -> list[str]:
    paths = []
    for line, cell in zip(table.lines, table.columns["path"], strict=True):
        text = cell if isinstance(cell, str) else ""
        if not stays_inside(text):
            table.problems.append(
                Problem(
                    line,
                    f"the path {shown(text)} is empty or leads out of the dataset's folder",
                    "write it relative to the root, with '/'",
                )
            )
        paths.append(text)
    return paths


def _roots(table: RawTable, path: Path, root: str | Path | None) -> pl.Series:
    home = path.resolve().parent
    if root is not None or "root" not in table.columns:
        whole = str(home if root is None else Path(root).resolve())
        return pl.repeat(whole, len(table.lines), dtype=pl.String, eager=True)
    cells = any_as_text(table, "root").fill_null("")
    known = {cell: str((home / cell).resolve()) for cell in cells.unique()}
    return pl.Series([known[cell] for cell in cells], dtype=pl.String)


def _further_column(table: RawTable, name: str) -> pl.Series:
    kind = (REQUIRED | OPTIONAL).get(name)
    if kind == pl.Float64:
        return _numbers(table, name)
    if kind == pl.String or table.unit == "line":
        return any_as_text(table, name)
    return table.columns[name]


def _numbers(table: RawTable, name: str) -> pl.Series:
    """A column of numbers: (N,) Float64, null where a cell is empty."""
    cells = table.columns[name]
    if cells.dtype != pl.String:
        if not (cells.dtype == pl.Null or cells.dtype.is_integer() or cells.dtype.is_float()):
            what = f"the column {shown(name)} holds {cells.dtype}, not numbers"
            table.problems.append(Problem(0, what, "write decimal numbers or nothing"))
            return pl.repeat(None, len(cells), dtype=pl.Float64, eager=True)
        return cells.cast(pl.Float64)
    values = [parse_number(cell) if cell else None for cell in cells]
    for line, cell, value in zip(table.lines, cells, values, strict=True):
        if cell and value is None:
            problem = Problem(line, f"the {name} {shown(cell)} is not a number", "write a decimal number or nothing")
            table.problems.append(problem)
    return pl.Series(values, dtype=pl.Float64)


def write_manifest(frame: pl.DataFrame, path: str | Path) -> None:
    """Write a manifest, with ``root`` relative to it where the dataset lies below the manifest's own folder.

    Raises:
        TableError: the frame itself breaks the schema: a fault of the code that made it, told like any other.
    """
    path = Path(path)
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        raise TableError(
            path, [Problem(0, f"there is no column {shown(name)}", "the adapter must fill it") for name in missing]
        )
    home = path.resolve().parent
    order = [*REQUIRED, *(name for name in frame.columns if name not in REQUIRED)]
    frame = frame.select(order)
    if "root" in frame.columns:
        known = {root: _portable(root, home) for root in frame["root"].unique().to_list()}
        frame = frame.with_columns(pl.col("root").replace_strict(known, return_dtype=pl.String))
    write_table(frame, path)


def _portable(root: str | None, home: Path) -> str | None:
    if root is None or not Path(root).resolve().is_relative_to(home):
        return root
    return Path(root).resolve().relative_to(home).as_posix()


def media_path(row: dict[str, object]) -> Path:
    """Where the file of a manifest row, as ``read_manifest`` gives it, lies."""
    return Path(str(row["root"])) / str(row["path"])
