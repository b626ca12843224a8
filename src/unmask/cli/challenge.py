"""``unmask challenge``: make a challenge, check it and its submissions, score, rank and export them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unmask.cli.challenge_check import check

Folder = Annotated[Path, typer.Argument(help="The challenge's folder.", metavar="DIR")]
Usage = Annotated[str, typer.Option(help="Which part counts: public, private or all.")]

challenge = typer.Typer(
    help="Make a challenge; check, score and rank its submissions; take it to another platform.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


challenge.command()(check)


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.add_typer(challenge, name="challenge")


@challenge.command()
def init(
    folder: Folder,
    manifest: Annotated[Path, typer.Option(help="A manifest, or an answer key.")],
    split: Annotated[str, typer.Option(help="Which split of the manifest; empty for all rows.")] = "test",
    public: Annotated[float, typer.Option(help="Share of the rows that is public.")] = 0.4,
    ignored: Annotated[
        float, typer.Option(help="Share of the rows that must be answered and count for nothing.")
    ] = 0.0,
    name: Annotated[str | None, typer.Option(help="The challenge's name.  [default: the folder's]")] = None,
    metric: Annotated[str, typer.Option(help="What teams are ranked by.")] = "roc_auc",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the split and of the intervals.")] = 0,
    new_ids: Annotated[bool, typer.Option("--new-ids", help="Give each file an id that tells nothing.")] = False,
    audit: Annotated[
        Path | None, typer.Option(help="audit.json that must have no finding, of this manifest and any others.")
    ] = None,
) -> None:
    """Make a challenge: its definition, answer key with public and private part, sample submission, example pages.

    Warns of ids that tell the label, such as `fake/x.mp4`; with `--new-ids`, each file gets a new one, and names.csv
    says which is which. With `--audit`, refuses data that `unmask audit MANIFEST TRAINING_DATA --json audit.json` found
    anything in: files that cannot be read, splits that leak, surfaces that tell the label.

    Example: unmask challenge init faces-2025/ --manifest manifest.parquet --public 0.4
    """
    from unmask.challenge.create import create
    from unmask.challenge.review import find_warnings
    from unmask.tables.reading import read_table

    made = create(
        folder, manifest, split=split or None, public=public, ignored=ignored, name=name, metric=metric, seed=seed,
        new_ids=new_ids, audit=audit,
    )  # fmt: skip
    parts = made.key["usage"].value_counts(sort=True).rows()
    told = ", ".join(f"{count:,} {usage}" for usage, count in parts)
    typer.echo(f"made {made.folder / 'challenge.yaml'}: {told} rows; submissions go into {made.folder / 'submissions'}")
    rows = len(read_table(manifest).lines) if split else made.key.height
    if rows > made.key.height:
        typer.echo(f"taken: {made.key.height:,} of the {rows:,} rows, those of the split {split}; all with --split ''")
    if new_ids:
        typer.echo(f"made {made.folder / 'names.csv'}: the original id of each file, for you alone")
    for warning in find_warnings(made):
        typer.echo(f"warning: {warning}", err=True)


@challenge.command()
def score(
    folder: Folder,
    submission: Annotated[Path, typer.Argument(metavar="SUBMISSION", help="A submission.")],
    usage: Usage = "private",
    out: Annotated[Path | None, typer.Option(help="Folder for scorecard.json and scorecard.html.")] = None,
) -> None:
    """Score one submission, with the numbers that it is ranked by.

    Example: unmask challenge score faces-2025/ my_predictions.csv --usage public
    """
    from unmask.challenge.submission import score_submission
    from unmask.scoring.report import print_scorecard, write_scorecard

    card = score_submission(folder, submission, usage=usage)
    if out is not None:
        write_scorecard(card, out, name=submission.name)
    print_scorecard(card, out)


@challenge.command()
def rank(folder: Folder, usage: Usage = "private") -> None:
    """Score and rank every file in DIR/submissions; write standings.json and standings.html.

    With `--usage public`, standings-public.json and standings-public.html.

    Example: unmask challenge rank faces-2025/
    """
    from unmask.challenge.ranking import rank as compute
    from unmask.challenge.report import print_standings

    print_standings(compute(folder, usage=usage), folder)


@challenge.command()
def export(
    folder: Folder,
    to: Annotated[str, typer.Option(help="Which platform: kaggle, codabench, evalai, challenger or csv.")],
    out: Annotated[
        Path, typer.Option(help="Where to: a new folder for kaggle, a .zip for codabench and evalai, else a .csv.")
    ],
    usage: Annotated[
        str | None, typer.Option(help="Of challenger and csv: public, private or all.  [default: private]")
    ] = None,
) -> None:
    """Write the challenge, or its results, for another platform.

    kaggle, codabench and evalai: everything that the platform asks for, the labels and a program that scores without
    unmask included. challenger: what every team lost on every file, for the R package challengeR. csv: the standings,
    ranked anew.

    Example: unmask challenge export faces-2025/ --to codabench --out faces-2025.zip
    """
    from unmask.challenge.exporting.exporters import export as write

    for note in write(folder, to, out, usage=usage):
        typer.echo(f"note: {note}", err=True)
    typer.echo(f"wrote {out}")
