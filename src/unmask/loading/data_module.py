"""Manifest and face store become the batches of a training run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from unmask.faces.store import FaceStore
from unmask.loading.crops import EvaluationCrops, LabelledCrops, PairedCrops, Transform
from unmask.tables.errors import ConfigError


@dataclass(frozen=True)
class Split:
    """The crops of one split.

    Attributes:
        rows: (N,) rows in the store.
        ids: (N,) whose crop each is.
        labels: (N,) int, 1 fake, 0 real.
        methods: (N,) the manipulation; "" where unknown or real.
    """

    rows: np.ndarray
    ids: list[str]
    labels: np.ndarray
    methods: list[str]

    def files(self, label: int, method: str) -> list[np.ndarray]:
        """The rows of each file of one class and method, an array a file."""
        found: dict[str, list[int]] = {}
        for row, name, own, made in zip(self.rows, self.ids, self.labels, self.methods, strict=True):
            if own == label and made == method:
                found.setdefault(name, []).append(int(row))
        return [np.array(rows) for rows in found.values()]


def crops_of(manifest: pl.DataFrame, store: FaceStore, split: str, *, fakes: bool = True) -> Split:
    """The stored crops of one split of a manifest, with their labels.

    Args:
        manifest: as ``read_manifest`` gives it.
        store: its faces.
        split: "train", "validation" or "test".
        fakes: whether it must have any; a run that forges all of its own needs none to train on.

    Raises:
        ConfigError: the split lacks one class, or has no crops: nothing could be learnt or chosen on it.
    """
    part = manifest.filter((pl.col("split") == split) & pl.col("label").is_not_null())
    rows = store.crops(part["id"].to_list())
    ids = [str(name) for name in store.table["id"].take(rows).to_pylist()]
    labels = dict(part.select("id", "label").iter_rows())
    methods = dict(part.select("id", "method").iter_rows()) if "method" in part.columns else {}
    found = Split(
        rows, ids, np.array([labels[name] for name in ids], dtype=int), [methods.get(name) or "" for name in ids]
    )
    for label, name in ((0, "real"), (1, "fake")):
        if not (found.labels == label).any() and (fakes or label == 0):
            raise ConfigError(
                f"the {split} split has no crop of a {name} face",
                where=store.folder,
                next_step="check the manifest's splits, and that unmask prepare was run on this manifest",
            )
    return found


class FaceDataModule(LightningDataModule):
    """Balanced training batches with augmentation, and plain validation batches.

    Args:
        manifest: as ``read_manifest`` gives it.
        store: its faces.
        footage: see ``PairedCrops``.
        view: see ``PairedCrops``; ends in ``input_size``.
        input_size: the detector's.
        pairs_per_batch: a batch has twice as many crops, half of them real.
        self_blends: share of the fakes in training that are self-blended on the spot, 0 to 1.
        repeats: how often one epoch shows each real file.
        workers: processes that load; 0 loads in the training process.

    Raises:
        ConfigError: see ``crops_of``.
    """

    def __init__(
        self,
        manifest: pl.DataFrame,
        store: FaceStore,
        footage: Transform | None,
        view: Transform,
        *,
        input_size: int,
        pairs_per_batch: int = 16,
        self_blends: float = 0.5,
        repeats: int = 1,
        workers: int = 0,
    ) -> None:
        super().__init__()
        self.store, self.footage, self.view, self.input_size = store, footage, view, input_size
        self.pairs_per_batch, self.workers = pairs_per_batch, workers
        self.self_blends, self.repeats = self_blends, repeats
        self.train = crops_of(manifest, store, "train", fakes=self_blends < 1)
        self.validation = crops_of(manifest, store, "validation")

    def train_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        """Batches of ((2 P, 3, S, S), (2 P,))."""
        fake = {method: self.train.files(1, method) for method in sorted(set(self.train.methods))}
        fake = {method: files for method, files in fake.items() if files}
        real = [rows for method in sorted(set(self.train.methods)) for rows in self.train.files(0, method)]
        processes = self.trainer.world_size if self.trainer else 1  # each gets its share of the pairs
        pairs = PairedCrops(
            self.store, real, fake, self.footage, self.view, self_blends=self.self_blends, repeats=self.repeats
        )
        return DataLoader(
            pairs,
            batch_size=self.pairs_per_batch,
            shuffle=True,
            drop_last=len(pairs) >= self.pairs_per_batch * processes,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            collate_fn=_flatten,
        )

    def val_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        """Batches of ((B, 3, S, S), (B,))."""
        split = self.validation
        crops = EvaluationCrops(self.store, split.rows, self.input_size)
        return DataLoader(LabelledCrops(crops, split.labels.tolist()), batch_size=64)


def _flatten(pairs: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    return torch.cat([images for images, _ in pairs]), torch.cat([labels for _, labels in pairs])
