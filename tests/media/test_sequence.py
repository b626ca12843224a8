from __future__ import annotations

import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.media import make_picture
from unmask.media import sequence
from unmask.media.image import read_image
from unmask.media.sampling import sample
from unmask.media.sequence import SequenceReader, is_sequence
from unmask.tables.errors import MediaError

NAMES = [f"{number}.png" for number in (0, 2, 9, 10, 11, 100, 101)]


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in NAMES:
        make_picture(tmp_path / "1/real/131" / name, seed=name)
    (tmp_path / "1/real/131/notes.txt").write_text("x")
    (tmp_path / "1/real/131/._0.png").write_bytes(b"x")
    make_picture(tmp_path / "1/real/132/0.png", seed="other")
    return tmp_path / "1/real/131"


def packed(folder: Path, name: str, mode: str, prefix: str = "./1") -> Path:
    archive = folder.parents[2] / name
    with tarfile.open(archive, f"w:{mode}") as members:
        members.add(folder.parents[1], prefix)
    return archive


def test_names_are_ordered_as_people_count(folder):
    reader = SequenceReader(folder)
    assert reader.names == NAMES
    assert len(reader) == 7
    frames = reader.frames([2, -1, 0])
    assert [frame.index for frame in frames] == [2, 6, 0]
    for frame in frames:
        assert frame.time_s is None
        np.testing.assert_array_equal(frame.rgb(), read_image(folder / NAMES[frame.index]))
    with pytest.raises(IndexError):
        reader.frames([7])


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "A.TGZ", "a.tar.bz2", "a.tar.xz"])
@pytest.mark.parametrize("prefix", ["./1", "1"])
def test_an_archive_is_read_as_a_folder(folder, name, prefix):
    kind = {"z": "gz", "Z": "gz", "2": "bz2"}.get(name[-1], "xz" if name.endswith("xz") else "")
    path = packed(folder, name, kind, prefix) / "1/real/131"
    assert is_sequence(path)
    for frame, expected in zip(
        SequenceReader(path).evenly_spaced(3), SequenceReader(folder).evenly_spaced(3), strict=True
    ):
        assert frame.index == expected.index
        np.testing.assert_array_equal(frame.rgb(), expected.rgb())


def test_a_sequence_is_sampled_like_a_video(folder):
    assert [frame.index for frame in sample(folder, "video", 3)] == [1, 3, 5]
    assert len(sample(folder, "video", 100)) == 7
    assert sample(folder / "0.png", "image", 3)[0].index == 0


def refused(path: Path, count: int = 100) -> MediaError:
    with pytest.raises(MediaError) as caught:
        sample(path, "video", count)
    return caught.value


def test_what_is_not_there_or_damaged(folder, tmp_path):
    archive = packed(folder, "a.tar.gz", "gz")
    assert refused(tmp_path / "none/131").reason == "missing"
    assert refused(archive / "1/real/999").reason == "missing"
    assert refused(tmp_path / ("long" * 100)).reason == "unreadable"  # the system will not even look for it
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path / "empty").reason == "no_frames"
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(archive.read_bytes()[:900])
    error = refused(cut / "1/real/131")
    assert (error.reason, error.where) == ("unreadable", str(cut))
    (folder / "9.png").write_bytes(b"no picture")
    error = refused(folder)
    assert (error.reason, error.where) == ("unreadable", str(folder / "9.png"))
    assert len(SequenceReader(folder).frames([0, 1])) == 2


def test_a_folder_that_is_locked(folder):
    folder.chmod(0)
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)  # no folder is locked to root
    try:
        assert refused(folder).reason == "unreadable"
        assert refused(folder / "clip.mp4").reason == "unreadable"
    finally:
        os.seteuid(me)
        folder.chmod(0o700)


def test_a_picture_too_large_to_be_one_is_not_unpacked_whole(folder, tmp_path, monkeypatch):
    path = packed(folder, "a.tar", "") / "1/real/131"
    monkeypatch.setattr(sequence, "MAX_BYTES", 20)
    error = refused(path)
    assert error.where == str(path / "0.png")
