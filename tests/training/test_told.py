from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import CSVLogger
from torch import nn

from unmask.detectors import build
from unmask.faces.store import FaceStore
from unmask.inference.predict import form_of
from unmask.loading.data_module import PairDataModule, split_of
from unmask.training.module import DetectorModule
from unmask.training.told import Told, overview

CHOSEN = "the highest val_auc"


class Clock:
    """Each look at it takes a second."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


def detector():
    torch.manual_seed(0)
    return build("spectrum", input_size=64, bands=16)


def module_of(prepared, **more) -> PairDataModule:
    return PairDataModule(
        prepared.rows(),
        FaceStore(prepared.store),
        form_of(detector()),
        footage=None,
        view=lambda image, **_: {"image": image[:64, :64]},
        pairs_per_batch=2,
        blends=0,
        **more,
    )


def fitted(
    prepared, out: Path, epochs: int, told: Told, *, accumulate: int = 1, resume: Path | None = None
) -> pl.DataFrame:
    """Lightning's own log of a run with ``told``."""
    trainer = lightning.Trainer(
        default_root_dir=out,
        max_epochs=epochs,
        callbacks=[told, ModelCheckpoint(out, filename="last", enable_version_counter=False)],
        logger=CSVLogger(str(out), name="logs", version=""),
        log_every_n_steps=1,
        num_sanity_val_steps=1,
        use_distributed_sampler=False,
        accelerator="cpu",
        accumulate_grad_batches=accumulate,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(
        DetectorModule(detector(), learning_rate=0.1),
        module_of(prepared, repeats=2),
        ckpt_path=resume,
        weights_only=True,
    )
    return pl.read_csv(out / "logs" / "metrics.csv")


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("epoch ")]


def number(name: str, line: str) -> float:
    return float(re.search(rf"{name} ([\d.,]+)", line)[1].rstrip(",").replace(",", ""))


def test_the_table_counts_files_and_examples(prepared):
    store = FaceStore(prepared.store)
    form = form_of(detector())
    splits = {name: split_of(prepared.rows(), store, name, form) for name in ("train", "validation", "test")}
    head, *rows = overview(splits, detector(), name="spectrum", chosen_by=CHOSEN).splitlines()[:4]
    assert head.split() == ["split", "files", "real", "fake", "examples", "of", "reals", "of", "fakes", "manipulations"]
    held = store.table.to_pandas().query("track == 0 and image == image")
    for (name, _), line in zip(splits.items(), rows, strict=True):
        part = prepared.rows(name)
        labels = dict(part.select("id", "label").iter_rows())
        shown = Counter(labels[each] for each in held["id"] if each in labels)
        files = Counter(labels.values())
        methods = Counter(part.filter(pl.col("label") == 1)["method"])
        told = ", ".join(f"{method} {count}" for method, count in sorted(methods.items(), key=lambda each: -each[1]))
        numbers = [len(labels), files[0], files[1], shown[0] + shown[1], shown[0], shown[1]]
        assert line.split(maxsplit=7) == [name, *map(str, numbers), told]


def test_files_without_an_example_are_told_with_the_reason(prepared):
    store, form = FaceStore(prepared.store), form_of(detector())
    rows = prepared.rows()
    absent = rows.filter((pl.col("split") == "train") & (pl.col("media") == "image")).head(1)
    rows = pl.concat([rows, absent.with_columns(id=pl.lit("new"), path=pl.lit("new.jpg"))])
    splits = {name: split_of(rows, store, name, form) for name in ("train", "validation", "test")}
    text = overview(splits, detector(), name="spectrum", chosen_by=CHOSEN)
    assert "train: 1 of the files give no example (not_prepared 1)" in text
    assert "test: 1 of the files give no example (no_face 1)" in text
    assert "validation:" not in text


def test_many_manipulations_are_cut_short(prepared):
    split = split_of(prepared.rows(), FaceStore(prepared.store), "train", form_of(detector()))
    methods = [None if label == 0 else f"m{place}" for place, label in enumerate(split.files["label"])]
    fakes = len(methods) - methods.count(None)
    some = type(split)(split.examples, split.labels, split.files.with_columns(method=pl.Series(methods)))
    text = overview({"train": some}, detector(), name="x", chosen_by=CHOSEN)
    assert len(re.findall(r"\bm\d+ 1\b", text)) == 6
    assert f"and {fakes - 6} more" in text
    none = type(split)(split.examples, split.labels, split.files.drop("method"))
    assert f"not stated {fakes}" in overview({"train": none}, detector(), name="x", chosen_by=CHOSEN)


