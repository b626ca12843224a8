"""``unmask audit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from unmask.datasets.audit import Audit


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command()(audit)


def audit(
    manifests: Annotated[
        list[Path], typer.Argument(metavar="MANIFEST", help="Manifests; several are audited as one body of data.")
    ],
    root: Annotated[Path | None, typer.Option(help="The dataset's folder, if it has moved since the index.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Also write a page with pictures, which opens without a network, to this file.")
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(help="Also write the findings and the numbers to this file; unmask train audit=FILE demands it."),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one a processor by default.")] = None,
) -> None:
    """Look for what makes a number untrue.

    That is: unusable files, splits that leak, surfaces that give the label away.

    Opens every file. Leaves with 0 if the data is clean and with 1 if there are findings.

    Example: unmask audit photos.parquet --out audit.html --json audit.json
    """
    from json import dumps

    from unmask.cli.progress import progress
    from unmask.datasets.audit import audit as run
    from unmask.datasets.audit.page import render
    from unmask.tables.writing import write_text

    with progress() as bar:
        task = bar.add_task("files", total=None)
        outcome = run(
            manifests,
            root=root,
            workers=workers,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    _show(outcome)
    if json:
        write_text(dumps(outcome.as_dict(), indent=2, ensure_ascii=False) + "\n", json)
    if out:
        write_text(render(outcome, workers=workers), out)
        typer.echo(f"wrote {out}")
    raise typer.Exit(code=1 if outcome.findings else 0)


def _show(outcome: Audit) -> None:
    from rich.table import Table

    from unmask.cli.progress import tables

    console = tables()
    table = Table("split", "real", "fake", "unlabelled", title="files")
    for row in outcome.balance.iter_rows(named=True):
        table.add_row(row["split"], *(f"{row[column]:,}" for column in ("real", "fake", "unlabelled")))
    console.print(table)
    if outcome.trivial.height:
        table = Table("media", "feature", "AUC", "interval", "verdict", title="one trivial feature against the label")
        for row in outcome.trivial.iter_rows(named=True):
            interval = f"{row['low']:.3f} to {row['high']:.3f}"
            table.add_row(
                row["media"], row["feature"], f"{row['auc']:.3f}", interval, "finding" if row["finding"] else "fine"
            )
        console.print(table)
    for note in outcome.notes:
        typer.echo(f"note: {note}")
    for number, finding in enumerate(outcome.findings, start=1):
        more = finding.count - len(finding.where)
        places = [*finding.where, *([f"... and {more:,} more"] if more else [])]
        typer.echo(f"{number}. {finding.what}")
        typer.echo("   where: " + "\n          ".join(places))
        typer.echo(f"   next:  {finding.next_step}")
    typer.echo(f"findings: {len(outcome.findings)}" if outcome.findings else "nothing found")
