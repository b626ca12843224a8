"""``unmask calibrate``: validation becomes a policy: probabilities, and thresholds that are frozen before a test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("calibrate")(calibrate)


def calibrate(
    predictions: Annotated[
        Path, typer.Argument(metavar="PREDICTIONS", help="Predictions of validation: id, score. CSV or Parquet.")
    ],
    answers: Annotated[Path, typer.Argument(metavar="ANSWERS", help="The answer key of validation, or a manifest.")],
    out: Annotated[Path, typer.Option(help="File for the policy.")] = Path("policy.json"),
    split: Annotated[str | None, typer.Option(help="Fit on this split, where ANSWERS is a manifest.")] = None,
    method: Annotated[str, typer.Option(help="temperature, platt or none.")] = "temperature",
    fpr: Annotated[
        list[float] | None,
        typer.Option(
            metavar="RATE",
            help="Share of the reals that a threshold may call fake; repeatable, and calls are made at the first.  "
            "[default: those of 0.1, 0.01 and 0.001 that there are enough reals for]",
            show_default=False,
        ),
    ] = None,
    prevalence: Annotated[float, typer.Option(help="Share of fakes where the detector is to work.")] = 0.001,
    aggregation: Annotated[
        str, typer.Option(help="What makes the frames of a video one score: mean, median, max, top, confident.")
    ] = "mean",
    clip: Annotated[float, typer.Option(help="Scores are clipped so far from 0 and 1 for logarithms.")] = 1e-15,
) -> None:
    """Fit a calibration and freeze thresholds, on validation only; unmask score --policy then tests them.

    A threshold is promised not to call more of the reals fake than its rate; a rate of 0.01 takes 1,000 reals. It is
    a raw score, as it stands in a predictions file.

    Example: unmask calibrate val-predictions.csv manifest.parquet --split validation --fpr 0.01 --out policy.json
    """
    from unmask.scoring.freezing import calibrate as freeze
    from unmask.scoring.freezing import check
    from unmask.scoring.policy import write_policy
    from unmask.scoring.policy_report import print_frozen

    try:
        check(method, fpr, prevalence, clip)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    frozen = freeze(
        predictions, answers, split=split, method=method, fprs=fpr, prevalence=prevalence, clip=clip,
        aggregation=aggregation,
    )  # fmt: skip
    write_policy(frozen.policy, out)
    print_frozen(frozen, out)
