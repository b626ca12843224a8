"""Predictions beside the truth: what scoring measures and calibration fits on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from unmask.scoring.aggregation import aggregate, check_aggregation
from unmask.scoring.slices import SLICE
from unmask.tables.answers import NOT_SLICES, read_answers
from unmask.tables.errors import UnmaskError
from unmask.tables.hashing import sha256
from unmask.tables.predictions import read_predictions
from unmask.tables.reading import RawTable, read_table, shown

#: In place of an aggregation.
NO_FRAMES = "none: one score for each id"
USUAL_AGGREGATION = "mean"


@dataclass(frozen=True)
class Joined:
    """Predictions and an answer key, joined by id.

    Attributes:
        rows: what counts of the key, sorted by id, so that the order of neither file changes a sum or a draw: id,
            label, cluster, subject_id and source_id where the key has them, the slice columns behind ``SLICE``, score
            (null where unanswered) and reason (null where answered).
        columns: the slice columns, by their names in the key.
        splits: the splits that the rows stand in; none where the key has no such column.
        aggregation: what made the frames of an id one score, a name in ``AGGREGATIONS``; ``NO_FRAMES`` where the
            predictions have none.
        hashes: SHA-256 of the two files, "predictions" and "answers"; None where frames were given.
    """

    rows: pl.DataFrame
    columns: list[str]
    splits: list[str]
    aggregation: str
    hashes: dict[str, str | None]


def join(
    predictions: str | Path | pl.DataFrame,
    answers: str | Path | pl.DataFrame,
    *,
    split: str | None = None,
    usage: str | None = None,
    aggregation: str = USUAL_AGGREGATION,
) -> Joined:
    """Read and check both, and join them.

    Args:
        predictions: file or frame: one row for each id of the key, or many with a ``frame`` each.
        answers: file or frame: an answer key, or a manifest.
        split: keep only this split, where ``answers`` is a manifest.
        usage: keep only the rows of this usage; None for all but those that are ignored. Every id of the key needs its
            row all the same.
        aggregation: of frames, a name in ``AGGREGATIONS``.

    Raises:
        TableError: with every fault of one of the two.
        UnmaskError: a file is missing or of another kind; no row is of this usage; there is no such aggregation.
    """
    check_aggregation(aggregation)
    with ThreadPoolExecutor(1) as beside:
        reading = beside.submit(read_table, predictions)
        key = read_answers(answers, split=split)
    scores, made_by = read_scores(reading.result(), key, aggregation)
    columns = [name for name in key.columns if name not in NOT_SLICES]
    # A prefix, so that a slice column may have any name.
    named = key.select(*kept(key), "usage", *(pl.col(name).alias(SLICE + name) for name in columns))
    return Joined(
        rows=counted(named.hstack(scores), usage).sort("id"),
        columns=columns,
        splits=sorted(counted(key, usage)["split"].drop_nulls().unique()) if "split" in key.columns else [],
        aggregation=made_by,
        hashes={"predictions": digest(predictions), "answers": digest(answers)},
    )


def read_scores(
    predictions: str | Path | pl.DataFrame | RawTable, key: pl.DataFrame | None, aggregation: str
) -> tuple[pl.DataFrame, str]:
    """Read predictions, and make the frames of an id one score.

    Args:
        predictions: file or frame, or what ``read_table`` gave.
        key: the answers whose ids are asked for; None to take whatever ids there are.
        aggregation: a name in ``AGGREGATIONS``.

    Returns:
        Columns score and reason, a row for each row of ``key`` in its order; and what made it of frames, or
        ``NO_FRAMES``.

    Raises:
        TableError: with every fault of the predictions.
        UnmaskError: the file is missing or of another kind.
    """
    ids = splits = None
    if key is not None:
        ids = key["id"]
        splits = dict(key.select("id", "split").drop_nulls().iter_rows()) if "split" in key.columns else None
    given = read_predictions(predictions, expected_ids=ids, splits=splits)
    if "frame" not in given.columns:
        return given.drop("id"), NO_FRAMES
    made = aggregate(given, aggregation)
    if key is not None:
        made = key.select("id").join(made, on="id", how="left", maintain_order="left")
    return made.drop("id"), aggregation


def counted(key: pl.DataFrame, usage: str | None) -> pl.DataFrame:
    """The rows of an answer key that count: of one usage or, for None, all but those that are ignored.

    Raises:
        UnmaskError: there are none.
    """
    rows = key.filter(pl.col("usage") != "ignored" if usage is None else pl.col("usage") == usage).drop("usage")
    if rows.is_empty():
        what = "the answer key has no row to score" + (f" of the usage {shown(usage)}" if usage else "")
        raise UnmaskError(what, next_step="look at the column usage of the answer key")
    return rows


def kept(rows: pl.DataFrame) -> list[str]:
    """The columns of answers that are no slices and yet are kept beside a score."""
    return [name for name in ("id", "label", "cluster", "subject_id", "source_id") if name in rows.columns]


def digest(source: str | Path | pl.DataFrame) -> str | None:
    """SHA-256 of a file; None of a frame."""
    return None if isinstance(source, pl.DataFrame) else sha256(source)
