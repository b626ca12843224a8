"""Predictions: one row says how probable it is that one id is fake.

Columns ``id, score`` (or, as in the Deepfake Detection Challenge, ``filename, label``): probability of fake in [0, 1].
A ``reason`` column may declare rows without an answer: where it is filled, the score is empty, and the id counts as
unanswered (coverage), never as a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl

from unmask.tables.checks import check_ids, check_numbers, require_columns
from unmask.tables.errors import Problem
from unmask.tables.reading import RawTable, read_table, shown
from unmask.tables.writing import write_table

SCHEMA = {"id": pl.String, "score": pl.Float64, "reason": pl.String}


def read_predictions(
    path: str | Path | pl.DataFrame,
    *,
    expected_ids: Collection[str] | None = None,
    splits: Mapping[str, str] | None = None,
    complete: bool = False,
) -> pl.DataFrame:
    """Read and check a predictions file. Labels are never seen here, so that no message can depend on them.

    Args:
        path: ``.csv``, ``.csv.gz`` or ``.parquet``, or a frame with the same columns.
        expected_ids: the ids that must have a row, each exactly one; None to take whatever ids there are.
        splits: id to split, where the ids come from a manifest: that the rows cover one split only is then one fault.
        complete: every row must have a score: a ``reason`` column is refused.

    Returns:
        Columns id (String), score (Float64 in [0, 1], null where unanswered), reason (String, null where answered),
        in the file's order.

    Raises:
        TableError: with every fault of the file.
        UnmaskError: the file is missing or of another kind.
    """
    table = read_table(path)
    if "filename" in table.columns and "id" not in table.columns:
        id_column, score_column = "filename", "label"
    else:
        id_column, score_column = "id", "score"
    allowed = (id_column, score_column) if complete else (id_column, score_column, "reason")
    if not require_columns(table, (id_column, score_column), allowed=allowed):
        table.refuse_if_faulty()
    ids = check_ids(table, id_column)
    reasons = [None] * len(table.lines) if complete else _reasons(table)
    unanswered = {position for position, reason in enumerate(reasons) if reason}
    scores = check_numbers(table, score_column, low=0.0, high=1.0, null_where=unanswered)
    for position in unanswered:
        if scores[position] is not None:
            table.problems.append(
                Problem(
                    table.lines[position], "both a score and a reason for having none", "leave one of the two empty"
                )
            )
    if not ids:
        table.problems.append(Problem(0, "there is no row", "predictions need one row for each id"))
    if expected_ids is not None:
        _check_expected(table, ids, expected_ids, splits or {})
    table.refuse_if_faulty()
    return pl.DataFrame({"id": ids, "score": scores, "reason": reasons}, schema=SCHEMA)


def _reasons(table: RawTable) -> list[str | None]:
    if "reason" not in table.columns:
        return [None] * len(table.lines)
    reasons: list[str | None] = []
    for line, cell in zip(table.lines, table.columns["reason"], strict=True):
        if cell is not None and not isinstance(cell, str):
            table.problems.append(Problem(line, f"the reason is of type {type(cell).__name__}", "write it as text"))
            cell = None
        reasons.append(cell or None)
    return reasons


def _check_expected(table: RawTable, ids: list[str], expected_ids: Collection[str], splits: Mapping[str, str]) -> None:
    expected = set(expected_ids)
    given = [name for name in ids if name]
    if given and expected and not expected.intersection(given):
        # One mistake in how ids are written, not one in each row.
        what = f"no id is asked for: {shown(given[0])} stands where one such as {shown(min(expected))} should"
        table.problems.append(Problem(0, what, "write the ids as they were given, all of them"))
        return
    for line, name in zip(table.lines, ids, strict=True):
        if name and name not in expected:
            table.problems.append(Problem(line, f"the id {shown(name)} is not asked for", "leave the row out"))
    missing = sorted(expected.difference(ids))
    split = _covered_split(splits, missing)
    if split is not None:
        own = {name for name, of in splits.items() if of == split}
        how = "exactly those" if own == set(given) else "mostly those"
        what = f"there is no row for {len(missing):,} of the {len(expected):,} ids"
        remedy = f"score that split alone: --split {shown(split)[1:-1]}"
        table.problems.append(Problem(0, f"{what}: those at hand are {how} of the split {shown(split)}", remedy))
        return
    for name in missing:
        table.problems.append(Problem(0, f"there is no row for the id {shown(name)}", "add one"))


def _covered_split(splits: Mapping[str, str], missing: Collection[str]) -> str | None:
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
