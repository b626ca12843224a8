"""The systems that are compared: their files, read strictly, on the rows that all of them answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from unmask.scoring.aggregation import check_aggregation
from unmask.scoring.comparison.names import printable, unique_names
from unmask.scoring.joining import counted, digest, kept, read_scores
from unmask.scoring.sample import Floats
from unmask.tables.answers import read_answers
from unmask.tables.errors import UnmaskError

Source = str | Path | pl.DataFrame


@dataclass(frozen=True)
class Systems:
    """Systems on the same rows.

    Attributes:
        names: S of them, each another.
        rows: N rows, sorted by id, that all systems answered: id, label, cluster, and subject_id and source_id where
            the key has them.
        scores: (S, N).
        unanswered: of each system, the number of rows for which it gave a reason instead of a score.
        aggregations: of each system, what made the frames of an id one score; ``NO_FRAMES`` where it has none.
        expected: number of rows that ask for an answer.
        hashes: of each system, SHA-256 of its file; None where a frame was given.
        answers: the same of the answer key.
    """

    names: list[str]
    rows: pl.DataFrame
    scores: Floats
    unanswered: list[int]
    aggregations: list[str]
    expected: int
    hashes: list[str | None]
    answers: str | None


def read_systems(
    answers: Source,
    predictions: Sequence[str | Path] | Mapping[str, Source],
    *,
    split: str | None,
    usage: str | None,
    aggregation: str,
) -> Systems:
    """Read all files, and keep the rows that every system answered.

    Args:
        answers: an answer key, or a manifest.
        predictions: files, which give their names to the systems; or name to file or frame.
        split: keep only this split, where ``answers`` is a manifest.
        usage: keep only the rows of this usage; None for public and private ones.
        aggregation: of the systems that have a row for each frame, a name in ``AGGREGATIONS``.

    Raises:
        UnmaskError: with every fault of every file; there are fewer than two systems, no row that all answered, or no
            such aggregation.
    """
    check_aggregation(aggregation)
    given = _named(predictions)
    faults: list[UnmaskError] = []
    key = None
    try:
        key = read_answers(answers, split=split)
    except UnmaskError as error:
        faults.append(error)
    read: list[tuple[pl.DataFrame, str]] = []
    for name, source in given.items():
        try:
            read.append(read_scores(source, key, aggregation))
        except UnmaskError as error:
            faults.append(_about(name, error) if isinstance(source, pl.DataFrame) else error)
    if key is None or faults:
        raise _all_of(faults)
    # Sorted, so that the order of the files changes no sum and no draw.
    rows = counted(key.select(*kept(key), "usage").with_row_index("row"), usage).sort("id")
    scores = np.stack([each["score"].gather(rows["row"]).to_numpy() for each, _ in read])
    rows = rows.drop("row")
    answered = ~np.isnan(scores)
    common = answered.all(axis=0)
    if not common.any():
        told = ", ".join(f"{name} {count:,}" for name, count in zip(given, answered.sum(axis=1).tolist(), strict=True))
        what = f"there is no id that all systems answered; of {rows.height:,}, they answered: {told}"
        raise UnmaskError(what, next_step="leave out the systems that answered none, or few")
    return Systems(
        names=list(given),
        rows=rows.filter(pl.Series(common)),
        scores=np.ascontiguousarray(scores[:, common]),
        unanswered=(~answered).sum(axis=1).tolist(),
        aggregations=[made_by for _, made_by in read],
        expected=rows.height,
        hashes=[digest(source) for source in given.values()],
        answers=digest(answers),
    )


def _named(predictions: Sequence[str | Path] | Mapping[str, Source]) -> dict[str, Source]:
    if isinstance(predictions, Mapping):
        given = {printable(name): source for name, source in predictions.items()}
        if len(given) < len(predictions):
            raise UnmaskError("two systems have the same name", next_step="give each another one")
    else:
        paths = [Path(path) for path in ([predictions] if isinstance(predictions, (str, Path)) else predictions)]
        given = dict(zip(unique_names(paths), paths, strict=True))
    if len(given) < 2:
        what = f"a comparison needs two systems or more; there is {'one' if given else 'none'}"
        raise UnmaskError(what, next_step="give more predictions files; unmask score scores one by itself")
    return given


def _about(name: str, error: UnmaskError) -> UnmaskError:
    """The error of a frame with the name that its system has."""
    return UnmaskError(f"{name}: {error}")


def _all_of(faults: list[UnmaskError]) -> UnmaskError:
    """One error that tells all of them."""
    if len(faults) == 1:
        return faults[0]
    told = "\n".join(f"{number}. {error}" for number, error in enumerate(faults, start=1))
    return UnmaskError(f"{len(faults)} files cannot be used:\n{told}", next_step="mend them all and run it again")
