"""One training run: from a composed configuration to a model folder, test predictions and a scorecard."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytorch_lightning as lightning
import torch
import yaml
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import Callback, EarlyStopping, EMAWeightAveraging, ModelCheckpoint, RichProgressBar
from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from unmask.detectors import build
from unmask.detectors.base import Detector
from unmask.faces.store import FaceStore
from unmask.inference.model_folder import Model, ModelSpec, load_model, save_model
from unmask.inference.predict import Predictions, form_of, predict
from unmask.loading.blending import BLENDINGS
from unmask.loading.data_module import PairDataModule, split_of
from unmask.loading.join import join
from unmask.scoring import Scorecard, score
from unmask.scoring.report import write_scorecard
from unmask.tables.errors import ConfigError, UnmaskError
from unmask.tables.hashing import sha256
from unmask.tables.manifest import read_manifest, write_manifest
from unmask.tables.predictions import write_predictions
from unmask.tables.writing import write_text
from unmask.training.audited import check_audit
from unmask.training.calibration import fit_calibration
from unmask.training.card import model_card
from unmask.training.checks import check_values
from unmask.training.copies import WorstError, end_wandb, send_copies, worst_errors
from unmask.training.early import check_checkpoint, check_methods, check_prepared, check_room
from unmask.training.leaks import check_leaks
from unmask.training.module import DetectorModule
from unmask.training.options import groups
from unmask.training.probe import fit_head
from unmask.training.told import Told, overview

#: Epochs are compared by how well they rank. Their loss depends as much on how sure they are, which calibration mends.
_CHOSEN_BY = "val_auc"
#: Files of each class whose pictures a logger of pictures is given.
_WORST = 16


def train(config: DictConfig, out: str | Path) -> Path:
    """Train one detector as a configuration says, and write everything that the run hands on.

    Args:
        config: composed from ``configs/train.yaml``.
        out: the run's folder; gets ``config.yaml``, ``checkpoints/``, ``logs/``, ``model/`` and, with ``test``,
            ``predictions.csv``, ``scorecard.json`` and ``scorecard.html``; of several manifests also
            ``manifest.parquet``, which is what they make together, and the three of each in ``tests/NAME/``.

    Returns:
        The model folder.

    Raises:
        ConfigError: the configuration cannot work, the audit that it names does not fit, or the folder holds a run that
            ``config.resume`` does not go on.
        UnmaskError: the manifest or the store is missing or damaged.
    """
    try:
        model = _train(config, Path(out))
    except BaseException:
        end_wandb(failed=True)
        raise
    end_wandb()
    return model


def _train(config: DictConfig, out: Path) -> Path:
    check_values(config)
    check_audit(config)
    _claim(out, config.resume)
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    manifest, store = _data(config)
    check_prepared(manifest, store)
    remarks = check_leaks(manifest, allow=config.allow_leaks)
    detector = _detector(config)
    write_text(OmegaConf.to_yaml(config, resolve=True), out / "config.yaml")
    answers = Path(config.manifest) if isinstance(config.manifest, str) else out / "manifest.parquet"
    if not isinstance(config.manifest, str):
        write_manifest(manifest, answers)
    loggers: list[Logger] = []
    notes: dict[str, object] = {"seed": config.seed, "manifest_sha256": sha256(answers), "fit": config.fit}
    if remarks:
        notes["remarks"] = list(remarks)
    if config.fit == "head":
        form = form_of(detector)
        split_of(manifest, store, "validation", form)  # refused now, not after the fit
        fit_head(detector, store, split_of(manifest, store, "train", form))
    else:
        trainer, best = _fit(config, detector, manifest, store, out)
        if trainer.global_rank > 0:
            return out / "model"  # written by the first of several processes
        loggers = trainer.loggers
        if best is not None:
            notes[_CHOSEN_BY] = best
    model = _calibrated(config, detector, manifest, store, notes)
    blends = 0.0 if config.fit == "head" or store is None else config.data.blends
    card = partial(model_card, model.spec, manifest, _recipe(config), blends=blends, blending=config.data.blending)
    save_model(out / "model", model.detector, model.spec, card())
    if config.test:
        tested = _test(out, manifest, store, answers, remarks)
        write_text(card(tested=tested), out / "model" / "README.md")
    send_copies(loggers, out, _worst_errors(out, manifest, store))
    return out / "model"


def _recipe(config: DictConfig) -> str:
    """The parts of a configuration that make a run what it is, as YAML; no place on a disk is among them."""
    parts: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    kept = ("detector", "augment", "data", "optimizer", "average", "stop", "seed")
    found = {name: parts[name] for name in kept}
    found["detector"] = {name: value for name, value in found["detector"].items() if name != "weights"}
    found["trainer"] = {name: parts["trainer"][name] for name in ("max_epochs", "precision", "accumulate_grad_batches")}
    return str(yaml.safe_dump(found, sort_keys=False))


def _worst_errors(out: Path, manifest: pl.DataFrame, store: FaceStore | None) -> list[WorstError]:
    path = out / "predictions.csv"
    if not path.is_file():
        return []
    labels = dict(manifest.drop_nulls("label").select("id", "label").iter_rows())
    return worst_errors(pl.read_csv(path, schema_overrides={"id": pl.String}), labels, store, _WORST)


def _data(config: DictConfig) -> tuple[pl.DataFrame, FaceStore | None]:
    if isinstance(config.manifest, str):
        return read_manifest(config.manifest), None if config.store is None else FaceStore(config.store)
    named: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    return join(named["manifest"], named["store"], named["use"])


def _claim(out: Path, resume: str | None) -> None:
    """Refuse a folder that holds a run, unless that run goes on; one that has not ended an epoch is begun anew."""
    if not _is_first_process() or (resume and Path(resume).resolve().is_relative_to(out.resolve())):
        return
    last = out / "checkpoints" / "last.ckpt"
    if last.is_file():
        remedy = f"give another out=..., or go on from its last epoch with resume={last}"
    elif (out / "model" / "README.md").is_file():
        remedy = "give another out=..., or delete the folder"
    else:
        return
    raise ConfigError("the folder holds a run, which this one would overwrite", where=out, next_step=remedy)


def _is_first_process() -> bool:
    """Whether this process may write; Lightning reads it from the environment that it gives to the others."""
    return int(getattr(rank_zero_only, "rank", 0)) == 0


def _built(config: DictConfig, key: str, **arguments: Any) -> Any:
    """What a part of the configuration describes by ``_target_``."""
    try:
        return instantiate(OmegaConf.select(config, key), **arguments)
    except InstantiationException as error:
        if isinstance(error.__cause__, UnmaskError):
            raise error.__cause__ from error
        raise ConfigError(
            f"{key} cannot be built: {error.__cause__ or error}",
            next_step=f"change it; unmask train --cfg job shows what it is{_others(key)}",
        ) from error


def _others(key: str) -> str:
    options = [f"{key}={option}" for option in groups().get(key, [])]
    return f"; there are also {', '.join(options)}" if options else ""


def _detector(config: DictConfig) -> Detector:
    arguments: dict[str, Any] = OmegaConf.to_container(config.detector.arguments, resolve=True)  # type: ignore[assignment]
    weights = config.detector.weights  # a path, or a call that gives one
    if isinstance(weights, DictConfig):
        weights = _built(config, "detector.weights")
    try:
        return build(config.detector.name, **arguments, **({"weights": weights} if weights else {}))
    except OSError as error:
        raise ConfigError(
            f"the detector's weights cannot be read ({error.strerror or error})",
            where=weights,
            next_step="give detector.weights=FILE, or null",
        ) from error
    except (TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"the detector {config.detector.name!r} cannot be built ({error})", next_step="check detector.arguments"
        ) from error


def _fit(
    config: DictConfig, detector: Detector, manifest: pl.DataFrame, store: FaceStore | None, out: Path
) -> tuple[lightning.Trainer, float | None]:
    """Train, and leave the detector with the weights of the best validation epoch; give that epoch's figure too."""
    # Lightning's own notes (no GPU, products to try) tell a user nothing; its warnings stay.
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    check_room(detector, out)
    form = form_of(detector)
    augment = _built(config, "augment") if form.pictures else {"footage": None, "view": None}
    data = PairDataModule(
        manifest,
        store,
        form,
        **augment,
        wants=detector.wants,
        seed=config.seed,
        **config.data,
    )
    check_methods(detector, data, made=BLENDINGS[config.data.blending] if config.data.blends else "")
    try:
        module = DetectorModule(detector, seed=config.seed, **config.optimizer)
    except ValueError as error:
        raise ConfigError(f"optimizer does not fit this detector: {error}", next_step="change that key") from error
    if config.resume:
        check_checkpoint(module, config.resume)
        _keep_metrics(out / "logs" / "metrics.csv")
    folder = out / "checkpoints"
    best = ModelCheckpoint(folder, filename="best", monitor=_CHOSEN_BY, mode="max", enable_version_counter=False)
    # With ``save_last``, Lightning would write this one only when the other is: a resumed run would lose epochs.
    last = ModelCheckpoint(folder, filename="last", enable_version_counter=False)
    callbacks: list[Callback] = [best, last, EarlyStopping(_CHOSEN_BY, mode="max", patience=config.stop.patience)]
    if config.checkpoints.every_steps:
        steps = config.checkpoints.every_steps
        callbacks.append(
            ModelCheckpoint(folder, filename="last", every_n_train_steps=steps, enable_version_counter=False)
        )
    told = overview(
        {"train": data.train, "validation": data.validation},
        detector,
        name=config.detector.arguments.get("backbone", config.detector.name),
        chosen_by=f"the highest {_CHOSEN_BY} of an epoch; ends after {config.stop.patience} without a better one",
        stored=store.settings.crop.size if store else None,
    )
    callbacks.append(Told(told, _CHOSEN_BY))
    if config.average is not None:
        callbacks.append(EMAWeightAveraging(decay=config.average, use_buffers=True))
    # Redirected, a bar would leave pieces of itself.
    bar = bool(config.trainer.enable_progress_bar) and sys.stdout.isatty()
    if bar:
        callbacks.append(RichProgressBar())
    for name in ("CACHE", "CONFIG", "DATA"):  # wandb would write to the home directory, offline as well
        os.environ.setdefault(f"WANDB_{name}_DIR", str(out / "wandb" / name.lower()))
    loggers = [_built(config, f"logger.{name}", save_dir=str(out)) for name in config.get("logger") or {}]
    trainer = _built(
        config, "trainer", callbacks=callbacks, logger=loggers, default_root_dir=str(out), enable_progress_bar=bar
    )
    with warnings.catch_warnings():
        # Loading in the training process is a choice of the configuration; Lightning would advise against it each run.
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        warnings.filterwarnings("ignore", ".*smaller than the logging interval.*")  # a small dataset is no mistake
        warnings.filterwarnings("ignore", ".*isinstance.*LeafSpec.*")
        warnings.filterwarnings("ignore", ".*all_gather is deprecated.*")
        warnings.filterwarnings("ignore", ".*exists and is not empty.*")  # so does the folder of a run that goes on
        try:
            trainer.fit(module, data, ckpt_path=config.resume, weights_only=True)
        except MisconfigurationException as error:
            raise ConfigError(
                f"Lightning cannot train so: {error}", where=out, next_step="change the keys of trainer"
            ) from error
    if best.best_model_path:  # none, if trainer.fast_dev_run or the like left checkpoints out
        state = torch.load(best.best_model_path, map_location="cpu", weights_only=True)["state_dict"]
        module.load_state_dict(state)
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()  # Lightning keeps it, and a sweep's next job would talk to the dead
    return trainer, None if best.best_model_score is None else float(best.best_model_score)


