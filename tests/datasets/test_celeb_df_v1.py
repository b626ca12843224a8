from __future__ import annotations

import shutil

import polars as pl
import pytest

from tests.datasets.contract import DatasetContract
from unmask.datasets import index
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError

LIST = "List_of_testing_videos.txt"


class TestCelebDFv1(DatasetContract):
    name = "celeb_df_v1"


def test_its_own_counts_are_expected(fake):
    root, made = fake("celeb_df_v1")
    report = Report()
    index("celeb_df_v1", root, report=report)
    expected = {count.part: count.expected for count in report.counts}
    listed = sum(each.split == "test" for each in made)
    assert expected == {
        "Celeb-real": 158,
        "YouTube-real": 250,
        "Celeb-synthesis": 795,
        "files of the official test list": listed,
    }


def test_it_reads_what_the_second_release_reads(fake):
    root, _made = fake("celeb_df_v1")
    first, second = index("celeb_df_v1", root), index("celeb_df_v2", root)
    assert set(first["dataset"]) == {"celeb_df_v1"}
    assert first.drop("dataset").equals(second.drop("dataset"))


def test_where_everybody_was_swapped_with_everybody_the_split_is_by_target(tmp_path):
    people = range(13)
    names = [f"Celeb-real/id{target}_0000.mp4" for target in people]
    names += [f"Celeb-synthesis/id{a}_id{b}_0000.mp4" for a in people for b in people if a != b]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    report = Report()
    manifest = index("celeb_df_v1", tmp_path, report=report)
    assert set(manifest["split_rule"]) == {"subject seed=0 0.70/0.15/0.15"}
    assert manifest.group_by("subject_id").agg(pl.col("split").n_unique())["split"].max() == 1
    assert any("split by target" in note for note in report.notes)


@pytest.mark.parametrize("text", [b"\xff\xfe1\x00 \x00", b"\xe9 YouTube-real/00000.mp4"])
def test_a_list_that_is_not_text(fake, tmp_path, text):
    root = shutil.copytree(fake("celeb_df_v1")[0], tmp_path / "copy")
    (root / LIST).write_bytes(text)
    with pytest.raises(DatasetError, match="not a text file"):
        index("celeb_df_v1", root)


def test_a_list_with_a_byte_order_mark_and_a_line_twice(fake, tmp_path):
    root = shutil.copytree(fake("celeb_df_v1")[0], tmp_path / "copy")
    before = index("celeb_df_v1", root)
    line = (root / LIST).read_text().splitlines()[0]
    (root / LIST).write_bytes(b"\xef\xbb\xbf" + f"{line}\r\n".encode() + (root / LIST).read_bytes())
    assert index("celeb_df_v1", root).equals(before)


def test_the_second_release_is_not_taken_for_the_first(tmp_path):
    (tmp_path / "Celeb-real").mkdir()
    for clip in range(159):
        (tmp_path / f"Celeb-real/id0_{clip:04d}.mp4").write_bytes(b"x")
    report = Report()
    index("celeb_df_v1", tmp_path, report=report)
    (warning,) = report.warnings
    assert "159 files in Celeb-real" in warning
    assert "another release" in warning
    report = Report()
    index("celeb_df_v2", tmp_path, report=report)
    assert report.warnings == []
