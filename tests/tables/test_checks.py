"""Checks of whole columns, compared with slow ones that go cell by cell."""

import math
import re
import unicodedata

import hypothesis.strategies as st
import polars as pl
from hypothesis import example, given, settings

from unmask.tables.checks import check_choices, check_ids, check_labels, check_numbers, check_whole_numbers
from unmask.tables.errors import Faults
from unmask.tables.reading import FRAME, RawTable

DIGITS = st.text("0123456789.eE+-_ ", max_size=8)
NUMBERS = st.one_of(
    DIGITS,
    st.floats().map(repr),
    st.floats(0, 1).map(repr),
    st.decimals(0, 1, allow_nan=False, places=25).map(str),
    st.from_regex(r"\A[+-]?[0-9]{0,22}\.?[0-9]{0,22}(e[+-]?[0-9]{1,4})?\Z"),
    st.sampled_from(
        ["", "nan", "inf", "+inf", "1e400", "1e-400", "1_0", "٠", "０.５", "0.5\u00a0", "0,5", "0x1",
         "1e99999999999999999", "1e-99999999999999999999", "0.50000000000000000000000000000001", "infinity", "1\n",
         "\u00b2", "9" * 400]
    ),
)  # fmt: skip
IDS = st.one_of(
    st.sampled_from(
        ["a", "b", "c", "", " ", "\u200b", "a\u200b", "é", "e\u0301", "a\n", "\x00", "\u202ea", "\x7f", "ｚ"]
    ),
    st.text(max_size=2),
)
PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)


def table(**columns):
    cells = {name: pl.Series(values, dtype=pl.String) for name, values in columns.items()}
    rows = len(next(iter(cells.values())))
    return RawTable(FRAME, cells, range(2, 2 + rows), "line", Faults(FRAME))


def faulty(found):
    return [problem.line - 2 for problem in found.problems]


def number(cell):
    value = float(cell) if PLAIN.fullmatch(cell) else math.nan
    return value if 0 <= value <= 1 else None


@settings(max_examples=800)
@given(rows=st.lists(st.tuples(NUMBERS, st.booleans()), max_size=8))
@example([("1e-99999999999999999999", False), ("0.1", False)])
def test_numbers(rows):
    cells, gaps = [cell for cell, _ in rows], [gap for _, gap in rows]
    found = table(score=cells)
    values = check_numbers(found, "score", low=0, high=1, may_be_empty=pl.Series(gaps, dtype=pl.Boolean))
    # To the last bit: a score that is read another way than Python reads it is another score.
    assert values.to_list() == [number(cell) for cell in cells]
    wanted = [row for row, (cell, gap) in enumerate(rows) if number(cell) is None and not (cell == "" and gap)]
    assert faulty(found) == wanted
    assert values.dtype == pl.Float64


@settings(max_examples=500)
@given(cells=st.lists(st.one_of(st.integers(-3, 99).map(str), DIGITS, NUMBERS, st.integers(2**62, 2**64).map(str))))
def test_whole_numbers(cells):
    found = table(frame=cells)
    values = check_whole_numbers(found, "frame").to_list()
    digits = [bool(re.fullmatch("[0-9]+", cell)) and int(cell) < 2**63 for cell in cells]
    assert values == [int(cell) if whole else None for cell, whole in zip(cells, digits, strict=True)]
    assert faulty(found) == [row for row, whole in enumerate(digits) if not whole]


def wrong_ids(keys):
    """What is told of each faulty row."""
    told, first = {}, {}
    for row, key in enumerate(keys):
        if not key[0]:
            told[row] = "empty"
        elif any(unicodedata.category(sign) in ("Cc", "Cf") for sign in key[0]):
            told[row] = "invisible"
        elif key in first and None not in key:
            told[row] = f"stood on line {first[key] + 2} already"
        else:
            first.setdefault(key, row)
    return told


@settings(max_examples=1000)
@given(rows=st.lists(st.tuples(IDS, st.sampled_from([None, 0, 1])), max_size=12), unique=st.booleans())
def test_ids(rows, unique):
    ids = [name for name, _ in rows]
    found = table(id=ids)
    assert check_ids(found, unique=unique).to_list() == ids
    wanted = {row: told for row, told in wrong_ids([(name,) for name in ids]).items() if unique or "stood" not in told}
    assert faulty(found) == list(wanted)
    assert all(told in problem.what for told, problem in zip(wanted.values(), found.problems, strict=True))

    within = table(id=ids)
    check_ids(within, frames=pl.Series([frame for _, frame in rows], dtype=pl.Int64))
    wanted = wrong_ids(rows)
    assert faulty(within) == list(wanted)
    assert all(told in problem.what for told, problem in zip(wanted.values(), within.problems, strict=True))


@settings(max_examples=300)
@given(cells=st.lists(st.sampled_from(["0", "1", "", "2", "a", "A", "1.0", "01", "\uff11", " 1"])), empty=st.booleans())
def test_labels_and_choices(cells, empty):
    found = table(label=cells)
    assert check_labels(found, empty=empty).to_list() == [int(cell) if cell in ("0", "1") else None for cell in cells]
    good = ("0", "1", "") if empty else ("0", "1")
    assert faulty(found) == [row for row, cell in enumerate(cells) if cell not in good]

    found = table(label=cells)
    values = check_choices(found, "label", ("a", "1"), empty=empty)
    assert values.to_list() == [cell if cell in ("a", "1") else None for cell in cells]
    good = ("a", "1", "") if empty else ("a", "1")
    assert faulty(found) == [row for row, cell in enumerate(cells) if cell not in good]
