"""``score``: predictions and an answer key become a scorecard. The only place where predictions become numbers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from unmask.scoring.basis import Basis
from unmask.scoring.curves import Curves, curves
from unmask.scoring.estimates import Estimate, Protocol, estimate
from unmask.scoring.fairness import Fairness, choose, compare_groups
from unmask.scoring.intervals import Resampling
from unmask.scoring.joining import NO_FRAMES, USUAL_AGGREGATION, join
from unmask.scoring.metrics import Settings
from unmask.scoring.operating import Application, apply_policy
from unmask.scoring.policy import Policy
from unmask.scoring.policy_reading import read_policy
from unmask.scoring.sample import Sample
from unmask.scoring.slices import Group, slice_by
from unmask.scoring.versions import versions

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
        rows: the scored rows, sorted by id: id, label, score (calibrated, where there is a policy), cluster, subject_id
            and source_id where the key has them, and the slice columns behind ``SLICE``.
        protocol: clip, threshold, prevalence, budget, seed, replicates and confidence.
        aggregation: what made the frames of an id one score, or that there were none.
        hashes: SHA-256 of the two files; None where frames were given.
        fairness: column of subject groups to how they differ at the threshold.
        application: the policy that was applied, and how far its thresholds landed; None without one.
        remarks: what a reader must know before the numbers, in sentences: that training data leaks into the test, say.
    """

    metrics: dict[str, Estimate]
    slices: dict[str, list[Group]]
    skipped: dict[str, str]
    expected: int
    reasons: dict[str, int]
    rows: pl.DataFrame
    protocol: Protocol
    aggregation: str
    hashes: dict[str, str | None]
    fairness: dict[str, Fairness]
    application: Application | None
    remarks: tuple[str, ...] = ()

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
        return versions()

    def curves(self) -> Curves:
        """ROC and the other curves of the scored rows, which must have both classes, with their bands."""
        labels, protocol = self.rows["label"].to_numpy(), self.protocol
        return curves(
            Sample.of(labels, self.rows["score"].to_numpy()),
            Resampling.of(labels, self.rows["cluster"], replicates=protocol.replicates, seed=protocol.seed),
            prevalence=protocol.settings.prevalence,
            confidence=protocol.confidence,
        )

    def to_dict(self) -> dict[str, object]:
        """The content of ``scorecard.json``; every number is finite."""
        return {
            "format": 1,
            "remarks": list(self.remarks),
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
            "fairness": {column: found.to_dict() for column, found in self.fairness.items()},
            "policy": None if self.application is None else self.application.to_dict(),
            "operating_points": [] if self.application is None else [p.to_dict() for p in self.application.points],
            "coverage": {
                "expected": self.expected,
                "answered": self.rows.height,
                "share": self.coverage,
                "reasons": self.reasons,
            },
            "counts": {"fakes": self.fakes, "reals": self.rows.height - self.fakes},
            "clusters": self.basis.clusters,
            "people": self.basis.people,
            "aggregation": self.aggregation,
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
    clip: float | None = None,
    threshold: float | None = None,
    confidence: float = 0.95,
    prevalence: float | None = None,
    budget: float = 0.01,
    trained_prevalence: float | None = None,
    split: str | None = None,
    usage: str | None = None,
    policy: str | Path | Policy | None = None,
    groups: Sequence[str] | None = None,
    aggregation: str | None = None,
) -> Scorecard:
    """Score predictions against an answer key.

    The order of the rows of either changes nothing. A row with a ``reason`` in place of a score is in no metric and is
    counted in the coverage. Slices: every further column of the key; a real row whose cell is empty belongs to every
    group of that column, so that a method's AUC sets its fakes against all reals.

    With a policy, the scores are calibrated before anything is measured, calls are made at its first threshold, and its
    clip and prevalences hold. Metrics of ranks stay what they are without it.

    Args:
        predictions: file or frame: ``id, score`` (or ``filename, label``), one row for each id of the key; or
            ``id, frame, score``, many.
        answers: file or frame: an answer key, or a manifest.
        seed: of the bootstrap, at least 0.
        replicates: of the bootstrap, at least 1.
        clip: of scores of which a logarithm is taken, from 1e-15, below 0.5. None: the policy's, else 1e-15.
        threshold: a score at or above it is called fake, in [0, 1]. None: the policy's, else 0.5.
        confidence: of the intervals, between 0 and 1.
        prevalence: share of fakes in the stream that the detector is meant for, between 0 and 1.
            None: the policy's, else 0.001.
        budget: share of that stream that people can look at, in (0, 1].
        trained_prevalence: share of fakes that the scores, as probabilities, take for granted, between 0 and 1.
            None: the policy's, else 0.5.
        split: keep only this split, where ``answers`` is a manifest.
        usage: score only the rows of this usage ("public" or "private"); None for both. Rows of the usage "ignored"
            are never scored. Every id of the key needs its row all the same.
        policy: ``policy.json`` of ``unmask calibrate``, or what it holds.
        groups: columns of the key whose groups are compared (fairness); None for those that tell subjects' groups by
            their names, such as gender and race.
        aggregation: of frames to one score: mean, median, max, top or confident. None: the policy's, else the mean.

    Raises:
        TableError: with every fault of one of the files.
        UnmaskError: a file is missing or of another kind; no row is of this usage; the policy was fitted on these very
            ids, or says otherwise than what was asked for; there is no such column of groups.
        ValueError: a parameter out of its range.
    """
    asked = {"clip": clip, "threshold": threshold, "prevalence": prevalence, "trained_prevalence": trained_prevalence}
    given = {name: value for name, value in asked.items() if value is not None}
    protocol = Protocol(Settings(budget=budget, **given), seed, replicates, confidence)
    if isinstance(policy, str | Path):
        policy = read_policy(policy)
    usual = USUAL_AGGREGATION if policy is None or policy.aggregation == NO_FRAMES else policy.aggregation
    joined = join(predictions, answers, split=split, usage=usage, aggregation=aggregation or usual)
    scored = joined.rows.filter(pl.col("score").is_not_null()).drop("reason")
    application = None
    if policy is not None:
        scored, protocol, application = apply_policy(policy, scored, protocol, given, joined, answers)
    slices, skipped = slice_by(scored, joined.columns, protocol)
    return Scorecard(
        metrics=estimate(scored, protocol),
        slices=slices,
        skipped=skipped,
        expected=joined.rows.height,
        reasons=_count(joined.rows["reason"].drop_nulls().to_list()),
        rows=scored,
        protocol=protocol,
        aggregation=joined.aggregation,
        hashes=joined.hashes,
        fairness=compare_groups(scored, choose(joined.columns, groups, skipped), protocol),
        application=application,
    )


def _count(reasons: list[str]) -> dict[str, int]:
    """How often each reason was given, the most common first."""
    ordered = sorted(Counter(reasons).items(), key=lambda item: (-item[1], item[0]))
    others = sum(count for _, count in ordered[MOST_REASONS:])
    return dict(ordered[:MOST_REASONS]) | ({"other reasons": others} if others else {})
