"""``unmask train``: hand Hydra's overrides to the training run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from omegaconf import DictConfig

_HELP = """Train a detector; the arguments are Hydra overrides of configs/train.yaml.

Writes config.yaml, model/ and, on the manifest's test split, predictions.csv and scorecard.html into the folder
`out=...`; unless `fit=head`, also checkpoints/ and logs/.

Examples:

    unmask train manifest=manifest.parquet store=faces out=run

    unmask train experiment=demo manifest=manifest.parquet store=faces seed=1

    unmask train -m manifest=manifest.parquet store=faces optimizer.learning_rate=1e-4,3e-4

    unmask train --cfg job        (show what would run)
"""


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    settings = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command("train", help=_HELP, context_settings=settings)(run)


def run(context: typer.Context) -> None:
    """Train a detector."""
    from unmask.training.compose import run_with_overrides
    from unmask.training.run import train

    def job(config: DictConfig, out: Path) -> None:
        typer.echo(f"model: {train(config, out)}")
        scorecard = out / "scorecard.json"
        if scorecard.is_file():
            auc = json.loads(scorecard.read_text(encoding="utf-8"))["metrics"]["roc_auc"]
            told = auc.get("reason") or f"{auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})"
            typer.echo(f"test AUC: {told}, see {out / 'scorecard.html'}")

    run_with_overrides(context.args, job)
