from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.datasets.contract import DatasetContract
from tests.fakes.fakeavceleb import HEADER
from unmask.datasets import index
from unmask.datasets.report import Report
from unmask.tables.errors import TableError

FOLDER = "FakeVideo-FakeAudio/African/men/id00076"
LINE = f"id00076,id00166,-,wav2lip,D,FakeVideo-FakeAudio,African,men,00109_id00166_wavtolip.mp4,FakeAVCeleb/{FOLDER}"


class TestFakeAVCeleb(DatasetContract):
    name = "fakeavceleb"


@pytest.fixture
def copy(fake, tmp_path) -> Path:
    return Path(shutil.copytree(fake("fakeavceleb")[0], tmp_path / "copy"))


def rows(manifest: pl.DataFrame) -> dict[str, dict]:
    return {row["id"]: row for row in manifest.iter_rows(named=True)}


def with_lines(root: Path, *lines: str, header: str = HEADER, end: str = "\n") -> Path:
    (root / "meta_data.csv").write_bytes((end.join([header, *lines]) + end).encode())
    return root


def test_the_label_is_what_the_picture_is_and_both_are_kept(fake):
    manifest = index("fakeavceleb", fake("fakeavceleb")[0])
    assert manifest["video_label"].dtype == manifest["audio_label"].dtype == pl.Int64
    told = manifest.select(pl.col("id").str.split("/").list.first(), "label", "video_label", "audio_label").unique()
    assert set(told.iter_rows()) == {
        ("RealVideo-RealAudio", 0, 0, 0),
        ("RealVideo-FakeAudio", 0, 0, 1),
        ("FakeVideo-RealAudio", 1, 1, 0),
        ("FakeVideo-FakeAudio", 1, 1, 1),
    }


def test_what_the_table_says(fake):
    found = rows(index("fakeavceleb", fake("fakeavceleb")[0]))
    row = found[f"{FOLDER}/00109_id00166_wavtolip.mp4"]
    assert (row["method"], row["subject_id"], row["donor_id"]) == ("wav2lip", "id00076", "id00166")
    assert (row["race"], row["gender"], row["source_id"]) == ("African", "men", "id00076/00109")
    # The picture of these is real, so no method made it.
    assert {row["method"] for row in found.values() if not row["label"]} == {None}


def test_nobody_is_in_two_splits_not_even_as_donor(fake):
    manifest = index("fakeavceleb", fake("fakeavceleb")[0])
    assert set(manifest["split_rule"]) == {"subject and donor seed=0 0.70/0.15/0.15"}
    seen = [
        set(part["subject_id"]) | set(part["donor_id"].drop_nulls())
        for _, part in manifest.group_by("split", maintain_order=True)
    ]
    assert sum(map(len, seen)) == len(set().union(*seen))


def test_where_swaps_connect_everyone_people_on_screen_are_kept_apart(tmp_path):
    people = [f"id{number:05d}" for number in range(40)]
    for number, person in enumerate(people):
        for name in (
            f"RealVideo-RealAudio/African/men/{person}/00001.mp4",
            f"FakeVideo-RealAudio/African/men/{person}/00001_{people[number - 1]}_wavtolip.mp4",
        ):
            (tmp_path / name).parent.mkdir(parents=True)
            (tmp_path / name).write_bytes(b"x")
    report = Report()
    manifest = index("fakeavceleb", tmp_path, report=report)
    assert set(manifest["split_rule"]) == {"subject seed=0 0.70/0.15/0.15"}
    assert manifest.group_by("subject_id").agg(pl.col("split").n_unique())["split"].max() == 1
    assert any("split by target" in note for note in report.notes)


def test_a_split_that_lacks_a_race_or_gender_is_warned_of(fake):
    report = Report()
    manifest = index("fakeavceleb", fake("fakeavceleb")[0], report=report)
    (warning,) = report.warnings
    for (split,), part in manifest.group_by("split"):
        missing = set(manifest["race"]) - set(part["race"])
        assert (f"{split} has no race {', '.join(sorted(missing))}" in warning) is bool(missing)
        assert (f"{split} has no gender" in warning) is (part["gender"].n_unique() == 1)


def test_without_the_table_the_tree_tells_all_but_the_method(copy):
    before = index("fakeavceleb", copy)
    (copy / "meta_data.csv").unlink()
    report = Report()
    manifest = index("fakeavceleb", copy, report=report)
    assert "method" not in manifest.columns
    assert manifest.equals(before.drop("method"))
    assert "no meta_data.csv" in report.notes[0]