def test_the_detector_and_what_decides(prepared):
    split = split_of(prepared.rows(), FaceStore(prepared.store), "train", form_of(detector()))
    net = nn.Sequential(nn.Linear(100, 20), nn.Linear(20, 1))
    net[0].requires_grad_(False)
    text = overview({"train": split}, net, name="two layers", chosen_by=CHOSEN)
    assert "detector: two layers, 2,041 parameters, 21 of them trainable" in text
    assert text.endswith(f"chosen by: {CHOSEN}")


def test_a_line_an_epoch_agrees_with_the_log(prepared, tmp_path, capsys):
    log = fitted(prepared, tmp_path, 3, Told("the overview", clock=Clock()))
    out = capsys.readouterr().out
    assert out.startswith("the overview\n")
    told = lines(out)
    assert [line.split(":")[0] for line in told] == ["epoch 1 of 3", "epoch 2 of 3", "epoch 3 of 3"]
    validated = log.drop_nulls("val_auc").sort("epoch")
    areas = validated["val_auc"].to_list()
    for epoch, line in enumerate(told):
        assert number("val_auc", line) == pytest.approx(areas[epoch], abs=6e-4)
        assert number("best", line.replace(")", "")) == pytest.approx(max(areas[: epoch + 1]), abs=6e-4)
        assert number("val_loss", line) == pytest.approx(validated["val_loss"][epoch], abs=6e-4)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_training_loss_is_the_epoch_s_mean(accumulate, prepared, tmp_path, capsys, monkeypatch):
    step, losses = DetectorModule.training_step, {0: [], 1: []}

    def recorded(self, batch, number):
        loss = step(self, batch, number)
        losses[self.current_epoch].append(loss.item())
        return loss

    monkeypatch.setattr(DetectorModule, "training_step", recorded)
    fitted(prepared, tmp_path, 2, Told("", clock=Clock()), accumulate=accumulate)
    for line, found in zip(lines(capsys.readouterr().out), losses.values(), strict=True):
        assert number("train_loss", line) == pytest.approx(sum(found) / len(found), abs=6e-4)


def test_examples_a_second_and_the_time_left(prepared, tmp_path, capsys):
    fitted(prepared, tmp_path, 3, Told("", clock=Clock()))
    reals = prepared.rows("train").filter(pl.col("label") == 0).height
    pairs = 2 * reals  # repeats
    batches = math.ceil(pairs / 2)
    # A look as an epoch begins, after each batch, and as it ends; before all, one.
    epoch = batches + 2
    *going, last = lines(capsys.readouterr().out)
    for done, line in enumerate(going, 1):
        assert f"{2 * pairs / batches:,.0f} examples/s" in line
        assert f"at most {done * epoch / done * (3 - done):.0f} s left" in line
    assert "left" not in last


def test_a_run_that_goes_on_knows_its_best(prepared, tmp_path, capsys):
    fitted(prepared, tmp_path / "a", 2, Told("", clock=Clock()))
    first = lines(capsys.readouterr().out)
    told = Told("", clock=Clock())
    fitted(prepared, tmp_path / "b", 3, told, resume=tmp_path / "a" / "last.ckpt")
    (line,) = lines(capsys.readouterr().out)
    assert line.startswith("epoch 3 of 3")
    best = max(number("val_auc", each) for each in [*first, line])
    assert number("best", line.replace(")", "")) == best
    assert told.state_dict()["best"] == pytest.approx(best, abs=6e-4)


@pytest.mark.parametrize(
    ("seconds", "told"), [(4.2, "4 s"), (89, "89 s"), (120, "2 min"), (5399, "90 min"), (9000, "2.5 h")]
)
def test_durations_are_in_a_unit_that_fits(seconds, told):
    from unmask.training.told import _duration

    assert _duration(seconds) == told


def test_a_run_tells_it_in_plain_lines(prepared, tmp_path, capsys):
    from unmask.training.compose import run_with_overrides
    from unmask.training.run import train

    given = [f"manifest={prepared.manifest}", f"store={prepared.store}", f"out={tmp_path}/out", "test=false"]
    tiny = ["detector=spectrum", "detector.arguments.input_size=64", "detector.arguments.bands=16"]
    run_with_overrides([*given, *tiny, "trainer.max_epochs=2"], train)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\ntrain " in out
    assert "detector: spectrum, 17 parameters" in out
    log = pl.read_csv(tmp_path / "out" / "logs" / "metrics.csv").drop_nulls("val_auc")
    assert [number("val_auc", line) for line in lines(out)] == pytest.approx(log["val_auc"].to_list(), abs=6e-4)
