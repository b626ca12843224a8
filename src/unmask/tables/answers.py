"""The answer key: the truth about each id, and which part of a challenge it counts for."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from unmask.tables.checks import any_as_text, as_text, check_choices, check_ids, check_labels, require_columns
from unmask.tables.errors import Problem
from unmask.tables.reading import RawTable, read_table, shown
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
    kept = _kept(table, split)
    labels = check_labels(table, empty=split is not None)
    if split is not None:
        for row in (kept & labels.is_null()).arg_true():
            problem = Problem(table.lines[row], "the label is empty", "only rows with a label can be scored")
            table.problems.append(problem)
    if "usage" in table.columns:
        usage = check_choices(table, "usage", USAGES)
    else:
        usage = pl.repeat("private", len(ids), dtype=pl.String, eager=True)
    columns = {"id": ids, "label": labels, "usage": usage}
    further = {name: any_as_text(table, name) for name in table.columns if name not in columns}
    columns["cluster"] = _clusters(further, ids, labels.filter(kept), kept)
    if ids.is_empty():
        table.problems.append(Problem(0, "there is no row", "an answer key needs one row for each id"))
    table.refuse_if_faulty()
    key = pl.DataFrame({**columns, **{name: further[name] for name in further if name != "cluster"}})
    return key if split is None else key.filter(kept)


def _kept(table: RawTable, split: str | None) -> pl.Series:
    """Which rows are of the split: (N,) Boolean."""
    if split is None:
        return pl.repeat(True, len(table.lines), eager=True)
    cells = as_text(table, "split", "write each split as text")
    kept = (cells == split) if cells is not None else pl.repeat(False, len(table.lines), eager=True)
    if cells is not None and len(cells) and not kept.any():
        found = ", ".join(sorted(cells.unique()))
        table.problems.append(Problem(0, f"no row of the split {shown(split)}", f"there are: {found}"))
    return kept


def _clusters(columns: dict[str, pl.Series], ids: pl.Series, labels: pl.Series, kept: pl.Series) -> pl.Series:
    """The cluster of each row; the labels are those of the rows that are kept."""
    for name in ("cluster", "subject_id", "source_id"):
        if name not in columns:
            continue
        cells = pl.select(pl.coalesce(columns[name], ids)).to_series()
        shown_in = [cells.filter(kept).filter(labels == wanted) for wanted in (0, 1)]
        if name != "subject_id" or min(people.n_unique() for people in shown_in) >= FEWEST_PEOPLE:
            return cells
    return ids


def write_answers(frame: pl.DataFrame, path: str | Path) -> None:
    """Write an answer key: columns id, label, usage, cluster and any further ones."""
    write_table(frame, path)
