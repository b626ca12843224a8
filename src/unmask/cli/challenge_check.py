"""``unmask challenge check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl

    from unmask.challenge.folder import Challenge
    from unmask.datasets.audit.findings import Finding

_Manifests = Annotated[
    list[Path] | None,
    typer.Option(metavar="MANIFEST", help="Manifest of training data that entrants get or may have; may be repeated."),
]


def check(
    folder: Annotated[Path, typer.Argument(help="The challenge's folder.", metavar="DIR")],
    submission: Annotated[
        Path | None, typer.Argument(metavar="SUBMISSION", help="A submission; leave it out to check the challenge.")
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option(metavar="MANIFEST", help="Manifest of the hidden files, by the key's ids or the original ones."),
    ] = None,
    training: _Manifests = None,
    json: Annotated[Path | None, typer.Option(help="Also write what --files found to this file.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that open files; one a processor.")] = None,
) -> None:
    """Check a submission without the labels; or, where none is given, the challenge itself.

    For a submission, DIR needs to hold no more than sample_submission.csv, so that entrants can check theirs.

    With --files, every hidden file is opened: what size, length, codec, name and the like alone would score, and files
    that cannot be used. With --training, too, what they share with training data: ids, sources, people, bytes, looks.

    Exit code 0: fine; warnings are told. 2: refused, with its faults, the first fifty of them.

    Example: unmask challenge check faces-2025/ my_predictions.csv

    Example: unmask challenge check faces-2025/ --files hidden.parquet --training train.parquet
    """
    from unmask.challenge.review import check_challenge, find_unready, find_warnings
    from unmask.challenge.submission import check_submission
    from unmask.tables.errors import ChallengeError

    if files is None and (training or json):
        raise ChallengeError("--training and --json are about the hidden files", next_step="give --files MANIFEST, too")
    if submission is not None:
        if files is not None:
            raise ChallengeError(
                "a submission is checked without the hidden files", next_step="leave out --files, or the submission"
            )
        typer.echo(f"{submission.name}: fine, {check_submission(folder, submission):,} ids answered")
        return
    made = check_challenge(folder)
    warnings = [*find_unready(made), *find_warnings(made)]
    warnings += _check_files(made, files, training or [], json, workers) if files is not None else []
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)
    counted = f"; warnings: {len(warnings):,}" if warnings else ""
    typer.echo(f"{made.definition.name}: fine, {made.key.height:,} ids{counted}")


def _check_files(
    made: Challenge, manifest: Path, training: list[Path], out: Path | None, workers: int | None
) -> list[str]:
    """Print what the hidden files tell by their surface and what was not looked at; give the warnings."""
    from unmask.challenge.leaks import hidden_files
    from unmask.challenge.trivial import judge
    from unmask.cli.progress import progress
    from unmask.datasets.audit import between
    from unmask.datasets.audit.manifests import names, read_all
    from unmask.datasets.audit.trivial import NUMBERS, ORDER, find_trivial, try_all
    from unmask.tables.errors import ChallengeError

    paths = list({path.resolve(): path for path in (manifest, *training)}.values())
    called = dict(zip((path.resolve() for path in paths), names(paths), strict=True))
    rows = read_all(paths)
    hidden = hidden_files(made, rows.filter(manifest=called[manifest.resolve()]), manifest)
    # A manifest of the hidden files may be of the training data, too: those rows of it that are not hidden.
    others = rows.join(hidden, on=["manifest", "id"], how="anti")
    others = others.filter(others["manifest"].is_in([called[path.resolve()] for path in training]))
    if training and others.is_empty():
        raise ChallengeError(
            "there is no training data: all rows of it are hidden files", where=training[0],
            next_step="give the manifest of the files that entrants get to train on",
        )  # fmt: skip
    both = between.together(hidden, others)
    with progress() as bar:
        task = bar.add_task("files", total=both.height)
        looked, notes = between.look(both, lambda: bar.advance(task), workers=workers)
    counted = looked.filter((looked["split"] == between.HIDDEN) & (looked["usage"] != "ignored"))
    judged = judge(try_all(counted, (*NUMBERS, ORDER)), seed=made.definition.seed)
    leaks, not_compared = between.find_leaks(looked)
    notes += not_compared
    findings = [*leaks, *find_trivial(judged)]
    _show(judged, notes)
    if out is not None:
        _write(out, made, paths, findings, judged, notes)
    told = [_told(finding) for finding in findings]
    if looked.filter(split=between.HIDDEN)["fault"].null_count() == 0:
        raise ChallengeError(
            "\n".join([f"none of the {hidden.height:,} hidden files can be used", *told]), where=manifest,
            next_step="mend the files, or give the manifest of those that teams will get",
        )  # fmt: skip
    return told


def _show(judged: pl.DataFrame, notes: list[str]) -> None:
    from rich.table import Table
    from rich.text import Text

    from unmask.challenge.trivial import LEVEL, TELLS
    from unmask.cli.progress import tables

    title = "What one trivial feature alone would score: an AUC of 0.5 tells nothing, above it larger values are fakes"
    interval = f"{1 - LEVEL:.0%} interval of all together"
    table = Table("media", "feature", "AUC", interval, "reals", "fakes", "verdict", title=title, title_justify="left")
    for row in judged.iter_rows(named=True):
        bounds = "–" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f}"
        cells = [row["media"], row["feature"], f"{row['auc']:.3f}", bounds, row["real"], row["fake"], row["verdict"]]
        table.add_row(*map(Text, cells), style="bold red" if row["verdict"] == TELLS else None)
    if judged.is_empty():
        notes = ["no trivial feature was judged: there are no usable files of both classes that differ in one", *notes]
    else:
        tables().print(table)
    for note in notes:
        typer.echo(f"note: {note}")


def _told(finding: Finding) -> str:
    more = finding.count - len(finding.where)
    places = [*finding.where, *([f"... and {more:,} more"] if more else [])]
    where = "\n         ".join(places)
    return f"{finding.what}\n  where: {where}\n  next:  {finding.next_step}"


def _write(
    path: Path, made: Challenge, manifests: list[Path], findings: list[Finding], judged: pl.DataFrame, notes: list[str]
) -> None:  # fmt: skip
    from dataclasses import asdict
    from json import dumps

    from unmask import __version__
    from unmask.tables.hashing import sha256
    from unmask.tables.writing import write_text

    content = {
        "format": 1,
        "version": __version__,
        "challenge": made.definition.name,
        "answers_sha256": made.definition.sha256,
        "manifests": {str(manifest): sha256(manifest) for manifest in manifests},
        "findings": [asdict(finding) for finding in findings],
        "trivial_features": judged.to_dicts(),
        "notes": notes,
    }
    write_text(dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)
