"""One training run: from a composed configuration to a model folder, test predictions and a scorecard."""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytorch_lightning as lightning
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import Callback, EarlyStopping, ModelCheckpoint, RichProgressBar

from unmask.detectors import DETECTORS, build
from unmask.detectors.base import Detector
from unmask.faces.store import FaceStore
from unmask.inference.aggregate import AGGREGATIONS
from unmask.inference.model_folder import Model, ModelSpec, load_model, save_model
from unmask.inference.predict import Predictions, predict, sha256
from unmask.loading.data_module import FaceDataModule, crops_of
from unmask.scoring import score
from unmask.scoring.report import write_scorecard
from unmask.tables.errors import ConfigError
from unmask.tables.manifest import read_manifest
from unmask.tables.predictions import write_predictions
from unmask.tables.writing import write_text
from unmask.training.calibration import fit_calibration
from unmask.training.card import model_card
from unmask.training.module import DetectorModule
from unmask.training.probe import fit_head

#: Epochs are compared by how well they rank. Their loss depends as much on how sure they are, which calibration mends.
_CHOSEN_BY = "val_auc"


def train(config: DictConfig, out: str | Path) -> Path:
    """Train one detector as a configuration says, and write everything that the run hands on.

    Args:
        config: composed from ``configs/train.yaml``.
        out: the run's folder; gets ``config.yaml``, ``checkpoints/``, ``logs/``, ``model/`` and, with ``test``,
            ``predictions.csv``, ``scorecard.json`` and ``scorecard.html``.

    Returns:
        The model folder.

    Raises:
        ConfigError: the configuration cannot work.
        UnmaskError: the manifest or the store is missing or damaged.
    """
    out = Path(out)
    _check(config)
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    manifest, store = read_manifest(config.manifest), FaceStore(config.store)
    write_text(OmegaConf.to_yaml(config, resolve=True), out / "config.yaml")
    detector = _detector(config)
    if config.fit == "head":
        crops_of(manifest, store, "validation")  # refused now, not after the fit
        fit_head(detector, store, crops_of(manifest, store, "train"))
    elif _fit(config, detector, manifest, store, out) > 0:
        return out / "model"  # written by the first of several processes
    model = _calibrated(config, detector, manifest, store)
    save_model(out / "model", model.detector, model.spec, model_card(model.spec, manifest))
    if config.test:
        _test(out, manifest, store, Path(config.manifest))
    return out / "model"


def _check(config: DictConfig) -> None:
    """Say at once what would fail later."""
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise ConfigError(
            f"the configuration lacks: {', '.join(missing)}", next_step=f"give each, such as {missing[0]}=..."
        )
    for key, known in (("fit", {"all", "head"}), ("aggregation", set(AGGREGATIONS))):
        if config[key] not in known:
            raise ConfigError(f"{key}={config[key]} is not known", next_step=f"use one of: {', '.join(sorted(known))}")
    if config.detector.name not in DETECTORS:
        raise ConfigError(
            f"no detector is called {config.detector.name!r}", next_step=f"known: {', '.join(sorted(DETECTORS))}"
        )


def _detector(config: DictConfig) -> Detector:
    arguments: dict[str, Any] = OmegaConf.to_container(config.detector.arguments, resolve=True)  # type: ignore[assignment]
    weights = config.detector.weights  # a path, or a call that gives one
    if isinstance(weights, DictConfig):
        weights = instantiate(weights)
    try:
        return build(config.detector.name, **arguments, **({"weights": weights} if weights else {}))
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"the detector {config.detector.name!r} cannot be built ({error})", next_step="check detector.arguments"
        ) from error


def _fit(config: DictConfig, detector: Detector, manifest: pl.DataFrame, store: FaceStore, out: Path) -> int:
    """Train, leave the detector with the weights of the best validation epoch, and give this process's rank."""
    # Lightning's own notes (no GPU, products to try) tell a user nothing; its warnings stay.
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    augment = instantiate(config.augment)
    data = FaceDataModule(manifest, store, **augment, input_size=detector.input_size, **config.data)
    module = DetectorModule(detector, **config.optimizer)
    folder = out / "checkpoints"
    best = ModelCheckpoint(folder, filename="best", monitor=_CHOSEN_BY, mode="max", enable_version_counter=False)
    # With ``save_last``, Lightning would write this one only when the other is: a resumed run would lose epochs.
    last = ModelCheckpoint(folder, filename="last", enable_version_counter=False)
    callbacks: list[Callback] = [best, last, EarlyStopping(_CHOSEN_BY, mode="max", patience=config.stop.patience)]
    if config.trainer.enable_progress_bar:
        callbacks.append(RichProgressBar())
    for name in ("CACHE", "CONFIG", "DATA"):  # wandb would write to the home directory, offline as well
        os.environ.setdefault(f"WANDB_{name}_DIR", str(out / "wandb" / name.lower()))
    loggers = [instantiate(logger, save_dir=str(out)) for logger in config.logger.values()]
    trainer = instantiate(config.trainer, callbacks=callbacks, logger=loggers, default_root_dir=str(out))
    with warnings.catch_warnings():
        # Loading in the training process is a choice of the configuration; Lightning would advise against it each run.
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        warnings.filterwarnings("ignore", ".*isinstance.*LeafSpec.*")
        trainer.fit(module, data, ckpt_path=config.resume, weights_only=True)
    if best.best_model_path:  # none, if trainer.fast_dev_run or the like left checkpoints out
        state = torch.load(best.best_model_path, map_location="cpu", weights_only=True)["state_dict"]
        module.load_state_dict(state)
    return int(trainer.global_rank)


def _calibrated(config: DictConfig, detector: Detector, manifest: pl.DataFrame, store: FaceStore) -> Model:
    """The detector with its probabilities fitted to the validation split's files."""
    arguments: dict[str, Any] = OmegaConf.to_container(config.detector.arguments, resolve=True)  # type: ignore[assignment]
    arguments.pop("pretrained", None)
    data = {"seed": config.seed, "manifest_sha256": sha256(config.manifest), "fit": config.fit}
    spec = ModelSpec(config.detector.name, arguments, store.settings, config.aggregation, data=data)
    known = manifest.filter((pl.col("split") == "validation") & pl.col("label").is_not_null())
    found = predict(Model(detector, spec), known, store).files.join(known.select("id", "label"), on="id")
    found = found.drop_nulls("score")
    probabilities = found["score"].to_numpy().clip(1e-12, 1 - 1e-12)
    calibration = fit_calibration(np.log(probabilities / (1 - probabilities)), found["label"].to_numpy())
    return Model(detector, ModelSpec(spec.detector, arguments, spec.store, spec.aggregation, calibration, data))


def _test(out: Path, manifest: pl.DataFrame, store: FaceStore, answers: Path) -> None:
    part = manifest.filter((pl.col("split") == "test") & pl.col("label").is_not_null())
    if not part.height:
        return
    found: Predictions = predict(load_model(out / "model"), part, store)
    write_predictions(found.files, out / "predictions.csv")
    write_scorecard(score(out / "predictions.csv", answers, split="test"), out, name=out.name)
