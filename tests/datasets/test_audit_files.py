"""What an audit sees of single files: facts, faults, copies."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

import av
import numpy as np
import polars as pl
import pytest

from tests.fakes.media import make_clip, make_picture, make_sound, noise
from unmask.datasets.audit import audit, files
from unmask.datasets.audit.look import SHORT_S, look_at, perceptual_hash
from unmask.media.encode import write_video
from unmask.media.video import VideoReader
from unmask.tables.manifest import write_manifest


def write_rows(root: Path, *rows: tuple[str, str, int | None, str], name: str = "m.parquet", **columns: list) -> Path:
    """A manifest of (path, media, label, split) below ``root``, with further columns."""
    cells = zip(*rows, strict=True)
    frame = pl.DataFrame(dict(zip(("path", "media", "label", "split"), cells, strict=True)), strict=False)
    frame = frame.with_columns(id="path", dataset=pl.lit("d"), root=pl.lit(str(root)))
    write_manifest(frame.with_columns(**{key: pl.Series(cells) for key, cells in columns.items()}), root.parent / name)
    return root.parent / name


def looked_at(path: Path, media: str, *, digest: bool = False) -> dict:
    return look_at(str(path), media, digest)


def write_other(path: Path, codec: str, *, options: dict[str, str] | None = None, sound_s: float = 0.0) -> None:
    """A clip of 60 frames, at 25 a second, in the container that the ending names."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        if sound_s:
            sound = container.add_stream("aac", rate=16_000, layout="mono")
            samples = np.random.default_rng(0).normal(0, 0.1, (1, round(16_000 * sound_s))).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate = 16_000
            container.mux(sound.encode(frame) + sound.encode(None))
        for step in range(60):
            picture = np.roll(noise(path.name), step, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def cut(path: Path, share: float) -> Path:
    short = path.with_name(f"cut_{path.name}")
    data = path.read_bytes()
    short.write_bytes(data[: round(share * len(data))])
    return short


def test_facts_of_a_picture(tmp_path):
    make_picture(tmp_path / "a.jpg", width=80, height=48)
    found = looked_at(tmp_path / "a.jpg", "image")
    assert len(found.pop("hashes")) == 1
    size = (tmp_path / "a.jpg").stat().st_size
    assert found == {"bytes": size, "width": 80, "height": 48, "codec": "JPEG", "sampling": "RGB 4:2:0"}


def test_facts_of_a_video(tmp_path):
    make_clip(tmp_path / "a.mp4", frames=7)
    found = looked_at(tmp_path / "a.mp4", "video")
    hashes = found.pop("hashes")
    assert len(hashes) == 3
    assert None not in hashes
    assert found == {
        "bytes": (tmp_path / "a.mp4").stat().st_size, "width": 64, "height": 48, "codec": "h264",
        "sampling": "yuv420p", "frames": 7, "duration_s": pytest.approx(0.28), "fps": 25, "rate": None, "channels": 0,
    }  # fmt: skip
    write_other(tmp_path / "b.mp4", "libx264", sound_s=2.4)
    assert {key: looked_at(tmp_path / "b.mp4", "video")[key] for key in ("rate", "channels")} == {
        "rate": 16_000,
        "channels": 1,
    }


def test_facts_of_a_sound(tmp_path):
    make_sound(tmp_path / "a.flac", seconds=0.5)
    assert looked_at(tmp_path / "a.flac", "audio") == {
        "bytes": (tmp_path / "a.flac").stat().st_size, "duration_s": 0.5, "codec": "flac", "sampling": "s16",
        "rate": 16_000, "channels": 1,
    }  # fmt: skip


@pytest.mark.parametrize("archive", [None, "a.tar", "a.tar.gz"])
def test_facts_of_a_sequence(tmp_path, archive):
    names = [f"{number}.jpg" for number in (2, 9, 10, 100)]
    for name in names:
        make_picture(tmp_path / "1/real/7" / name)
    pictures = [tmp_path / "1/real/7" / name for name in names]
    size, hashes = (
        sum(path.stat().st_size for path in pictures),
        [looked_at(pictures[place], "image")["hashes"][0] for place in (0, 2, 3)],
    )
    path = tmp_path / "1/real/7"
    if archive:
        with tarfile.open(tmp_path / archive, "w:gz" if archive.endswith("gz") else "w") as members:
            members.add(tmp_path / "1", "./1")
        path = tmp_path / archive / "1/real/7"
    found = looked_at(path, "video")
    assert len(found.pop("digest")) == 64
    assert found == {
        "bytes": size, "frames": 4, "width": 64, "height": 48, "codec": "JPEG", "sampling": "RGB 4:2:0",
        "hashes": hashes,
    }  # fmt: skip


def test_a_sequence_is_a_copy_whether_it_is_packed_or_not(tmp_path):
    for name in ("0.jpg", "1.jpg", "2.jpg", "3.jpg"):
        make_picture(tmp_path / "one/s" / name, seed=name)
        make_picture(tmp_path / "two/s" / name, seed=name)
    with tarfile.open(tmp_path / "a.tar", "w") as members:
        members.add(tmp_path / "one", "one")
    digests = [looked_at(path, "video")["digest"] for path in (tmp_path / "one/s", tmp_path / "a.tar/one/s")]
    assert digests[0] == digests[1]
    with (tmp_path / "two/s/1.jpg").open("ab") as file:  # none of those that are decoded
        file.write(b"x")
    assert looked_at(tmp_path / "two/s", "video")["digest"] != digests[0]


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", {"movflags": "faststart"}),
        ("a.mov", "libx264", {"movflags": "faststart"}),
        ("a.mkv", "libx264", {}),
        ("a.avi", "mpeg4", {}),
        ("a.webm", "libvpx-vp9", {}),
    ],
)
def test_a_video_that_breaks_off_is_told(tmp_path, name, codec, options):
    write_other(tmp_path / name, codec, options=options)
    assert "fault" not in looked_at(tmp_path / name, "video")
    found = looked_at(cut(tmp_path / name, 0.8), "video")
    assert found["fault"] == "incomplete"
    assert found["detail"] == f"it breaks off: {found['frames']} of 60 frames are there"
    assert 10 < found["frames"] < 57


