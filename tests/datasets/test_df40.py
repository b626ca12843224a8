from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.datasets.contract import DatasetContract
from unmask.datasets import index
from unmask.datasets.df40 import FAMILIES
from unmask.datasets.files import NOT_MEDIA
from unmask.datasets.report import Report
from unmask.datasets.sequences import NO_PICTURES, NOT_PICTURES
from unmask.tables.errors import DatasetError


class TestDF40(DatasetContract):
    name = "df40"

    def keeps_its_name(self, folder):
        return re.fullmatch(r"(id)?\d.*|[ab]_1", folder.name) is not None


@pytest.fixture
def copy(fake, tmp_path) -> Path:
    return Path(shutil.copytree(fake("df40")[0], tmp_path / "copy"))


def touch(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def test_forty_methods():
    assert {family: len(methods) for family, methods in FAMILIES.items()} == {
        "swap": 10,
        "reenactment": 13,
        "synthesis": 12,
        "editing": 5,
    }


def test_columns(fake):
    manifest = index("df40", fake("df40")[0])
    assert set(manifest["domain"]) == {"ff", "cdf", "MidJourney", "stargan", "heygen"}
    assert manifest.filter(pl.col("method").is_null() != (pl.col("label") == 0)).is_empty()
    row = manifest.row(by_predicate=pl.col("id") == "simswap/ff/953_974", named=True)
    assert (row["method"], row["family"], row["source_id"], row["donor_id"]) == ("simswap", "swap", "953", "974")
    assert dict(manifest.select("media", "id").group_by("media").len().iter_rows()) == {"image": 12, "video": 31}


@pytest.mark.parametrize(
    ("path", "id_"),
    [
        ("simswap/ff/frames/001_870/000.png", "simswap/ff/001_870"),
        ("DF40/simswap/ffpp/frames/001_870/000.png", "simswap/ff/001_870"),
        ("DF40_train/uniface/001_870/000.png", "uniface/ff/001_870"),
        ("train/simswap/frames/001_870/000.png", "simswap/ff/001_870"),
        ("test/sd2.1/cdf/Celeb-real/id0_0000/0.png", "sd2.1/cdf/Celeb-real/id0_0000"),
        ("SD2.1/cdf/Fake_from_Youtube-real/00001/0.png", "sd2.1/cdf/YouTube-real/00001"),
        ("e4e/e4e/ff/001/00001.jpg", "e4e/ff/001"),
        ("whichisreal/whichfaceisreal/fake/1.png", "whichfaceisreal/fake/1.png"),
        ("deepfacelab/real/frames/0001/0.png", "deepfacelab/real/0001"),
        ("CollabDiff/fake/12/0.png", "CollabDiff/fake/12"),
        ("real/FaceForensics++/original_sequences/youtube/c23/frames/000/0.png", "FF-real/c23/000"),
        ("Celeb-DF-v2/YouTube-real/frames/00001/0.png", "YouTube-real/00001"),
    ],
)
def test_the_trees_that_people_have(tmp_path, path, id_):
    assert index("df40", touch(tmp_path, path))["id"].to_list() == [id_]


@pytest.mark.parametrize(
    "path",
    [
        "FaceForensics++/manipulated_sequences/FaceSwap/c23/frames/071_054/0.png",
        "FaceForensics++/original_sequences/actors/c23/frames/01__hall/0.png",
        "Celeb-DF-v2/Celeb-synthesis/frames/id0_id1_0000/0.png",
        "DF41/newmethod/ff/frames/000_003/0.png",
        "DF40/simswap/ff/frames/cover.png",
        "cover.png",
    ],
)
def test_what_is_not_of_df40_is_told_and_left_out(copy, path):
    before = index("df40", copy)["id"].to_list()
    report = Report()
    assert index("df40", touch(copy, path), report=report)["id"].to_list() == before
    assert [each for paths in report.odd.values() for each in paths] == [path.rpartition("/")[0] or "."]


def test_masks_and_landmarks_are_no_videos(copy):
    before = index("df40", copy)["id"].to_list()
    touch(
        copy,
        "DF40/simswap/ff/landmarks/953_974/000.npy",
        "FaceForensics++/original_sequences/youtube/c23/masks/953/0.png",
    )
    report = Report()
    assert index("df40", copy, report=report)["id"].to_list() == before
    assert report.odd == {}


def test_empty_folders_videos_and_weights_are_told(copy):
    (copy / "DF40/RDDM/ff/001").mkdir(parents=True)
    touch(copy, "DF40/heygen/fake/a.mp4", "DF40/e4e/ff/latents.pt")
    report = Report()
    index("df40", copy, report=report)
    assert report.odd == {
        NO_PICTURES: ["DF40/RDDM/ff/001"],
        NOT_PICTURES: ["DF40/heygen/fake/a.mp4"],
        NOT_MEDIA: ["DF40/e4e/ff/latents.pt"],
    }


def test_what_is_there_twice_is_kept_once(copy):
    shutil.copytree(copy / "DF40_train/StyleGAN2", copy / "DF40/StyleGAN2/StyleGAN2/ff")
    shutil.copytree(copy / "FaceForensics++", copy / "more/FaceForensics++")
    report = Report()
    manifest = index("df40", copy, report=report)
    assert manifest["id"].is_unique().all()
    assert manifest.height == 43
    assert any("14 videos or pictures are there more than once" in note for note in report.notes)


def test_fakes_between_two_splits_are_left_out(copy):
    touch(copy, "DF40/simswap/ff/frames/953_071/0.png", "DF40/simswap/ff/frames/999_998/0.png")
    report = Report()
    manifest = index("df40", copy, report=report)
    assert manifest.height == 43
    assert sorted(path for paths in report.odd.values() for path in paths) == [
        "DF40/simswap/ff/frames/953_071",
        "DF40/simswap/ff/frames/999_998",
    ]


def test_names_with_counters_still_tell_the_video(copy):
    manifest = index("df40", touch(copy, "DF40/sadtalker/ff/frames/953_000012_1/0.png"))
    row = manifest.row(by_predicate=pl.col("id") == "sadtalker/ff/953_000012_1", named=True)
    assert (row["source_id"], row["donor_id"], row["split"]) == ("953", None, "test")


def test_without_the_lists_domain_ff_is_drawn_by_people(copy):
    for name in ("train.json", "val.json", "test.json"):
        (copy / "FaceForensics++" / name).unlink()
    report = Report()
    manifest = index("df40", copy, report=report)
    forensics = manifest.filter(pl.col("domain") == "ff")
    assert set(forensics["split_rule"]) == {"subject and donor seed=0 0.70/0.15/0.15"}
    people = pl.concat([forensics.select("split", pl.col(name).alias("who")) for name in ("source_id", "donor_id")])
    assert people.drop_nulls().group_by("who").agg(pl.col("split").n_unique())["split"].max() == 1
    assert set(manifest.filter(pl.col("domain") != "ff")["split"]) == {"test"}
    assert "train.json" in report.notes[0]


def test_reals_that_the_list_of_celeb_df_does_not_name(copy):
    touch(copy, "Celeb-DF-v2/Celeb-real/frames/id3_0003/0.png")
    report = Report()
    assert index("df40", copy, report=report).height == 43
    assert [path for paths in report.odd.values() for path in paths] == ["Celeb-DF-v2/Celeb-real/frames/id3_0003"]
    (copy / "Celeb-DF-v2/List_of_testing_videos.txt").unlink()
    assert index("df40", copy).height == 44


def test_lists_elsewhere(copy, tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    with pytest.raises(DatasetError, match="none of the official lists"):
        index("df40", copy, splits=lists)
    for pairs, name in ((["071", "054"], "train.json"), (["720", "672"], "val.json"), (["953", "974"], "test.json")):
        (lists / name).write_text(json.dumps([pairs]))
    manifest = index("df40", copy, splits=lists)
    assert manifest.filter(pl.col("source_id") == "087").is_empty()
    assert manifest.filter(pl.col("source_id") == "071").height == 3
    (lists / "val.json").unlink()
    with pytest.raises(DatasetError, match=r"no val\.json"):
        index("df40", copy, splits=lists)


def test_fakes_without_reals_are_noted(copy):
    shutil.rmtree(copy / "Celeb-DF-v2")
    report = Report()
    index("df40", copy, report=report)
    assert any("no reals for the 7 fakes of domain cdf" in note for note in report.notes)
    assert {count.part: count.found for count in report.counts} == {
        "methods": 6,
        "FaceForensics++ real": 8,
        "Celeb-DF v2 real": 0,
    }
