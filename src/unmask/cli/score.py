"""``unmask score``: predictions and an answer key become a scorecard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

#: What the default of an option is that a policy settles.
_ELSE = "[default: the policy's, else"


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("score")(score)


def score(
    predictions: Annotated[
        Path, typer.Argument(metavar="PREDICTIONS", help="Predictions: id, score. CSV, gzipped CSV or Parquet.")
    ],
    answers: Annotated[Path, typer.Argument(metavar="ANSWERS", help="The answer key, or a manifest.")],
    out: Annotated[Path | None, typer.Option(help="Folder for scorecard.json and scorecard.html.")] = None,
    split: Annotated[str | None, typer.Option(help="Score this split only, where ANSWERS is a manifest.")] = None,
    replicates: Annotated[int, typer.Option(min=1, max=100_000, help="Bootstrap replicates of the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    prevalence: Annotated[
        float | None, typer.Option(help=f"Share of fakes where the detector is to work.  {_ELSE} 0.001]")
    ] = None,
    budget: Annotated[float, typer.Option(help="Share of that stream that people can look at.")] = 0.01,
    threshold: Annotated[
        float | None, typer.Option(help=f"A score at or above it is called fake.  {_ELSE} 0.5]")
    ] = None,
    clip: Annotated[
        float | None, typer.Option(help=f"Scores are clipped so far from 0 and 1 for logarithms.  {_ELSE} 1e-15]")
    ] = None,
    aggregation: Annotated[
        str | None,
        typer.Option(
            help=f"What makes the frames of a video one score: mean, median, max, top, confident.  {_ELSE} mean]"
        ),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="policy.json of unmask calibrate: calibrates the scores, tests its thresholds.")
    ] = None,
    groups: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Compare the groups of this column of ANSWERS; repeatable.  [default: gender, race and the like]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Score predictions against an answer key: metrics with intervals, slices, fairness, a page.

    With --policy, the scores are calibrated first, and each frozen threshold shows how far it lands from its promise.

    Nothing is written where either file is refused.

    Example: unmask score predictions.csv manifest.parquet --split test --out scores/
    """
    from unmask.scoring import score as compute
    from unmask.scoring.metrics import Settings
    from unmask.scoring.report import print_scorecard, write_scorecard

    settings = {"clip": clip, "threshold": threshold, "prevalence": prevalence, "budget": budget}
    given: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    try:
        Settings(**given)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    card = compute(
        predictions, answers, split=split, replicates=replicates, seed=seed, policy=policy, groups=groups or None,
        aggregation=aggregation,
        **given,
    )  # fmt: skip
    if out is not None:
        write_scorecard(card, out, name=predictions.name)
    print_scorecard(card, out)