@pytest.mark.parametrize(("name", "options"), [("a.mp4", {"movflags": "faststart"}), ("a.mkv", {})])
def test_a_video_whose_sound_is_longer_is_whole(tmp_path, name, options):
    write_other(tmp_path / name, "libx264", options=options, sound_s=4.0)
    found = looked_at(tmp_path / name, "video")
    assert "fault" not in found
    assert found["frames"] == 60
    assert looked_at(cut(tmp_path / name, 0.5), "video")["fault"] == "incomplete"


def test_what_is_no_video_at_all(tmp_path):
    make_sound(tmp_path / "a.wav")
    assert "no video stream" in looked_at(tmp_path / "a.wav", "video")["detail"]
    make_picture(tmp_path / "folder/0.jpg")
    assert looked_at(tmp_path / "folder", "image") == {"fault": "unreadable", "detail": "it is no file"}
    assert looked_at(tmp_path / "none/a.mp4", "video") == {"fault": "missing"}
    os.mkfifo(tmp_path / "pipe.jpg")
    assert looked_at(tmp_path / "pipe.jpg", "image") == {"fault": "unreadable", "detail": "it is no file"}


def test_a_sequence_with_a_damaged_or_empty_picture(tmp_path):
    for number in range(5):
        make_picture(tmp_path / "s" / f"{number}.jpg")
    (tmp_path / "s/2.jpg").write_bytes(b"no picture")
    found = looked_at(tmp_path / "s", "video")
    assert found["fault"] == "unreadable"
    assert found["detail"].startswith("2.jpg: not a readable picture")
    (tmp_path / "s/1.jpg").write_bytes(b"")
    found = looked_at(tmp_path / "s", "video")
    assert (found["fault"], found["detail"]) == ("incomplete", "1 of 5 pictures are empty, such as 1.jpg")


def test_a_damaged_archive(tmp_path):
    make_picture(tmp_path / "s/0.jpg")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as members:
        members.add(tmp_path / "s", "s")
    found = looked_at(cut(tmp_path / "a.tar.gz", 0.5) / "s", "video")
    assert found["fault"] == "unreadable"
    assert "the archive is damaged" in found["detail"]
    assert looked_at(tmp_path / "a.tar.gz/t", "video")["fault"] == "missing"


