"""Detectors of clips, of sound and of both go the same road as those of crops: trained, kept, loaded, used."""

from __future__ import annotations

import polars as pl
import pytest

from tests.training.test_run import metrics
from unmask.cli.main import main
from unmask.inference.model_folder import load_model
from unmask.tables.errors import ConfigError
from unmask.training.compose import run_with_overrides
from unmask.training.run import train

CLIPS = (
    "detector=frame_transformer",
    "detector.arguments.backbone=test_vit",
    "detector.arguments.input_size=160",
    "detector.arguments.frames=4",
    "detector.arguments.heads=4",
)
SOUND = ("detector=aasist_l", "detector.arguments.samples=16000", "data.repeats=2", "trainer.max_epochs=2")
COMMON = ("data.pairs_per_batch=2", "trainer.enable_progress_bar=false", "trainer.max_epochs=1")


def run(films, out, *more: str):
    store = [] if "sound" in more[0] or more[0] == SOUND[0] else [f"store={films.store}"]
    run_with_overrides([f"manifest={films.manifest}", f"out={out}", *store, *COMMON, *more], train)
    return out


@pytest.mark.parametrize(("more", "silent"), [(CLIPS, None), (SOUND, "no_audio")], ids=["clips", "sound"])
def test_the_whole_road(more, silent, films, tmp_path, capsys):
    out = run(films, tmp_path / "out", *more)
    assert metrics(out)["val_auc"].drop_nulls().is_between(0, 1).all()
    written = pl.read_csv(out / "predictions.csv")
    assert written["id"].to_list() == films.rows("test")["id"].to_list()
    without = written.filter(pl.col("score").is_null())
    assert without["id"].to_list() == (["test/silent.mkv"] if silent else [])
    assert not silent or without["reason"].to_list() == [silent]
    card = (out / "model" / "README.md").read_text()
    assert ("Windows of 16000 samples" if silent else "Clips of 4 crops") in card
    # From the model folder and the files alone, faces found anew.
    assert (
        main(["predict", str(out / "model"), str(films.manifest), "--split", "test", "--out", str(tmp_path / "p.csv")])
        == 0
    )
    again = pl.read_csv(tmp_path / "p.csv")
    assert again["id"].to_list() == written["id"].to_list()
    for one, two in zip(again["score"], written["score"], strict=True):
        assert one == pytest.approx(two, abs=1e-5)
    assert f"{4 if silent else 5} of 5 files have a score" in capsys.readouterr().out


def test_a_picture_is_not_for_a_detector_of_clips(films, tmp_path, capsys, prepared):
    out = run(films, tmp_path / "out", *CLIPS, "test=false")
    picture = prepared.manifest.parent / "test" / "0_real.jpg"
    assert main(["predict", str(out / "model"), str(picture)]) == 2
    assert "give this model videos only" in capsys.readouterr().err


def test_sound_needs_no_store_and_takes_none(films, tmp_path):
    with pytest.raises(ConfigError, match="holds faces, and the detector takes sound alone"):
        run(films, tmp_path / "out", *SOUND, f"store={films.store}")
    with pytest.raises(ConfigError, match="the configuration lacks: store"):
        run(films, tmp_path / "out", SOUND[0], "detector=xception")


def test_a_sound_model_that_says_how_crops_are_made_is_damaged(films, tmp_path):
    from unmask.tables.errors import ModelError

    out = run(films, tmp_path / "out", *SOUND, "test=false", "trainer.max_epochs=1")
    path = out / "model" / "model.yaml"
    assert load_model(out / "model").spec.store is None
    crops = (films.store / "store.yaml").read_text().replace("\n", "\n  ").rstrip()
    path.write_text(path.read_text().replace("store: null", f"store:\n  {crops}"))
    with pytest.raises(ModelError, match="takes sound alone"):
        load_model(out / "model")
