"""A new challenge from a manifest or an answer key."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from unmask.challenge.definition import DEFINITION, Definition, write_definition
from unmask.challenge.folder import SAMPLE, SUBMISSIONS, Challenge, open_challenge, sha256
from unmask.challenge.parts import split_parts
from unmask.scoring.metrics import METRICS
from unmask.tables.answers import read_answers, write_answers
from unmask.tables.errors import ChallengeError
from unmask.tables.predictions import write_predictions


def create(
    folder: str | Path,
    manifest: str | Path,
    *,
    split: str | None = "test",
    public: float = 0.4,
    name: str | None = None,
    metric: str = "roc_auc",
    seed: int = 0,
) -> Challenge:
    """Make a challenge: ``challenge.yaml``, ``answers.csv``, ``sample_submission.csv`` and ``submissions/``.

    The rows of both tables stand in a drawn order, so that their order tells nothing about the labels.

    Args:
        folder: where to; must not hold a challenge yet.
        manifest: a manifest, or an answer key; its own column ``usage`` is replaced.
        split: which split of the manifest; None for all rows.
        public: share of the rows that is public, between 0 and 1; whole clusters, each class and method alike.
        name: of the challenge; the folder's where None.
        metric: the primary metric, one of ``METRICS``.
        seed: of the split, the order and the bootstrap.

    Raises:
        ChallengeError: there is a challenge already, a parameter is out of its range, or the rows cannot be split.
        TableError: the manifest breaks its schema.
    """
    folder = Path(folder)
    if (folder / DEFINITION).exists():
        raise ChallengeError(
            "there is a challenge already", where=folder / DEFINITION,
            next_step="give another folder, or remove this one yourself",
        )  # fmt: skip
    if not 0.0 < public < 1.0:
        raise ChallengeError(f"the public share {public!r} is not between 0 and 1", next_step="give one such as 0.4")
    if metric not in METRICS:
        raise ChallengeError(f"there is no metric {metric!r}", next_step=f"give one of {', '.join(METRICS)}")
    key = read_answers(manifest, split=split)
    key = key.with_columns(usage=split_parts(key, public, seed)).sample(fraction=1.0, shuffle=True, seed=seed)
    (folder / SUBMISSIONS).mkdir(parents=True, exist_ok=True)
    write_answers(key, folder / "answers.csv")
    write_predictions(key.select("id", score=pl.lit(0.5)), folder / SAMPLE)
    name = name if name is not None else folder.resolve().name
    definition = Definition(name, metric, "answers.csv", sha256(folder / "answers.csv"), seed=seed)
    write_definition(definition, folder)
    return open_challenge(folder)
