from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.datasets.contract import DatasetContract
from unmask.datasets import index
from unmask.datasets.deepfakebench import label_of
from unmask.datasets.report import Report
from unmask.datasets.sequences import NO_PICTURES
from unmask.tables.errors import DatasetError

#: ``label_dict`` of DeepfakeBench's training/config, and some of those that DF40 adds.
LABEL_DICT = {
    **dict.fromkeys(("DFD_real", "FF-real", "CelebDFv1_real", "CelebDFv2_real", "DFDCP_Real", "DFDC_Real"), 0),
    **dict.fromkeys(("DF_real", "UADFV_Real", "roop_Real", "sd2.1_Real", "FSAll_Real"), 0),
    **dict.fromkeys(("DFD_fake", "FF-SH", "FF-F2F", "FF-DF", "FF-FS", "FF-NT", "FF-FH", "CelebDFv1_fake"), 1),
    **dict.fromkeys(("CelebDFv2_fake", "DFDCP_FakeA", "DFDCP_FakeB", "DFDC_Fake", "DF_fake", "UADFV_Fake"), 1),
    **dict.fromkeys(("roop_Fake", "one_shot_free_Fake", "whichisreal_Fake", "EFSAll_Fake"), 1),
}


class TestDeepfakeBench(DatasetContract):
    name = "deepfakebench"

    def test_hidden_files_are_left_out(self, copy, made):
        for name in ("._FF-DF.json", "FaceForensics++/.DS_Store", "Celeb-DF-v2/Celeb-real/frames/id0_0000/._000.png"):
            (copy / name).write_bytes(b"x")
        report = Report()
        assert set(self.index(copy, report)["id"]) == {each.id for each in made}
        assert report.odd == {}  # only what the lists name is looked at


@pytest.fixture
def copy(fake, tmp_path) -> Path:
    return Path(shutil.copytree(fake("deepfakebench")[0], tmp_path / "copy"))


