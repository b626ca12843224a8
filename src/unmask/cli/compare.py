"""``unmask compare``: several systems on one answer key, ranked, with how sure the ranking is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("compare")(compare)


def compare(
    answers: Annotated[Path, typer.Argument(metavar="ANSWERS", help="The answer key, or a manifest.")],
    predictions: Annotated[
        list[Path],
        typer.Argument(metavar="PREDICTIONS", help="Two or more: id, score. CSV, gzipped CSV or Parquet."),
    ],
    metric: Annotated[str, typer.Option(help="What they are compared by: one that unmask metrics lists.")] = "roc_auc",
    out: Annotated[Path | None, typer.Option(help="Folder for comparison.json and comparison.html.")] = None,
    split: Annotated[str | None, typer.Option(help="Compare on this split only, where ANSWERS is a manifest.")] = None,
    usage: Annotated[str | None, typer.Option(help="Compare on these rows only: public or private.")] = None,
    replicates: Annotated[int, typer.Option(min=1, max=100_000, help="Bootstrap replicates.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    confidence: Annotated[float, typer.Option(help="Of the intervals; tiers are told apart at the rest to 1.")] = 0.95,
    prevalence: Annotated[float, typer.Option(help="Share of fakes where the detector is to work.")] = 0.001,
    budget: Annotated[float, typer.Option(help="Share of that stream that people can look at.")] = 0.01,
    threshold: Annotated[float, typer.Option(help="A score at or above it is called fake.")] = 0.5,
    clip: Annotated[float, typer.Option(help="Scores are clipped so far from 0 and 1 for logarithms.")] = 1e-15,
    aggregation: Annotated[
        str, typer.Option(help="What makes the frames of a video one score: mean, median, max, top, confident.")
    ] = "mean",
) -> None:
    """Compare systems: differences with p, how sure the ranks are, and who cannot be told apart.

    Systems are compared on the ids that all of them answered; how many are left out is told. Nothing is written where
    any file is refused.

    Example: unmask compare manifest.parquet ours.csv theirs.csv --split test --out compared/
    """
    from unmask.scoring import compare as compute
    from unmask.scoring.comparison.report import print_comparison, write_comparison
    from unmask.scoring.estimates import Protocol
    from unmask.scoring.metrics import Settings

    try:
        Protocol(Settings(clip, threshold, prevalence, budget), seed, replicates, confidence)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    found = compute(
        answers, predictions, metric=metric, split=split, usage=usage, replicates=replicates, seed=seed,
        confidence=confidence, prevalence=prevalence, budget=budget, threshold=threshold, clip=clip,
        aggregation=aggregation,
    )  # fmt: skip
    if out is not None:
        write_comparison(found, out)
    print_comparison(found, out)