def test_a_sound_that_breaks_off_is_told(tmp_path):
    make_sound(tmp_path / "a.flac", seconds=2)
    found = looked_at(cut(tmp_path / "a.flac", 0.5), "audio")
    assert found["fault"] == "incomplete"
    assert found["detail"].endswith("of 2.0 seconds are there")
    (tmp_path / "b.wav").write_bytes(b"RIFF" + bytes(100))
    assert looked_at(tmp_path / "b.wav", "audio")["fault"] == "unreadable"


def test_of_a_long_sound_the_beginning_is_decoded(tmp_path):
    make_sound(tmp_path / "a.flac", seconds=SHORT_S + 1, rate=8000)
    assert "fault" not in looked_at(cut(tmp_path / "a.flac", 0.5), "audio")


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_picture_has_no_hash(level):
    flat = np.full((48, 64, 3), level, np.uint8)
    assert perceptual_hash(flat) is None
    grain = np.random.default_rng(0).integers(-4, 5, flat.shape)
    assert perceptual_hash((flat + grain).clip(0, 255).astype(np.uint8)) is None
    assert perceptual_hash(noise(1)) is not None


def test_the_files_of_a_manifest_of_all_kinds(tmp_path):
    root = tmp_path / "data"
    for number, split in enumerate(("train", "validation", "test")):
        for label in (0, 1):
            make_clip(root / f"{split}{label}.mp4", frames=5)
            make_sound(root / f"{split}{label}.wav", seed=10 * number + label)
            for frame in range(3):
                make_picture(root / f"{split}{label}" / f"{frame}.jpg", seed=f"{split}{label}{frame}")
    with tarfile.open(root / "train0.tar", "w") as members:
        members.add(root / "train0", "s")
    shutil.rmtree(root / "train0")
    rows = []
    for split in ("train", "validation", "test"):
        for label in (0, 1):
            name = f"{split}{label}"
            sequence = "train0.tar/s" if name == "train0" else name
            rows += [
                (f"{name}.mp4", "video", label, split),
                (f"{name}.wav", "audio", label, split),
                (sequence, "video", label, split),
            ]
    outcome = audit([write_rows(root, *rows)], workers=2)
    assert outcome.findings == []
    assert any(note.startswith("6 sound files were not compared") for note in outcome.notes)
    assert {"rate", "channels"}.isdisjoint(outcome.trivial.filter(media="audio")["feature"])  # the same in all


