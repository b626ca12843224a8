"""Predictions: one row says how probable it is that one id, or one frame of it, is fake.

Columns ``id, score`` (or, as in the Deepfake Detection Challenge, ``filename, label``): probability of fake in [0, 1].
A ``reason`` column may declare rows without an answer: where it is filled, the score is empty, and the row counts as
unanswered (coverage), never as a number. Where there is a column ``frame``, an id may have many rows, one for each of
its frames.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import polars as pl

from unmask.tables.checks import TEXT, as_text, check_ids, check_numbers, check_whole_numbers, require_columns
from unmask.tables.errors import Problem, TableError
from unmask.tables.matching import positions
from unmask.tables.reading import RawTable, read_table, shown
from unmask.tables.writing import write_table


def read_predictions(
    path: str | Path | pl.DataFrame | RawTable,
    *,
    expected_ids: Collection[str] | pl.Series | None = None,
    splits: Mapping[str, str] | None = None,
    complete: bool = False,
) -> pl.DataFrame:
    """Read and check a predictions file. Labels are never seen here, so that no message can depend on them.

    Args:
        path: ``.csv``, ``.csv.gz`` or ``.parquet``, or a frame with the same columns; or what ``read_table`` gave.
        expected_ids: the ids that must have a row, each exactly one, or at least one where the file has a column
            ``frame``; None to take whatever ids there are. A Series, quickest where there are many, has none twice.
        splits: id to split, where the ids come from a manifest: that the rows cover one split only is then one fault.
        complete: each id has one row, and each row a score: the columns ``reason`` and ``frame`` are refused.

    Returns:
        Columns id (String), frame (Int64, from 0; only where the file has that column; the pairs of id and frame are
        unique), score (Float64 in [0, 1], null where unanswered), reason (String, null where answered). The ids stand
        in the order of ``expected_ids`` where those are given, and in the file's where not; the frames of one id
        stand in the file's.

    Raises:
        TableError: with every fault of the file.
        UnmaskError: the file is missing or of another kind.
    """
    table = read_table(path)
    if "filename" in table.columns and "id" not in table.columns:
        id_column, score_column = "filename", "label"
    else:
        id_column, score_column = "id", "score"
    allowed = (id_column, score_column) if complete else (id_column, score_column, "frame", "reason")
    if not require_columns(table, (id_column, score_column), allowed=allowed):
        table.refuse_if_faulty()
    frames = check_whole_numbers(table, "frame") if "frame" in table.columns and not complete else None
    asked = expected_ids if table.columns[id_column].dtype in TEXT else None
    if asked is not None and not isinstance(asked, pl.Series):
        asked = pl.Series(list(dict.fromkeys(asked)), dtype=pl.String)
    rows = None if asked is None or frames is not None else _row_of_each(asked, table.columns[id_column])
    one_to_one = rows is not None
    ids = check_ids(table, id_column, unique=not one_to_one, frames=frames)
    reasons = _reasons(table, complete=complete)
    scores = check_numbers(table, score_column, low=0.0, high=1.0, may_be_empty=reasons.is_not_null())
    for row in (reasons.is_not_null() & scores.is_not_null()).arg_true():
        what = "both a score and a reason for having none"
        table.problems.append(Problem(table.lines[row], what, "leave one of the two empty"))
    if ids.is_empty():
        table.problems.append(Problem(0, "there is no row", "predictions need one row for each id"))
    if asked is not None and not one_to_one:
        found = positions(ids, asked)
        _check_asked(table, ids, asked, found, splits or {})
        rows = _in_order(found)
    table.refuse_if_faulty()
    columns = {"id": ids, "score": scores, "reason": reasons}
    if frames is not None:
        columns = {"id": ids, "frame": frames, "score": scores, "reason": reasons}
    if rows is not None:
        if asked is not None and one_to_one:
            columns.pop("id")
        columns = {name: _in_rows(column, rows) for name, column in columns.items()}
    if asked is not None and one_to_one:
        # The same text; it lies in memory in this order, which makes joins far quicker.
        columns = {"id": asked, **columns}
    return pl.DataFrame(columns)


def _in_rows(column: pl.Series, rows: pl.Series) -> pl.Series:
    """The cells of these rows, which are all rows in another order: nothing to do where there are nulls alone."""
    return column if column.null_count() == len(column) else column.gather(rows)


def _row_of_each(asked: pl.Series, cells: pl.Series) -> pl.Series | None:
    """Where the row of each id stands, if each has exactly one and there are no others."""
    rows = positions(asked, cells.cast(pl.String).fill_null("")) if len(asked) == len(cells) else None
    return None if rows is None or rows.has_nulls() else rows


def _reasons(table: RawTable, *, complete: bool) -> pl.Series:
    """The reasons: (N,) String, null where there is none."""
    cells = as_text(table, "reason", "write it as text") if "reason" in table.columns and not complete else None
    if cells is None:
        return pl.repeat(None, len(table.lines), dtype=pl.String, eager=True)
    return cells.set(cells == "", None)


def _in_order(places: pl.Series) -> pl.Series:
    """The rows by their places; those of one place stay as they stand."""
    # Place and row in one number: numpy sorts those far quicker than it sorts stably.
    keys = places.fill_null(0).to_numpy().astype(np.uint64) << 32
    return pl.Series(np.argsort(keys + np.arange(len(places), dtype=np.uint64)))


def _check_asked(
    table: RawTable, ids: pl.Series, asked: pl.Series, found: pl.Series, splits: Mapping[str, str]
) -> None:
    """Note the ids that are not asked for, and those that are and have no row.

    Args:
        found: where in ``asked`` each of ``ids`` stands.
    """
    given = ids != ""
    if given.any() and len(asked) and not (given & found.is_not_null()).any():
        # One mistake in how ids are written, not one in each row.
        first, wanted = ids.filter(given)[0], str(asked.min())
        what = f"no id is asked for: {shown(first)} stands where one such as {shown(wanted)} should"
        table.problems.append(Problem(0, what, "write the ids as they were given, all of them"))
        return
    for row in (given & found.is_null()).arg_true():
        table.problems.append(
            Problem(table.lines[row], f"the id {shown(ids[row])} is not asked for", "leave the row out")
        )
    answered = np.zeros(len(asked), dtype=np.bool_)
    answered[found.drop_nulls().to_numpy()] = True
    missing = asked.filter(pl.Series(~answered)).sort()
    split = _covered_split(splits, missing)
    if split is not None:
        own = {name for name, of in splits.items() if of == split}
        how = "exactly those" if own == set(ids.filter(given)) else "mostly those"
        what = f"there is no row for {len(missing):,} of the {len(asked):,} ids"
        remedy = f"score that split alone: --split {shown(split)[1:-1]}"
        table.problems.append(Problem(0, f"{what}: those at hand are {how} of the split {shown(split)}", remedy))
        return
    if len(missing) > TableError.ALIKE:
        some = ", ".join(map(shown, missing.head(TableError.ALIKE)))
        what = f"{len(missing):,} of the {len(asked):,} ids have no row: {some}, ..."
        table.problems.append(Problem(0, what, "add a row for each"))
        return
    for name in missing:
        table.problems.append(Problem(0, f"there is no row for the id {shown(name)}", "add one"))


def _covered_split(splits: Mapping[str, str], missing: pl.Series) -> str | None:
    """Of several splits the one with at most a tenth of its ids missing, where the others miss at least nine tenths."""
    sizes, lacking = Counter(splits.values()), Counter(splits[name] for name in missing if name in splits)
    answered = {split: 1 - lacking[split] / size for split, size in sizes.items()}
    covered = [split for split, share in answered.items() if share >= 0.9]
    others = [share for split, share in answered.items() if split not in covered]
    return covered[0] if len(covered) == 1 and others and max(others) <= 0.1 else None


def write_predictions(frame: pl.DataFrame, path: str | Path) -> None:
    """Write predictions; the ``reason`` column is left out where every id has an answer.

    Args:
        frame: columns id, score and, optionally, reason.
        path: ``.csv`` or ``.parquet``.
    """
    if "reason" in frame.columns and frame["reason"].null_count() == frame.height:
        frame = frame.drop("reason")
    write_table(frame, path)
