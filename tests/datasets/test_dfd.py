from __future__ import annotations

from pathlib import Path

import polars as pl

from tests.datasets.contract import DatasetContract
from unmask.datasets import index
from unmask.datasets.report import Report

FAKES = "manipulated_sequences/DeepFakeDetection"
REALS = "original_sequences/actors"


class TestDFD(DatasetContract):
    name = "dfd"


def touch(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def test_actors_scene_and_twin(fake):
    manifest = index("dfd", fake("dfd")[0])
    name = "01_02__walking_down_street_outside_angry__9229VVZ3"
    row = manifest.row(by_predicate=pl.col("id") == f"DeepFakeDetection/c23/{name}", named=True)
    assert row["source_id"] == "01__walking_down_street_outside_angry"
    assert (row["subject_id"], row["donor_id"], row["method"]) == ("01", "02", "DeepFakeDetection")
    assert row["scene"] == "walking_down_street_outside_angry"
    assert row["source_id"] in manifest.filter(pl.col("label") == 0)["source_id"]
    assert manifest.filter(pl.col("label") == 0)["method"].null_count() == (manifest["label"] == 0).sum()


def test_nobody_is_in_two_splits_not_even_as_donor(fake):
    manifest = index("dfd", fake("dfd")[0])
    assert set(manifest["split_rule"]) == {"subject and donor seed=0 0.70/0.15/0.15"}
    seen = [
        set(rows["subject_id"]) | set(rows["donor_id"].drop_nulls())
        for _, rows in manifest.group_by("split", maintain_order=True)
    ]
    assert sum(map(len, seen)) == len(set().union(*seen))


def test_both_classes_are_in_every_split_and_never_the_same_file(fake):
    """Other loaders put the reals of DFD into all three splits."""
    manifest = index("dfd", fake("dfd")[0])
    assert manifest.group_by("split").agg(pl.col("label").n_unique())["label"].to_list() == [2, 2, 2]
    assert manifest["path"].is_unique().all()


def test_where_swaps_connect_everyone_targets_are_kept_apart_and_it_is_said(tmp_path):
    actors = [f"{number:02d}" for number in range(1, 29)]
    root = touch(
        tmp_path,
        *(f"{REALS}/c23/videos/{actor}__{scene}.mp4" for actor in actors for scene in ("kitchen_pan", "kitchen_still")),
        *(
            f"{FAKES}/c23/videos/{a}_{b}__{scene}__YVGY8LOK.mp4"
            for a in actors
            for b in actors
            for scene in ("kitchen_pan", "kitchen_still")
            if a != b
        ),
    )
    report = Report()
    manifest = index("dfd", root, report=report)
    assert set(manifest["split_rule"]) == {"subject seed=0 0.70/0.15/0.15"}
    assert set(manifest["split"]) == {"train", "validation", "test"}
    assert manifest.group_by("subject_id").agg(pl.col("split").n_unique())["split"].max() == 1
    assert any("split by target" in note for note in report.notes)
    assert {count.part: count.expected for count in report.counts} == {
        "c23 actors (real)": 363,
        "c23 DeepFakeDetection": 3068,
    }


def test_masks_are_named_where_they_are(fake):
    root, _made = fake("dfd")
    manifest = index("dfd", root)
    masked = manifest.drop_nulls("mask")
    assert set(masked["compression"]) == {"c23", "raw"}
    for path, mask in masked.select("path", "mask").iter_rows():
        assert mask == f"{FAKES}/masks/videos/{Path(path).name}"
        assert (root / mask).is_file()
    assert masked.height < (manifest["label"] == 1).sum()


def test_strangers_and_faceforensics_are_left_out(tmp_path):
    root = touch(
        tmp_path,
        f"{REALS}/c23/videos/01__kitchen_pan.mp4",
        f"{REALS}/c23/videos/000.mp4",
        f"{FAKES}/c23/videos/01_02__kitchen_pan__YVGY8LOK.mp4",
        f"{FAKES}/c23/videos/071_054.mp4",
        f"{FAKES}/c23/videos/01_02__kitchen_pan__YVGY8LOK.png",
        f"{FAKES}/models/01_02/a.mp4",
        "original_sequences/youtube/c23/videos/000.mp4",
        "manipulated_sequences/Deepfakes/c23/videos/000_003.mp4",
    )
    report = Report()
    manifest = index("dfd", root, report=report)
    assert manifest["source_id"].to_list() == ["01__kitchen_pan"] * 2
    assert sorted(path for paths in report.odd.values() for path in paths) == [
        f"{FAKES}/c23/videos/01_02__kitchen_pan__YVGY8LOK.png",
        f"{FAKES}/c23/videos/071_054.mp4",
        f"{FAKES}/models/",
        f"{REALS}/c23/videos/000.mp4",
    ]
