from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from unmask.datasets.clip_names import Clip, read_name
from unmask.datasets.files import HIDDEN, LOOP, NOT_MEDIA
from unmask.datasets.report import Report
from unmask.datasets.sequences import NO_PICTURES, NOT_PICTURES, Below, archives, holds_pictures, picture_folders
from unmask.tables.errors import DatasetError


def touch(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def walk(root: Path, report: Report | None = None, **options) -> dict[str, list[str]]:
    found = picture_folders(root, root, report or Report(), **options)
    return {path: sorted(pictures) for path, pictures in found}


def test_every_folder_that_directly_holds_pictures(tmp_path):
    touch(tmp_path, "b/2/1.png", "b/2/0.JPG", "b/10/0.png", "a/0.png", "a/c/d/0.png")
    assert walk(tmp_path) == {
        "a": ["0.png"],
        "a/c/d": ["0.png"],
        "b/10": ["0.png"],
        "b/2": ["0.JPG", "1.png"],
    }
    assert walk(tmp_path, without={"c", "b"}) == {"a": ["0.png"]}
    assert list(walk(touch(tmp_path, "0.png"))) == [".", "a", "a/c/d", "b/10", "b/2"]


def test_what_is_left_out_is_told(tmp_path):
    touch(tmp_path, "a/0.png", "a/._0.png", "a/x.npy", "a/x.mp4", "a/list.txt", "a/.hidden/0.png")
    (tmp_path / "empty/empty").mkdir(parents=True)
    (tmp_path / "a/again").symlink_to(tmp_path, target_is_directory=True)
    report = Report()
    assert walk(tmp_path, report, known=("list.txt",)) == {"a": ["0.png"]}
    assert {what: sorted(paths) for what, paths in report.odd.items()} == {
        HIDDEN: ["a/._0.png", "a/.hidden"],
        NOT_MEDIA: ["a/x.npy"],
        NOT_PICTURES: ["a/x.mp4"],
        NO_PICTURES: ["empty/empty"],
        LOOP: ["a/again"],
    }


def test_no_folder_is_listed_twice(tmp_path, monkeypatch):
    touch(tmp_path, *(f"frames/{number}/{frame}.png" for number in range(20) for frame in range(3)))
    listed: Counter[str] = Counter()
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: listed.update([str(folder)]) or scandir(folder))
    assert len(walk(tmp_path)) == 20
    assert set(listed.values()) == {1}
    assert len(listed) == 22


def test_whether_a_folder_holds_pictures(tmp_path):
    touch(tmp_path, "a/0.png", "b/._0.png", "c/0.txt", "d/e/0.png")
    (tmp_path / "f/0.png").mkdir(parents=True)
    assert [name for name in "abcdfg" if holds_pictures(tmp_path / name)] == ["a"]


def test_archives(tmp_path):
    touch(tmp_path, "2.tar", "1.TAR.GZ", "3.tgz", "._1.tar.gz", "4.zip")
    (tmp_path / "5.tar").mkdir()
    assert archives(tmp_path) == ["1.TAR.GZ", "2.tar", "3.tgz"]


class TestBelow:
    @pytest.mark.parametrize(
        ("listed", "found"),
        [
            ("x/y/Frames A/c23/000", "frames_a/C23/000"),
            ("frames_a/C23/000", "frames_a/C23/000"),
            ("c23/000", None),
            ("x/y/000", None),
            ("x/y/top", "top"),
            ("../frames_a/C23/000", "frames_a/C23/000"),
            ("frames_a/../../etc", None),
            ("..", None),
            ("frames_a/C23/001", None),
        ],
    )
    def test_the_longest_end_that_is_there(self, tmp_path, listed, found):
        touch(tmp_path, "frames_a/C23/000/0.png", "top/0.png")
        assert Below(tmp_path).find(listed.split("/")) == found

    def test_a_longer_end_goes_before_a_shorter(self, tmp_path):
        touch(tmp_path, "a/frames/000/0.png", "frames/000/0.png", "frames/001/0.png")
        below = Below(tmp_path)
        assert below.find(["x", "a", "frames", "000"]) == "a/frames/000"
        assert below.find(["x", "b", "frames", "000"]) == "frames/000"
        assert below.find(["x", "a", "frames", "001"]) is None

    def test_two_spellings(self, tmp_path):
        touch(tmp_path, "a_b/0.png", "A B/0.png")
        below = Below(tmp_path)
        assert below.find(["A B"]) == "A B"
        with pytest.raises(DatasetError, match="two folders may be meant by a-b"):
            below.find(["a-b"])


@pytest.mark.parametrize(
    ("name", "clip"),
    [
        ("071", Clip("FaceForensics++", "071")),
        ("071_054", Clip("FaceForensics++", "071", None, "054")),
        ("000_M101", Clip("DeeperForensics", "000", None, "M101")),
        ("id0_0003", Clip("Celeb-DF", "id0_0003", "id0")),
        ("id0_id16_0003", Clip("Celeb-DF", "id0_0003", "id0", "id16")),
        ("00170", Clip("Celeb-DF", "00170")),
        ("01__walking_outside", Clip("DFD", "01__walking_outside", "01")),
        ("01_02__walking_outside__YVGY8LOK", Clip("DFD", "01__walking_outside", "01", "02")),
        ("0012", Clip("UADFV", "0012")),
        ("0012_fake", Clip("UADFV", "0012")),
        ("abcdefghij", None),
        ("", None),
        ("id0_id1", None),
    ],
)
def test_names_of_clips(name, clip):
    assert read_name(name) == clip
