from __future__ import annotations

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
from unmask.inference.inputs import inputs_of
from unmask.inference.model_folder import Calibration, Model, ModelSpec
from unmask.inference.predict import form_of, logits_of, predict
from unmask.loading.crops import PlainExamples
from unmask.loading.examples import Form, examples_of
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
    form = Form(("images",), 64)
    plain = PlainExamples(examples_of(manifest, form, store), form, store)
    for place, (name, _) in enumerate(rows_of(store, rows)):
        with torch.no_grad():
            logit = float(model.detector(plain[place]["images"][None])[0])
        by_file.setdefault(name, []).append(logit * 2.0 - 0.3)
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
    form = form_of(model.detector)
    examples = examples_of(prepared.rows("test"), form, store)
    features = logits_of(model.detector, examples, store, features=True)
    head = model.detector.head
    expected = features @ head.weight.detach().double().numpy()[0] + float(head.bias)
    np.testing.assert_allclose(logits_of(model.detector, examples, store), expected, atol=1e-4)
    assert logits_of(model.detector, examples_of(prepared.rows("test")[:0], form, store), store).shape == (0,)
