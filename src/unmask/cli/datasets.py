"""``unmask datasets``: what unmask can index, and what of it lies here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from unmask.datasets.inventory import Present


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command()(datasets)


def datasets(
    root: Annotated[
        Path | None, typer.Option(help="A folder with datasets: tell what is there, missing or odd.")
    ] = None,
) -> None:
    """List the datasets that unmask can index.

    Tells what they hold, under which terms, and how to get them.

    With --root it looks into a folder and into those directly below it. The first word of each row is the NAME that
    unmask index takes; data/NAME.md says more of each.

    Example: unmask datasets --root /data
    """
    if root is None:
        _list()
    else:
        _look(root)


def _list() -> None:
    from rich.markup import escape
    from rich.table import Table

    from unmask.cli.progress import tables
    from unmask.datasets import ADAPTERS

    table = Table("name", "dataset", "media", "real", "fake", "people", "licence", "how to get it")
    for name, adapter in ADAPTERS.items():
        about = adapter.about
        numbers = ["–" if count is None else f"{count:,}" for count in (about.real, about.fake, about.subjects)]
        words = [escape(text) for text in (about.licence, about.access)]
        table.add_row(name, escape(adapter.title), ", ".join(about.media), *numbers, *words)
    tables().print(table)


def _look(root: Path) -> None:
    from rich.markup import escape
    from rich.table import Table

    from unmask.cli.progress import tables
    from unmask.datasets.inventory import inventory
    from unmask.tables.errors import DatasetError

    found = inventory(root)
    if not found:
        raise DatasetError(
            "no dataset that unmask knows was found here or one folder below",
            where=root,
            next_step="unmask datasets lists them; for files of your own there are unmask index folder and csv",
        )
    table = Table("name", "folder", "real", "fake", "unlabelled", "missing", "odd")
    for each in found:
        table.add_row(each.name, escape(str(each.folder)), *_numbers(each))
    tables().print(table)
    for each in found:
        for line in _details(each):
            typer.echo(f"{each.name}: {line}")


def _numbers(each: Present) -> list[str]:
    if each.files is None:
        return ["cannot be indexed as it lies", "", "", "", ""]
    labels = each.files["label"]
    counts = [(labels == 0).sum(), (labels == 1).sum(), labels.null_count()]
    missing = sum(max(count.expected - count.found, 0) for count in each.report.counts)
    return [f"{count:,}" for count in (*counts, missing, sum(map(len, each.report.odd.values())))]


def _details(each: Present) -> list[str]:
    if each.fault:
        return [" ".join(str(each.fault).split())]
    report = each.report
    short = [count for count in report.counts if count.found < count.expected]
    return [
        *(f"of {count.part} {count.found:,} of {count.expected:,} are there" for count in short),
        *(f"{len(paths):,} {what}, such as {paths[0]}" for what, paths in report.odd.items()),
        *(f"note: {note}" for note in report.notes),
        *(f"warning: {warning}" for warning in report.warnings),
    ]
