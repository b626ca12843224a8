"""What would fail in the tenth hour of a run, found in its first seconds."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import polars as pl
import torch

from unmask.detectors.base import Detector
from unmask.faces.store import FaceStore
from unmask.loading.data_module import PairDataModule
from unmask.tables.errors import ConfigError
from unmask.tables.reading import shown
from unmask.training.module import DetectorModule


def check_prepared(manifest: pl.DataFrame, store: FaceStore | None) -> None:
    """Refuse a store that was not made of the whole manifest: what it lacks would be missing everywhere.

    Raises:
        ConfigError: with the number of files of each split that were never prepared.
    """
    if store is None:
        return
    known = manifest.filter(pl.col("label").is_not_null() & (pl.col("media") != "audio"))
    reasons = store.missing(known["id"].to_list())
    lost = known.filter(pl.col("id").is_in([name for name, reason in reasons.items() if reason == "not_prepared"]))
    if lost.height:
        counts = ", ".join(f"{count:,} of {split}" for split, count in lost["split"].value_counts(sort=True).rows())
        raise ConfigError(
            f"{lost.height:,} files were never prepared ({counts}), such as {shown(lost['id'][0])}",
            where=store.folder,
            next_step="run unmask prepare on this manifest into this store: it goes on where it was",
        )


def check_methods(detector: Detector, data: PairDataModule, *, made: str) -> None:
    """Refuse a detector that tells apart fewer manipulations than there are to train on, made in training or not."""
    known = getattr(detector, "methods", None)
    if known is None:
        return
    named = [
        *(method or "not stated" for method in data.methods),
        *([made] if made else []),
    ]
    if len(named) > known:
        raise ConfigError(
            f"the detector tells {known} manipulations apart, and training has {len(named)}: {', '.join(named)}",
            next_step=f"give detector.arguments.methods={len(named)}",
        )


def check_room(detector: Detector, out: Path) -> None:
    """Refuse a disk on which the checkpoints would not find room, hours before they are written."""
    sizes = [value.numel() * value.element_size() for value in detector.state_dict().values()]
    # Weights and AdamW's two moments, of the best and of the last epoch, and of one that is being written.
    needed = 3 * 3 * sum(sizes) + 10_000_000
    free = shutil.disk_usage(out).free
    if free < needed:
        raise ConfigError(
            f"the disk has room for {free / 1e6:,.0f} MB, and the run's checkpoints may take {needed / 1e6:,.0f}",
            where=out,
            next_step="make room, or give another out=...",
        )


def check_checkpoint(module: DetectorModule, path: str) -> None:
    """Say before Lightning does, and in one sentence, that a checkpoint is none, or another network's."""
    try:
        module.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["state_dict"])
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError, EOFError) as error:
        raise ConfigError(
            "the checkpoint does not fit this detector",
            where=path,
            next_step="give a checkpoints/last.ckpt of a run with the same detector and detector.arguments",
        ) from error
