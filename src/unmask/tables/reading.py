"""Strict reading of CSV, gzipped CSV and Parquet into cells that have been checked for form, not yet for meaning.

Every cell of a CSV file comes back as the text that stands in it, so that ids such as ``001``, ``NA`` or ``1e5`` stay
what they are. Faults are collected, never raised one by one.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from unmask.tables.errors import Faults, Problem, TableError, UnmaskError
from unmask.tables.regular import read_regular

if TYPE_CHECKING:
    from _csv import Reader

#: Caps that hold before and while a file is read: they bound what a hostile file can cost.
MAX_BYTES = 1024**3
MAX_ROWS = 20_000_000
MAX_COLUMNS = 1000
MAX_CELLS = 200_000_000
MAX_FIELD = 4096
#: Characters behind the header in which decimal commas are looked for, where the columns are separated by other signs.
_FIRST = 100_000
#: Rows of a Parquet file that are unpacked at once.
_PART = 1_000_000

#: Kinds of columns that hold text.
_TEXT = (pl.String, pl.Categorical, pl.Enum)

#: What a message calls the place of a table that was given as a frame.
FRAME = Path("the data frame given")

_DIGITS = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
#: What ``parse_number`` takes, as an expression that polars matches.
NUMBER = rf"\A{_DIGITS}\z"
_NUMBER = re.compile(_DIGITS, re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+(?:[eE][+-]?[0-9]+)?", re.ASCII)
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


def meant_number(text: str) -> str | None:
    """``0.73`` for ``0,73``, as spreadsheets write it in many countries; None where ``text`` is no such number."""
    return text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else None


@dataclass
class RawTable:
    """A table as it stands in its file.

    Attributes:
        path: where it was read from.
        columns: column name to cells, in one piece. CSV cells are String and never null; Parquet cells have their own
            type, but for categories, which are String as well.
        lines: for each row, its line in the file (CSV, header = 1) or its row number (Parquet, first = 1).
        unit: "line" or "row": what ``lines`` counts.
        problems: the faults of form found while reading.
        plain: whether all cells are known to be printable ASCII.
    """

    path: Path
    columns: dict[str, pl.Series]
    lines: Sequence[int]
    unit: str
    problems: Faults
    plain: bool = False

    def refuse_if_faulty(self) -> None:
        """Raise TableError with all collected faults, if there are any."""
        self.problems.refuse()


def read_table(path: str | Path | pl.DataFrame | RawTable, *, most_rows: int | None = None) -> RawTable:
    """Read a CSV (``.csv``), gzipped CSV (``.csv.gz``) or Parquet (``.parquet``) file, or take a frame as one.

    What has been read is given back as it is.

    Args:
        path: the file, or the frame.
        most_rows: of a file; ``MAX_ROWS`` by default. A longer one is a fault, and costs no more to read than these.

    Raises:
        UnmaskError: the file is not there or has another ending.
        TableError: it cannot be read as a table at all (not text, no header, too large).
    """
    if isinstance(path, RawTable):
        return path
    if isinstance(path, pl.DataFrame):
        return _from_frame(path, FRAME)
    path = Path(path)
    if not path.is_file():
        what = f"{path.name} is not a file" if path.exists() else f"there is no file {path.name}"
        raise UnmaskError(what, where=path, next_step="check the path; a table is a .csv, .csv.gz or .parquet file")
    most_rows = MAX_ROWS if most_rows is None else most_rows
    name = path.name.lower()
    if name.endswith(".parquet"):
        return _read_parquet(path, most_rows)
    if name.endswith((".csv", ".csv.gz")):
        return _read_csv(path, most_rows)
    raise UnmaskError(
        f"{path.name} is not a table: its ending is not .csv, .csv.gz or .parquet",
        where=path,
        next_step="save the table as CSV or Parquet",
    )


def _whole_file(path: Path, what: str, remedy: str, line: int = 0) -> TableError:
    return TableError(path, [Problem(line, what, remedy)])


def _read_bytes(path: Path) -> bytes:
    """The file's text as bytes, unpacked, with a cap that holds while it unpacks; no byte order mark."""
    try:
        with gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _whole_file(path, f"the gzip file is damaged ({error})", "compress it again") from error
    except OSError as error:
        what = f"{path.name} cannot be read ({error.strerror or error})"
        raise UnmaskError(what, where=path, next_step="check that the file is yours, and whole") from error
    if len(data) > MAX_BYTES:
        raise _whole_file(path, f"more than {MAX_BYTES:,} bytes of text", "send only the rows that are asked for")
    return data.removeprefix(b"\xef\xbb\xbf")


