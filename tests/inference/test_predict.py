from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from tests.fakes.faces import portraits
from tests.fakes.media import make_clip, make_picture
from unmask.detectors import build
from unmask.faces.crop import CropSettings
from unmask.faces.store import FaceStore, StoreSettings, rows_of
from unmask.inference.aggregate import AGGREGATIONS, mean, median
from unmask.inference.model_folder import Calibration, Model, ModelSpec
from unmask.inference.predict import (
    HIDDEN,
    SOUND,
    UNKNOWN,
    UNWRITABLE,
    crop_logits,
    inputs_of,
    predict,
    told_passed_over,
)
from unmask.loading.crops import EvaluationCrops
from unmask.tables.errors import ModelError, UnmaskError


@pytest.fixture(scope="module")
def store(prepared) -> FaceStore:
    return FaceStore(prepared.store)


def model_for(store: FaceStore, aggregation: str = "mean", calibration: Calibration | None = None) -> Model:
    torch.manual_seed(0)
    arguments: dict[str, object] = {"input_size": 64, "bands": 16}
    spec = ModelSpec("spectrum", arguments, store.settings, aggregation, calibration or Calibration())
    return Model(build("spectrum", **arguments).eval(), spec)


def test_aggregations():
    logits = np.array([-1.0, 0.0, 4.0])
    assert mean(logits) == 1.0
    assert median(logits) == 0.0
    assert set(AGGREGATIONS) == {"mean", "median"}


@pytest.mark.parametrize("aggregation", ["mean", "median"])
def test_scores_follow_from_the_crops_one_by_one(aggregation, prepared, store):
    model = model_for(store, aggregation, Calibration(2.0, -0.3))
    manifest = prepared.rows("test")
    found = predict(model, manifest, store)
    assert found.files["id"].to_list() == manifest["id"].to_list()
    rows = store.crops(manifest["id"].to_list())
    by_file: dict[str, list[float]] = {}
    for (name, _), image in zip(rows_of(store, rows), EvaluationCrops(store, rows, 64), strict=True):
        with torch.no_grad():
            by_file.setdefault(name, []).append(float(model.detector(image[None])[0]) * 2.0 - 0.3)
    assert max(map(len, by_file.values())) == 4  # a video
    for name, score, reason in found.files.iter_rows():
        if name == "test/nobody.jpg":
            assert (score, reason) == (None, "no_face")
            continue
        logit = np.median(by_file[name]) if aggregation == "median" else np.mean(by_file[name])
        assert score == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-5)
        assert reason is None
        frames = found.frames.filter(pl.col("id") == name)["score"].to_numpy()
        np.testing.assert_allclose(frames, 1 / (1 + np.exp(-np.array(by_file[name]))), atol=1e-5)


def test_with_and_without_a_store(prepared, store):
    model = model_for(store)
    manifest = prepared.rows("test").filter(pl.col("id").str.contains("0_|nobody"))
    now, then = predict(model, manifest), predict(model, manifest, store)
    assert now.files.equals(then.files)
    assert now.frames.equals(then.frames)


def test_files_that_cannot_be_answered(store, tmp_path):
    (tmp_path / "face.jpg").write_bytes(portraits(1)[0].read_bytes())
    make_picture(tmp_path / "nobody.jpg")
    make_clip(tmp_path / "sub" / "nobody.mp4")
    (tmp_path / "damaged.mp4").write_bytes(b"hello")
    (tmp_path / "notes.txt").write_text("passed over")
    found = predict(model_for(store), inputs_of([tmp_path]).files).files
    assert dict(found.select("id", "reason").iter_rows()) == {
        "damaged.mp4": "unreadable",
        "face.jpg": None,
        "nobody.jpg": "no_face",
        "sub/nobody.mp4": "no_face",
    }
    assert found.filter(pl.col("reason").is_null())["score"].is_between(0, 1).all()
    assert found.filter(pl.col("reason").is_not_null())["score"].null_count() == 3


def test_a_file_that_was_not_prepared(prepared, store):
    manifest = prepared.rows("test").head(1).with_columns(pl.lit("elsewhere").alias("id"))
    assert predict(model_for(store), manifest, store).files.row(0) == ("elsewhere", None, "not_prepared")


@pytest.mark.parametrize("other", [{"margin": 1.5}, {"size": 128}, {"detector": "x"}, {"quality": 50}])
def test_crops_made_in_another_way_are_refused(other, prepared, store):
    model = model_for(store)
    crop = CropSettings(**{**store.settings.crop.to_dict(), **other})  # type: ignore[arg-type]
    spec = ModelSpec("spectrum", model.spec.arguments, StoreSettings(crop, 4, 1))
    with pytest.raises(ModelError, match=next(iter(other))) as caught:
        predict(Model(model.detector, spec), prepared.rows("test"), store)
    assert "unmask prepare" in (caught.value.next_step or "")


def test_a_model_of_another_face_detector_is_not_run_on_this_one_s_faces(prepared, store):
    model = model_for(store)
    crop = CropSettings(**{**store.settings.crop.to_dict(), "detector": "other"})  # type: ignore[arg-type]
    spec = ModelSpec("spectrum", model.spec.arguments, StoreSettings(crop, 4, 1))
    with pytest.raises(UnmaskError, match="other"):
        predict(Model(model.detector, spec), prepared.rows("test"))


def test_features_are_what_the_head_sees(prepared, store):
    model = model_for(store)
    rows = store.crops(prepared.rows("test")["id"].to_list())
    features = crop_logits(model.detector, store, rows, features=True)
    head = model.detector.head
    expected = features @ head.weight.detach().double().numpy()[0] + float(head.bias)
    np.testing.assert_allclose(crop_logits(model.detector, store, rows), expected, atol=1e-4)
    assert crop_logits(model.detector, store, rows[:0]).shape == (0,)


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
        SOUND: ["s.wav"],
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
    assert found.passed_over == {SOUND: ["b.wav"]}


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
