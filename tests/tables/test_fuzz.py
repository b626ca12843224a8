"""Whatever stands in a file, the readers end in a table or in an error of ours.

10,000 files in all; ``scripts/fuzz-tables`` tries many times as many.
"""

import gzip
import io
import os

import hypothesis.strategies as st
import polars as pl
from hypothesis import HealthCheck, given, settings
from polars.testing.parametric import column, dataframes

from unmask.tables.answers import read_answers
from unmask.tables.errors import UnmaskError
from unmask.tables.manifest import read_manifest
from unmask.tables.predictions import read_predictions

TIMES = int(os.environ.get("UNMASK_FUZZ_TIMES", "1"))
READERS = {
    "predictions": read_predictions,
    "expected": lambda path: read_predictions(path, expected_ids=["a", "b", "clip.mp4"]),
    "split only": lambda path: read_predictions(
        path, expected_ids=["a", "b"], splits={"a": "test", "b": "train", "c": "train"}
    ),
    "complete": lambda path: read_predictions(path, expected_ids=pl.Series(["a", "b"]), complete=True),
    "answers": read_answers,
    "split": lambda path: read_answers(path, split="test"),
    "manifest": read_manifest,
}
CELLS = st.one_of(
    st.sampled_from(
        ["", "0", "1", "0.5", "nan", "1e999", '"', '""', "'", "a\nb", "\0", "\ufeff", "٣", "=1+1", "../x", "\r", "a",
         "b", "test", "train", "video", "private", "\u200b", ";", "\t", "0,5", "-1", "9" * 30, "a" * 5000]
    ),
    st.floats().map(str),
    st.text(max_size=8),
)  # fmt: skip
HEADERS = [
    "id,score", "id,score,reason", "id,frame,score", "filename,label", "id,label,usage,cluster,method",
    "id,label,split", "id,label,subject_id", "id,path,media,label,split,dataset",
    "id,path,media,label,split,dataset,fps,root,x", "ID,Score", "id;score", "0.5,a", "",
]  # fmt: skip
VALID = [
    b"id,score\na,0.25\nb,1\nclip.mp4,0\n",
    b"id,score,reason\na,,no_face\nb,0.5,\n",
    b"id,frame,score\na,0,0.5\na,1,0.25\nb,0,1\n",
    b"filename,label\r\na,0.5\r\nb,1e-3\r\n",
    b"id,label,usage,cluster,method\na,1,public,x,swap\nb,0,private,y,\n",
    b"id,label,split\na,1,test\nb,0,train\n",
    b"id,path,media,label,split,dataset,fps\na,x/a.mp4,video,1,test,d,25\nb,x/b.png,image,,train,d,\n",
]
TABLES = st.builds(
    lambda header, rows, end: end.join([header, *rows]).encode("utf-8", "surrogatepass"),
    st.sampled_from(HEADERS),
    st.lists(st.lists(CELLS, max_size=5).map(",".join), max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
#: What is put in the place of a stretch of a file: where it begins, how long it is, and the new bytes.
SPOTS = st.lists(
    st.tuples(
        st.integers(0, 5000),
        st.integers(0, 3),
        st.one_of(st.binary(max_size=3), CELLS.map(lambda cell: cell.encode("utf-8", "surrogatepass"))),
    ),
    min_size=1,
    max_size=4,
)


def mutated(content, spots):
    for place, length, new in spots:
        start = place % (len(content) + 1)
        content = content[:start] + new + content[start + length :]
    return content


CSV = st.one_of(st.builds(mutated, st.sampled_from(VALID), SPOTS), TABLES, st.binary(max_size=200))
NAMES = [
    "id",
    "score",
    "label",
    "frame",
    "reason",
    "filename",
    "split",
    "usage",
    "cluster",
    "subject_id",
    "path",
    "media",
    "root",
    "fps",
]
FRAMES = st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=6).flatmap(
    lambda names: dataframes(cols=[column(name) for name in names], max_size=4, allow_null=True)
)


def cases(number):
    return settings(
        max_examples=number * TIMES,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def attempt(path, content, name):
    path.unlink(missing_ok=True)  # some file systems take milliseconds to write over a file
    path.write_bytes(content)
    told = "read"
    try:
        READERS[name](path)
    except UnmaskError as error:
        told = str(error)
    assert 0 < len(told) < 100_000


@cases(6500)
@given(content=CSV, name=st.sampled_from(sorted(READERS)))
def test_csv(tmp_path, content, name):
    attempt(tmp_path / "x.csv", content, name)


@cases(1500)
@given(content=CSV, spots=st.one_of(st.just([]), SPOTS), cut=st.integers(0, 30), name=st.sampled_from(sorted(READERS)))
def test_gzip(tmp_path, content, spots, cut, name):
    packed = mutated(gzip.compress(content), spots)
    attempt(tmp_path / "x.csv.gz", packed[: len(packed) - cut], name)


@cases(1500)
@given(content=st.sampled_from(VALID), spots=SPOTS, cut=st.integers(0, 20), name=st.sampled_from(sorted(READERS)))
def test_damaged_parquet(tmp_path, content, spots, cut, name):
    packed = mutated(packed_as_parquet(pl.read_csv(content)), spots)
    attempt(tmp_path / "x.parquet", packed[: len(packed) - cut], name)


@cases(500)
@given(frame=FRAMES, name=st.sampled_from(sorted(READERS)))
def test_parquet_of_any_types(tmp_path, frame, name):
    attempt(tmp_path / "x.parquet", packed_as_parquet(frame), name)


def packed_as_parquet(frame):
    stream = io.BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()
