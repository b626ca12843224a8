from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.datasets.contract import DatasetContract
from unmask.cli.main import main
from unmask.datasets import index
from unmask.datasets.deeperforensics import VARIANTS
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError, TableError
from unmask.tables.manifest import media_path, read_manifest

REALS = "original_sequences/youtube/c23/videos"
FAKES = "manipulated_videos/end_to_end"


class TestDeeperForensics(DatasetContract):
    name = "deeperforensics"


@pytest.fixture
def copy(fake, tmp_path) -> Path:
    return Path(shutil.copytree(fake("deeperforensics")[0], tmp_path / "copy"))


def touch(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def lists(root: Path, train: str | bytes = "", val: str | bytes = "", test: str | bytes = "") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for name, text in (("train", train), ("val", val), ("test", test)):
        (root / f"{name}.txt").write_bytes(text.encode() if isinstance(text, str) else text)
    return root


def test_eleven_variants_are_counted(fake):
    report = Report()
    index("deeperforensics", fake("deeperforensics")[0], report=report)
    assert len(VARIANTS) == 11
    assert {count.part for count in report.counts} == {*VARIANTS, "youtube c23 of FaceForensics++ (real)"}
    assert {count.expected for count in report.counts} == {1000}


def test_the_studio_videos_are_not_the_real_class(fake):
    manifest = index("deeperforensics", fake("deeperforensics")[0])
    reals = manifest.filter(pl.col("label") == 0)
    assert set(reals["path"].str.starts_with(REALS)) == {True}
    assert not manifest["path"].str.contains("source_videos").any()


def test_actors_ids_say_gender_and_origin(fake):
    manifest = index("deeperforensics", fake("deeperforensics")[0])
    rows = {row["id"]: row for row in manifest.iter_rows(named=True)}
    told = {id_: (rows[id_]["donor_id"], rows[id_]["gender"], rows[id_]["actor_from"]) for id_ in rows}
    assert told["end_to_end/000_M101"] == ("M101", "male", "Asia")
    assert told["end_to_end/002_W004"] == ("W004", "female", "elsewhere")
    # Faces were swapped within a gender, so the target's is the actor's.
    assert told["youtube/c23/002"] == (None, "female", None)
    assert told["youtube/c23/000"] == (None, "male", None)


def test_reals_have_the_split_of_their_target(fake):
    manifest = index("deeperforensics", fake("deeperforensics")[0])
    assert manifest.group_by("source_id").agg(pl.col("split").n_unique())["split"].max() == 1
    assert set(manifest["split_rule"]) == {"official"}


def test_reals_of_another_folder(copy, tmp_path):
    elsewhere = tmp_path / "FaceForensics++"
    elsewhere.mkdir()
    before = index("deeperforensics", copy)
    (copy / "original_sequences").rename(elsewhere / "original_sequences")
    manifest = index("deeperforensics", copy, reals=elsewhere)
    assert manifest.drop("root").equals(before.drop("root"))
    roots = dict(manifest.select("label", "root").unique().iter_rows())
    assert roots == {0: str(elsewhere.resolve()), 1: str(copy.resolve())}


def test_reals_of_another_folder_from_the_command_line(copy, tmp_path, capsys):
    elsewhere = tmp_path / "FaceForensics++"
    elsewhere.mkdir()
    (copy / "original_sequences").rename(elsewhere / "original_sequences")
    out = tmp_path / "m.parquet"
    arguments = ["index", "deeperforensics", str(copy), "--out", str(out)]
    assert main(arguments) == 0
    assert "--reals" in capsys.readouterr().out
    assert main([*arguments, "--reals", str(elsewhere)]) == 0
    manifest = read_manifest(out)
    assert all(media_path(row).is_file() for row in manifest.iter_rows(named=True))
    assert set(manifest["label"]) == {0, 1}
    assert main(["index", "uadfv", str(copy), "--out", str(out), "--reals", str(elsewhere)]) == 2
    assert "--reals does not apply to uadfv" in capsys.readouterr().err


def test_a_folder_without_reals_is_an_error(copy, tmp_path):
    with pytest.raises(DatasetError, match="no original_sequences"):
        index("deeperforensics", copy, reals=tmp_path / "absent")


def test_without_reals_it_is_warned(copy):
    shutil.rmtree(copy / "original_sequences")
    report = Report()
    assert set(index("deeperforensics", copy, report=report)["label"]) == {1}
    assert "--reals" in report.warnings[0]


def test_reals_alone_are_not_it(copy):
    shutil.rmtree(copy / "manipulated_videos")
    with pytest.raises(DatasetError, match="nothing to index"):
        index("deeperforensics", copy)


def test_other_compressions_and_methods_are_not_its_reals(copy):
    touch(copy, "original_sequences/youtube/c40/videos/000.mp4", "original_sequences/actors/c23/videos/01__a.mp4")
    touch(copy, "manipulated_sequences/Deepfakes/c23/videos/000_003.mp4")
    assert index("deeperforensics", copy).filter(pl.col("label") == 0).height == 8


def test_without_lists_actors_are_kept_apart_and_it_is_said(tmp_path):
    fakes = [(f"{target:03d}", f"M{target // 4:03d}") for target in range(80)]
    root = touch(tmp_path, *(f"{FAKES}/{target}_{actor}.mp4" for target, actor in fakes))
    touch(root, *(f"{REALS}/{target}.mp4" for target, _ in fakes))
    report = Report()
    manifest = index("deeperforensics", root, report=report)
    assert set(manifest["split"]) == {"train", "validation", "test"}
    for column in ("source_id", "donor_id"):
        ours = manifest.drop_nulls(column)
        assert ours.group_by(column).agg(pl.col("split").n_unique())["split"].max() == 1
    assert set(manifest["split_rule"]) == {"actor seed=0 0.70/0.15/0.15"}
    assert set(manifest["gender"]) == {"male"}
    assert "were not found" in report.notes[0]


def test_lists_in_any_form_that_says_the_same(copy, tmp_path):
    before = index("deeperforensics", copy)
    forms = {
        "train": "\ufeff000_M101\r\n\r\n 001_M101.mp4 \r\nD:\\end_to_end\\002_W004.mp4\r\n/x/003_W136.mp4",
        "val": "004_M012.mp4\n005_M012.mp4",
        "test": "006_W018.mp4\n007_W018.mp4\n\n",
    }
    shutil.rmtree(copy / "lists")
    assert index("deeperforensics", copy, splits=lists(tmp_path / "given", **forms)).equals(before)
    lists(copy, **forms)
    assert index("deeperforensics", copy).equals(before)


def test_one_list_missing_is_an_error(copy):
    (copy / "lists/splits/val.txt").unlink()
    with pytest.raises(DatasetError, match=r"no val\.txt"):
        index("deeperforensics", copy)


def test_splits_folder_without_lists_is_an_error(copy, tmp_path):
    with pytest.raises(DatasetError, match=r"no train\.txt"):
        index("deeperforensics", copy, splits=tmp_path)


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ({"train": "000_M101.mp4\n0_M101.mp4\n../x"}, TableError, r"(?s)line 2: .*line 3: .*not of the form"),
        ({"train": "000_X101.mp4"}, TableError, "not of the form 000_M101.mp4"),
        ({"train": "000_M101.mp4\n000_M101.mp4"}, TableError, r"line 2: the target 000 stood in train\.txt already"),
        ({"train": "000_M101.mp4", "test": "000_M102.mp4"}, TableError, r"the target 000 stood in train\.txt already"),
        ({"val": b"\xff\xfe0\x000\x00"}, DatasetError, "not a text file"),
        ({"val": "0" * 100_000}, TableError, "not of the form"),
    ],
)
def test_broken_lists(copy, tmp_path, texts, error, message):
    with pytest.raises(error, match=message):
        index("deeperforensics", copy, splits=lists(tmp_path / "given", **texts))


def test_videos_that_the_lists_do_not_name_are_left_out(copy):
    strange = [f"{FAKES}/000_M102.mp4", f"{FAKES}/008_M101.mp4", f"{FAKES}/final.mp4", f"{REALS}/999.mp4"]
    touch(copy, *strange)
    report = Report()
    manifest = index("deeperforensics", copy, report=report)
    assert not set(manifest["path"]) & set(strange)
    assert sorted(path for paths in report.odd.values() for path in paths) == sorted(strange)


def test_an_ending_in_capitals(copy):
    before = index("deeperforensics", copy)
    path = copy / FAKES / "000_M101.mp4"
    path.rename(path.with_suffix(".MP4"))
    assert index("deeperforensics", copy)["id"].to_list() == before["id"].to_list()


def test_folders_that_are_no_variant_are_told(copy):
    touch(copy, "manipulated_videos/end_to_end_level_9/000_M101.mp4", "manipulated_videos/__MACOSX/x.mp4")
    report = Report()
    index("deeperforensics", copy, report=report)
    assert [path for paths in report.odd.values() for path in paths] == ["manipulated_videos/end_to_end_level_9"]