def _refuse_what_is_no_text(path: Path, data: bytes) -> None:
    """Raise TableError where ``data`` is not UTF-8, or has a NUL."""
    try:
        if not data.isascii():
            data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _whole_file(path, f"byte {error.start} is not UTF-8 text", "save the file as UTF-8", line) from error
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise _whole_file(path, "a NUL byte", "save the file as plain UTF-8 text", line)


def _read_csv(path: Path, most_rows: int) -> RawTable:
    data = _read_bytes(path)
    _refuse_what_is_no_text(path, data)
    # A wrapper rather than one long str: StringIO would take four bytes for each character.
    stream = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    csv.field_size_limit(MAX_FIELD)
    reader = csv.reader(stream, strict=True)
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise _whole_file(path, f"the header is not CSV ({error})", "write a comma-separated header", 1) from error
    if not header:
        raise _whole_file(path, "the file is empty: it has no header", "write a header line and one line for each id")
    if len(header) > MAX_COLUMNS:
        raise _whole_file(path, f"more than {MAX_COLUMNS:,} columns", "keep only the columns that are asked for", 1)
    _refuse_other_separators(path, ",".join(header), stream)
    problems = Faults(path)
    for name in sorted({name for name in header if header.count(name) > 1}):
        problems.append(Problem(1, f"the column {shown(name)} stands more than once", "keep one of them"))
    most = min(most_rows, MAX_CELLS // len(header))
    regular = None if problems else read_regular(data, header, most_rows=most, longest=MAX_FIELD)
    if regular is not None:
        return RawTable(path, regular.to_dict(), range(2, 2 + regular.height), "line", problems, data.isascii())
    return _read_by_line(path, reader, header, most, problems)


def _read_by_line(path: Path, reader: Reader, header: list[str], most: int, problems: Faults) -> RawTable:
    """Read what is behind the header, whatever it may be; what is wrong with it goes to ``problems``."""
    cells: list[list[str]] = [[] for _ in header]
    lines: list[int] = []
    for line, row in _rows(reader, len(header), problems):
        if len(lines) >= most:
            problems.append(Problem(line, f"more than {len(lines):,} rows", "send only the rows that are asked for"))
            problems.refuse()  # of the rest nothing is known: ids would be told to be missing that stand there
        lines.append(line)
        for column, value in zip(cells, row, strict=True):
            column.append(value)
    columns = {name: pl.Series(name, column, dtype=pl.String) for name, column in zip(header, cells, strict=True)}
    return RawTable(path, columns, lines, "line", problems)


def _refuse_other_separators(path: Path, header: str, stream: io.TextIOWrapper) -> None:
    """Raise TableError where the columns are separated by semicolons or tabs, as spreadsheets do in many countries."""
    for sign, name in ((";", "';'"), ("\t", "tabs")):
        cells = header.split(sign)
        # A comma in the first line is a decimal one, where the header was left out.
        if len(cells) == 1 or any("," in cell and not meant_number(cell) for cell in cells):
            continue
        what, remedy = f"the columns are separated by {name}", "separate them with commas"
        following = (cell.strip('"') for line in stream.read(_FIRST).splitlines() for cell in line.split(sign))
        number = next((cell for cell in itertools.chain(cells, following) if meant_number(cell)), None)
        if number:
            what += f", and numbers have decimal commas, such as {shown(number)}"
            remedy += f", and write numbers with a decimal point, such as {meant_number(number)}"
        raise _whole_file(path, what, remedy, 1)


def _rows(reader: Reader, width: int, problems: Faults) -> Iterator[tuple[int, list[str]]]:
    """Each row that has ``width`` cells, with its line; what is wrong with the others goes to ``problems``."""
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            # The reader has lost its place: what follows cannot be told apart from the damaged field.
            remedy = f"close the quotes, or leave them out; a cell has at most {MAX_FIELD:,} characters"
            problems.append(Problem(line, f"not CSV from here on ({error})", remedy))
            return
        if row is None:
            return
        if not row:
            problems.append(Problem(line, "an empty line", "delete it"))
        elif len(row) != width:
            what = f"{len(row)} cell{'' if len(row) == 1 else 's'} where the header has {width}"
            remedy = "give each column one cell"
            if any(meant_number(",".join(pair)) for pair in itertools.pairwise(row)) and len(row) == width + 1:
                remedy += "; a decimal comma makes two cells of a number: write a decimal point"
            problems.append(Problem(line, what, remedy))
        elif reader.line_num > line:
            problems.append(Problem(line, "a quoted cell runs over several lines", "keep each row on one line"))
        else:
            yield line, row


def _read_parquet(path: Path, most_rows: int) -> RawTable:
    try:
        lazy = pl.scan_parquet(path, glob=False)
        schema = lazy.collect_schema()
        rows = lazy.select(pl.len()).collect().item()
        if rows > most_rows or rows * len(schema) > MAX_CELLS or len(schema) > MAX_COLUMNS:
            what = f"{rows:,} rows of {len(schema)} columns are too many"
            raise _whole_file(path, what, "send only what is asked for")
        _refuse_kinds(path, schema)
        return _from_frame(_read_parts(path, lazy, rows), path)
    except TableError:
        raise
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _whole_file(path, f"not a Parquet file ({first})", "write it again") from error


def _read_parts(path: Path, lazy: pl.LazyFrame, rows: int) -> pl.DataFrame:
    """The rows of a Parquet file, with a cap that holds while its text is unpacked."""
    parts: list[pl.DataFrame] = []
    size = 0
    for start in range(0, max(rows, 1), _PART):
        part = lazy.slice(start, _PART).collect()
        size += sum(_text_bytes(series) for series in part.iter_columns())
        if size > MAX_BYTES:
            raise _whole_file(path, f"more than {MAX_BYTES:,} bytes of text", "send only the rows that are asked for")
        parts.append(part)
    return pl.concat(parts)


def _text_bytes(series: pl.Series) -> int:
    """Of what ``_from_frame`` makes text of: the name of a category counts for each row that has it."""
    return int(series.cast(pl.String).str.len_bytes().sum()) if series.dtype in _TEXT else 0


def _from_frame(frame: pl.DataFrame, path: Path) -> RawTable:
    _refuse_kinds(path, frame.schema)
    problems = Faults(path, "row")
    columns: dict[str, pl.Series] = {}
    for name, series in zip(frame.columns, frame.iter_columns(), strict=True):
        text = series.dtype in _TEXT
        columns[name] = (series.cast(pl.String) if text else series).rechunk()
        if text and (columns[name].str.len_chars().max() or 0) > MAX_FIELD:  # type: ignore[operator]
            what = f"the column {shown(name)} has a cell of more than {MAX_FIELD:,} characters"
            problems.append(Problem(0, what, "write shorter text"))
    problems.refuse()
    return RawTable(path, columns, range(1, frame.height + 1), "row", problems)


def _refuse_kinds(path: Path, schema: pl.Schema) -> None:
    """Raise TableError where a column holds anything but one plain value for each row."""
    problems = Faults(path, "row")
    for name, kind in schema.items():
        if kind.is_nested() or kind in (pl.Binary, pl.Object):
            what = f"the column {shown(name)} holds {kind}, not one plain value for each row"
            problems.append(Problem(0, what, "write text or numbers"))
    problems.refuse()
