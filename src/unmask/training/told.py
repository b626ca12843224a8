"""What a run says of itself: what it trains on, then a line after each epoch."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from unmask.detectors.base import Batch, Detector
from unmask.loading.data_module import Split

#: A line names at most this many manipulations.
_MOST = 6
#: Columns whose cells are words; the others are numbers, which are flush right.
_WORDS = ("split", "manipulations")


def overview(
    splits: Mapping[str, Split], detector: Detector, *, name: str, chosen_by: str, stored: int | None = None
) -> str:
    """What a run is about to do, in a few lines.

    Args:
        splits: name -> its examples, such as the data module's train and validation.
        detector: as it will be trained.
        name: the detector's.
        chosen_by: what decides which weights are handed on, in words.
        stored: side of the stored crops in pixels; None where there are none.
    """
    rows = [_row(split, part) for split, part in splits.items()]
    parameters = [(value.numel(), value.requires_grad) for value in detector.parameters()]
    total, trainable = sum(count for count, _ in parameters), sum(count for count, learns in parameters if learns)
    return "\n".join(
        [
            *_columns(rows),
            *(line for split, part in splits.items() if (line := _without_examples(split, part))),
            f"detector: {name}, {total:,} parameters, {trainable:,} of them trainable",
            *(
                [f"crops of {stored} px are enlarged to {detector.input_size}"]
                if stored and stored < detector.input_size
                else []
            ),
            f"chosen by: {chosen_by}",
        ]
    )


def _row(name: str, split: Split) -> dict[str, str]:
    labels = split.files["label"]
    return {
        "split": name,
        "files": f"{split.files.height:,}",
        "real": f"{(labels == 0).sum():,}",
        "fake": f"{(labels == 1).sum():,}",
        "examples": f"{len(split.examples):,}",
        "of reals": f"{(split.labels == 0).sum():,}",
        "of fakes": f"{(split.labels == 1).sum():,}",
        "manipulations": _manipulations(split.files),
    }


def _manipulations(files: pl.DataFrame) -> str:
    """The manipulations of the fakes with the number of files of each, most first."""
    fakes = files.filter(pl.col("label") == 1)
    methods = fakes["method"].to_list() if "method" in fakes.columns else [None] * fakes.height
    counted = sorted(
        Counter(method or "not stated" for method in methods).items(), key=lambda each: (-each[1], each[0])
    )
    told = [f"{method} {count:,}" for method, count in counted[:_MOST]]
    return ", ".join(told + ([f"and {len(counted) - _MOST:,} more"] if counted[_MOST:] else []))


def _columns(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """A table in plain text."""
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]}
    lines = [{name: name for name in widths}, *rows]
    return [
        "  ".join(
            f"{line[name]:<{width}}" if name in _WORDS else f"{line[name]:>{width}}" for name, width in widths.items()
        ).rstrip()
        for line in lines
    ]


def _without_examples(name: str, split: Split) -> str:
    """How many files of a split cannot be shown to the detector, and why; empty where there are none."""
    missing = split.examples.missing
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in Counter(missing.values()).most_common())
    return f"{name}: {len(missing):,} of the files give no example ({reasons})" if missing else ""


class Told(Callback):
    """Prints the overview as training begins, and a line after each epoch; on each machine, the first process does.

    ``epoch 2 of 20: train_loss 0.412, val_loss 0.655, val_auc 0.713 (best 0.713), 118 examples/s, at most 4 min left``

    ``train_loss`` is the mean over the epoch's batches, of the first process. Examples are counted over all processes,
    while training alone; the time that is left also knows of validation, and not of early stopping.

    Args:
        text: printed first; see ``overview``.
        chosen_by: the logged figure whose best, the highest, is told.
        clock: seconds since some moment.
    """

    def __init__(self, text: str, chosen_by: str = "val_auc", clock: Callable[[], float] = time.monotonic) -> None:
        self._text, self._chosen_by, self._clock = text, chosen_by, clock
        self._best: float | None = None
        self._epochs = 0
        self._began = self._epoch_began = self._trained = 0.0
        self._examples = 0
        self._losses: list[Tensor] = []

    def state_dict(self) -> dict[str, Any]:
        """The best so far, for a run that goes on."""
        return {"best": self._best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self._best = state_dict["best"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the overview."""
        trainer.print(self._text, flush=True)
        # A run that goes on within an epoch does not begin that one.
        self._began = self._epoch_began = self._clock()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to count."""
        self._epoch_began = self._clock()
        self._examples = 0
        self._losses = []

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Count a batch; its loss stays where it is, since fetching it would make a GPU wait."""
        self._examples += len(batch["labels"])
        # Lightning has divided it among the batches that make one step.
        self._losses.append(outputs["loss"] * trainer.accumulate_grad_batches)
        self._trained = self._clock()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep the best: a checkpoint, which holds it, is written before the epoch ends."""
        figure = trainer.callback_metrics.get(self._chosen_by)
        if figure is not None and not trainer.sanity_checking:
            self._best = float(figure) if self._best is None else max(float(figure), self._best)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the epoch's line; Lightning has validated by now."""
        self._epochs += 1
        found = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("val_")}
        if self._losses:
            found = {"train_loss": float(torch.stack(self._losses).mean()), **found}
        best = {} if self._best is None else {self._chosen_by: f" (best {self._best:.3f})"}
        told = [f"{name} {value:.3f}{best.get(name, '')}" for name, value in found.items()]
        seconds = self._trained - self._epoch_began
        if seconds > 0:
            told.append(f"{self._examples * trainer.world_size / seconds:,.0f} examples/s")
        left = (trainer.max_epochs or 0) - trainer.current_epoch - 1
        if left > 0:
            told.append(f"at most {_duration((self._clock() - self._began) / self._epochs * left)} left")
        trainer.print(f"epoch {trainer.current_epoch + 1} of {trainer.max_epochs}: {', '.join(told)}", flush=True)


def _duration(seconds: float) -> str:
    """In the unit that a reader would choose."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
