"""Quick reading gives what slow reading gives, or leaves the text to it."""

import csv
import io
import zlib

import hypothesis.strategies as st
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, example, given, settings

from unmask.tables.answers import read_answers
from unmask.tables.errors import UnmaskError
from unmask.tables.manifest import read_manifest
from unmask.tables.predictions import read_predictions
from unmask.tables.reading import MAX_FIELD, read_table
from unmask.tables.regular import read_regular

#: Much of what is odd in CSV, or might be to a reader of numbers, nulls, comments or packed files.
CELLS = st.one_of(
    st.sampled_from(
        ["a", "b", "0", "1", "0.5", "", " ", " a ", "NA", "null", "nan", "-", "#", "#a", "\t", "'", "\x0b", "\x1c",
         "\u2028", "\x85", "\ufeff", "é", "e\u0301", "\u200b", "\x7f", "x", "1e400", "0,5", "BZh9", "True", "1_0"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)  # fmt: skip
BREAKS = st.sampled_from(["\n"] * 6 + ["\r\n", "\r", "\n\n", "\r\r\n", '"\n', '\n"'])


def text_of(header, rows, breaks, last):
    lines = [header, *(",".join(row) for row in rows)]
    return "".join(line + end for line, end in zip(lines, breaks, strict=False))[: None if last else -1]


def texts(headers, cells=CELLS):
    """CSV text, most of it regular or nearly so."""
    width = st.shared(st.integers(1, 4), key="width")
    ragged = st.lists(cells, max_size=5)
    straight = width.flatmap(lambda n: st.lists(cells, min_size=n, max_size=n))
    rows = st.one_of(*[st.lists(straight, max_size=6)] * 4, st.lists(st.one_of(straight, ragged), max_size=6))
    ends = st.one_of(*[st.just(["\n"] * 8)] * 4, st.just(["\r\n"] * 8), st.lists(BREAKS, min_size=8, max_size=8))
    return st.builds(text_of, headers, rows, ends, st.booleans())


CASES = settings(max_examples=1500, suppress_health_check=[HealthCheck.function_scoped_fixture])


def literally(data, header):
    """The cells of what the standard library's reader takes for one row on each line, all of one width; else None."""
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline=""), strict=True)
    rows = []
    try:
        for number, row in enumerate(reader, 1):
            if len(row) != len(header) or reader.line_num != number:
                return None
            rows.append(tuple(row))
    except csv.Error:
        return None
    return rows[1:]


@CASES
@given(text=texts(st.lists(CELLS, min_size=1, max_size=4, unique=True).map(",".join)))
@example("a,b\n1,2,\n3\n")
@example("a,b\n1,\n\n2,3,4\n")
@example("a,b\n\n,\n")
@example("x^,b\n1,2\n")
@example("\ufeffa,b\n1,2\n")
def test_cells_are_those_of_the_standard_library(text):
    data = text.encode().replace(b"\0", b"")
    header = next(csv.reader(io.StringIO(data.decode(), newline="")), [])
    if not header or len(set(header)) < len(header):
        return
    found = read_regular(data, header, most_rows=100, longest=100)
    if found is not None:
        assert found.columns == header
        assert set(found.dtypes) == {pl.String}
        assert found.rows() == literally(data, header)


@pytest.mark.parametrize(
    "text",
    [
        "id,score\na,0.5\n",
        "id,score\na,0.5",
        "id,score\r\na,0.5\r\nb,1\r\n",
        "id,a,b\né,,\n,,\n",
        "a,b\nNA,null\n#, \n",
    ],
)
def test_what_is_regular_is_read(text):
    header = text.splitlines()[0].split(",")
    found = read_regular(text.encode(), header, most_rows=2, longest=4)
    assert found is not None
    assert found.rows() == literally(text.encode(), header)


@pytest.mark.parametrize(
    "text",
    ["a\n1\n", "a,b\n", "a,b", 'a,b\n"1",2\n', "a,b\n1,2\n3\n", "a,b\n1\n2,3,4\n", "a,b\n1,2\n\n", "a,b\r1,2\r",
     "a,b\n1\t,2\n", "a,b\n1\x7f,2\n", "a,b\n1,2\n3,4\n5,6\n", "a,b\n12345,2\n", "xa,b\n1,2\n"],
)  # fmt: skip
def test_what_is_not_regular_or_too_much_is_left(text):
    assert read_regular(text.encode(), text.splitlines()[0].split(","), most_rows=2, longest=4) is None


@pytest.mark.parametrize("level", [1, 6, 9])
def test_what_is_packed_is_left(level):
    packed = zlib.compress(b"a,b\n1,2\n", level)
    assert pl.read_csv(packed).rows() == [(1, 2)]  # which is why
    assert read_regular(packed, ["a", "b"], most_rows=2, longest=4) is None


@pytest.mark.parametrize(("one", "other"), [("a,b,", "c"), ("a", "b,c,"), ("", "b,c,d"), (",,", ",")])
@pytest.mark.parametrize("far", [1, 300_000])
def test_rows_of_too_many_cells_do_not_make_up_for_rows_of_too_few(one, other, far):
    rows = ["id,0.5"] * (far + 2)
    rows[0], rows[far] = one, other
    assert read_regular("\n".join(["x,y".upper(), *rows, ""]).encode(), ["X", "Y"], most_rows=10**6, longest=9) is None


def test_many_rows_are_all_read_in_their_order():
    values = np.random.default_rng(0).random(200_000).astype(str)
    data = ("id,score\n" + "".join(f"v{n},{value}\n" for n, value in enumerate(values))).encode()
    found = read_regular(data, ["id", "score"], most_rows=10**6, longest=MAX_FIELD)
    assert found is not None
    assert found["score"].to_list() == values.tolist()
    assert found["id"].to_list() == [f"v{n}" for n in range(len(values))]
    assert all(series.n_chunks() == 1 for series in found.iter_columns())


def outcome(path, text, read):
    path.unlink(missing_ok=True)  # some file systems take milliseconds to write over a file
    path.write_bytes(text.encode())
    try:
        return read(path)
    except UnmaskError as error:
        return str(error)


def raw(path):
    table = read_table(path)
    cells = {name: series.to_list() for name, series in table.columns.items()}
    return str((cells, list(table.lines), table.unit, list(table.problems)))


READERS = {
    "table": raw,
    "predictions": read_predictions,
    "expected": lambda path: read_predictions(path, expected_ids=["a", "b", "é"]),
    "answers": read_answers,
    "split": lambda path: read_answers(path, split="test"),
    "manifest": read_manifest,
}
HEADERS = st.sampled_from(
    ["id,score", "id,score,reason", "id,frame,score", "filename,label", "id,label", "id,label,usage", "id,label,split",
     "label,id,subject_id", "id,path,media,label,split,dataset", "ID,score", "id,id", "id"]
)  # fmt: skip


@CASES
@given(text=texts(HEADERS), name=st.sampled_from(sorted(READERS)))
@example("id,score\na,0.5\nb,1\né,0", "expected")
@example("id,score\na,0.5\na,x\né,\nz,9\n", "expected")
def test_a_file_and_its_twin_in_quotes_are_read_or_refused_alike(tmp_path, text, name):
    first = text.split(",")[0].split("\n")[0].split("\r")[0]
    assume('"' not in first)
    path, read = tmp_path / "x.csv", READERS[name]
    # The quotes around the first name change nothing but the way of reading.
    found, twin = (outcome(path, content, read) for content in (text, f'"{first}"{text[len(first) :]}'))
    assert found.equals(twin, null_equal=True) if isinstance(found, pl.DataFrame) else found == twin
