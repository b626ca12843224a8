from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes.media import make_clip, make_picture
from unmask.inference.inputs import HIDDEN, KINDS, UNKNOWN, UNWRITABLE, inputs_of, told_passed_over
from unmask.tables.errors import UnmaskError


def ids(*given: Path, split: str | None = None) -> list[str]:
    return inputs_of(given, split=split).files["id"].to_list()


def test_inputs_of_every_kind(prepared, tmp_path):
    make_picture(tmp_path / "a" / "x.jpg")
    make_clip(tmp_path / "a" / "b" / "y.mp4")
    make_picture(tmp_path / "z.png.jpg")
    assert ids(tmp_path / "a") == ["b/y.mp4", "x.jpg"]
    assert ids(tmp_path / "a", tmp_path / "z.png.jpg") == ["b/y.mp4", "x.jpg", "z.png.jpg"]
    assert len(ids(prepared.manifest)) == prepared.rows().height
    assert ids(prepared.manifest, split="test") == prepared.rows("test")["id"].to_list()


def test_nothing_of_a_folder_vanishes(tmp_path):
    for name in (
        "a.jpg",
        "phone.heic",
        "old/b.HEIC",
        "notes.txt",
        "noend",
        ".c.jpg",
        ".cache/d.mp4",
        "s.wav",
        "e\n.jpg",
    ):
        make_picture(tmp_path / "data" / name)
    make_picture(tmp_path / "elsewhere" / "f.jpg")
    (tmp_path / "data" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "again").symlink_to(tmp_path / "data")
    for name in ("metadata.json", "labels.csv", ".DS_Store", "Thumbs.db"):
        (tmp_path / "data" / name).write_bytes(b"x")
    found = inputs_of([tmp_path / "data"])
    assert found.files["id"].to_list() == ["a.jpg", "linked/f.jpg"]
    assert found.passed_over == {
        HIDDEN: [".c.jpg", ".cache/d.mp4"],
        UNKNOWN: ["noend", "notes.txt", "old/b.HEIC", "phone.heic"],
        KINDS["audio"]: ["s.wav"],
        UNWRITABLE: ["e\n.jpg"],
    }
    told = next(line for line in told_passed_over(found.passed_over) if UNKNOWN in line)
    assert "4 (.heic 2, .txt 1, no ending 1)" in told


def test_names_that_are_not_unicode_are_passed_over_or_refused(tmp_path):
    path = tmp_path / os.fsdecode(b"\xff.jpg")
    make_picture(path, seed=0)
    make_picture(tmp_path / "10.30\u202fAM.jpg")  # as macOS names pictures of its screen
    assert ids(tmp_path) == ["10.30\u202fAM.jpg"]
    with pytest.raises(UnmaskError, match="no table can carry") as caught:
        inputs_of([path])
    str(caught.value).encode()


def test_sound_in_a_manifest_is_passed_over(tmp_path):
    (tmp_path / "m.csv").write_text(
        "id,path,media,label,split,dataset\na,a.jpg,image,0,test,x\nb,b.wav,audio,1,test,x\n"
    )
    found = inputs_of([tmp_path / "m.csv"])
    assert found.files["id"].to_list() == ["a"]
    assert found.passed_over == {KINDS["audio"]: ["b.wav"]}


@pytest.mark.parametrize("name", ["clip", "clip.txt", "clip.jpg", "clip.heic", ".clip.mp4", "clip.mp4"])
def test_a_named_file_is_what_it_holds_whatever_its_ending(name, tmp_path):
    make_clip(tmp_path / "clip.mp4")
    (tmp_path / "clip.mp4").rename(tmp_path / name)
    assert inputs_of([tmp_path / name]).files.select("id", "media").rows() == [(name, "video")]
    if name == "clip.mp4":  # ffmpeg plays a picture as a video of one frame
        return
    make_picture(tmp_path / "other" / name)
    assert inputs_of([tmp_path / "other" / name]).files.select("id", "media").rows() == [(name, "image")]


def test_a_damaged_file_is_taken_for_what_its_ending_says(tmp_path):
    for name in ("a.mp4", "b.png"):
        (tmp_path / name).write_bytes(b"hello" * 100)
    assert inputs_of([tmp_path / "a.mp4", tmp_path / "b.png"]).files["media"].to_list() == ["video", "image"]


def test_text_is_no_video(tmp_path):
    (tmp_path / "notes.txt").write_text("Words that ffmpeg would draw on a screen.\n" * 50)
    with pytest.raises(UnmaskError, match="neither a video"):
        inputs_of([tmp_path / "notes.txt"])


@pytest.mark.parametrize(
    ("inputs", "split", "message"),
    [
        (["absent.mp4"], None, "no such file"),
        (["notes.txt"], None, "neither a video"),
        (["empty"], None, "nothing to predict"),
        (["heic"], None, r"nothing to predict\n.*\.heic 1"),
        (["x.jpg", "other/x.jpg"], None, "more than one file"),
        (["absent.csv"], None, "absent.csv"),
        (["s.wav"], None, "is a sound file"),
        (["x.jpg"], "test", "no manifest"),
        (["m.csv"], "tset", "no row is of the split 'tset'"),
    ],
)
def test_wrong_inputs(inputs, split, message, tmp_path):
    (tmp_path / "empty").mkdir()
    make_picture(tmp_path / "heic" / "a.heic")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "s.wav").write_bytes(b"x")
    (tmp_path / "m.csv").write_text("id,path,media,label,split,dataset\na,x.jpg,image,0,test,x\n")
    make_picture(tmp_path / "x.jpg")
    make_picture(tmp_path / "other" / "x.jpg")
    with pytest.raises(UnmaskError, match=message) as caught:
        inputs_of([tmp_path / name for name in inputs], split=split)
    assert caught.value.next_step


def test_every_wrong_input_is_told(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UnmaskError) as caught:
        inputs_of([tmp_path / "absent.mp4", tmp_path / "notes.txt", tmp_path / "absent.csv"])
    told = str(caught.value)
    assert "3 of the inputs" in told
    for name in ("absent.mp4", "notes.txt", "absent.csv"):
        assert name in told
    assert told.count("next:") == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to the superuser")
def test_a_folder_that_cannot_be_read_is_not_passed_over(tmp_path):
    make_picture(tmp_path / "closed" / "a.jpg")
    (tmp_path / "closed").chmod(0)
    try:
        with pytest.raises(PermissionError):
            inputs_of([tmp_path])
    finally:
        (tmp_path / "closed").chmod(0o700)
