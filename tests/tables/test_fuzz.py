"""Whatever stands in a file, the readers end in a table or in an error of ours."""

import gzip

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from unmask.tables.answers import read_answers
from unmask.tables.errors import UnmaskError
from unmask.tables.manifest import read_manifest
from unmask.tables.predictions import read_predictions

CELLS = st.one_of(
    st.sampled_from(
        ["", "0", "1", "0.5", "nan", "1e999", '"', '""', "'", "a\nb", "\0", "\ufeff", "٣", "=1+1", "../x", "\r"]
    ),
    st.floats().map(str),
    st.text(max_size=8),
)
ROWS = st.lists(st.lists(CELLS, max_size=5).map(",".join), max_size=8)
HEADERS = st.sampled_from(
    ["id,score", "id,score,reason", "filename,label", "id,label,usage,cluster,method", "id,label,split",
     "id,path,media,label,split,dataset", "ID,Score", "id;score", ""]
)  # fmt: skip
TABLES = st.builds(
    lambda header, rows, end: end.join([header, *rows]).encode("utf-8", "surrogatepass"),
    HEADERS, ROWS, st.sampled_from(["\n", "\r\n", "\r"]),
)  # fmt: skip
CASES = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])


def attempt(path):
    for read in (read_predictions, read_answers, read_manifest, lambda p: read_answers(p, split="test")):
        told = "read"
        try:
            read(path)
        except UnmaskError as error:
            told = str(error)
        assert 0 < len(told) < 100_000


@CASES
@given(content=st.one_of(TABLES, st.binary(max_size=200)))
def test_csv(tmp_path, content):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    attempt(path)


@settings(CASES, max_examples=100)
@given(content=st.one_of(st.binary(max_size=200), TABLES.map(gzip.compress)), cut=st.integers(0, 60))
def test_gzip(tmp_path, content, cut):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(content[: len(content) - cut])
    attempt(path)


@settings(CASES, max_examples=100)
@given(spots=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6), cut=st.integers(0, 40))
def test_damaged_parquet(tmp_path, spots, cut):
    content = bytearray(_parquet(tmp_path))
    for place, value in spots:
        content[place % len(content)] = value
    path = tmp_path / "x.parquet"
    path.write_bytes(bytes(content[: len(content) - cut]))
    attempt(path)


def _parquet(folder):
    import polars as pl

    path = folder / "good.parquet"
    if not path.exists():
        pl.DataFrame({"id": ["a", "b"], "score": [0.5, 0.25]}).write_parquet(path)
    return path.read_bytes()


@pytest.mark.slow
@settings(CASES, max_examples=10_000)
@given(content=st.one_of(TABLES, st.binary(max_size=400)))
def test_csv_at_length(tmp_path, content):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    attempt(path)