def _keep_metrics(path: Path) -> None:
    """Move the log of the epochs before a run was resumed to ``metrics.1.csv``, or the next free number.

    Lightning's logger would delete it.
    """
    if _is_first_process() and path.is_file():
        number = len(list(path.parent.glob("metrics.*.csv"))) + 1
        path.replace(path.with_suffix(f".{number}.csv"))


def _calibrated(
    config: DictConfig, detector: Detector, manifest: pl.DataFrame, store: FaceStore | None, notes: dict[str, object]
) -> Model:
    """The detector with its probabilities fitted to the validation split's files."""
    arguments: dict[str, Any] = OmegaConf.to_container(config.detector.arguments, resolve=True)  # type: ignore[assignment]
    arguments.pop("pretrained", None)
    settings = None if store is None else store.settings
    spec = ModelSpec(config.detector.name, arguments, settings, config.aggregation, data=notes)
    known = manifest.filter((pl.col("split") == "validation") & pl.col("label").is_not_null())
    found = predict(Model(detector, spec), known, store).files.join(known.select("id", "label"), on="id")
    found = found.drop_nulls("score")
    probabilities = found["score"].to_numpy().clip(1e-12, 1 - 1e-12)
    calibration = fit_calibration(np.log(probabilities / (1 - probabilities)), found["label"].to_numpy())
    return Model(detector, ModelSpec(spec.detector, arguments, spec.store, spec.aggregation, calibration, notes))


def _test(
    out: Path, manifest: pl.DataFrame, store: FaceStore | None, answers: Path, remarks: tuple[str, ...]
) -> dict[str, Scorecard]:
    """Predict and score the test split, and of several manifests each one's; test set -> scorecard."""
    part = manifest.filter((pl.col("split") == "test") & pl.col("label").is_not_null())
    if not part.height:
        return {}
    found: Predictions = predict(load_model(out / "model"), part, store)
    write_predictions(found.files, out / "predictions.csv")
    cards = {"all": replace(score(out / "predictions.csv", answers, split="test"), remarks=remarks)}
    write_scorecard(cards["all"], out, name=out.name)
    names = part["manifest"].unique().sort().to_list() if out / "manifest.parquet" == answers else []
    for name in names:
        own, folder = part.filter(pl.col("manifest") == name), out / "tests" / name
        folder.mkdir(parents=True, exist_ok=True)
        write_predictions(found.files.filter(pl.col("id").is_in(own["id"].implode())), folder / "predictions.csv")
        cards[name] = replace(score(folder / "predictions.csv", own.drop("manifest")), remarks=remarks)
        write_scorecard(cards[name], folder, name=f"{out.name} on {name}")
    return cards
