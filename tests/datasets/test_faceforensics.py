from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tests.datasets.contract import DatasetContract
from tests.fakes.faceforensics import METHODS
from unmask.datasets import index
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError

LISTS = ("train.json", "val.json", "test.json")


class TestFaceForensics(DatasetContract):
    name = "faceforensics"


def touch(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def full_tree(root: Path, protocols: Path) -> Path:
    """Every name of FaceForensics++ in c23, without content."""
    pairs = [pair for name in LISTS for pair in json.loads((protocols / "faceforensics" / name).read_text())]
    touch(root, *(f"original_sequences/youtube/c23/videos/{number}.mp4" for pair in pairs for number in pair))
    for method in METHODS:
        home = f"manipulated_sequences/{method}/c23/videos"
        touch(root, *(f"{home}/{one}_{other}.mp4" for a, b in pairs for one, other in ((a, b), (b, a))))
    return root


def test_official_lists_at_true_scale(tmp_path, protocols):
    root = full_tree(tmp_path, protocols)
    report = Report()
    manifest = index("faceforensics", root, splits=protocols / "faceforensics", report=report)
    counts = manifest.group_by("split", "method").len()
    # 360, 70 and 70 pairs are 720, 140 and 140 videos of each method and of the reals.
    assert set(counts.iter_rows()) == {
        (split, method, count)
        for split, count in (("train", 720), ("validation", 140), ("test", 140))
        for method in (None, *METHODS)
    }
    assert set(manifest["split_rule"]) == {"official"}
    assert all(count.found == count.expected == 1000 for count in report.counts)
    listed = {number for pair in json.loads((protocols / "faceforensics" / "test.json").read_text()) for number in pair}
    assert set(manifest.filter(pl.col("split") == "test")["source_id"]) == listed


def test_without_lists_pairs_stay_together_and_it_is_said(tmp_path, protocols):
    root = full_tree(tmp_path, protocols)
    report = Report()
    manifest = index("faceforensics", root, report=report)
    split = dict(manifest.filter(pl.col("label") == 0).select("source_id", "split").iter_rows())
    fakes = manifest.filter(pl.col("label") == 1)
    assert all(
        split[source] == split[donor] == own
        for source, donor, own in fakes.select("source_id", "donor_id", "split").iter_rows()
    )
    assert sorted(split.values()) == ["test"] * 140 + ["train"] * 720 + ["validation"] * 140
    assert set(manifest["split_rule"]) == {"pairs seed=0 0.72/0.14/0.14"}
    assert "were not found" in report.notes[0]
    assert "--splits" in report.notes[0]


@pytest.mark.parametrize("place", ["splits", "dataset/splits", "Splits"])
def test_lists_are_looked_for_below_the_root(fake, tmp_path, place):
    home = tmp_path / "root"
    touch(home, "original_sequences/youtube/c23/videos/071.mp4")
    (home / place).mkdir(parents=True)
    for name in LISTS:
        (home / place / name).write_bytes((fake("faceforensics")[0] / name).read_bytes())
    assert set(index("faceforensics", home)["split_rule"]) == {"official"}


def test_one_list_missing_is_an_error(fake, tmp_path):
    root = touch(tmp_path, "original_sequences/youtube/c23/videos/071.mp4")
    (root / "train.json").write_text('[["071", "054"]]')
    with pytest.raises(DatasetError, match=r"no val\.json and no test\.json"):
        index("faceforensics", root)


def test_splits_folder_without_lists_is_an_error(fake, tmp_path):
    with pytest.raises(DatasetError, match=r"no train\.json"):
        index("faceforensics", fake("faceforensics")[0], splits=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [("[[71, 54]]", "not a list of pairs"), ("{}", "not a list of pairs"), ("[", "not a JSON file")],
)
def test_broken_lists(tmp_path, text, message):
    root = touch(tmp_path, "original_sequences/youtube/c23/videos/071.mp4")
    for name in LISTS:
        (root / name).write_text(text)
    with pytest.raises(DatasetError, match=message):
        index("faceforensics", root)


def test_a_number_in_two_lists_is_an_error(tmp_path):
    root = touch(tmp_path, "original_sequences/youtube/c23/videos/071.mp4")
    for name in LISTS:
        (root / name).write_text('[["071", "054"]]')
    with pytest.raises(DatasetError, match='twice in the lists: "071", "054", "071"') as caught:
        index("faceforensics", root)
    assert caught.value.next_step


def test_the_same_name_is_told_apart_by_method_and_compression(fake):
    manifest = index("faceforensics", fake("faceforensics")[0])
    same = manifest.filter(pl.col("path").str.ends_with("/071_054.mp4"))
    assert set(same["id"]) == {f"{method}/c23/071_054" for method in METHODS} | {"Deepfakes/raw/071_054"}
    assert set(same.select("method", "compression").iter_rows()) == {(method, "c23") for method in METHODS} | {
        ("Deepfakes", "raw")
    }


def test_raw_and_c0_side_by_side_are_refused(tmp_path):
    home = "original_sequences/youtube"
    root = touch(tmp_path, f"{home}/raw/videos/071.mp4", f"{home}/c0/videos/071.mp4")
    with pytest.raises(DatasetError, match="stands for two files"):
        index("faceforensics", root)


def test_target_and_donor(fake):
    manifest = index("faceforensics", fake("faceforensics")[0])
    row = manifest.row(by_predicate=pl.col("id") == "FaceSwap/c23/054_071", named=True)
    assert (row["source_id"], row["donor_id"], row["label"]) == ("054", "071", 1)


def test_masks_are_named_where_they_are(fake, tmp_path):
    fakes = "manipulated_sequences/Deepfakes"
    root = touch(
        tmp_path,
        "original_sequences/youtube/c23/videos/071.mp4",
        *(f"{fakes}/{folder}/videos/{name}.mp4" for folder in ("c0", "c23") for name in ("071_054", "054_071")),
        "manipulated_sequences/FaceShifter/c23/videos/071_054.mp4",
    )
    assert "mask" not in index("faceforensics", root, splits=fake("faceforensics")[0]).columns
    touch(root, f"{fakes}/masks/videos/071_054.mp4", f"{fakes}/masks/videos/999_000.mp4", f"{fakes}/masks/notes.txt")
    report = Report()
    manifest = index("faceforensics", root, splits=fake("faceforensics")[0], report=report)
    masks = dict(manifest.select("id", "mask").drop_nulls().iter_rows())
    # One mask stands for all compressions of a fake.
    assert masks == {f"Deepfakes/{name}/071_054": f"{fakes}/masks/videos/071_054.mp4" for name in ("raw", "c23")}
    assert report.odd == {}


def test_masks_strangers_and_dfd_are_left_out(fake, tmp_path):
    fakes = "manipulated_sequences/Deepfakes"
    root = touch(
        tmp_path,
        f"{fakes}/c23/videos/071_054.mp4",
        f"{fakes}/c23/videos/071_953.mp4",
        f"{fakes}/c23/videos/notes_final.mp4",
        f"{fakes}/masks/videos/071_054.mp4",
        "manipulated_sequences/DeepFakeDetection/c23/videos/01_02__walking__ABCDEFGH.mp4",
    )
    report = Report()
    manifest = index("faceforensics", root, splits=fake("faceforensics")[0], report=report)
    assert manifest["id"].to_list() == ["Deepfakes/c23/071_054"]
    odd = sorted(path for paths in report.odd.values() for path in paths)
    assert odd == [f"{fakes}/c23/videos/071_953.mp4", f"{fakes}/c23/videos/notes_final.mp4"]
    assert any("DFD" in note for note in report.notes)


def test_folders_that_are_no_method_are_told(tmp_path):
    root = touch(
        tmp_path,
        "original_sequences/youtube/c23/videos/071.mp4",
        "manipulated_sequences/DeepFakeDetection/c23/videos/01_02__walk__YVGY8LOK.mp4",
        "manipulated_sequences/Deepfakes copy/c23/videos/071_054.mp4",
    )
    report = Report()
    index("faceforensics", root, report=report)
    assert [path for paths in report.odd.values() for path in paths] == ["manipulated_sequences/Deepfakes copy"]
