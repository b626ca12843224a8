"""Checks that several tables share: required columns, ids, numbers, choices.

Whole columns are checked at once; only the cells that are not in order are looked at one by one, for the words.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Iterable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unmask.tables.errors import Faults, Problem
from unmask.tables.reading import NUMBER, RawTable, meant_number, parse_number, shown

Mask = NDArray[np.bool_]

#: What a column of text holds: it may be empty from end to end.
TEXT = (pl.String, pl.Null)
#: Parts of a column that are matched at a time.
_PARTS = 4
#: The largest whole number that a column holds.
MOST_WHOLE = 2**63 - 1


def require_columns(table: RawTable, names: Iterable[str], *, allowed: Collection[str] | None = None) -> bool:
    """Note missing columns and, where ``allowed`` is given, unknown ones. True if none of ``names`` is missing."""
    names = list(names)
    if _starts_with_data(table, names):
        first = ", ".join(shown(cell) for cell in list(table.columns)[:3])
        what = f"the first line looks like data ({first}): the header is missing"
        table.problems.append(Problem(1, what, f"write {','.join(names)} as the first line"))
        return False
    complete = True
    for name in names:
        if name in table.columns:
            continue
        complete = False
        near = [column for column in table.columns if column.strip().casefold() == name]
        what = (
            f"the header has {shown(near[0])} where {shown(name)} is asked for"
            if near
            else f"there is no column {shown(name)}"
        )
        table.problems.append(
            Problem(1 if table.unit == "line" else 0, what, f"name the column {shown(name)}, exactly")
        )
    if allowed is not None:
        for name in table.columns:
            if name not in allowed and name.strip().casefold() not in allowed:
                table.problems.append(
                    Problem(
                        1 if table.unit == "line" else 0, f"the column {shown(name)} is not asked for", "leave it out"
                    )
                )
    return complete


def _starts_with_data(table: RawTable, names: Collection[str]) -> bool:
    """Whether a CSV file has a number where its header should be, and none of ``names``."""
    if table.unit != "line" or any(column.strip().casefold() in names for column in table.columns):
        return False
    return any(parse_number(column) is not None or meant_number(column) for column in table.columns)


def check_ids(
    table: RawTable, column: str = "id", *, unique: bool = True, frames: pl.Series | None = None
) -> pl.Series:
    """The ids as text, byte for byte, with a fault noted for each that is empty, not text, malformed or repeated.

    Args:
        unique: whether no id may stand twice.
        frames: (N,) Int64, null where malformed: an id may stand twice, but not with the same of these.

    Returns:
        (N,) String, "" where a cell is null or the column is not text.
    """
    ids = as_text(table, column, f"write each {column} as text")
    if ids is None:
        return pl.repeat("", len(table.lines), dtype=pl.String, eager=True)
    invisible = np.zeros(len(ids), dtype=np.bool_) if table.plain else _has_invisible(ids)
    wrong = invisible | (ids == "").to_numpy()
    again = _repeated(ids, frames, ~wrong) if unique else {}
    wrong[list(again)] = True
    for row in np.flatnonzero(wrong).tolist():
        line, value = table.lines[row], ids[row]
        if not value:
            table.problems.append(Problem(line, f"the {column} is empty", f"write the {column} that the row is about"))
        elif invisible[row]:
            table.problems.append(
                Problem(line, f"the {column} {shown(value)} has invisible characters in it", "write it as it was given")
            )
        else:
            whole = shown(value) if frames is None else f"{shown(value)} with the frame {frames[row]}"
            what = f"the {column} {whole} stood on {table.unit} {table.lines[again[row]]} already"
            table.problems.append(Problem(line, what, "keep one of the two"))
    return ids


def as_text(table: RawTable, column: str, remedy: str) -> pl.Series | None:
    """A column of text, "" where a cell is null; None, and a fault noted, where it holds something else."""
    cells = table.columns[column]
    if cells.dtype in TEXT:
        return cells.cast(pl.String).fill_null("")
    _refuse_kind(table, column, "text", remedy)
    return None


def any_as_text(table: RawTable, column: str) -> pl.Series:
    """A column as text, whatever it holds: (N,) String, null where a cell is empty."""
    cells = table.columns[column]
    if cells.dtype == pl.String:
        return cells.set(cells == "", None)
    try:
        return cells.cast(pl.String)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):  # dates beyond all calendars, for one
        _refuse_kind(table, column, "text or numbers", "write it as text")
        return _nothing(cells, pl.String)


def _refuse_kind(table: RawTable, column: str, wanted: str, remedy: str) -> None:
    what = f"the column {shown(column)} holds {table.columns[column].dtype}, not {wanted}"
    table.problems.append(Problem(0, what, remedy))


def _nothing(like: pl.Series, kind: pl.DataType | type[pl.DataType]) -> pl.Series:
    return pl.repeat(None, len(like), dtype=kind, eager=True)


def _has_invisible(ids: pl.Series) -> Mask:
    """Which of the ids have control characters or marks without a shape in them."""
    found: Mask = ids.str.contains(r"[^ -~]").to_numpy().copy()
    if found.any():
        found[found] = [
            not value.isprintable() and any(unicodedata.category(sign) in ("Cc", "Cf") for sign in value)
            for value in ids.filter(pl.Series(found))
        ]
    return found


def _repeated(ids: pl.Series, frames: pl.Series | None, asked: Mask) -> dict[int, int]:
    """Row -> the first row with the same id (and frame), for those of the rows ``asked`` that are not the first.

    Of more rows than anybody is told, only the first are given.
    """
    keys = pl.DataFrame({"id": ids} if frames is None else {"id": ids, "frame": frames})
    hashes = np.sort((ids.hash() if frames is None else keys.hash_rows()).to_numpy())
    if (hashes[1:] != hashes[:-1]).all():
        return {}
    rows = keys.with_row_index("row").filter(pl.Series(asked)).drop_nulls()
    first = rows.unique(subset=keys.columns, keep="first")
    again = rows.join(first, on="row", how="anti").sort("row").head(Faults.MOST)
    return dict(again.join(first, on=keys.columns, suffix="_first").select("row", "row_first").iter_rows())


def check_numbers(
    table: RawTable, column: str, *, low: float, high: float, may_be_empty: pl.Series | None = None
) -> pl.Series:
    """The column as numbers in [low, high], with a fault noted for each cell that is none.

    Args:
        may_be_empty: (N,) Boolean: which rows may have an empty cell; none where it is not given.

    Returns:
        (N,) Float64, null where a cell is empty or faulty.
    """
    cells = table.columns[column]
    remedy = f"write a number from {low:g} to {high:g}"
    text = cells.dtype == pl.String
    if not (text or cells.dtype == pl.Null or cells.dtype.is_integer() or cells.dtype.is_float()):
        _refuse_kind(table, column, "numbers", remedy)
        return _nothing(cells, pl.Float64)
    plain = pl.col("cells").str.contains(NUMBER).fill_null(value=False) if text else pl.lit(value=True)
    # In parts, because polars matches a column on one processor.
    size = -(-len(cells) // _PARTS)
    parts = (pl.LazyFrame({"cells": cells.slice(part * size, size)}) for part in range(_PARTS))
    numbers = (part.select(pl.col("cells").cast(pl.Float64, strict=False), plain=plain) for part in parts)
    found = pl.concat(pl.collect_all(numbers), rechunk=True)
    values = found["cells"].to_numpy()
    fine: Mask = (low <= values) & (values <= high)  # which no NaN is
    if text:
        fine &= found["plain"].to_numpy()
    if fine.all():
        return found["cells"]
    empty: Mask = (cells.is_null() | (cells == "") if text else cells.is_null()).to_numpy()
    wrong = ~fine if may_be_empty is None else ~(fine | (empty & may_be_empty.to_numpy()))
    values = np.where(fine, values, np.nan)
    for row in np.flatnonzero(wrong).tolist():
        cell = cells[row]
        value = parse_number(cell) if isinstance(cell, str) else cell
        line = table.lines[row]
        if empty[row]:
            table.problems.append(Problem(line, f"the {column} is empty", remedy))
        elif isinstance(cell, str) and (meant := meant_number(cell)):
            table.problems.append(
                Problem(line, f"the {column} {shown(cell)} has a decimal comma", f"write a decimal point: {meant}")
            )
        elif value is None:
            what = f"the {column} {shown(cell)} is not a plain decimal number"
            table.problems.append(Problem(line, what, f"{remedy}, such as 0.25"))
        elif not math.isfinite(value) or not low <= value <= high:
            told = shown(cell) if isinstance(cell, str) else repr(cell)
            table.problems.append(Problem(line, f"the {column} {told} is not between {low:g} and {high:g}", remedy))
        else:
            values[row] = value
    return pl.Series(column, values).fill_nan(None)


def check_whole_numbers(table: RawTable, column: str) -> pl.Series:
    """The column as whole numbers from 0 up, in ASCII digits, with a fault noted for each cell that is none.

    Returns:
        (N,) Int64, null where a cell is empty or faulty.
    """
    cells = table.columns[column]
    remedy = "write a whole number, such as 0 or 25"
    text = cells.dtype == pl.String
    if not (text or cells.dtype == pl.Null or cells.dtype.is_integer()):
        _refuse_kind(table, column, "whole numbers", remedy)
        return _nothing(cells, pl.Int64)
    digits = pl.when(cells.str.contains(r"\A[0-9]+\z")).then(cells) if text else pl.lit(cells)
    values = pl.select(digits.cast(pl.Int64, strict=False).alias(column)).to_series()
    values = values.set(values < 0, None)
    for row in values.is_null().arg_true():
        cell = cells[row]
        if cell is None or cell == "":
            table.problems.append(Problem(table.lines[row], f"the {column} is empty", remedy))
        else:
            what = f"the {column} {shown(str(cell))} is not a whole number from 0 to {MOST_WHOLE}"
            table.problems.append(Problem(table.lines[row], what, remedy))
    return values


def check_choices(table: RawTable, column: str, choices: Collection[str], *, empty: bool = False) -> pl.Series:
    """The column as text, each cell one of ``choices``, with a fault noted for each that is not.

    Args:
        empty: whether a cell may be empty.

    Returns:
        (N,) String, null where a cell is empty or faulty.
    """
    remedy = f"write one of {', '.join(sorted(choices))}"
    cells = as_text(table, column, remedy)
    if cells is None:
        return _nothing(table.columns[column], pl.String)
    fine = cells.is_in(list(choices))
    for row in (~fine).arg_true():
        if cells[row]:
            what = f"the {column} is {shown(cells[row])}"
            table.problems.append(Problem(table.lines[row], what, remedy))
        elif not empty:
            table.problems.append(Problem(table.lines[row], f"the {column} is empty", remedy))
    return cells.set(~fine, None)


def check_labels(table: RawTable, column: str = "label", *, empty: bool = False) -> pl.Series:
    """The column as 0 (real) or 1 (fake), with a fault noted for each cell that is neither.

    Args:
        empty: whether a cell may be empty.

    Returns:
        (N,) Int8, null where a cell is empty or faulty.
    """
    remedy = "write 1 for fake, 0 for real"
    cells = table.columns[column]
    if not (cells.dtype in TEXT or cells.dtype.is_integer()):
        _refuse_kind(table, column, "0 and 1", remedy)
        return _nothing(cells, pl.Int8)
    real, fake = (cells == "0", cells == "1") if cells.dtype == pl.String else (cells == 0, cells == 1)
    fine = (real | fake).fill_null(value=False)
    for row in (~fine).arg_true():
        cell = cells[row]
        if cell is not None and cell != "":
            table.problems.append(Problem(table.lines[row], f"the {column} is {shown(str(cell))}", remedy))
        elif not empty:
            table.problems.append(Problem(table.lines[row], f"the {column} is empty", remedy))
    return fake.cast(pl.Int8).set(~fine, None)
