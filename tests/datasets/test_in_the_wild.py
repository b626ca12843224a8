from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.datasets.contract import DatasetContract
from unmask.datasets import index
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError, TableError

NAME = "in_the_wild"
HEADER = "file,speaker,label\n"


class TestInTheWild(DatasetContract):
    name = NAME
    test_any_folder_may_be_missing = None  # there is one


def clips(root: Path, table: str | bytes, *names: str) -> Path:
    root.mkdir(exist_ok=True)
    for name in names:
        (root / name).write_bytes(b"x")
    (root / "meta.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    return root


def test_split_by_speaker(fake):
    manifest = index(NAME, fake(NAME)[0])
    assert set(manifest["split_rule"]) == {"subject seed=0 0.70/0.15/0.15"}
    assert manifest.group_by("subject_id").agg(pl.col("split").n_unique())["split"].max() == 1
    assert manifest.group_by("split").agg(pl.col("label").n_unique())["label"].to_list() == [2, 2, 2]


def test_the_folder_itself_as_root(fake):
    tree = fake(NAME)[0]
    inner = index(NAME, tree / "release_in_the_wild")
    assert inner.drop("root", "path").equals(index(NAME, tree).drop("root", "path"))


def test_clips_without_the_table(fake, tmp_path):
    root = Path(shutil.copytree(fake(NAME)[0], tmp_path / "copy"))
    (root / "release_in_the_wild/meta.csv").unlink()
    with pytest.raises(DatasetError, match=r"no meta\.csv"):
        index(NAME, root)


@pytest.mark.parametrize(
    "table",
    [
        b"\xef\xbb\xbffile,speaker,label\r\n0.wav,A B,bona-fide\r\n1.wav,C,spoof",
        HEADER + "release_in_the_wild\\0.wav,A B,bona-fide\n/data/x/1.wav,C,spoof\n",
        HEADER + '../../0.wav,"A B",bona-fide\n1.wav,C,spoof\n2.wav,C,spoof\n',
    ],
)
def test_spellings_of_the_table(tmp_path, table):
    manifest = index(NAME, clips(tmp_path, table, "0.wav", "1.wav"))
    assert manifest.select("id", "path", "label", "subject_id").rows() == [
        ("0.wav", "0.wav", 0, "A B"),
        ("1.wav", "1.wav", 1, "C"),
    ]


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        (HEADER + "0.wav,A,real\n1.wav,,spoof\n,A,spoof\n0.wav,A\n", [2, 3, 4, 5]),
        (HEADER + "0.wav,A,spoof\n0.wav,A,spoof\n", [3]),
        (HEADER + "0.wav,A,spoof\nx/0.wav,A,bona-fide\n", [3]),
        (HEADER + "x/0.wav,A,spoof\n0.wav,A,bona-fide\n", [3]),
        (HEADER + "0.wav,A,1\n", [2]),
        ("0.wav,A,spoof\n", [1, 1, 1]),
        ("", [0]),
        (HEADER.encode("utf-16"), [1]),
        (HEADER + "0.wav," + "A" * 5000 + ",spoof\n", [2]),
    ],
)
def test_faults_are_told_with_their_line(tmp_path, table, lines):
    with pytest.raises(TableError) as caught:
        index(NAME, clips(tmp_path, table, "0.wav"))
    assert [problem.line for problem in caught.value.problems] == lines


def test_unlisted_clips_are_left_out_and_told(tmp_path):
    report = Report()
    clips(tmp_path, HEADER + "0.wav,A,spoof\n9.wav,B,spoof\n", "0.wav", "7.wav")
    manifest = index(NAME, tmp_path, report=report)
    assert manifest["id"].to_list() == ["0.wav"]
    assert report.odd["files that meta.csv does not name, left out"] == ["7.wav"]
    assert (report.counts[0].expected, report.counts[0].found) == (31_779, 1)
