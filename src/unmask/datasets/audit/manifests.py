"""Several manifests as one body of data, in which each row still tells where it is from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from unmask.tables.manifest import REQUIRED, read_manifest

#: Columns that not every manifest has, and that an audit looks at; null where one lacks them.
_FURTHER = ("source_id", "subject_id", "donor_id", "second_donor_id", "split_rule")


def read_all(paths: Sequence[str | Path], *, root: str | Path | None = None) -> pl.DataFrame:
    """The rows of all manifests, with only the columns that an audit looks at, and two more.

    Args:
        paths: of the manifests.
        root: the dataset's folder, where it has moved since; the same for all manifests.

    Returns:
        ``manifest``: the manifest's name; ``place``: what findings call the row: its path, and before it the manifest
        where there are several, and the dataset where a manifest has several.

    Raises:
        TableError: a manifest breaks its schema.
        UnmaskError: a manifest is missing.
    """
    named = zip(names([Path(path) for path in paths]), paths, strict=True)
    return pl.concat([_rows(read_manifest(path, root=root), name, len(paths) > 1) for name, path in named])


def names(paths: Sequence[Path]) -> list[str]:
    """What the column ``manifest`` calls each: its file name, or its whole path where another one has the same name."""
    names = [path.name for path in paths]
    return [path.name if names.count(path.name) == 1 else str(path) for path in paths]


def _rows(rows: pl.DataFrame, name: str, several: bool) -> pl.DataFrame:
    further = [
        pl.col(column).cast(pl.String) if column in rows.columns else pl.lit(None, pl.String).alias(column)
        for column in _FURTHER
    ]
    prefix = pl.lit(f"{name}: " if several else "")
    if rows["dataset"].n_unique() > 1:
        prefix = prefix + pl.col("dataset") + ": "
    return rows.select(*REQUIRED, "root", *further, manifest=pl.lit(name), place=prefix + pl.col("path"))
