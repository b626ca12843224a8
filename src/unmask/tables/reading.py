"""Strict reading of CSV, gzipped CSV and Parquet into cells that have been checked for form, not yet for meaning.

Every cell of a CSV file comes back as the text that stands in it, so that ids such as ``001``, ``NA`` or ``1e5`` stay
what they are. Faults are collected, never raised one by one.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from unmask.tables.errors import Problem, TableError, UnmaskError

#: Caps that hold before and while a file is read: they bound what a hostile file can cost.
MAX_BYTES = 2 * 1024**3
MAX_ROWS = 20_000_000
MAX_FIELD = 4096

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_PLAIN = re.compile(r"[\x20-\x7e]*", re.ASCII)


def shown(value: str, limit: int = 60) -> str:
    """A value as a message may carry it: quoted, cut at ``limit`` characters, everything beyond ASCII escaped."""
    cut = value if len(value) <= limit else value[:limit] + "..."
    return '"' + (cut if _PLAIN.fullmatch(cut) else cut.encode("unicode_escape").decode("ascii")) + '"'


def parse_number(text: str) -> float | None:
    """A decimal number in ASCII digits, or None.

    Stricter than ``float``: no surrounding blanks, no underscores, no other scripts' digits, no ``nan`` or ``inf``.
    """
    return float(text) if _NUMBER.fullmatch(text) else None


@dataclass
class RawTable:
    """A table as it stands in its file.

    Attributes:
        path: where it was read from.
        columns: column name to cells. CSV cells are ``str``; Parquet cells have their own type, None where null.
        lines: for each row, its line in the file (CSV, header = 1) or its row number (Parquet, first = 1).
        unit: "line" or "row": what ``lines`` counts.
        problems: the faults of form found while reading.
    """

    path: Path
    columns: dict[str, list[object]]
    lines: Sequence[int]
    unit: str
    problems: list[Problem] = field(default_factory=list)

    def refuse_if_faulty(self) -> None:
        """Raise TableError with all collected faults, if there are any."""
        if self.problems:
            raise TableError(self.path, self.problems, unit=self.unit)


def read_table(path: str | Path) -> RawTable:
    """Read a CSV (``.csv``), gzipped CSV (``.csv.gz``) or Parquet (``.parquet``) file.

    Raises:
        UnmaskError: the file is not there or has another ending.
        TableError: it cannot be read as a table at all (not text, no header, too large).
    """
    path = Path(path)
    if not path.is_file():
        raise UnmaskError(
            f"there is no file {path.name}",
            where=path,
            next_step="check the path; a table is a .csv, .csv.gz or .parquet file",
        )
    name = path.name.lower()
    if name.endswith(".parquet"):
        return _read_parquet(path)
    if name.endswith((".csv", ".csv.gz")):
        return _read_csv(path)
    raise UnmaskError(
        f"{path.name} is not a table: its ending is not .csv, .csv.gz or .parquet",
        where=path,
        next_step="save the table as CSV or Parquet",
    )


def _whole_file(path: Path, what: str, remedy: str, line: int = 0) -> TableError:
    return TableError(path, [Problem(line, what, remedy)])


def _read_text(path: Path) -> str:
    """The file's text, unpacked with a cap, checked for UTF-8 and NUL, without a byte order mark."""
    if path.name.lower().endswith(".gz"):
        try:
            with gzip.open(path, "rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise _whole_file(path, f"the gzip file is damaged ({error})", "compress it again") from error
    else:
        if path.stat().st_size > MAX_BYTES:
            data = b" " * (MAX_BYTES + 1)
        else:
            data = path.read_bytes()
    if len(data) > MAX_BYTES:
        raise _whole_file(path, f"more than {MAX_BYTES:,} bytes of text", "send only the rows that are asked for")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _whole_file(path, f"byte {error.start} is not UTF-8 text", "save the file as UTF-8", line) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _whole_file(path, "a NUL byte", "save the file as plain UTF-8 text", line)
    return text


def _read_csv(path: Path) -> RawTable:
    text = _read_text(path)
    csv.field_size_limit(MAX_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    problems: list[Problem] = []
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise _whole_file(path, f"the header is not CSV ({error})", "write a comma-separated header", 1) from error
    if not header:
        raise _whole_file(path, "the file is empty: it has no header", "write a header line and one line for each id")
    if len(header) == 1 and ";" in header[0]:
        raise _whole_file(path, "the columns are separated by ';'", "separate them with commas", 1)
    for name in sorted({name for name in header if header.count(name) > 1}):
        problems.append(Problem(1, f"the column {shown(name)} stands more than once", "keep one of them"))
    cells: list[list[object]] = [[] for _ in header]
    lines: list[int] = []
    while True:
        start = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            # The reader has lost its place: what follows cannot be told apart from the damaged field.
            problems.append(Problem(start, f"not CSV from here on ({error})", "close the quotes, or leave them out"))
            break
        if row is None:
            break
        if not row:
            problems.append(Problem(start, "an empty line", "delete it"))
            continue
        if len(row) != len(header):
            problems.append(
                Problem(start, f"{len(row)} cells where the header has {len(header)}", "give each column one cell")
            )
            continue
        if reader.line_num > start:
            problems.append(Problem(start, "a quoted cell runs over several lines", "keep each row on one line"))
        if len(lines) >= MAX_ROWS:
            problems.append(Problem(start, f"more than {MAX_ROWS:,} rows", "send only the rows that are asked for"))
            break
        lines.append(start)
        for column, value in zip(cells, row, strict=True):
            column.append(value)
    return RawTable(path, dict(zip(header, cells, strict=True)), lines, "line", problems)


def _read_parquet(path: Path) -> RawTable:
    try:
        rows = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
        if rows > MAX_ROWS:
            raise _whole_file(path, f"more than {MAX_ROWS:,} rows", "send only the rows that are asked for")
        frame = pl.read_parquet(path, glob=False)
    except TableError:
        raise
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _whole_file(path, f"not a Parquet file ({first})", "write it again") from error
    columns: dict[str, list[object]] = {name: frame[name].to_list() for name in frame.columns}
    return RawTable(path, columns, range(1, frame.height + 1), "row")
