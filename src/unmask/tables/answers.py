"""The answer key: the truth about each id, and which part of a challenge it counts for."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from unmask.tables.checks import check_choices, check_ids, check_labels, require_columns
from unmask.tables.errors import Problem
from unmask.tables.reading import read_table, shown
from unmask.tables.writing import write_table

USAGES = ("public", "private", "ignored")

#: People serve as clusters only where each class has at least so many.
FEWEST_PEOPLE = 10

#: Columns of a key or manifest that are never slices.
NOT_SLICES = frozenset(
    {
        "id", "label", "usage", "cluster", "path", "root", "split", "split_rule", "source_id", "subject_id", "donor_id",
        "second_donor_id", "mask", "duration_s", "fps", "license",
    }
)  # fmt: skip


def read_answers(path: str | Path | pl.DataFrame, *, split: str | None = None) -> pl.DataFrame:
    """Read and check an answer key. A manifest is one too: its people, else its sources, then serve as clusters.

    Args:
        path: ``.csv``, ``.csv.gz`` or ``.parquet``, or a frame with the same columns.
        split: keep only this split's rows, where the file is a manifest.

    Returns:
        Columns id (String), label (Int8, 1 = fake), usage (String: public, private, ignored; "private" where the file
        has no such column), cluster (String), then the file's further columns (String, null where empty), all of them
        slices but those in ``NOT_SLICES``. Where the file has no column ``cluster``, it is the person (``subject_id``)
        if each class shows at least ten of them, since a bootstrap of fewer means little; else ``source_id``, else the
        id.

    Raises:
        TableError: with every fault of the file.
        UnmaskError: the file is missing or of another kind.
    """
    table = read_table(path)
    if not require_columns(table, ("id", "label")):
        table.refuse_if_faulty()
    if split is not None:
        if "split" not in table.columns:
            what = f'there is no column "split" from which to take the rows of {shown(split)}'
            remedy = 'to take all rows, leave --split out; of "challenge init", give --split ""'
            table.problems.append(Problem(1 if table.unit == "line" else 0, what, remedy))
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
    clusters = _clusters(
        table.columns, ids, [label if keep else None for label, keep in zip(labels, kept, strict=True)]
    )
    columns = {
        "id": pl.Series(ids, dtype=pl.String),
        "label": pl.Series(labels, dtype=pl.Int8),
        "usage": pl.Series(usage, dtype=pl.String),
        "cluster": pl.Series(clusters, dtype=pl.String),
    }
    for name, values in table.columns.items():
        if name not in columns:
            columns[name] = pl.Series([None if v in (None, "") else str(v) for v in values], dtype=pl.String)
    if not ids:
        table.problems.append(Problem(0, "there is no row", "an answer key needs one row for each id"))
    table.refuse_if_faulty()
    return pl.DataFrame(columns).filter(pl.Series(kept, dtype=pl.Boolean))


def _clusters(columns: dict[str, list[object]], ids: list[str], labels: list[int | None]) -> list[str]:
    """The cluster of each row; labels are None where a row is not kept."""
    for name in ("cluster", "subject_id", "source_id"):
        if name not in columns:
            continue
        cells = [str(cell) if cell not in (None, "") else own for cell, own in zip(columns[name], ids, strict=True)]
        groups = [{cell for cell, label in zip(cells, labels, strict=True) if label == wanted} for wanted in (0, 1)]
        if name != "subject_id" or min(map(len, groups)) >= FEWEST_PEOPLE:
            return cells
    return ids


def write_answers(frame: pl.DataFrame, path: str | Path) -> None:
    """Write an answer key: columns id, label, usage, cluster and any further ones."""
    write_table(frame, path)
