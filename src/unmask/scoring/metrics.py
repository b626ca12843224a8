"""The metrics. Each is one pure function of labels and scores; ``METRICS`` names them all.

y = 1 is fake, p is the probability of fake, all in float64. Rows with the same score are one point of a curve. A
value that does not exist (AUC with one class only) raises ``Undefined``; it is never told as 0 or 0.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from unmask.scoring.sample import Floats, Sample

#: Smallest clip of the log loss: below it, 1 - clip is 1 in float64 and the loss infinite.
SMALLEST_CLIP = 1e-15


class Undefined(Exception):  # noqa: N818  # a finding, not a fault
    """The metric has no value on these rows. ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class Settings:
    """What a metric needs to know beside the rows.

    Attributes:
        clip: the log loss clips p to [clip, 1 - clip]; from 1e-15, below 0.5.
        threshold: a score at or above it is called fake, in [0, 1]; fixed before the scores were seen.
    """

    clip: float = SMALLEST_CLIP
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not SMALLEST_CLIP <= self.clip < 0.5:
            raise ValueError(f"clip {self.clip!r} is not in [{SMALLEST_CLIP}, 0.5)")
        if not 0.0 <= self.threshold <= 1.0:
            raise ValueError(f"threshold {self.threshold!r} is not in [0, 1]")


DEFAULTS = Settings()


@dataclass(frozen=True)
class Metric:
    """One entry of ``METRICS``.

    Attributes:
        name: as in ``scorecard.json``.
        title: as on pages.
        function: (labels, scores, weights) to a float; raises Undefined.
        batch: the same for all columns of a sample's weights at once: (B,).
        direction: "higher" or "lower" is better.
        low: the smallest value.
        high: the largest value; None where there is no bound.
        description: one line that says how to read it.
        both_classes: whether it needs fakes and reals.
    """

    name: str
    title: str
    function: Callable[..., float]
    batch: Callable[[Sample, Settings], Floats]
    direction: Literal["higher", "lower"]
    low: float
    high: float | None
    description: str
    both_classes: bool

    def missing(self, fakes: float, reals: float) -> str | None:
        """Why there is no value with this much weight of fakes and reals; None where there is one."""
        if fakes + reals <= 0:
            return "there is no scored row"
        if self.both_classes and fakes <= 0:
            return "there is no fake among the scored rows"
        if self.both_classes and reals <= 0:
            return "there is no real among the scored rows"
        return None

    def value(self, sample: Sample, settings: Settings = DEFAULTS) -> float:
        """The value for the first column of weights; raises Undefined."""
        reason = self.missing(float(sample.fakes[0]), float(sample.reals[0]))
        if reason is not None:
            raise Undefined(reason)
        return float(self.batch(sample, settings)[0])


def _mean(sample: Sample, losses: Floats) -> Floats:
    """Weighted mean of (N,) losses for each column: (B,)."""
    return (losses @ sample.weights) / (sample.fakes + sample.reals)


def _log_loss(sample: Sample, settings: Settings) -> Floats:
    # Clipped first and subtracted from one after, as the definition has it: log1p would give another last digit.
    clipped = np.clip(sample.ordering.scores, settings.clip, 1.0 - settings.clip)
    return _mean(sample, -np.log(np.where(sample.ordering.labels == 1, clipped, 1.0 - clipped)))


def _brier(sample: Sample, settings: Settings) -> Floats:
    return _mean(sample, np.square(sample.ordering.scores - sample.ordering.labels))


def _roc_auc(sample: Sample, settings: Settings) -> Floats:
    caught, alarms = sample.curve
    # Each real beats no fake below it and half of those tied with it: a trapezoid for each group of ties.
    area = alarms[0] * caught[0] + np.einsum("gb,gb->b", np.diff(alarms, axis=0), caught[1:] + caught[:-1])
    return np.asarray(area / (2.0 * sample.fakes * sample.reals))


def _average_precision(sample: Sample, settings: Settings) -> Floats:
    caught, alarms = sample.curve
    # Before the first row with any weight precision is 0/0; it is multiplied by a step of recall of 0.
    precision = caught / np.maximum(caught + alarms, np.finfo(np.float64).tiny)
    steps = np.diff(caught, axis=0, prepend=0.0)
    return np.asarray(np.einsum("gb,gb->b", steps, precision) / sample.fakes)


def _eer(sample: Sample, settings: Settings) -> Floats:
    caught, alarms = sample.curve
    column = np.arange(caught.shape[1])
    # FPR - FNR climbs from -1 to 1; the crossing lies between the last point below 0 and the first at or above it.
    gap = alarms / sample.reals + caught / sample.fakes - 1.0
    right = np.argmax(gap >= 0.0, axis=0)
    left = np.maximum(right - 1, 0)
    before = np.where(right > 0, gap[left, column], -1.0)
    false_alarms = np.where(right > 0, alarms[left, column] / sample.reals, 0.0)
    after = gap[right, column]
    share = -before / (after - before)
    return np.asarray(false_alarms + share * (alarms[right, column] / sample.reals - false_alarms))


