"""The answers as bundles carry them: for the platform's scorer alone, never for entrants."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import polars as pl

from unmask.challenge.definition import DEFINITION, refuse
from unmask.challenge.folder import Challenge
from unmask.tables.errors import ChallengeError

#: The parts that rank, in the order of a challenge.
PARTS = ("public", "private")


def require_scorable(challenge: Challenge) -> None:
    """Refuse a challenge in which some metric that ranks would have no value, whatever the scores.

    Raises:
        ChallengeError: with every such metric and part; or a part has no row.
    """
    said = challenge.definition
    problems = []
    for part in PARTS:
        labels = challenge.rows(part)["label"]
        fakes, reals = int((labels == 1).sum()), int((labels == 0).sum())
        for metric in said.metrics:
            reason = metric.missing(fakes, reals, said.settings)
            if reason is not None:
                problems.append(f"{metric.name} has no value on the {part} part: {reason} — choose another metric")
    refuse(challenge.folder / DEFINITION, problems)


def require_phases(challenge: Challenge, platform: str) -> None:
    """Raise ChallengeError where the definition has no phases."""
    if not challenge.definition.phases:
        raise ChallengeError(
            f"{platform} needs to know when teams may submit, and the challenge has no phases",
            where=challenge.folder / DEFINITION,
            next_step="write phases, each with name, opens and closes in UTC such as 2026-01-31T23:59:59Z",
        )


def write_answers(challenge: Challenge, parts: Iterable[str]) -> str:
    """CSV with the columns id, label and usage, sorted by id; rows of other ``parts`` are ignored, without a label."""
    counted = pl.col("usage").is_in(list(parts))
    key = challenge.key.sort("id").select(
        "id", label=pl.when(counted).then("label"), usage=pl.when(counted).then("usage").otherwise(pl.lit("ignored"))
    )
    return to_csv(key.columns, key.iter_rows())


def write_sample(challenge: Challenge) -> str:
    """CSV with the columns id and score: every id with 0.5, sorted by id, so that the order tells nothing else."""
    return to_csv(("id", "score"), ((name, 0.5) for name in sorted(challenge.ids)))


def to_csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Rows as CSV text; None is an empty cell."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def harmless(text: str) -> str:
    """``text`` as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
