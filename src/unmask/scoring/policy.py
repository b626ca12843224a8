"""``policy.json``: how a detector's scores become probabilities and calls, frozen on validation before they are tested.

A threshold is a raw score: one as it stands in a predictions file. So calls need no calibration, and no rounding
changes them. The same score, calibrated, stands beside it, and a policy in which the two do not belong together is
refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from unmask.scoring.calibration import Calibration
from unmask.scoring.sample import Floats
from unmask.tables.writing import write_text

FORMAT = 1
#: Of the fit, in words. So calibrated scores take the share of fakes in validation for granted.
CLASS_WEIGHTING = "none: every row of validation counts the same"


@dataclass(frozen=True)
class Threshold:
    """A score from which on files are called fake.

    Attributes:
        promised_fpr: the false positive rate that it was frozen for, between 0 and 1.
        raw_score: a file is called fake whose score in the predictions file is this or higher.
        calibrated_score: the same score, calibrated.
        validation_fpr: share of validation's reals that it calls fake; at most what is promised.
        validation_tpr: share of validation's fakes that it calls fake.
    """

    promised_fpr: float
    raw_score: float
    calibrated_score: float
    validation_fpr: float
    validation_tpr: float


@dataclass(frozen=True)
class Validation:
    """What a policy was fitted on.

    Attributes:
        fakes: fakes with a score.
        reals: reals with a score.
        unanswered: ids without one, which are in no fit and no rate.
        split: the split that was taken of the answers; None for all of them.
        ids_sha256: of all ids, see ``hash_ids``.
        predictions_sha256: of the file; None where a frame was given.
        answers_sha256: of the file; None where a frame was given.
    """

    fakes: int
    reals: int
    unanswered: int
    split: str | None
    ids_sha256: str
    predictions_sha256: str | None
    answers_sha256: str | None


@dataclass(frozen=True)
class Policy:
    """What ``policy.json`` says.

    Attributes:
        aggregation: what made the frames of an id one score, a name in ``AGGREGATIONS``, or that there were none.
        calibration: fitted on validation; its clip is that of every logarithm.
        thresholds: at least one, no two for the same rate; calls are made at the first.
        prevalence: share of fakes in the stream that the detector is meant for, between 0 and 1.
        trained_prevalence: share of fakes that the calibrated scores take for granted, between 0 and 1.
        validation: what it was fitted on.
        versions: of what fitted it.
    """

    aggregation: str
    calibration: Calibration
    thresholds: tuple[Threshold, ...]
    prevalence: float
    trained_prevalence: float
    validation: Validation
    versions: dict[str, str]

    def apply(self, scores: ArrayLike) -> tuple[Floats, Floats]:
        """Raw scores (N,), and the thresholds beside them, calibrated: (N,) and (T,), in [0, 1].

        They are calibrated together, so that a score is at or above a threshold if and only if it was before.
        """
        raw = [threshold.raw_score for threshold in self.thresholds]
        calibrated = self.calibration.apply(np.concatenate([np.asarray(scores, dtype=np.float64), raw]))
        return calibrated[: -len(raw)], calibrated[-len(raw) :]

    def to_json(self) -> str:
        """The content of ``policy.json``: the same, byte for byte, for the same policy."""
        content = {
            "format": FORMAT,
            "aggregation": self.aggregation,
            "method": self.calibration.method,
            "parameters": dict(self.calibration.parameters),
            "clip": self.calibration.clip,
            "thresholds": [asdict(threshold) for threshold in self.thresholds],
            "prevalence": self.prevalence,
            "trained_prevalence": self.trained_prevalence,
            "class_weighting": CLASS_WEIGHTING,
            "validation": asdict(self.validation),
            "versions": self.versions,
        }
        return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"

    @property
    def sha256(self) -> str:
        """SHA-256 of ``policy.json`` as ``write_policy`` writes it."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def hash_ids(ids: Collection[str]) -> str:
    """SHA-256 of the ids, sorted, each followed by a line break: the same for the same set."""
    return hashlib.sha256("".join(f"{each}\n" for each in sorted(ids)).encode()).hexdigest()


def write_policy(policy: Policy, path: str | Path) -> None:
    """Write ``policy.json``; it appears whole or not at all."""
    write_text(policy.to_json(), path)
