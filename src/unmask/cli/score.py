"""``unmask score``: predictions and an answer key become a scorecard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("score")(score)


def score(
    predictions: Annotated[Path, typer.Argument(help="Predictions: id, score. CSV, gzipped CSV or Parquet.")],
    answers: Annotated[Path, typer.Argument(help="The answer key, or a manifest.")],
    out: Annotated[Path | None, typer.Option(help="Folder for scorecard.json and scorecard.html.")] = None,
    split: Annotated[str | None, typer.Option(help="Score this split only, where ANSWERS is a manifest.")] = None,
    replicates: Annotated[int, typer.Option(min=1, max=100_000, help="Bootstrap replicates of the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    prevalence: Annotated[float, typer.Option(help="Share of fakes where the detector is to work.")] = 0.001,
    budget: Annotated[float, typer.Option(help="Share of that stream that people can look at.")] = 0.01,
    threshold: Annotated[float, typer.Option(help="A score at or above it is called fake.")] = 0.5,
    clip: Annotated[float, typer.Option(help="Scores are clipped so far from 0 and 1 for logarithms.")] = 1e-15,
) -> None:
    """Score predictions against an answer key: metrics with intervals, slices, a page.

    Nothing is written where either file is refused.

    Example: `unmask score predictions.csv manifest.parquet --split test --out scores/`
    """
    from unmask.scoring import score as compute
    from unmask.scoring.metrics import Settings
    from unmask.scoring.report import print_scorecard, write_scorecard

    try:
        Settings(clip=clip, threshold=threshold, prevalence=prevalence, budget=budget)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    card = compute(
        predictions, answers, split=split, replicates=replicates, seed=seed, prevalence=prevalence, budget=budget,
        threshold=threshold, clip=clip,
    )  # fmt: skip
    if out is not None:
        write_scorecard(card, out, name=predictions.name)
    print_scorecard(card, out)
