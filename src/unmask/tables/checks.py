"""Checks that several tables share: required columns, ids, numbers, choices."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Iterable

from unmask.tables.errors import Problem
from unmask.tables.reading import RawTable, meant_number, parse_number, shown


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


def check_ids(table: RawTable, column: str = "id", *, unique: bool = True) -> list[str]:
    """The ids as text, byte for byte, with a fault noted for each that is empty, not text, malformed or repeated."""
    first_seen: dict[str, int] = {}
    ids: list[str] = []
    for line, value in zip(table.lines, table.columns[column], strict=True):
        if not isinstance(value, str):
            kind = "empty" if value is None else f"of type {type(value).__name__}"
            table.problems.append(Problem(line, f"the {column} is {kind}", f"write each {column} as text"))
            ids.append("")
            continue
        ids.append(value)
        if not value:
            table.problems.append(Problem(line, f"the {column} is empty", f"write the {column} that the row is about"))
        elif not value.isprintable() and any(unicodedata.category(sign) in ("Cc", "Cf") for sign in value):
            table.problems.append(
                Problem(line, f"the {column} {shown(value)} has invisible characters in it", "write it as it was given")
            )
        elif unique and value in first_seen:
            table.problems.append(
                Problem(
                    line,
                    f"the {column} {shown(value)} stood on {table.unit} {first_seen[value]} already",
                    "keep one of the two",
                )
            )
        else:
            first_seen[value] = line
    return ids


def check_numbers(
    table: RawTable, column: str, *, low: float, high: float, null_where: Collection[int] = ()
) -> list[float | None]:
    """The column as float64 in [low, high]; None for rows in ``null_where``, which may be empty.

    Args:
        null_where: positions of rows that may have an empty cell.
    """
    values: list[float | None] = []
    for position, (line, cell) in enumerate(zip(table.lines, table.columns[column], strict=True)):
        value: float | None
        if cell is None or cell == "":
            if position not in null_where:
                table.problems.append(
                    Problem(line, f"the {column} is empty", f"write a number from {low:g} to {high:g}")
                )
            values.append(None)
            continue
        if isinstance(cell, str):
            value = parse_number(cell)
        elif isinstance(cell, (int, float)) and not isinstance(cell, bool):
            value = float(cell)
        else:
            value = None
        if isinstance(cell, str) and (meant := meant_number(cell)):
            table.problems.append(
                Problem(line, f"the {column} {shown(cell)} has a decimal comma", f"write a decimal point: {meant}")
            )
        elif value is None:
            told = shown(cell) if isinstance(cell, str) else f"of type {type(cell).__name__}"
            table.problems.append(
                Problem(
                    line,
                    f"the {column} {told} is not a plain decimal number",
                    f"write a number from {low:g} to {high:g}, such as 0.25",
                )
            )
        elif not math.isfinite(value) or not low <= value <= high:
            told = shown(cell) if isinstance(cell, str) else repr(value)
            table.problems.append(
                Problem(
                    line,
                    f"the {column} {told} is not between {low:g} and {high:g}",
                    f"write a number from {low:g} to {high:g}",
                )
            )
            value = None
        values.append(value)
    return values


def check_choices(table: RawTable, column: str, choices: Collection[str], *, empty: bool = False) -> list[str | None]:
    """The column as text, each cell one of ``choices`` (None for an empty cell where ``empty`` allows it)."""
    values: list[str | None] = []
    listed = ", ".join(sorted(choices))
    for line, cell in zip(table.lines, table.columns[column], strict=True):
        if cell is None or cell == "":
            if not empty:
                table.problems.append(Problem(line, f"the {column} is empty", f"write one of {listed}"))
            values.append(None)
        elif isinstance(cell, str) and cell in choices:
            values.append(cell)
        else:
            table.problems.append(Problem(line, f"the {column} is {shown(str(cell))}", f"write one of {listed}"))
            values.append(None)
    return values


def check_labels(table: RawTable, column: str = "label", *, empty: bool = False) -> list[int | None]:
    """The column as 0 (real) or 1 (fake); None for an empty cell where ``empty`` allows it."""
    values: list[int | None] = []
    for line, cell in zip(table.lines, table.columns[column], strict=True):
        if cell is None or cell == "":
            if not empty:
                table.problems.append(Problem(line, f"the {column} is empty", "write 1 for fake, 0 for real"))
            values.append(None)
        elif cell in ("0", "1") or (isinstance(cell, int) and not isinstance(cell, bool) and cell in (0, 1)):
            values.append(int(cell))
        else:
            table.problems.append(Problem(line, f"the {column} is {shown(str(cell))}", "write 1 for fake, 0 for real"))
            values.append(None)
    return values
