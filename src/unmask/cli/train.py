"""``unmask train``: hand Hydra's overrides to the training run."""

from __future__ import annotations

import typer

_HELP = """Train a detector; the arguments are Hydra overrides of configs/train.yaml.

Writes RUN/config.yaml, RUN/checkpoints/, RUN/logs/, RUN/model/ and, on the manifest's test split,
RUN/predictions.csv and RUN/scorecard.html. RUN is `out=...`.

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

    run_with_overrides(context.args, lambda config, out: typer.echo(f"model: {train(config, out)}"))