def _balanced_accuracy(sample: Sample, settings: Settings) -> Floats:
    called = sample.ordering.scores >= settings.threshold
    labels = sample.ordering.labels
    caught = (called & (labels == 1)).astype(np.float64) @ sample.weights
    passed = (~called & (labels == 0)).astype(np.float64) @ sample.weights
    return np.asarray(0.5 * (caught / sample.fakes + passed / sample.reals))


def log_loss(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None, *, clip: float = SMALLEST_CLIP
) -> float:
    """Log loss: the mean of -ln p over fakes and -ln(1 - p) over reals, p clipped to [clip, 1 - clip].

    Lower is better; range [0, -ln clip]. A constant 0.5 gives 0.693147. Defined for one class. Source: the Deepfake
    Detection Challenge's measure; definition as in scikit-learn's ``log_loss``.

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), in [0, 1].
        weights: (N,), not negative; None for ones.
        clip: from 1e-15, below 0.5.

    Raises:
        Undefined: no row has weight.
        ValueError: wrong shapes, labels or clip.
    """
    return METRICS["log_loss"].value(Sample.of(labels, scores, weights), Settings(clip=clip))


def roc_auc(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Area under the ROC curve: the probability that a fake scores above a real, ties counting one half.

    Higher is better; range [0, 1]. A constant gives 0.5. Source: Fawcett 2006, "An introduction to ROC analysis".

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), finite; only their order counts.
        weights: (N,), not negative; None for ones.

    Raises:
        Undefined: one class only.
        ValueError: wrong shapes or labels.
    """
    return METRICS["roc_auc"].value(Sample.of(labels, scores, weights))


def average_precision(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Average precision: the sum of (R_k - R_(k-1)) P_k over the distinct scores, highest first.

    Higher is better; range (0, 1]. A constant gives the share of fakes. Not interpolated. Source: scikit-learn's
    ``average_precision_score``.

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), finite; only their order counts.
        weights: (N,), not negative; None for ones.

    Raises:
        Undefined: one class only (without reals it would be 1 whatever the scores).
        ValueError: wrong shapes or labels.
    """
    return METRICS["average_precision"].value(Sample.of(labels, scores, weights))


def eer(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Equal error rate: where the share of missed fakes equals the share of false alarms.

    Linear interpolation between the two points of the ROC curve (ties collapsed) that the line FNR = FPR passes
    between. Lower is better; range [0, 1]. A constant gives 0.5. Source: Brümmer and de Villiers 2011, "The BOSARIS
    toolkit", on the plain curve rather than its convex hull.

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), finite; only their order counts.
        weights: (N,), not negative; None for ones.

    Raises:
        Undefined: one class only.
        ValueError: wrong shapes or labels.
    """
    return METRICS["eer"].value(Sample.of(labels, scores, weights))


def brier(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Brier score: the mean of (p - y)².

    Lower is better; range [0, 1]. A constant 0.5 gives 0.25. Defined for one class. Source: Brier 1950.

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), in [0, 1].
        weights: (N,), not negative; None for ones.

    Raises:
        Undefined: no row has weight.
        ValueError: wrong shapes or labels.
    """
    return METRICS["brier"].value(Sample.of(labels, scores, weights))


def balanced_accuracy(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None, *, threshold: float = 0.5
) -> float:
    """Balanced accuracy: the mean of the share of fakes called fake and the share of reals called real.

    A score at or above ``threshold`` is called fake. Higher is better; range [0, 1]. A constant gives 0.5. Source:
    scikit-learn's ``balanced_accuracy_score``.

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), finite.
        weights: (N,), not negative; None for ones.
        threshold: in [0, 1], fixed before the scores were seen.

    Raises:
        Undefined: one class only.
        ValueError: wrong shapes, labels or threshold.
    """
    return METRICS["balanced_accuracy"].value(Sample.of(labels, scores, weights), Settings(threshold=threshold))


#: Every metric, in the order in which pages show them.
METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "roc_auc", "ROC AUC", roc_auc, _roc_auc, "higher", 0.0, 1.0,
            "How often a fake scores above a real. 0.5 is guessing, 1 is perfect.", True,
        ),
        Metric(
            "average_precision", "Average precision", average_precision, _average_precision, "higher", 0.0, 1.0,
            "How clean the top of the list is. Guessing gives the share of fakes, 1 is perfect.", True,
        ),
        Metric(
            "eer", "Equal error rate", eer, _eer, "lower", 0.0, 1.0,
            "Share of errors where misses and false alarms are equally common. 0.5 is guessing, 0 is perfect.", True,
        ),
        Metric(
            "balanced_accuracy", "Balanced accuracy", balanced_accuracy, _balanced_accuracy, "higher", 0.0, 1.0,
            "Share called right at the threshold, fakes and reals counting the same. 0.5 is guessing, 1 is perfect.",
            True,
        ),
        Metric(
            "log_loss", "Log loss", log_loss, _log_loss, "lower", 0.0, None,
            "Punishes confident errors. A constant 0.5 gives 0.693, 0 is perfect.", False,
        ),
        Metric(
            "brier", "Brier score", brier, _brier, "lower", 0.0, 1.0,
            "Mean squared error of the probability. A constant 0.5 gives 0.25, 0 is perfect.", False,
        ),
    )
}  # fmt: skip
