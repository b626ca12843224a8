"""Manifest and face store become the batches of a training run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset

from unmask.faces.store import FaceStore
from unmask.loading.blending import Forger
from unmask.loading.crops import PairedExamples, PlainExamples, Transform, collate
from unmask.loading.epochs import EpochLoader
from unmask.loading.examples import Examples, Form, examples_of
from unmask.loading.pairs import CropFile, PairPlan
from unmask.tables.errors import ConfigError


@dataclass(frozen=True)
class Split:
    """The examples of one split.

    Attributes:
        examples: as a detector takes them.
        labels: (N,) int, 1 fake, 0 real.
        files: the manifest's rows of the split.
    """

    examples: Examples
    labels: np.ndarray
    files: pl.DataFrame

    def crop_files(self, label: int, balance: Sequence[str] = ()) -> list[CropFile]:
        """The files of one class that have examples, in the order of their first.

        Args:
            label: 1 fake, 0 real.
            balance: columns of the manifest, coarsest first; one that it lacks divides nothing.
        """
        places: dict[str, list[int]] = {}
        for place in np.flatnonzero(self.labels == label):
            places.setdefault(self.examples.ids[place], []).append(int(place))
        stated = {str(row["id"]): row for row in self.files.iter_rows(named=True)}
        found = []
        for name, own in places.items():
            row = stated[name]
            source = tuple(_cell(row, column) for column in ("dataset", "compression", "source_id"))
            found.append(
                CropFile(
                    np.array(own),
                    self.examples.frames[own],
                    tuple(_cell(row, column) for column in balance),
                    source if row.get("source_id") else None,
                    _cell(row, "method") if label else "",
                )
            )
        return found


def _cell(row: dict[str, object], column: str) -> str:
    value = row.get(column)
    return "" if value is None else str(value)


def split_of(manifest: pl.DataFrame, store: FaceStore | None, split: str, form: Form, *, fakes: bool = True) -> Split:
    """The examples of one split of a manifest, with their labels.

    Args:
        manifest: as ``read_manifest`` gives it.
        store: its faces; None where the detector takes sound alone.
        split: "train", "validation" or "test".
        form: the detector's.
        fakes: whether it must have any; a run that forges all of its own needs none to train on.

    Raises:
        ConfigError: the split lacks one class, or has no examples: nothing could be learnt or chosen on it.
    """
    part = manifest.filter((pl.col("split") == split) & pl.col("label").is_not_null())
    examples = examples_of(part, form, store)
    labels = dict(part.select("id", "label").iter_rows())
    found = Split(examples, np.array([labels[name] for name in examples.ids], dtype=int), part)
    what = {"images": "crop of a {} face", "clips": f"clip of {form.frames} crops of a {{}} face", None: "{} sound"}
    for label, name in ((0, "real"), (1, "fake")):
        if not (found.labels == label).any() and (fakes or label == 0):
            reasons = ", ".join(f"{count} x {reason}" for reason, count in Counter(examples.missing.values()).items())
            raise ConfigError(
                f"the {split} split has no {what[form.pictures].format(name)}" + (f" ({reasons})" if reasons else ""),
                where=store.folder if store else None,
                next_step="check the manifest's splits, and that its files are there"
                if store is None
                else "check the manifest's splits, and that unmask prepare was run on this manifest"
                + (f", with --run of at least {form.frames}" if form.pictures == "clips" else ""),
            )
    return found


class PairDataModule(LightningDataModule):
    """Balanced training batches with augmentation, and plain validation batches, as dicts of tensors.

    Args:
        manifest: as ``read_manifest`` gives it.
        store: its faces; None where the detector takes sound alone.
        form: the detector's.
        footage: see ``PairedExamples``.
        view: see ``PairedExamples``.
        wants: what else the detector's losses use; see ``PairedExamples``.
        seed: of all chance.
        pairs_per_batch: a process's batch has twice as many examples, half of them real.
        blends: share of the fakes in training that are made on the spot out of real ones, 0 to 1; of sound alone, none.
        blending: how they are made, a key of ``loading.blending.BLENDINGS``.
        repeats: how many examples of each real file an epoch shows.
        balance: columns of the manifest whose values count alike in each class, coarsest first, such as dataset and
            method; files of the same values count alike.
        twins: see ``PairPlan``.
        workers: processes that load; 0 loads in the training process.

    Attributes:
        train: the examples to train on.
        validation: the examples to validate on.
        methods: the manipulations of stored fakes, as the batches number them from 1.

    Raises:
        ConfigError: see ``split_of``.
    """

    def __init__(
        self,
        manifest: pl.DataFrame,
        store: FaceStore | None,
        form: Form,
        footage: Transform | None,
        view: Transform | None,
        *,
        wants: Sequence[str] = (),
        seed: int = 0,
        pairs_per_batch: int = 16,
        blends: float = 0.5,
        blending: str = "self",
        repeats: int = 1,
        balance: Sequence[str] = ("method",),
        twins: bool = False,
        workers: int = 0,
    ) -> None:
        super().__init__()
        blends = blends if form.pictures else 0.0
        self.store, self.form = store, form
        self.pairs_per_batch, self.workers = pairs_per_batch, workers
        self._loader: EpochLoader | None = None
        self._place: dict[str, int] = {}
        self.train = split_of(manifest, store, "train", form, fakes=blends < 1)
        self.validation = split_of(manifest, store, "validation", form)
        fakes = self.train.crop_files(1, balance)
        self.methods = sorted({fake.method for fake in fakes})
        forger = self._forger(blending) if blends else None
        self.pairs = PairedExamples(
            self.train.examples, form, store, footage, view, forger=forger, wants=wants, methods=self.methods
        )
        self.plan = PairPlan(
            self.train.crop_files(0, balance), fakes, seed=seed, repeats=repeats, blends=blends, twins=twins
        )

    def _forger(self, kind: str) -> Forger | None:
        rows = self.train.examples.rows
        if self.store is None or rows is None:
            return None
        reals = np.flatnonzero(self.train.labels == 0)
        whose = {
            str(row["id"]): _cell(row, "subject_id") or str(row["id"]) for row in self.train.files.iter_rows(named=True)
        }
        people = [whose[self.train.examples.ids[place]] for place in reals for _ in np.atleast_1d(rows[place])]
        return Forger.of(kind, self.store, rows[reals].reshape(-1), people)

    def train_dataloader(self) -> EpochLoader:
        """Batches of 2 P rows; see ``PairedExamples``."""
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
        """Batches of B rows; see ``PlainExamples``. Of several processes each has every so many-th example.

        All have as many, since they exchange what they have found: the first may come twice, with their place.
        """
        split = self.validation
        examples = PlainExamples(split.examples, self.form, self.store, split.labels.tolist())
        own: Dataset[dict[str, Tensor]] = examples
        if self.trainer and self.trainer.world_size > 1:
            processes, process = self.trainer.world_size, self.trainer.global_rank
            each = -(-len(examples) // processes)
            own = Subset(examples, [(process + processes * number) % len(examples) for number in range(each)])
        return DataLoader(own, batch_size=self.form.batch_size)
