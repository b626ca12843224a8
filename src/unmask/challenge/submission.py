"""The check of one submission. It is given the ids and never the labels: no message can depend on an answer."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import polars as pl

from unmask.challenge.folder import SAMPLE, check_usage, open_challenge
from unmask.scoring import Scorecard, score
from unmask.tables.errors import ChallengeError
from unmask.tables.predictions import read_predictions


def read_submission(path: str | Path, ids: Collection[str]) -> pl.DataFrame:
    """Read a submission: every id answered exactly once with a number in [0, 1], and nothing else.

    Args:
        path: ``.csv``, ``.csv.gz`` or ``.parquet``: ``id, score`` (or ``filename, label``).
        ids: every id that must be answered.

    Returns:
        Columns id (String) and score (Float64), in the order of ``ids``.

    Raises:
        TableError: with every fault of the file.
        UnmaskError: the file is missing or of another kind.
    """
    return read_predictions(path, expected_ids=ids, complete=True).drop("reason")


def check_submission(folder: str | Path, path: str | Path) -> int:
    """Check a submission to the challenge in ``folder``; the number of its rows.

    The ids are those of ``sample_submission.csv``, so that entrants can do the same without the answer key.

    Raises:
        TableError: with every fault of the submission, or of the sample.
        ChallengeError: the folder has no sample.
    """
    sample = Path(folder) / SAMPLE
    if not sample.is_file():
        raise ChallengeError(
            f"there is no {SAMPLE} in {Path(folder).name or folder}", where=sample,
            next_step="give the challenge's folder; of what organizers hand out, this file is enough",
        )  # fmt: skip
    return read_submission(path, read_predictions(sample)["id"].to_list()).height


def score_submission(folder: str | Path, path: str | Path, *, usage: str = "private") -> Scorecard:
    """The scorecard of a submission to the challenge in ``folder``: the numbers that it is ranked by.

    Args:
        folder: the challenge's.
        path: the submission.
        usage: "public", "private" or "all".

    Raises:
        TableError: with every fault of the submission.
        ChallengeError: the challenge itself cannot be used.
    """
    check_usage(usage)
    challenge = open_challenge(folder)
    challenge.rows(usage)
    read_submission(path, challenge.ids)
    said = challenge.definition
    return score(
        path, challenge.answers, seed=said.seed, replicates=said.replicates, clip=said.clip, threshold=said.threshold,
        prevalence=said.prevalence, budget=said.budget,
        confidence=challenge.protocol.confidence, usage=None if usage == "all" else usage,
    )  # fmt: skip