def test_files_are_told_by_what_is_wrong_with_them(tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    write_other(root / "a.mkv", "libx264")
    cut(root / "a.mkv", 0.6)
    make_sound(root / "b.flac", seconds=1)
    cut(root / "b.flac", 0.5)
    rows = [
        (name, media, 0, "train")
        for name, media in (("cut_a.mkv", "video"), ("cut_b.flac", "audio"), ("gone", "video"))
    ]
    outcome = audit([write_rows(root, *rows)], workers=1)
    found = {finding.kind: finding for finding in outcome.findings}
    assert set(found) == {"missing_file", "incomplete", "one_class"}
    assert found["incomplete"].what == "2 files are not whole"
    assert [place.split(" (")[0] for place in found["incomplete"].where] == ["cut_a.mkv", "cut_b.flac"]
    assert found["missing_file"].where == ("gone",)


def test_a_file_that_takes_too_long_is_a_finding(tmp_path, monkeypatch):
    make_clip(tmp_path / "data/a.mp4")
    monkeypatch.setattr(files, "TIME_LIMIT_S", 0.001)  # less than a new process needs to begin
    (finding, _) = audit([write_rows(tmp_path / "data", ("a.mp4", "video", 0, "train"))], workers=1).findings
    assert finding.kind == "unreadable"
    assert finding.where[0].startswith("a.mp4 (reading it took more than")


def test_trivial_features_of_sound(tmp_path):
    rows = []
    for number in range(20):
        for label, rate in enumerate((16_000, 8000)):
            name = f"{number * 2 + label:03d}.wav"
            make_sound(tmp_path / "data" / name, rate=rate)
            rows.append((name, "audio", label, "train"))
    outcome = audit([write_rows(tmp_path / "data", *rows)], workers=1)
    tells = {finding.where[0].partition(":")[0] for finding in outcome.findings}
    assert "rate" in tells
    assert any("in sound files" in finding.what for finding in outcome.findings)


def test_pictures_with_other_colour_sampling_are_told(tmp_path):
    from PIL import Image

    rows = []
    for number in range(20):
        for label, subsampling in enumerate((0, 2)):
            name = f"{number * 2 + label:03d}.jpg"
            (tmp_path / "data").mkdir(exist_ok=True)
            Image.fromarray(noise(name)).save(tmp_path / "data" / name, quality=90, subsampling=subsampling)
            rows.append((name, "image", label, "train"))
    outcome = audit([write_rows(tmp_path / "data", *rows)], workers=1)
    row = outcome.trivial.row(by_predicate=pl.col("feature") == "sampling", named=True)
    assert (row["real"], row["fake"]) == ("'RGB 4:4:4' (100%)", "'RGB 4:2:0' (100%)")
    assert row["finding"]


def test_what_a_telephone_cuts_by_its_header_is_whole(tmp_path):
    """An edit list of the second half: the header counts all frames, and shows half of them."""
    path = tmp_path / "a.mp4"
    write_video(path, [np.roll(noise(1), step, axis=1) for step in range(50)], fps=25, crf=30)
    trimmed = tmp_path / "b.mp4"
    with av.open(str(path)) as source, av.open(str(trimmed), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        offset = None
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is None:
                continue
            offset = packet.pts if offset is None else offset
            packet.pts -= round(1.0 / packet.time_base)  # the first second has negative times: an edit list hides it
            packet.dts -= round(1.0 / packet.time_base)
            packet.stream = stream
            target.mux(packet)
    assert VideoReader(trimmed).info.frames == 50
    found = looked_at(trimmed, "video")
    assert "fault" not in found
    assert found["frames"] in range(24, 27)


def test_without_a_decoder_sizes_copies_and_what_is_not_there_are_seen(tmp_path):
    root = tmp_path / "data"
    make_picture(root / "a.jpg", seed=1)
    make_clip(root / "clip.mp4")
    shutil.copyfile(root / "a.jpg", root / "copy.jpg")
    (root / "empty.jpg").touch()
    make_picture(root / "frames" / "0.jpg")
    with tarfile.open(root / "frames.tar", "w") as archive:
        archive.add(root / "frames", "frames")
    paths = ["a.jpg", "clip.mp4", "copy.jpg", "empty.jpg", "gone.jpg", "gone.mp4", "frames", "frames.tar/frames"]
    rows = pl.DataFrame({"path": paths, "root": str(root), "label": 0, "manifest": "m"}).with_columns(
        media=pl.when(pl.col("path").str.ends_with("jpg")).then(pl.lit("image")).otherwise(pl.lit("video")),
        split=pl.Series(["train", *["test"] * 7]),
    )
    steps: list[None] = []
    seen = files.glance(rows, lambda: steps.append(None))
    assert len(steps) == len(paths)
    whole = files.look(rows, lambda: None, workers=1)
    columns = ["bytes", "digest", "fault"]
    assert seen.schema == whole.schema
    assert seen.select(columns).head(6).equals(whole.select(columns).head(6))
    assert seen["fault"].to_list() == [None, None, None, "empty", "missing", "missing", None, None]
    assert seen["digest"].is_not_null().to_list() == [True, False, True, *[False] * 5]
    assert seen["bytes"].tail(2).to_list() == [None, None]


def test_without_a_decoder_a_file_that_cannot_be_asked_for_is_a_fault(tmp_path):
    rows = pl.DataFrame({"path": [f"{'a' * 300}.jpg"], "root": str(tmp_path), "label": 0, "media": "image"})
    seen = files.glance(rows.with_columns(split=pl.lit("test"), manifest=pl.lit("m")), lambda: None)
    assert seen.select("fault", "detail").row(0) == ("unreadable", "File name too long")
