from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest

from tests.datasets.contract import DatasetContract
from unmask.datasets import index
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError, TableError

LIST = "List_of_testing_videos.txt"


class TestCelebDFv2(DatasetContract):
    name = "celeb_df_v2"
    # Ids are the paths of the official list, so they stay what they are where folders are spelt otherwise.


def touch(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def test_official_list_at_true_scale(tmp_path, protocols):
    lines = (protocols / "celeb_df_v2" / LIST).read_text().splitlines()
    root = touch(tmp_path, *(line.split()[1] for line in lines), "Celeb-real/id0_9999.mp4", "Celeb-real/id1_9999.mp4")
    report = Report()
    manifest = index("celeb_df_v2", root, splits=protocols / "celeb_df_v2", report=report)
    test = manifest.filter(pl.col("split") == "test")
    assert sorted(test["label"]) == [0] * 178 + [1] * 340
    assert set(test["id"]) == {line.split()[1] for line in lines}
    listed = next(count for count in report.counts if "test list" in count.part)
    assert (listed.expected, listed.found) == (518, 518)


def test_one_means_real_and_the_last_line_counts(fake):
    root, _made = fake("celeb_df_v2")
    text = (root / LIST).read_text()
    assert not text.endswith("\n")
    last = text.splitlines()[-1].split()[1]
    manifest = index("celeb_df_v2", root)
    row = manifest.row(by_predicate=pl.col("id") == last, named=True)
    assert (row["split"], row["label"]) == ("test", 0)
    first = text.splitlines()[0].split()[1]
    assert manifest.row(by_predicate=pl.col("id") == first, named=True)["split"] == "test"


def test_no_listed_video_is_in_train(fake):
    root, _made = fake("celeb_df_v2")
    manifest = index("celeb_df_v2", root)
    listed = {line.split()[1] for line in (root / LIST).read_text().splitlines()}
    assert not listed & set(manifest.filter(pl.col("split") != "test")["id"])


def test_validation_shares_no_person_with_train_not_even_as_donor(fake):
    manifest = index("celeb_df_v2", fake("celeb_df_v2")[0])
    people = {
        split: set(rows["subject_id"].drop_nulls()) | set(rows["donor_id"].drop_nulls())
        for (split,), rows in manifest.group_by("split")
    }
    assert people["validation"]
    assert not people["train"] & people["validation"]
    assert "subject and donor seed=0 0.85/0.15" in set(manifest["split_rule"])


def test_where_swaps_connect_everyone_targets_are_kept_apart_and_it_is_said(fake, tmp_path):
    swaps = [(person, (person + 1) % 12) for person in range(12)]
    root = touch(
        tmp_path,
        *(f"Celeb-synthesis/id{target}_id{donor}_0000.mp4" for target, donor in swaps),
        *(f"Celeb-real/id{target}_0000.mp4" for target, _ in swaps),
    )
    (root / LIST).write_text("")
    report = Report()
    manifest = index("celeb_df_v2", root, report=report)
    assert set(manifest["split"]) == {"train", "validation"}
    assert manifest.group_by("subject_id").agg(pl.col("split").n_unique())["split"].max() == 1
    assert set(manifest["split_rule"]) == {"subject seed=0 0.85/0.15"}
    assert any("split by target" in note for note in report.notes)


def test_without_the_list_everything_is_drawn_and_it_is_said(fake, tmp_path):
    shuffled = [f"Celeb-real/id{person}_{clip:04d}.mp4" for person in range(20) for clip in range(3)]
    random.Random(0).shuffle(shuffled)
    report = Report()
    manifest = index("celeb_df_v2", touch(tmp_path, *shuffled), report=report)
    assert set(manifest["split"]) == {"train", "validation", "test"}
    assert manifest.group_by("subject_id").agg(pl.col("split").n_unique())["split"].max() == 1
    assert LIST in report.notes[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 YouTube-real/00000.mp4", "1 is real and 0 is fake"),
        ("1 Celeb-synthesis/id0_id1_0000.mp4", "1 is real and 0 is fake"),
        ("YouTube-real/00000.mp4", "line 1: .* is not of the form"),
        ("1 YouTube-real/00000.mp4\n1 ../../etc/passwd", "line 2: .* is not of the form"),
        ("x\n0 YouTube-real/00000.mp4\n2 Celeb-real/a.mp4", r"(?s)3 problems.*line 1: .*line 2: .*line 3: "),
    ],
)
def test_a_list_of_another_convention_is_refused(tmp_path, text, message):
    root = touch(tmp_path, "YouTube-real/00000.mp4")
    (root / LIST).write_text(text)
    with pytest.raises(TableError, match=message):
        index("celeb_df_v2", root)


def test_list_with_windows_line_ends_and_backslashes(tmp_path):
    root = touch(tmp_path, "YouTube-real/00000.mp4", "YouTube-real/00001.mp4")
    (root / LIST).write_bytes(b"1 YouTube-real\\00000.mp4\r\n\r\n")
    manifest = index("celeb_df_v2", root)
    assert dict(manifest.select("id", "split").iter_rows())["YouTube-real/00000.mp4"] == "test"


def test_splits_folder_without_the_list(fake, tmp_path):
    with pytest.raises(DatasetError, match=f"no {LIST}"):
        index("celeb_df_v2", fake("celeb_df_v2")[0], splits=tmp_path)


def test_strangers_are_left_out_and_told(tmp_path):
    report = Report()
    manifest = index("celeb_df_v2", touch(tmp_path, "Celeb-real/id1_0000.mp4", "Celeb-real/final.mp4"), report=report)
    assert manifest["id"].to_list() == ["Celeb-real/id1_0000.mp4"]
    assert [path for paths in report.odd.values() for path in paths] == ["Celeb-real/final.mp4"]
    assert {count.part: count.expected - count.found for count in report.counts}["Celeb-real"] == 589


def test_one_folder_further_down_as_other_tools_have_it(tmp_path):
    root = touch(
        tmp_path,
        *("Celeb-real/videos/id0_0000.mp4", "Youtube-real/videos/00000.mp4", "Celeb-synthesis/id0_id1_0000.mp4"),
        *("Celeb-synthesis/videos/id1_id0_0000.mp4", "Celeb-real/frames/id0_0000/000.png"),
    )
    (root / LIST).write_text("1 YouTube-real/00000.mp4\n")
    report = Report()
    manifest = index("celeb_df_v2", root, report=report)
    assert dict(manifest.select("id", "path").iter_rows()) == {
        "Celeb-real/id0_0000.mp4": "Celeb-real/videos/id0_0000.mp4",
        "Celeb-synthesis/id0_id1_0000.mp4": "Celeb-synthesis/id0_id1_0000.mp4",
        "Celeb-synthesis/id1_id0_0000.mp4": "Celeb-synthesis/videos/id1_id0_0000.mp4",
        "YouTube-real/00000.mp4": "Youtube-real/videos/00000.mp4",
    }
    assert manifest.filter(pl.col("split") == "test")["id"].to_list() == ["YouTube-real/00000.mp4"]
    assert report.odd == {}


def test_a_list_of_another_length_is_told(tmp_path):
    root = touch(tmp_path, "YouTube-real/00000.mp4", "YouTube-real/00001.mp4")
    (root / LIST).write_text("1 YouTube-real/00000.mp4\n")
    report = Report()
    index("celeb_df_v2", root, report=report)
    assert any(f"{LIST} names 1 files where the published one names 518" in note for note in report.notes)
