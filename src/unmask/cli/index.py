"""``unmask index``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl

    from unmask.datasets.report import Report


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command()(index)


def index(
    name: Annotated[str, typer.Argument(help="folder, faceforensics, celeb_df_v2 or dfdc.")],
    root: Annotated[Path, typer.Argument(help="The dataset's folder, as downloaded and unpacked.")],
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
    splits: Annotated[
        Path | None, typer.Option(help="Where the official lists lie, if not in ROOT (faceforensics, celeb_df_v2).")
    ] = None,
) -> None:
    """Turn a dataset's folder into a manifest: one row for each file, with label, split and where it comes from.

    Nothing is decoded. What is missing is counted, never an error: a part of a dataset can be indexed.

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
        report=report,
    )
    write_manifest(manifest, out)
    _show(manifest, report)
    typer.echo(f"{manifest.height:,} rows written to {out}")


def _show(manifest: pl.DataFrame, report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    from unmask.datasets.splits import balance

    console = Console()
    table = Table("split", "real", "fake", "unlabelled", title=f"{manifest['dataset'][0]}: files")
    for row in balance(manifest).iter_rows(named=True):
        table.add_row(row["split"], *(f"{row[column]:,}" for column in ("real", "fake", "unlabelled")))
    console.print(table)
    for name in ("method", "compression"):
        if name in manifest.columns:
            counts = manifest[name].drop_nulls().value_counts(sort=True).sort("count", name, descending=[True, False])
            console.print(f"{name}: " + ", ".join(f"{each} {count:,}" for each, count in counts.iter_rows()))
    if "split_rule" in manifest.columns:
        console.print("split: " + "; ".join(manifest["split_rule"].drop_nulls().unique().sort().to_list()))
    short = [count for count in report.counts if count.found < count.expected]
    if short:
        missing = Table("part", "found", "expected", title="not all there")
        for count in short:
            missing.add_row(count.part, f"{count.found:,}", f"{count.expected:,}")
        console.print(missing)
    for what, paths in report.odd.items():
        console.print(f"{len(paths):,} {what}, such as {paths[0]}", markup=False)
    for note in report.notes:
        console.print(f"note: {note}", markup=False)
