"""``score``: predictions and an answer key become a scorecard. The only place where predictions become numbers."""

from __future__ import annotations

import json
import platform
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from unmask import __version__
from unmask.scoring.basis import Basis
from unmask.scoring.estimates import Estimate, Protocol, estimate
from unmask.scoring.metrics import SMALLEST_CLIP, Settings
from unmask.scoring.slices import SLICE, Group, slice_by
from unmask.tables.answers import NOT_SLICES, read_answers
from unmask.tables.errors import UnmaskError
from unmask.tables.hashing import sha256
from unmask.tables.predictions import read_predictions
from unmask.tables.reading import shown

#: Coverage lists this many reasons for missing answers, the most common first, and sums up the others.
MOST_REASONS = 20


@dataclass(frozen=True)
class Scorecard:
    """What is known about one predictions file.

    Attributes:
        metrics: metric name to estimate, on all scored rows.
        slices: slice column to its groups, worst first.
        skipped: slice column to the reason why it was skipped.
        expected: number of ids that ask for an answer.
        reasons: reason for a missing answer to its count.
        rows: the scored rows, sorted by id: id, label, score, cluster, subject_id and source_id where the key has
            them, and the slice columns behind ``SLICE``.
        protocol: clip, threshold, prevalence, budget, seed, replicates and confidence.
        hashes: SHA-256 of the two files; None where frames were given.
    """

    metrics: dict[str, Estimate]
    slices: dict[str, list[Group]]
    skipped: dict[str, str]
    expected: int
    reasons: dict[str, int]
    rows: pl.DataFrame
    protocol: Protocol
    hashes: dict[str, str | None]

    @property
    def coverage(self) -> float:
        """Share of the expected ids that have a score, in [0, 1]."""
        return self.rows.height / self.expected

    @property
    def fakes(self) -> int:
        """Number of scored fakes."""
        return int((self.rows["label"] == 1).sum())

    @property
    def basis(self) -> Basis:
        """What the intervals rest on."""
        return Basis.of(self.rows)

    @property
    def stated(self) -> dict[str, str]:
        """Metric name -> what belongs behind its title, where a setting makes it another number."""
        settings = self.protocol.settings
        return {
            "recall_at_budget": f" {settings.budget:g}, prevalence {settings.prevalence:g}",
            "precision_at_prevalence": f" {settings.prevalence:g}",
        }

    @property
    def versions(self) -> dict[str, str]:
        """Versions of what made the numbers."""
        python = platform.python_version()
        return {"unmask": __version__, "python": python, "numpy": np.__version__, "polars": pl.__version__}

    def to_dict(self) -> dict[str, object]:
        """The content of ``scorecard.json``; every number is finite."""
        return {
            "format": 1,
            "metrics": {name: found.to_dict() for name, found in self.metrics.items()},
            "slices": {
                column: {
                    group.name: {name: found.to_dict() for name, found in group.metrics.items()} for group in groups
                }
                for column, groups in self.slices.items()
            },
            "slice_counts": {
                column: {g.name: {"fakes": g.fakes, "reals": g.reals, "small": g.small} for g in groups}
                for column, groups in self.slices.items()
            },
            "skipped_slices": self.skipped,
            "coverage": {
                "expected": self.expected,
                "answered": self.rows.height,
                "share": self.coverage,
                "reasons": self.reasons,
            },
            "counts": {"fakes": self.fakes, "reals": self.rows.height - self.fakes},
            "clusters": self.basis.clusters,
            "people": self.basis.people,
            "aggregation": "none: one score for each id",
            "clip": self.protocol.settings.clip,
            "threshold": self.protocol.settings.threshold,
            "prevalence": self.protocol.settings.prevalence,
            "budget": self.protocol.settings.budget,
            "trained_prevalence": self.protocol.settings.trained_prevalence,
            "seed": self.protocol.seed,
            "replicates": self.protocol.replicates,
            "confidence": self.protocol.confidence,
            "hashes": self.hashes,
            "versions": self.versions,
        }

    def to_json(self) -> str:
        """``to_dict`` as JSON text that ends with a line break."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"


def score(
    predictions: str | Path | pl.DataFrame,
    answers: str | Path | pl.DataFrame,
    *,
    seed: int = 0,
    replicates: int = 1000,
    clip: float = SMALLEST_CLIP,
    threshold: float = 0.5,
    confidence: float = 0.95,
    prevalence: float = 0.001,
    budget: float = 0.01,
    trained_prevalence: float = 0.5,
    split: str | None = None,
    usage: str | None = None,
) -> Scorecard:
    """Score predictions against an answer key.

    The order of the rows of either changes nothing. A row with a ``reason`` in place of a score is in no metric and is
    counted in the coverage. Slices: every further column of the key; a real row whose cell is empty belongs to every
    group of that column, so that a method's AUC sets its fakes against all reals.

    Args:
        predictions: file or frame: ``id, score`` (or ``filename, label``), one row for each id of the key.
        answers: file or frame: an answer key, or a manifest.
        seed: of the bootstrap, at least 0.
        replicates: of the bootstrap, at least 1.
        clip: of scores of which a logarithm is taken, from 1e-15, below 0.5.
        threshold: a score at or above it is called fake, in [0, 1].
        confidence: of the intervals, between 0 and 1.
        prevalence: share of fakes in the stream that the detector is meant for, between 0 and 1.
        budget: share of that stream that people can look at, in (0, 1].
        trained_prevalence: share of fakes that the scores, as probabilities, take for granted, between 0 and 1.
        split: keep only this split, where ``answers`` is a manifest.
        usage: score only the rows of this usage ("public" or "private"); None for both. Rows of the usage "ignored"
            are never scored. Every id of the key needs its row all the same.

    Raises:
        TableError: with every fault of one of the two.
        UnmaskError: a file is missing or of another kind; no row is of this usage.
        ValueError: a parameter out of its range.
    """
    protocol = Protocol(Settings(clip, threshold, prevalence, budget, trained_prevalence), seed, replicates, confidence)
    key = read_answers(answers, split=split)
    splits = dict(key.select("id", "split").drop_nulls().iter_rows()) if "split" in key.columns else None
    given = read_predictions(predictions, expected_ids=key["id"].to_list(), splits=splits)
    counted = key.filter(pl.col("usage") != "ignored" if usage is None else pl.col("usage") == usage).drop("usage")
    if counted.is_empty():
        what = "the answer key has no row to score" + (f" of the usage {shown(usage)}" if usage else "")
        raise UnmaskError(what, next_step="look at the column usage of the answer key")
    columns = [name for name in counted.columns if name not in NOT_SLICES]
    kept = [name for name in counted.columns if name in ("id", "label", "cluster", "subject_id", "source_id")]
    # A prefix, so that a slice column may have any name; sorted, so that the order of the files changes no sum or draw.
    named = counted.select(*kept, *(pl.col(name).alias(SLICE + name) for name in columns))
    rows = named.join(given, on="id", how="left").sort("id")
    scored = rows.filter(pl.col("score").is_not_null()).drop("reason")
    slices, skipped = slice_by(scored, columns, protocol)
    return Scorecard(
        metrics=estimate(scored, protocol),
        slices=slices,
        skipped=skipped,
        expected=rows.height,
        reasons=_count(rows["reason"].drop_nulls().to_list()),
        rows=scored,
        protocol=protocol,
        hashes={"predictions": _sha256(predictions), "answers": _sha256(answers)},
    )


def _count(reasons: list[str]) -> dict[str, int]:
    """How often each reason was given, the most common first."""
    ordered = sorted(Counter(reasons).items(), key=lambda item: (-item[1], item[0]))
    others = sum(count for _, count in ordered[MOST_REASONS:])
    return dict(ordered[:MOST_REASONS]) | ({"other reasons": others} if others else {})


def _sha256(source: str | Path | pl.DataFrame) -> str | None:
    return None if isinstance(source, pl.DataFrame) else sha256(source)