@pytest.mark.parametrize(
    ("name", "donors"),
    [
        ("00109_3.mp4", (None, None)),
        ("00109_10_id00476_wavtolip.mp4", ("id00476", None)),
        ("00254_id06437_3BZvvzBhj8s_id00043_wavtolip.mp4", ("id06437", "id00043")),
    ],
)
def test_people_of_a_name(copy, name, donors):
    (copy / "meta_data.csv").unlink()
    (copy / FOLDER / name).write_bytes(b"x")
    row = rows(index("fakeavceleb", copy))[f"{FOLDER}/{name}"]
    # Where no file of the folder names a second person, there is no such column.
    assert (row["donor_id"], row.get("second_donor_id")) == donors


def test_a_table_without_the_unnamed_column(copy):
    before = index("fakeavceleb", copy)
    text = (copy / "meta_data.csv").read_text().splitlines()
    (copy / "meta_data.csv").write_text("\n".join(line.rpartition(",")[0] for line in text))
    assert index("fakeavceleb", copy).equals(before)


def test_windows_line_ends_backslashes_and_foreign_prefixes(copy):
    before = index("fakeavceleb", copy)
    text = (copy / "meta_data.csv").read_text().replace("FakeAVCeleb/", "D:/data/FakeAVCeleb_v1.2/")
    lines = [line.replace("/", "\\") for line in text.splitlines()]
    (copy / "meta_data.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    assert index("fakeavceleb", copy).equals(before)


def test_a_file_that_stands_twice_keeps_what_both_lines_say(copy):
    """The published table has such lines."""
    report = Report()
    manifest = index(
        "fakeavceleb", with_lines(copy, LINE, LINE.replace(",wav2lip,", ",faceswap-wav2lip,")), report=report
    )
    assert "method" not in manifest.columns
    assert rows(manifest)[f"{FOLDER}/00109_id00166_wavtolip.mp4"]["donor_id"] == "id00166"
    assert any("twice" in what for what in report.odd)


def test_files_that_the_table_does_not_name_are_kept_and_told(copy):
    report = Report()
    manifest = index("fakeavceleb", with_lines(copy, LINE), report=report)
    assert manifest.height == 40
    assert manifest["method"].drop_nulls().to_list() == ["wav2lip"]
    assert [len(paths) for what, paths in report.odd.items() if "does not name" in what] == [39]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (LINE.replace(",FakeVideo-FakeAudio,", ",RealVideo-RealAudio,"), "contradict the folder"),
        (LINE.replace("id00076,", "id00077,", 1), "contradict the folder"),
        (LINE.replace("/African/men/id00076", "/../../etc"), "not of the form"),
        (LINE.replace("FakeAVCeleb/FakeVideo-FakeAudio", "/etc"), "not of the form"),
        (LINE.replace("00109_id00166_wavtolip.mp4", "../../passwd"), "not of the form"),
        (LINE + ",", "11 cells where the header has 10"),
        ("x", "1 cell where the header has 10"),
        (LINE.replace("men", "m\0en"), "NUL"),
        (LINE.replace("men", "m" * 5000), "not of the form|not CSV"),
    ],
)
def test_broken_lines(copy, line, message):
    with pytest.raises(TableError, match=message):
        index("fakeavceleb", with_lines(copy, LINE, line))


def test_all_faults_are_told_at_once(copy):
    with pytest.raises(TableError) as caught:
        index("fakeavceleb", with_lines(copy, LINE.replace("id00076,", "id00077,", 1), "x", LINE, LINE + ","))
    assert [problem.line for problem in caught.value.problems] == [2, 3, 5]


@pytest.mark.parametrize(
    ("header", "message"),
    [("source,method", 'no column "gender"'), (HEADER.replace(",path,", ",Path,"), '"Path" where "path"')],
)
def test_other_headers(copy, header, message):
    with pytest.raises(TableError, match=message):
        index("fakeavceleb", with_lines(copy, header=header))


def test_an_empty_table(copy):
    (copy / "meta_data.csv").write_bytes(b"")
    with pytest.raises(TableError, match="empty"):
        index("fakeavceleb", copy)


def test_strangers_are_left_out_and_told(copy):
    strange = ["RealVideo-RealAudio/00109.mp4", f"{FOLDER}/final.mp4", f"{FOLDER}/sub/00109.mp4"]
    for path in strange:
        (copy / path).parent.mkdir(exist_ok=True)
        (copy / path).write_bytes(b"x")
    report = Report()
    assert index("fakeavceleb", copy, report=report).height == 40
    assert sorted(path for paths in report.odd.values() for path in paths) == sorted(strange)
