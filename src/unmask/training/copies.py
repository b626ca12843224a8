"""What wandb is given at the end of a run: copies of files that the run has written, and pictures of its worst errors.

They are written into wandb's own folder of the run; wandb itself sends them, unless it is offline.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml
from pytorch_lightning.loggers import Logger, WandbLogger

from unmask.faces.store import FaceStore


@dataclass(frozen=True)
class WorstError:
    """A file that was scored as the other class would be.

    Attributes:
        id: whose.
        label: 1 fake, 0 real.
        score: the probability of fake that it was given.
        crop: (S, S, 3) uint8 RGB, the middle one of its faces.
    """

    id: str
    label: int
    score: float
    crop: np.ndarray


def worst_errors(
    predictions: pl.DataFrame, labels: Mapping[str, int], store: FaceStore | None, count: int
) -> list[WorstError]:
    """The reals with the highest and the fakes with the lowest scores, of those that have a score.

    Args:
        predictions: columns id and score.
        labels: id -> 1 fake, 0 real; a file without one is left out.
        store: their faces; without one, there is nothing to show.
        count: files of each class, or as many as there are.

    Returns:
        The reals, then the fakes, each with the worst first; of equal ones, in the order of their ids.
    """
    if store is None:
        return []
    known = predictions.select("id", "score").drop_nulls().filter(pl.col("id").is_in(list(labels)))
    known = known.with_columns(label=pl.col("id").replace_strict(labels, return_dtype=pl.Int64, default=None))
    found = []
    for label in (0, 1):
        part = known.filter(pl.col("label") == label).sort(["score", "id"], descending=[label == 0, False])
        for name, score in part.select("id", "score").head(count).iter_rows():
            rows = store.crops([name])
            if len(rows):
                found.append(WorstError(name, label, float(score), store.image(int(rows[len(rows) // 2]))))
    return found


def send_copies(loggers: Sequence[Logger], out: Path, worst: Sequence[WorstError]) -> None:
    """Give wandb's run, if there is one, what a run has written.

    The configuration also becomes wandb's own, by which it compares runs.

    Args:
        loggers: of the run; those of other kinds get nothing.
        out: the run's folder. A file that is not there, such as a scorecard where nothing was tested, is left out.
        worst: see ``worst_errors``.
    """
    for logger in loggers:
        if not isinstance(logger, WandbLogger):
            continue
        run = logger.experiment
        if not getattr(run, "disabled", True):  # it is for processes that do not log, and for mode=disabled
            _send(run, out, worst)


def _send(run: Any, out: Path, worst: Sequence[WorstError]) -> None:
    import wandb

    for name in ("config.yaml", "scorecard.json", "scorecard.html"):
        if (out / name).is_file():
            # wandb would make a link to it, and has a config.yaml of its own.
            copy = Path(run.dir) / "unmask" / name
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(out / name, copy)
            run.save(str(copy), base_path=run.dir, policy="now", glob=False)
    if (out / "config.yaml").is_file():
        run.config.update(yaml.safe_load((out / "config.yaml").read_text(encoding="utf-8")), allow_val_change=True)
    shown: dict[str, Any] = {}
    if (out / "scorecard.html").is_file():
        shown["scorecard"] = wandb.Html(str(out / "scorecard.html"), inject=False)
    if (out / "predictions.csv").is_file():
        table = pl.read_csv(out / "predictions.csv", infer_schema_length=None)
        shown["predictions"] = wandb.Table(columns=[*table.columns], data=[list(row) for row in table.iter_rows()])
    for label, key in ((0, "worst_reals"), (1, "worst_fakes")):
        pictures = [
            wandb.Image(each.crop, caption=f"{each.score:.3f} {each.id}") for each in worst if each.label == label
        ]
        if pictures:
            shown[key] = pictures
    if shown:
        run.log(shown)


def end_wandb(*, failed: bool = False) -> None:
    """End wandb's run, if one is open: the next job of a sweep would write into it.

    Args:
        failed: whether an error ended it.
    """
    wandb = sys.modules.get("wandb")
    if wandb is not None and wandb.run is not None:
        wandb.finish(exit_code=int(failed))
