"""``unmask index``."""

from __future__ import annotations

import textwrap
from inspect import getdoc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    import polars as pl

    from unmask.datasets.base import Adapter
    from unmask.datasets.report import Report

#: Characters in a line of the help.
_WIDTH = 76


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command(cls=_WithDatasets)(index)


class _WithDatasets(TyperCommand):
    """Its help lists the datasets, asked for only when it is shown: ``unmask --help`` need not load them."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # typer's own types are click's, or its copies of them
        """Write the help, with a line for each dataset."""
        from unmask.datasets import ADAPTERS

        listed = [
            textwrap.fill(
                f"{name}: {adapter.layout}. Options: {_flags(adapter)}",
                _WIDTH, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False,
            )
            for name, adapter in ADAPTERS.items()
        ]  # fmt: skip
        # A \b keeps the line breaks that follow it.
        self.help = "\n".join([f"{getdoc(index)}", "", "What ROOT holds, and which options apply:", "", "\b", *listed])
        super().format_help(ctx, formatter)


def _flags(adapter: Adapter) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in sorted({*adapter.options, "seed"}))


def index(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The dataset: one of those listed above.")],
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="Its folder, as downloaded and unpacked.")],
    out: Annotated[Path, typer.Option(help="The manifest to write: .parquet or .csv.")],
    seed: Annotated[int, typer.Option(help="For splits that are drawn, not official.")] = 0,
    hold_out: Annotated[
        list[str] | None, typer.Option(help="A subject for the test split; may be given several times (folder).")
    ] = None,
    subject_from: Annotated[
        str | None, typer.Option(help="'folder': the first folder below the class is the person (folder).")
    ] = None,
    method_from: Annotated[
        str | None, typer.Option(help="'folder': the first folder below the fake class is the method (folder).")
    ] = None,
    splits: Annotated[Path | None, typer.Option(help="Where the official lists lie, if not in ROOT.")] = None,
    reals: Annotated[
        Path | None, typer.Option(help="Where FaceForensics++ lies, if not in ROOT (deeperforensics).")
    ] = None,
) -> None:
    """Turn a dataset's folder into a manifest.

    It has one row for each file, with label, split and where it comes from. Nothing is decoded. What is missing is
    counted, never an error: a part of a dataset can be indexed.

    Example: unmask index folder photos --subject-from folder --hold-out lasso --out photos.parquet
    """
    from unmask import datasets
    from unmask.datasets.report import Report
    from unmask.tables.manifest import write_manifest

    report = Report()
    manifest = datasets.index(
        name,
        root,
        seed=seed,
        hold_out=hold_out or (),
        subject_from=subject_from,
        method_from=method_from,
        splits=splits,
        reals=reals,
        report=report,
    )
    write_manifest(manifest, out)
    _show(manifest, report)
    typer.echo(f"{manifest.height:,} rows written to {out}")


def _show(manifest: pl.DataFrame, report: Report) -> None:
    from rich.markup import escape
    from rich.table import Table

    from unmask.cli.progress import tables
    from unmask.datasets.files import NOT_MEDIA
    from unmask.datasets.splits import balance, rule_in_words
    from unmask.media.kinds import count_endings
    from unmask.tables.manifest import SPLITS

    console = tables()
    table = Table("split", "real", "fake", "unlabelled", title=f"{escape(manifest['dataset'][0])}: files")
    for row in balance(manifest).iter_rows(named=True):
        table.add_row(row["split"], *(f"{row[column]:,}" for column in ("real", "fake", "unlabelled")))
    console.print(table)
    for name in ("method", "compression"):
        if name in manifest.columns:
            counts = manifest[name].drop_nulls().value_counts(sort=True).sort("count", name, descending=[True, False])
            typer.echo(f"{name}: " + ", ".join(f"{each} {count:,}" for each, count in counts.iter_rows()))
    if "split_rule" in manifest.columns:
        for rule, splits in manifest.group_by("split_rule").agg("split").drop_nulls().sort("split_rule").iter_rows():
            typer.echo(f"split ({', '.join(name for name in SPLITS if name in splits)}): {rule_in_words(rule)}")
    short = [count for count in report.counts if count.found < count.expected]
    if short:
        missing = Table("part", "found", "expected", title="not all there")
        for count in short:
            missing.add_row(escape(count.part), f"{count.found:,}", f"{count.expected:,}")
        console.print(missing)
    for what, paths in report.odd.items():
        endings = f" ({count_endings(paths)})" if what == NOT_MEDIA else ""
        typer.echo(f"{len(paths):,} {what}{endings}, such as {paths[0]}")
    for note in report.notes:
        typer.echo(f"note: {note}")
    for warning in report.warnings:
        typer.echo(f"warning: {warning}")