def touch(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def write(path: Path, label: str, splits: dict[str, Any]) -> None:
    path.write_text(json.dumps({path.stem: {label: splits}}))


def video(label: str, *frames: str) -> dict[str, Any]:
    return {"label": label, "frames": list(frames)}


def splits_of(manifest: pl.DataFrame) -> dict[str, str]:
    return dict(manifest.select("id", "split").iter_rows())


def test_labels_are_read_as_deepfakebench_reads_them():
    assert {name: label_of(name) for name in LABEL_DICT} == LABEL_DICT
    assert label_of("real") == label_of("Real") == 0
    assert label_of("fake") == 1
    assert [label_of(name) for name in ("", "FF", "FF-XX", "surreal", "fakes", "real_1")] == [None] * 6


def test_reals_of_several_lists_are_kept_once(fake):
    manifest = index("deepfakebench", fake("deepfakebench")[0])
    assert manifest.filter(pl.col("origin") == "FF", pl.col("label") == 0).height == 8
    assert set(manifest["origin"]) == {"FF", "CelebDFv2"}
    assert set(manifest["method"].drop_nulls()) == {"Deepfakes", "Face2Face", "CelebDFv2"}


def test_masks_are_told_and_are_no_videos(fake):
    manifest = index("deepfakebench", fake("deepfakebench")[0])
    masks = manifest.drop_nulls("mask")
    assert set(masks["method"]) == {"Deepfakes", "Face2Face"}
    assert (
        masks.filter(pl.col("mask") == pl.col("path").str.replace("/frames/", "/masks/")).height == masks.height == 16
    )
    assert not set(manifest["path"]) & set(masks["mask"])


def test_celeb_df_test_videos_are_in_test_alone_and_it_is_said(fake):
    report = Report()
    manifest = index("deepfakebench", fake("deepfakebench")[0], report=report)
    celeb = manifest.filter(pl.col("origin") == "CelebDFv2")
    assert celeb.filter(pl.col("split") == "test").height == 4
    drawn = celeb.filter(pl.col("split_rule") != "official")
    assert set(drawn["split_rule"]) == {"source and subject seed=0 0.85/0.15"}
    assert drawn.height == 12
    assert any("4 videos are listed for several splits" in note for note in report.notes)
    assert report.warnings == []


@pytest.mark.parametrize("above", ["FaceForensics++", "FaceForensics++/manipulated_sequences"])
def test_the_root_may_lie_further_down(copy, tmp_path, above):
    lists = tmp_path / "lists"
    lists.mkdir()
    for path in copy.glob("*.json"):
        path.rename(lists / path.name)
    report = Report()
    manifest = index("deepfakebench", copy / above, splits=lists, report=report)
    assert manifest.filter(pl.col("label") == 1).height == 16
    assert {count.part: count.found for count in report.counts}["CelebDFv2_real"] == 0


def test_a_root_where_two_methods_are_one_is_refused(copy, tmp_path):
    root = copy / "FaceForensics++/manipulated_sequences/Deepfakes/c23/frames"
    with pytest.raises(DatasetError, match="could both be 0") as caught:
        index("deepfakebench", root, splits=copy / "FaceForensics++.json")
    assert "above" in caught.value.next_step
    # Each list for itself has one method, but they contradict each other.
    content = json.loads((copy / "FaceForensics++.json").read_text())["FaceForensics++"]
    for label in ("FF-DF", "FF-F2F"):
        write(tmp_path / f"{label}.json", label, content[label])
    with pytest.raises(DatasetError, match="listed as FF-DF and as FF-F2F"):
        index("deepfakebench", root, splits=tmp_path)


def test_one_list_alone(copy):
    manifest = index("deepfakebench", copy, splits=copy / "FF-DF.json")
    assert set(manifest["method"].drop_nulls()) == {"Deepfakes"}


@pytest.mark.parametrize("prefix", ["", "./", "/home/x/", "../../up/", "D:\\x\\", "../"])
def test_foreign_prefixes(tmp_path, prefix):
    touch(tmp_path, "DFD/a b/01__hall/0.png")
    write(
        tmp_path / "l.json",
        "DFD_real",
        {"test": {"01__hall": video("DFD_real", f"{prefix}dfd\\A_B/01__hall/0.png", "x")}},
    )
    with pytest.raises(DatasetError, match="lie in 2 folders"):
        index("deepfakebench", tmp_path)
    frames = [f"{prefix}dfd\\A_B/01__hall/{number}.png" for number in range(2)]
    write(tmp_path / "l.json", "DFD_real", {"test": {"01__hall": video("DFD_real", *frames)}})
    (row,) = index("deepfakebench", tmp_path).iter_rows(named=True)
    assert (row["path"], row["subject_id"], row["media"]) == ("DFD/a b/01__hall", "DFD/01", "video")


def test_single_pictures(tmp_path):
    touch(tmp_path, *(f"DF40/e4e/cdf/inversions/{number}.jpg" for number in range(3)))
    paths = [f"/Youtu/DF40/e4e/cdf/inversions/{number}.jpg" for number in range(3)]
    videos = {
        "a": video("e4e_Fake", paths[0]),
        "b": video("e4e_Fake", *paths[1:]),
        "c": video("e4e_Fake", paths[0] + "x"),
    }
    write(tmp_path / "e4e_cdf.json", "e4e_Fake", {"test": videos})
    report = Report()
    manifest = index("deepfakebench", tmp_path, report=report)
    assert manifest.select("id", "path", "media").rows() == [
        ("e4e_Fake/a", "DF40/e4e/cdf/inversions/0.jpg", "image"),
        ("e4e_Fake/b/1.jpg", "DF40/e4e/cdf/inversions/1.jpg", "image"),
        ("e4e_Fake/b/2.jpg", "DF40/e4e/cdf/inversions/2.jpg", "image"),
    ]
    assert [path for paths in report.odd.values() for path in paths] == ["DF40/e4e/cdf/inversions/0.jpgx"]


def test_names_that_cannot_be_printed_are_told_escaped(tmp_path):
    touch(tmp_path, "a/0.png")
    videos = {
        "a": video("FF-real", "a/0.png"),
        "b": video("FF-real", "a/\ud800.png"),
        "c": video("FF-real", "a/\0.png"),
    }
    write(tmp_path / "l.json", "FF-real", {"test": videos})
    report = Report()
    assert index("deepfakebench", tmp_path, report=report)["id"].to_list() == ["FF-real/a"]
    assert "".join(path for paths in report.odd.values() for path in paths).encode()


def test_a_list_in_which_every_video_is_in_every_split_is_a_test_set(tmp_path):
    touch(tmp_path, "fake/frames/0000_fake/0.png", "real/frames/0000/0.png")
    content: dict[str, Any] = {"UADFV": {}}
    for label, name in (("UADFV_Fake", "0000_fake"), ("UADFV_Real", "0000")):
        frames = [f"x/{label[6:].lower()}/frames/{name}/{number}.png" for number in range(2)]
        content["UADFV"][label] = {split: {name: video(label, *frames)} for split in ("train", "test", "val")}
    (tmp_path / "UADFV.json").write_text(json.dumps(content))
    manifest = index("deepfakebench", tmp_path)
    assert splits_of(manifest) == {"UADFV_Fake/0000_fake": "test", "UADFV_Real/0000": "test"}
    assert set(manifest["source_id"]) == {"UADFV/0000"}


def test_the_broken_validation_split_of_dfdc(tmp_path):
    names = [f"{'abcdefghij'[number]}" * 10 for number in range(10)]
    touch(tmp_path, *(f"DFDC/frames/{name}/{number}.png" for name in names for number in range(2)))
    videos = {name: video("DFDC_Fake", *(f"DFDC/frames/{name}/{number}.png" for number in range(2))) for name in names}
    train = {name: videos[name] for name in names[:9]}
    write(
        tmp_path / "DFDC.json",
        "DFDC_Fake",
        {"train": train, "test": {names[9]: videos[names[9]]}, "val": videos[names[9]] | train},
    )
    report = Report()
    manifest = index("deepfakebench", tmp_path, report=report)
    assert manifest["split"].value_counts().sort("split").rows() == [("test", 1), ("train", 8), ("validation", 1)]
    assert "9 of the 9 videos" in report.warnings[0]


def test_empty_folders_and_entries_without_frames(copy):
    for picture in (copy / "Celeb-DF-v2/Celeb-real/frames/id7_0000").iterdir():
        picture.unlink()
    path = copy / "Celeb-DF-v2.json"
    content = json.loads(path.read_text())
    content["Celeb-DF-v2"]["CelebDFv2_real"]["train"]["id9_0000"] = video("CelebDFv2_real")
    path.write_text(json.dumps(content))
    report = Report()
    manifest = index("deepfakebench", copy, report=report)
    assert "CelebDFv2_real/id7_0000" not in manifest["id"]
    assert report.odd == {NO_PICTURES: ["Celeb-DF-v2/Celeb-real/frames/id7_0000"]}
    assert next((each.expected, each.found) for each in report.counts if each.part == "CelebDFv2_real") == (9, 8)


def test_other_json_files_are_passed_over_unless_asked_for(copy):
    (copy / "train.json").write_text('[["071", "054"]]')
    (copy / "metadata.json").write_text('{"a.mp4": {"label": "FAKE", "split": "train"}}')
    report = Report()
    index("deepfakebench", copy, report=report)
    assert [path for paths in report.odd.values() for path in paths] == ["metadata.json", "train.json"]
    with pytest.raises(DatasetError, match="not a list of DeepfakeBench"):
        index("deepfakebench", copy, splits=copy / "train.json")


GOOD = video("FF-real", "a/b/0.png", "a/b/1.png")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"FF": {"FF-XX": {"train": {"000": GOOD}}}}, 'the label "FF-XX" does not say'),
        ({"FF": {"FF-DF": {"train": {"000": GOOD}}}}, 'has the label "FF-real"'),
        ({"FF": {"FF-real": {"train": {}, "holdout": {"000": GOOD}}}}, 'holdout" of "FF-real" is not one of train'),
        ({"FF": {"FF-real": {"train": {"c99": {"000": GOOD}}}}}, "has no frames and is no compression"),
        ({"FF": {"FF-real": {"train": {"000": 7}}}}, '"000" in FF-real/train is not a video'),
        ({"FF": {"FF-real": {"train": {"c23": {"000": 7}}}}}, '"000" in FF-real/train/c23 is not a video'),
        ({"FF": {"FF-real": {"train": {"000": {"frames": "a/b/0.png"}}}}}, "are not a list of paths"),
        ({"FF": {"FF-real": {"train": {"000": {"frames": [1]}}}}}, "are not a list of paths"),
        ({"FF": {"FF-real": {"train": {"../x": GOOD}}}}, "a name that no table can carry"),
        ({"FF": {"FF-real": {"train": {"a\u0000": GOOD}}}}, "a name that no table can carry"),
        ({"FF": {"FF-real": {"train": {"": GOOD}}}}, "a name that no table can carry"),
        ({"FF": {"FF-real": {"train": {"\ud800": GOOD}}}}, "a name that no table can carry"),
        ({"FF": {"FF-real": {"train": {}}, "\ud800_real": {"train": {"000": GOOD}}}}, "does not say"),
        ({"FF": {"FF-real": {"train": {"000": video("FF-real", "\ud800/0.png", "1.png")}}}}, "lie in 2 folders"),
        ({"FF": {"FF-real": {"train": {"000": GOOD}}, "FF-DF": 3}}, "is not one of train, val and test"),
        ({"FF": {"FF-real": {"train": {"000": GOOD}}}, "x": 3}, '"x" is not a dataset'),
        (
            {"FF": {"FF-real": {"train": {"0": GOOD}}, "FF-DF": {"train": {"0": GOOD | {"label": "FF-DF"}}}}},
            "listed as FF-DF and as FF-real",
        ),
    ],
)
def test_hostile_lists_are_refused_in_words(tmp_path, content, message):
    touch(tmp_path, "a/b/0.png", "a/b/1.png")
    (tmp_path / "l.json").write_text(json.dumps(content))
    with pytest.raises(DatasetError, match=message) as caught:
        index("deepfakebench", tmp_path)
    assert caught.value.next_step
    assert str(caught.value).encode()  # it can be printed


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"nonsense"])
def test_files_that_are_no_json(tmp_path, data):
    (tmp_path / "l.json").write_bytes(data)
    with pytest.raises(DatasetError, match="not a JSON file"):
        index("deepfakebench", tmp_path)


def test_all_faults_are_told_at_once(tmp_path):
    labels = {f"odd{number}": {"train": {"000": GOOD}} for number in range(9)}
    (tmp_path / "l.json").write_text(json.dumps({"FF": labels}))
    with pytest.raises(DatasetError, match=r"odd0.*odd1.*and \d+ more like these"):
        index("deepfakebench", tmp_path)


def test_no_path_leads_out_of_the_root(tmp_path):
    touch(tmp_path, "secret/000/0.png", "secret/000/1.png", "root/x.txt")
    frames = [f"../secret/000/{number}.png" for number in range(2)]
    write(tmp_path / "root" / "l.json", "FF-real", {"train": {"000": video("FF-real", *frames)}})
    with pytest.raises(DatasetError, match="nothing to index was found"):
        index("deepfakebench", tmp_path / "root")


def test_a_file_that_is_no_list_says_what_to_do(tmp_path):
    (tmp_path / "other.json").write_text('{"a": 1}')
    with pytest.raises(DatasetError, match="not a list of DeepfakeBench") as caught:
        index("deepfakebench", tmp_path, splits=tmp_path / "other.json")
    assert caught.value.next_step
