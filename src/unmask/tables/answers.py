"""The answer key: the truth about each id, and which part of a challenge it counts for."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from unmask.tables.checks import check_choices, check_ids, check_labels, require_columns
from unmask.tables.errors import Problem
from unmask.tables.reading import read_table, shown
from unmask.tables.writing import write_table

USAGES = ("public", "private", "ignored")

#: Columns of a key or manifest that are never slices.
NOT_SLICES = frozenset(
    {
        "id", "label", "usage", "cluster", "path", "root", "split", "split_rule", "source_id", "subject_id", "donor_id",
        "duration_s", "fps", "license",
    }
)  # fmt: skip


def read_answers(path: str | Path | pl.DataFrame, *, split: str | None = None) -> pl.DataFrame:
    """Read and check an answer key. A manifest is one too: its ``source_id`` then serves as the cluster.

    Args:
        path: ``.csv``, ``.csv.gz`` or ``.parquet``, or a frame with the same columns.
        split: keep only this split's rows, where the file is a manifest.

    Returns:
        Columns id (String), label (Int8, 1 = fake), usage (String: public, private, ignored; "private" where the file
        has no such column), cluster (String; the id where there is none), then the slice columns (String, null where
        empty).

    Raises:
        TableError: with every fault of the file.
        UnmaskError: the file is missing or of another kind.
    """
    table = read_table(path)
    if not require_columns(table, ("id", "label")):
        table.refuse_if_faulty()
    if split is not None:
        require_columns(table, ("split",))
        table.refuse_if_faulty()
    ids = check_ids(table)
    kept = [split is None or cell == split for cell in table.columns.get("split", [None] * len(ids))]
    if ids and not any(kept):
        found = sorted({str(cell) for cell in table.columns["split"]})
        table.problems.append(Problem(0, f"no row of the split {shown(str(split))}", f"there are: {', '.join(found)}"))
    labels = check_labels(table, empty=split is not None)
    for line, label, keep in zip(table.lines, labels, kept, strict=True):
        if keep and label is None and split is not None:
            table.problems.append(Problem(line, "the label is empty", "only rows with a label can be scored"))
    usage = check_choices(table, "usage", USAGES) if "usage" in table.columns else ["private"] * len(ids)
    group = next((name for name in ("cluster", "source_id") if name in table.columns), None)
    cells = table.columns[group] if group else [None] * len(ids)
    clusters = [str(cell) if cell not in (None, "") else name for cell, name in zip(cells, ids, strict=True)]
    columns = {
        "id": pl.Series(ids, dtype=pl.String),
        "label": pl.Series(labels, dtype=pl.Int8),
        "usage": pl.Series(usage, dtype=pl.String),
        "cluster": pl.Series(clusters, dtype=pl.String),
    }
    for name, values in table.columns.items():
        if name not in NOT_SLICES:
            columns[name] = pl.Series([None if v in (None, "") else str(v) for v in values], dtype=pl.String)
    if not ids:
        table.problems.append(Problem(0, "there is no row", "an answer key needs one row for each id"))
    table.refuse_if_faulty()
    return pl.DataFrame(columns).filter(pl.Series(kept, dtype=pl.Boolean))


def write_answers(frame: pl.DataFrame, path: str | Path) -> None:
    """Write an answer key: columns id, label, usage, cluster and any slice columns."""
    write_table(frame, path)
