"""Metrics of the calls at one threshold that was fixed before the scores were seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from unmask.scoring.binomial import clopper_pearson
from unmask.scoring.metrics.metric import Metric, Settings
from unmask.scoring.sample import Floats, Sample


def _rates(sample: Sample, settings: Settings) -> tuple[Floats, Floats]:
    """Share of the fakes, and of the reals, that are called fake: (B,) each."""
    return sample.called(sample.ordering.scores >= settings.threshold)


def _balanced_accuracy(sample: Sample, settings: Settings) -> Floats:
    caught, alarms = _rates(sample, settings)
    return np.asarray(0.5 * (caught + 1.0 - alarms))


def _f1(sample: Sample, settings: Settings) -> Floats:
    caught, alarms = _rates(sample, settings)
    true, false = caught * sample.fakes, alarms * sample.reals
    return np.asarray(2.0 * true / (true + false + sample.fakes))


def share_of_fakes(caught: ArrayLike, alarms: ArrayLike, prevalence: float) -> Floats:
    """Among what is called fake at (...) TPRs and FPRs, with so many fakes in the stream; NaN where nothing is."""
    found, wrong = prevalence * np.asarray(caught), (1.0 - prevalence) * np.asarray(alarms)
    return np.divide(found, found + wrong, out=np.full_like(found, np.nan), where=found + wrong > 0)


def _precision_at_prevalence(sample: Sample, settings: Settings) -> Floats:
    return share_of_fakes(*_rates(sample, settings), settings.prevalence)


def _bound(sample: Sample, settings: Settings) -> dict[str, float]:
    caught, alarms = _rates(sample, settings)
    if alarms[0] > 0:
        return {"prevalence": settings.prevalence}
    most = clopper_pearson(0, float(sample.reals[0]))[1]
    bound = float(share_of_fakes(caught[0], most, settings.prevalence))
    return {"prevalence": settings.prevalence, "bound": bound}


def _fpr_per_million(sample: Sample, settings: Settings) -> Floats:
    return np.asarray(1e6 * _rates(sample, settings)[1])


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
    return BALANCED_ACCURACY.value(Sample.of(labels, scores, weights), Settings(threshold=threshold))


def f1(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None, *, threshold: float = 0.5) -> float:
    """F1: 2 TP / (2 TP + FP + FN) of the fakes.

    A score at or above ``threshold`` is called fake. Higher is better; range [0, 1]. It depends on the share of fakes
    in the set; 0 where no fake is caught. Source: scikit-learn's ``f1_score``.

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), finite.
        weights: (N,), not negative; None for ones.
        threshold: in [0, 1], fixed before the scores were seen.

    Raises:
        Undefined: one class only.
        ValueError: wrong shapes, labels or threshold.
    """
    return F1.value(Sample.of(labels, scores, weights), Settings(threshold=threshold))


def precision_at_prevalence(
    labels: ArrayLike,
    scores: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    prevalence: float = 0.001,
    threshold: float = 0.5,
) -> float:
    """Share of fakes among what is called fake in a stream with few fakes: π TPR / (π TPR + (1 - π) FPR).

    A score at or above ``threshold`` is called fake. Higher is better; range [0, 1]; calling all fake gives π. Without
    a single false alarm among the reals it is 1, which only says that there were few reals: the scorecard then tells
    as ``bound`` what it is at the upper end of the FPR's 95 % interval (Clopper and Pearson 1934).

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), finite.
        weights: (N,), not negative; None for ones.
        prevalence: π, share of fakes in the stream, in (0, 1).
        threshold: in [0, 1], fixed before the scores were seen.

    Raises:
        Undefined: one class only, or nothing is called fake.
        ValueError: wrong shapes, labels, prevalence or threshold.
    """
    settings = Settings(threshold=threshold, prevalence=prevalence)
    return PRECISION_AT_PREVALENCE.value(Sample.of(labels, scores, weights), settings)


def fpr_per_million(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None, *, threshold: float = 0.5
) -> float:
    """Reals that are called fake, of a million reals.

    A score at or above ``threshold`` is called fake. Lower is better; range [0, 1,000,000].

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), finite.
        weights: (N,), not negative; None for ones.
        threshold: in [0, 1], fixed before the scores were seen.

    Raises:
        Undefined: one class only.
        ValueError: wrong shapes, labels or threshold.
    """
    return FPR_PER_MILLION.value(Sample.of(labels, scores, weights), Settings(threshold=threshold))


BALANCED_ACCURACY = Metric(
    name="balanced_accuracy", title="Balanced accuracy", function=balanced_accuracy, batch=_balanced_accuracy,
    direction="higher", low=0.0, high=1.0,
    description="Share called right at the threshold, both classes counting the same. 0.5 is guessing, 1 is perfect.",
    headline=True,
)  # fmt: skip
F1 = Metric(
    name="f1", title="F1", function=f1, batch=_f1, direction="higher", low=0.0, high=1.0,
    description="Precision and recall at the threshold in one number, at the share of fakes of this set.",
)  # fmt: skip
PRECISION_AT_PREVALENCE = Metric(
    name="precision_at_prevalence", title="Precision at prevalence", function=precision_at_prevalence,
    batch=_precision_at_prevalence, direction="higher", low=0.0, high=1.0,
    description="Share of fakes among what the threshold calls fake, in a stream with fakes as rare as the prevalence.",
    headline=True, nowhere="nothing is called fake at the threshold", details=_bound,
)  # fmt: skip
FPR_PER_MILLION = Metric(
    name="fpr_per_million", title="False alarms a million", function=fpr_per_million, batch=_fpr_per_million,
    direction="lower", low=0.0, high=1e6, description="Reals that the threshold calls fake, of a million.",
)  # fmt: skip
