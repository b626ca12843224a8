"""Metrics of the order of the scores: any increasing function of the scores gives the same values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from unmask.scoring.metrics.metric import Metric, Settings
from unmask.scoring.sample import Floats, Sample

#: False positive rate up to which ``partial_auc`` looks.
PARTIAL = 0.1
#: Reals that one false alarm at the wanted rate must stand for ten times over, before a rate is claimed.
_CLAIM = 10


def _roc_auc(sample: Sample, settings: Settings) -> Floats:
    fakes, reals = sample.steps
    # Each real is below the fakes that score higher, and below half of those tied with it.
    area = np.einsum("gb,gb->b", reals, sample.curve[0]) - 0.5 * np.einsum("gb,gb->b", reals, fakes)
    return np.asarray(area / (sample.fakes * sample.reals))


def _partial_auc(sample: Sample, settings: Settings, most: float = PARTIAL) -> Floats:
    caught, alarms = sample.rates
    rise, step = (steps / total for steps, total in zip(sample.steps, (sample.fakes, sample.reals), strict=True))
    width = np.clip(most - alarms[:-1], 0.0, step)
    share = width / np.maximum(step, np.finfo(np.float64).tiny)  # where the step is 0, so is the width
    area = np.einsum("gb,gb->b", width, caught[:-1] + 0.5 * share * rise)
    guessing = most * most / 2.0
    return np.asarray(0.5 * (1.0 + (area - guessing) / (most - guessing)))


def _average_precision(sample: Sample, settings: Settings) -> Floats:
    caught, alarms = sample.curve
    # Before the first row with any weight precision is 0/0; it is multiplied by a step of recall of 0.
    precision = caught / np.maximum(caught + alarms, np.finfo(np.float64).tiny)
    return np.asarray(np.einsum("gb,gb->b", sample.steps[0], precision) / sample.fakes)


def _eer(sample: Sample, settings: Settings) -> Floats:
    caught, alarms = sample.rates
    column = np.arange(caught.shape[1])
    # FPR - FNR climbs from -1 to 1; the crossing lies between the last point below 0 and the first at or above it.
    gap = alarms + caught - 1.0
    right = np.argmax(gap >= 0.0, axis=0)
    left = right - 1
    share = -gap[left, column] / (gap[right, column] - gap[left, column])
    return np.asarray(alarms[left, column] + share * (alarms[right, column] - alarms[left, column]))


def _eer_asvspoof(sample: Sample, settings: Settings) -> Floats:
    caught, alarms = sample.rates
    nearest = np.argmin(np.abs(alarms + caught - 1.0), axis=0), np.arange(caught.shape[1])
    return np.asarray(0.5 * (alarms[nearest] + 1.0 - caught[nearest]))


def _tpr_at(most: float) -> Callable[[Sample, Settings], Floats]:
    def batch(sample: Sample, settings: Settings) -> Floats:
        caught, alarms = sample.rates
        place = (alarms <= most).sum(axis=0) - 1
        return np.asarray(caught[place, np.arange(caught.shape[1])])

    return batch


def _attained(most: float) -> Callable[[Sample, Settings], dict[str, float]]:
    def details(sample: Sample, settings: Settings) -> dict[str, float]:
        alarms = sample.rates[1][:, 0]
        return {"attained_fpr": float(alarms[alarms <= most].max())}

    return details


def _too_few(most: float) -> Callable[[float, float, Settings], str | None]:
    least = round(_CLAIM / most)

    def gap(fakes: float, reals: float, settings: Settings) -> str | None:
        return (
            f"a false positive rate of {most:g} needs {least:,} reals; there are {reals:,g}" if reals < least else None
        )

    return gap


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
    return ROC_AUC.value(Sample.of(labels, scores, weights))


def partial_auc(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Area A under the ROC curve up to a false positive rate of a = 0.1, as 0.5 (1 + (A - a²/2) / (a - a²/2)).

    Between points the curve is straight. Higher is better; range [0.47, 1]: a constant gives 0.5, a perfect order 1.
    Source: McClish 1989, "Analyzing a portion of the ROC curve".

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), finite; only their order counts.
        weights: (N,), not negative; None for ones.

    Raises:
        Undefined: one class only.
        ValueError: wrong shapes or labels.
    """
    return PARTIAL_AUC.value(Sample.of(labels, scores, weights))


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
    return AVERAGE_PRECISION.value(Sample.of(labels, scores, weights))


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
    return EER.value(Sample.of(labels, scores, weights))


