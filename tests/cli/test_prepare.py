from __future__ import annotations

import os
import signal

import pytest
from rich.progress import Progress

from tests.fakes.faces import portraits
from tests.fakes.media import make_picture
from unmask.cli.main import main
from unmask.cli.prepare import Align, Boxes, Detector, Encoding, Executor, Sampling
from unmask.faces.crop import ALIGNMENTS, ENCODINGS
from unmask.faces.detectors import DETECTORS
from unmask.faces.prepare import EXECUTORS
from unmask.faces.store import BOXES, FaceStore
from unmask.media.sampling import SAMPLINGS


@pytest.fixture
def manifest(tmp_path):
    make_picture(tmp_path / "data" / "nobody.jpg")
    (tmp_path / "data" / "face.jpg").write_bytes(portraits(1)[0].read_bytes())
    path = tmp_path / "m.csv"
    path.write_text(
        "id,path,media,label,split,dataset\na,data/face.jpg,image,0,train,x\nb,data/nobody.jpg,image,1,test,x\n"
        "c,data/absent.jpg,image,1,test,x\n"
    )
    return path


def test_a_store_and_what_is_told(manifest, tmp_path, capsys):
    out = tmp_path / "store"
    options = ["--size", "64", "--margin", "1.5", "--frames", "3", "--tracks", "2", "--workers", "1"]
    assert main(["prepare", str(manifest), "--out", str(out), *options]) == 0
    told = capsys.readouterr().out
    assert "3 files (0 were there already), 1 new crops" in told
    assert "without a crop, missing: 1" in told
    assert "without a crop, no_face: 1" in told
    settings = FaceStore(out).settings
    assert (settings.crop.size, settings.crop.margin, settings.frames, settings.tracks) == (64, 1.5, 3, 2)
    assert main(["prepare", str(manifest), "--out", str(out), *options]) == 0
    assert "3 files (3 were there already), 0 new crops" in capsys.readouterr().out
    assert main(["prepare", str(manifest), "--out", str(out), "--size", "65"]) == 2
    told = capsys.readouterr().err
    assert "other settings: size is 64 instead of 65, margin is 1.5 instead of 1.3, frames is 3 instead of 16" in told


def test_sound_is_told_and_damage_writes_nothing_on_the_screen(tmp_path, capfd):
    (tmp_path / "cut.mp4").write_bytes(b"hello" * 300)
    (tmp_path / "m.csv").write_text(
        "id,path,media,label,split,dataset\na,cut.mp4,video,0,train,x\nb,b.wav,audio,1,test,x\n"
    )
    assert main(["prepare", str(tmp_path / "m.csv"), "--out", str(tmp_path / "store")]) == 0
    told, errors = capfd.readouterr()
    assert errors == ""
    assert "1 files (0 were there already), 0 new crops" in told
    assert "without a crop, unreadable: 1 (damaged, or of a kind that is not read)" in told
    assert "passed over: 1 sound files" in told


def test_a_run_that_is_ended_from_outside_keeps_what_it_has(tmp_path, monkeypatch, capsys):
    """SIGTERM, which clusters and service managers send, is like Ctrl-C: whole files are kept."""

    class Ended(Progress):
        """A bar that sends the signal at the third file."""

        def advance(self, task, advance=1):
            super().advance(task, advance)
            if self.tasks[0].completed == 3:
                os.kill(os.getpid(), signal.SIGTERM)

    for number in range(6):
        make_picture(tmp_path / f"{number}.jpg", width=32, height=32)
    lines = [f"{number},{number}.jpg,image,0,train,x" for number in range(6)]
    (tmp_path / "m.csv").write_text("\n".join(["id,path,media,label,split,dataset", *lines]))
    command = ["prepare", str(tmp_path / "m.csv"), "--out", str(tmp_path / "store"), "--workers", "1"]
    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patched:
        patched.setattr("unmask.cli.progress.progress", Ended)
        assert main(command) == 130
    assert signal.getsignal(signal.SIGTERM) == before
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == ["shard-00000.arrow", "store.yaml"]
    assert FaceStore(tmp_path / "store").table["id"].to_pylist() == ["0", "1", "2"]
    assert main(command) == 0
    assert "6 files (3 were there already)" in capsys.readouterr().out


def test_a_dataset_that_was_moved(manifest, tmp_path, capsys):
    (tmp_path / "moved").mkdir()
    (tmp_path / "data").rename(tmp_path / "moved" / "data")
    out = tmp_path / "store"
    assert main(["prepare", str(manifest), "--out", str(out), "--root", str(tmp_path / "moved")]) == 0
    assert "1 new crops" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.csv", "--out", "s"], "absent.csv"),
        (["m.csv", "--out", "."], "not empty"),
        (["m.csv", "--out", "s", "--frames", "0"], "frames"),
        (["m.csv", "--out", "s", "--size", "9"], "size"),
        (["m.csv"], "--out"),
    ],
)
def test_errors_are_one_message(manifest, arguments, message, monkeypatch, capsys):
    monkeypatch.chdir(manifest.parent)
    assert main(["prepare", *arguments]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told


def test_help_has_an_example(capsys):
    assert main(["prepare", "--help"]) == 0
    assert "Example: unmask prepare" in capsys.readouterr().out


def test_the_options_are_those_of_the_settings():
    for option, known in (
        (Executor, EXECUTORS),
        (Detector, DETECTORS),
        (Align, ALIGNMENTS),
        (Encoding, ENCODINGS),
        (Sampling, SAMPLINGS),
        (Boxes, BOXES),
    ):
        assert [each.value for each in option] == list(known)


def test_further_options_are_recorded(prepared, tmp_path):
    out = tmp_path / "store"
    options = ["--align", "landmarks", "--encoding", "webp", "--sampling", "reference", "--boxes", "source"]
    assert main(["prepare", str(prepared.manifest), "--out", str(out), "--size", "32", "--frames", "1", *options]) == 0
    settings = FaceStore(out).settings
    assert (settings.crop.align, settings.crop.encoding, settings.sampling, settings.boxes) == tuple(options[1::2])


@pytest.mark.parametrize("wrong", ["0/2", "3/2", "1", "a/b", "1/0"])
def test_parts_that_there_are_not(wrong, manifest, tmp_path, capsys):
    assert main(["prepare", str(manifest), "--out", str(tmp_path / "s"), "--shard", wrong]) == 2
    assert "--shard" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_parts(manifest, tmp_path, capsys):
    for part in ("2/2", "1/2"):
        assert main(["prepare", str(manifest), "--out", str(tmp_path / "s"), "--size", "64", "--shard", part]) == 0
    assert sorted(FaceStore(tmp_path / "s").table["id"].to_pylist()) == ["a", "b", "c"]
