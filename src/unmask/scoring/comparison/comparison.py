"""A comparison: several systems in order, and how sure that order is."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from unmask.scoring.basis import Basis
from unmask.scoring.comparison.delong import DeLong
from unmask.scoring.comparison.differences import Differences
from unmask.scoring.comparison.tiers import level, needed_replicates
from unmask.scoring.estimates import Protocol
from unmask.scoring.metrics import Metric
from unmask.scoring.sample import Floats
from unmask.scoring.versions import versions
from unmask.tables.answers import FEWEST_PEOPLE


@dataclass(frozen=True)
class System:
    """One system among the others.

    Attributes:
        name: unlike every other's.
        unanswered: number of rows that it gave no score for.
        aggregation: what made the frames of an id one score.
        sha256: of its file; None where a frame was given.
        value: of the metric, on the compared rows; None where undefined.
        reason: why there is no value, or no interval; None where there are both.
        low: lower end of the interval.
        high: upper end.
        rank: from 1; systems with the same value share it. None, and behind all others, where the value is undefined.
        rank_low: best rank in the middle of the replicates, never worse than ``rank``.
        rank_high: worst rank there, never better than ``rank``.
        first: share of the replicates in which it is first, in [0, 1]; a shared first place counts in parts.
        shares: share of the replicates in which it has rank 1, 2, ...; empty where there are none.
        tier: from 1: its members cannot be told apart from the first of them. None for all where there are too few
            replicates to tell so many systems apart.
    """

    name: str
    unanswered: int
    aggregation: str
    sha256: str | None
    value: float | None = None
    reason: str | None = None
    low: float | None = None
    high: float | None = None
    rank: int | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    first: float | None = None
    shares: tuple[float, ...] = ()
    tier: int | None = None

    def to_dict(self) -> dict[str, object]:
        """As in ``comparison.json``: what does not exist is null, ``ranks`` names those that were taken."""
        told = {name: value for name, value in vars(self).items() if name != "shares"}
        return told | {"ranks": {str(rank): share for rank, share in enumerate(self.shares, start=1) if share}}


@dataclass(frozen=True)
class Comparison:
    """What is known about several systems.

    Attributes:
        metric: what they are compared by.
        systems: by rank, then by name; those without a value last.
        differences: of those with a value, in their order; None where nothing can be drawn anew.
        delong: areas and covariances of those with a value, where the metric is the ROC AUC and they exist.
        kendall_tau: mean agreement of the replicates' rankings with the full one, in [-1, 1].
        rows: the compared rows, sorted by id: id, label, cluster, subject_id and source_id where the key has them.
        expected: number of rows that ask for an answer.
        protocol: clip, threshold and the like, seed, replicates and confidence.
        answers_sha256: of the answer key; None where a frame was given.
    """

    metric: Metric
    systems: list[System]
    differences: Differences | None
    delong: DeLong | None
    kendall_tau: float | None
    rows: pl.DataFrame
    expected: int
    protocol: Protocol
    answers_sha256: str | None

    @property
    def alpha(self) -> float:
        """Level of the tiers: what the confidence leaves to 1."""
        return level(self.protocol.confidence)

    @property
    def ranked(self) -> list[System]:
        """The systems that have a value, in the order of ``differences``."""
        return [system for system in self.systems if system.rank is not None]

    @property
    def fakes(self) -> int:
        """Number of compared fakes."""
        return int((self.rows["label"] == 1).sum())

    @property
    def basis(self) -> Basis:
        """What the intervals rest on."""
        return Basis.of(self.rows)

    @property
    def independent(self) -> bool:
        """Whether every row is a cluster of its own, as DeLong assumes."""
        return self.rows["cluster"].n_unique() == self.rows.height

    @property
    def notes(self) -> list[str]:
        """What a reader must know before the numbers."""
        told = []
        if left_out := self.expected - self.rows.height:
            told.append(
                f"{left_out:,} of {self.expected:,} ids are left out for all: at least one system has no score for them"
            )
        if self.differences is None:
            told.append("nothing can be drawn anew: all rows of a class belong to one cluster")
            return told
        needed = needed_replicates(len(self.ranked), self.alpha)
        if self.protocol.replicates < needed:
            told.append(
                f"no tiers: {self.protocol.replicates:,} replicates cannot tell {len(self.ranked):,} systems apart at "
                f"{self.alpha:g}, however far apart they are; take at least {needed:,}"
            )
        if self.basis.fewest < FEWEST_PEOPLE:
            told.append(
                f"the fakes or the reals rest on fewer than {FEWEST_PEOPLE} people or clusters ({self.basis.fewest}): "
                "p comes out too small"
            )
        return told

    @property
    def cross_check(self) -> str | None:
        """What DeLong says of the same pairs; None where there is no such answer."""
        if self.delong is None or self.differences is None or len(self.ranked) < 2:
            return None
        pairs = np.triu_indices(len(self.ranked), 1)
        both = (self.differences.p, self.delong.p_values())
        ours, theirs = (np.nan_to_num(p[pairs], nan=1.0) <= self.alpha for p in both)
        told = (
            f"DeLong and the bootstrap agree on {int((ours == theirs).sum()):,} of {len(ours):,} pairs "
            f"at {self.alpha:g}, not adjusted"
        )
        if self.independent:
            return told
        rows, clusters = self.rows.height, self.rows["cluster"].n_unique()
        return f"{told}; DeLong takes rows for independent, and here {rows:,} belong to {clusters:,} clusters"

    def to_dict(self) -> dict[str, object]:
        """The content of ``comparison.json``; every number is finite."""
        settings, basis = self.protocol.settings, self.basis
        return {
            "format": 1,
            "metric": self.metric.name,
            "direction": self.metric.direction,
            "notes": self.notes,
            "systems": [system.to_dict() for system in self.systems],
            "differences": self._pairs(),
            "kendall_tau": self.kendall_tau,
            "delong": self._delong(),
            "coverage": {"expected": self.expected, "compared": self.rows.height},
            "counts": {"fakes": self.fakes, "reals": self.rows.height - self.fakes},
            "clusters": basis.clusters,
            "people": basis.people,
            "clip": settings.clip,
            "threshold": settings.threshold,
            "prevalence": settings.prevalence,
            "budget": settings.budget,
            "trained_prevalence": settings.trained_prevalence,
            "seed": self.protocol.seed,
            "replicates": self.protocol.replicates,
            "confidence": self.protocol.confidence,
            "alpha": self.alpha,
            "answers_sha256": self.answers_sha256,
            "versions": versions(),
        }

    def to_json(self) -> str:
        """``to_dict`` as JSON text that ends with a line break."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    def _pairs(self) -> list[dict[str, object]]:
        if self.differences is None:
            return []
        names = [system.name for system in self.ranked]
        columns = [_nullable(each) for each in vars(self.differences).values()]
        return [
            {"one": names[i], "other": names[j]}
            | {key: column[i][j] for key, column in zip(("difference", "low", "high", "p"), columns, strict=True)}
            for i in range(len(names))
            for j in range(i + 1, len(names))
        ]

    def _delong(self) -> dict[str, object] | None:
        if self.delong is None:
            return None
        names = [system.name for system in self.ranked]
        return {
            "rows_independent": self.independent,
            "covariance": self.delong.covariance.tolist(),
            "systems": [
                {"name": name, "value": float(value), "low": float(low), "high": float(high)}
                for name, value, (low, high) in zip(
                    names, self.delong.areas, self.delong.intervals(self.protocol.confidence), strict=True
                )
            ],
            "p": _nullable(self.delong.p_values()),
        }


def _nullable(values: Floats) -> list[list[float | None]]:
    """A matrix as lists, None where it has NaN."""
    return [[None if math.isnan(value) else value for value in row] for row in values.tolist()]