def eer_asvspoof(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Equal error rate as the ASVspoof challenges print it: the mean of FNR and FPR where they are nearest.

    Of several nearest points the one with the highest threshold. Ties are one point, where the challenges' own scripts
    break them by the order of the rows. Lower is better; range [0, 1]. A constant gives 0.5. Source: the evaluation
    package of ASVspoof 2019 and later, ``compute_eer``.

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), finite; only their order counts.
        weights: (N,), not negative; None for ones.

    Raises:
        Undefined: one class only.
        ValueError: wrong shapes or labels.
    """
    return EER_ASVSPOOF.value(Sample.of(labels, scores, weights))


def tpr_at_fpr(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None, *, fpr: float = 0.01) -> float:
    """The largest share of fakes caught at a false positive rate of at most ``fpr``, without interpolation.

    Higher is better; range [0, 1]. A constant gives 0. Nothing is claimed with fewer than 10 / fpr reals: one false
    alarm more or less would then move the rate too far.

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), finite; only their order counts.
        weights: (N,), not negative; None for ones.
        fpr: share of the reals that may be called fake, in (0, 1).

    Raises:
        Undefined: one class only, or too few reals.
        ValueError: wrong shapes, labels or rate.
    """
    if not 0.0 < fpr < 1.0:
        raise ValueError(f"fpr {fpr!r} is not between 0 and 1")
    return _tpr_at_fpr(fpr).value(Sample.of(labels, scores, weights))


def _tpr_at_fpr(fpr: float) -> Metric:
    percent = f"{100 * fpr:g}"
    return Metric(
        name=f"tpr_at_fpr_{percent.replace('.', '_')}pct", title=f"TPR at {percent} % FPR",
        function=lambda labels, scores, weights=None: tpr_at_fpr(labels, scores, weights, fpr=fpr),
        batch=_tpr_at(fpr), direction="higher", low=0.0, high=1.0,
        description=f"Share of fakes caught while at most {percent} % of the reals are called fake.",
        gap=_too_few(fpr), details=_attained(fpr), defined_by=tpr_at_fpr,
    )  # fmt: skip


ROC_AUC = Metric(
    name="roc_auc", title="ROC AUC", function=roc_auc, batch=_roc_auc, direction="higher", low=0.0, high=1.0,
    description="How often a fake scores above a real. 0.5 is guessing, 1 is perfect.", headline=True,
)  # fmt: skip
PARTIAL_AUC = Metric(
    name="partial_auc", title="Partial AUC", function=partial_auc, batch=_partial_auc, direction="higher",
    low=0.5 * (1.0 - PARTIAL / (2.0 - PARTIAL)), high=1.0,
    description="The AUC where at most 10 % of the reals are called fake. 0.5 is guessing, 1 is perfect.",
)  # fmt: skip
AVERAGE_PRECISION = Metric(
    name="average_precision", title="Average precision", function=average_precision, batch=_average_precision,
    direction="higher", low=0.0, high=1.0,
    description="How clean the top of the list is. Guessing gives the share of fakes, 1 is perfect.", headline=True,
)  # fmt: skip
EER = Metric(
    name="eer", title="Equal error rate", function=eer, batch=_eer, direction="lower", low=0.0, high=1.0,
    description="Share of errors where misses and false alarms are equally common. 0.5 is guessing, 0 is perfect.",
    headline=True,
)  # fmt: skip
EER_ASVSPOOF = Metric(
    name="eer_asvspoof", title="Equal error rate, ASVspoof", function=eer_asvspoof, batch=_eer_asvspoof,
    direction="lower", low=0.0, high=1.0, description="The equal error rate as the ASVspoof challenges print it.",
)  # fmt: skip
TPR_AT_10, TPR_AT_1, TPR_AT_01 = (_tpr_at_fpr(fpr) for fpr in (0.1, 0.01, 0.001))
