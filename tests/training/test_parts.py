from __future__ import annotations

import math

import numpy as np
import pytest
import pytorch_lightning as lightning
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader

from unmask.detectors import build
from unmask.faces.store import FaceStore
from unmask.inference.predict import form_of, logits_of
from unmask.loading.data_module import split_of
from unmask.training.calibration import fit_calibration
from unmask.training.module import DetectorModule
from unmask.training.probe import fit_head


class Rates(lightning.Callback):
    """Notes the learning rate of every step and the losses that were logged."""

    def __init__(self) -> None:
        self.rates: list[float] = []

    def on_before_optimizer_step(self, trainer, module, optimizer) -> None:
        self.rates.append(optimizer.param_groups[0]["lr"])


def batches_of(images: torch.Tensor, labels: torch.Tensor, size: int) -> DataLoader:
    rows = [
        {"images": image, "labels": label, "place": torch.tensor(place)}
        for place, (image, label) in enumerate(zip(images, labels, strict=True))
    ]
    return DataLoader(rows, batch_size=size)


@pytest.mark.parametrize("warm_up", [0.0, 0.2, 0.5])
def test_the_rate_rises_and_falls_along_a_cosine(warm_up, tmp_path):
    images = torch.rand(20, 3, 32, 32)
    labels = torch.tensor([0.0, 1.0] * 10)
    batches = batches_of(images, labels, 4)  # five steps an epoch
    module = DetectorModule(build("spectrum", input_size=32, bands=8), learning_rate=0.01, warm_up=warm_up)
    rates = Rates()
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    trainer = lightning.Trainer(max_epochs=4, accelerator="cpu", callbacks=[rates], default_root_dir=tmp_path, **quiet)
    trainer.fit(module, batches, batches)
    total = 20
    warm = max(int(warm_up * total), 1)
    expected = [0.01 * (step + 1) / warm for step in range(warm)]
    expected += [0.005 * (1 + math.cos(math.pi * step / (total - warm))) for step in range(total - warm)]
    np.testing.assert_allclose(rates.rates, expected, rtol=1e-6)
    assert float(trainer.callback_metrics["val_loss"]) > 0


def test_the_validation_loss_weights_both_classes_alike(tmp_path):
    images = torch.rand(10, 3, 32, 32)
    labels = torch.tensor([0.0] * 8 + [1.0] * 2)
    module = DetectorModule(build("spectrum", input_size=32, bands=8)).eval()
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    trainer = lightning.Trainer(accelerator="cpu", default_root_dir=tmp_path, **quiet)
    (found,) = trainer.validate(module, batches_of(images, labels, 3), verbose=False)
    with torch.no_grad():
        p = torch.sigmoid(module(images)).double().numpy()
    expected = (-np.log(1 - p[:8]).mean() - np.log(p[8:]).mean()) / 2
    assert found["val_loss"] == pytest.approx(expected, rel=1e-4)
    pairs = [(a > b) + 0.5 * (a == b) for a in p[8:] for b in p[:8]]
    assert found["val_auc"] == pytest.approx(np.mean(pairs), abs=1e-6)


def test_the_head_equals_logistic_regression_by_hand(prepared):
    store = FaceStore(prepared.store)
    detector = build("spectrum", input_size=64, bands=16)
    train = split_of(prepared.rows(), store, "train", form_of(detector))
    fit_head(detector, store, train)
    features = logits_of(detector, train.examples, store, features=True)
    known = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=5000))
    known.fit(features, train.labels)
    got = 1 / (1 + np.exp(-logits_of(detector, train.examples, store)))
    np.testing.assert_allclose(got, known.predict_proba(features)[:, 1], atol=2e-3)


@settings(max_examples=60)
@given(st.lists(st.floats(-50, 50), min_size=4, max_size=30), st.integers(0, 999))
def test_calibration_never_turns_a_ranking_round(logits, seed):
    labels = np.random.default_rng(seed).permutation(np.arange(len(logits)) % 2)
    found = fit_calibration(np.array(logits), labels)
    assert found.slope > 0
    assert math.isfinite(found.slope)
    assert math.isfinite(found.shift)


def test_calibration_finds_the_odds_of_known_data():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 20_000)
    labels = (rng.random(20_000) < 1 / (1 + np.exp(-(0.5 * logits)))).astype(int)
    found = fit_calibration(logits, labels)
    assert found.slope == pytest.approx(0.5, abs=0.03)
    assert found.shift == pytest.approx(0, abs=0.06)


def test_calibration_stands_even_odds_whatever_the_share():
    rng = np.random.default_rng(0)
    logits = np.concatenate([rng.normal(-1, 1, 9000), rng.normal(1, 1, 1000)])
    found = fit_calibration(logits, np.array([0] * 9000 + [1] * 1000))
    assert found.shift == pytest.approx(0, abs=0.1)
    assert found.slope == pytest.approx(2, rel=0.1)  # the log odds of two normals one deviation from 0
