"""Manifest and face store become the batches of a training run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset

from unmask.faces.store import FaceStore, rows_of
from unmask.loading.crops import EvaluationCrops, LabelledCrops, PairedCrops, Transform, collate
from unmask.loading.epochs import EpochLoader
from unmask.loading.pairs import CropFile, PairPlan
from unmask.tables.errors import ConfigError


@dataclass(frozen=True)
class Split:
    """The crops of one split.

    Attributes:
        rows: (N,) rows in the store.
        ids: (N,) whose crop each is.
        labels: (N,) int, 1 fake, 0 real.
        frames: (N,) int, which frame of the file each is.
        files: the manifest's rows of the split.
    """

    rows: np.ndarray
    ids: list[str]
    labels: np.ndarray
    frames: np.ndarray
    files: pl.DataFrame

    def crop_files(self, label: int, balance: Sequence[str] = ()) -> list[CropFile]:
        """The files of one class that have crops, in the order of their first crop.

        Args:
            label: 1 fake, 0 real.
            balance: columns of the manifest, coarsest first; one that it lacks divides nothing.
        """
        places: dict[str, list[int]] = {}
        for place in np.flatnonzero(self.labels == label):
            places.setdefault(self.ids[place], []).append(int(place))
        stated = {str(row["id"]): row for row in self.files.iter_rows(named=True)}
        found = []
        for name, own in places.items():
            row = stated[name]
            source = tuple(_cell(row, column) for column in ("dataset", "compression", "source_id"))
            found.append(
                CropFile(
                    self.rows[own],
                    self.frames[own],
                    tuple(_cell(row, column) for column in balance),
                    source if row.get("source_id") else None,
                    _cell(row, "method") if label else "",
                )
            )
        return found


def _cell(row: dict[str, object], column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value)


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
    named = list(rows_of(store, rows))
    labels = dict(part.select("id", "label").iter_rows())
    found = Split(
        rows,
        [name for name, _ in named],
        np.array([labels[name] for name, _ in named], dtype=int),
        np.array([frame for _, frame in named], dtype=int),
        part,
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
    """Balanced training batches with augmentation, and plain validation batches, as dicts of tensors.

    Args:
        manifest: as ``read_manifest`` gives it.
        store: its faces.
        footage: see ``PairedCrops``.
        view: see ``PairedCrops``; ends in ``input_size``.
        input_size: the detector's.
        wants: what else the detector's losses use; see ``PairedCrops``.
        seed: of all chance.
        pairs_per_batch: a process's batch has twice as many crops, half of them real.
        self_blends: share of the fakes in training that are self-blended on the spot, 0 to 1.
        repeats: how many crops of each real file an epoch shows.
        balance: columns of the manifest whose values count alike in each class, coarsest first, such as dataset and
            method; files of the same values count alike.
        twins: see ``PairPlan``.
        workers: processes that load; 0 loads in the training process.

    Attributes:
        train: the crops to train on.
        validation: the crops to validate on.
        methods: the manipulations of stored fakes, as the batches number them from 1.

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
        wants: Sequence[str] = (),
        seed: int = 0,
        pairs_per_batch: int = 16,
        self_blends: float = 0.5,
        repeats: int = 1,
        balance: Sequence[str] = ("method",),
        twins: bool = False,
        workers: int = 0,
    ) -> None:
        super().__init__()
        self.store, self.input_size = store, input_size
        self.pairs_per_batch, self.workers = pairs_per_batch, workers
        self._loader: EpochLoader | None = None
        self._place: dict[str, int] = {}
        self.train = crops_of(manifest, store, "train", fakes=self_blends < 1)
        self.validation = crops_of(manifest, store, "validation")
        fakes = self.train.crop_files(1, balance)
        self.methods = sorted({fake.method for fake in fakes})
        self.pairs = PairedCrops(store, footage, view, wants=wants, methods=self.methods)
        self.plan = PairPlan(
            self.train.crop_files(0, balance), fakes, seed=seed, repeats=repeats, blends=self_blends, twins=twins
        )

    def train_dataloader(self) -> EpochLoader:
        """Batches of 2 P rows; see ``PairedCrops``."""
        self._loader = EpochLoader(
            self.pairs,
            self.plan,
            collate,
            pairs_per_batch=self.pairs_per_batch,
            process=self.trainer.global_rank if self.trainer else 0,
            processes=self.trainer.world_size if self.trainer else 1,
            workers=self.workers,
        )
        if self._place:
            self._loader.load_state_dict(self._place)
        return self._loader

    def state_dict(self) -> dict[str, int]:
        """Where training is, for a checkpoint."""
        return self._loader.state_dict() if self._loader else {}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from there.

        Lightning would tell the loader itself, but forgets to where the number of steps was asked for before.
        """
        self._place = state

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Batches of B rows; see ``LabelledCrops``. Of several processes each has every so many-th crop.

        All have as many, since they exchange what they have found: the first crops may come twice, with their place.
        """
        split = self.validation
        crops = LabelledCrops(EvaluationCrops(self.store, split.rows, self.input_size), split.labels.tolist())
        own: Dataset[dict[str, Tensor]] = crops
        if self.trainer and self.trainer.world_size > 1:
            processes, process = self.trainer.world_size, self.trainer.global_rank
            each = -(-len(crops) // processes)
            own = Subset(crops, [(process + processes * number) % len(crops) for number in range(each)])
        return DataLoader(own, batch_size=64)
