"""A challenge's folder: the definition, the answer key that it was made with, and where the entries lie.

DIR/challenge.yaml, DIR/answers.csv, DIR/sample_submission.csv, DIR/submissions/*.csv; DIR/names.csv with new ids
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from unmask.challenge.definition import Definition, read_definition, refuse
from unmask.scoring.estimates import Protocol
from unmask.tables.answers import read_answers
from unmask.tables.errors import ChallengeError
from unmask.tables.hashing import sha256

SAMPLE = "sample_submission.csv"
NAMES = "names.csv"
SUBMISSIONS = "submissions"
USAGES = ("public", "private", "all")
#: Of every interval of a challenge.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Challenge:
    """A challenge that can be used.

    Attributes:
        folder: where it lies.
        definition: its ``challenge.yaml``.
        key: its answer key, as ``read_answers`` gives it.
    """

    folder: Path
    definition: Definition
    key: pl.DataFrame

    @property
    def ids(self) -> list[str]:
        """Every id that a submission must answer."""
        return self.key["id"].to_list()

    @property
    def answers(self) -> Path:
        """The answer key's file."""
        return self.folder / self.definition.answers

    @property
    def protocol(self) -> Protocol:
        """How its numbers are made."""
        said = self.definition
        return Protocol(said.settings, said.seed, said.replicates, CONFIDENCE)

    def rows(self, usage: str) -> pl.DataFrame:
        """The key's rows that count for ``usage`` (public, private, all), sorted by id; never those that are ignored.

        Raises:
            ChallengeError: no such usage, or no such row.
        """
        check_usage(usage)
        counted = pl.col("usage") != "ignored" if usage == "all" else pl.col("usage") == usage
        rows = self.key.filter(counted).sort("id")
        if rows.is_empty():
            raise ChallengeError(
                f"the answer key has no {usage} row", where=self.answers,
                next_step="rank another part with --usage, or make the challenge again with another --public",
            )  # fmt: skip
        return rows


def check_usage(usage: str) -> None:
    """Raise ChallengeError unless ``usage`` is one of ``USAGES``."""
    if usage not in USAGES:
        raise ChallengeError(f"there is no usage {usage!r}", next_step=f"give one of {', '.join(USAGES)}")


def open_challenge(folder: str | Path) -> Challenge:
    """Read a challenge's folder.

    Raises:
        ChallengeError: the definition cannot work, or the answer key is missing or another one than it names.
        TableError: the answer key breaks its schema.
    """
    folder = Path(folder)
    definition = read_definition(folder)
    answers = folder / definition.answers
    if not answers.is_file():
        refuse(folder / "challenge.yaml", [f"answers: there is no file {definition.answers} — put it beside this file"])
    if sha256(answers) != definition.sha256:
        raise ChallengeError(
            f"{definition.answers} is not the answer key that challenge.yaml was made with: its SHA-256 differs",
            where=answers,
            next_step=f"restore it; or, where labels were meant to change, write sha256: '{sha256(answers)}' into "
            "challenge.yaml and rank again",
        )
    return Challenge(folder, definition, read_answers(answers))
