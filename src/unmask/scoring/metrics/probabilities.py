"""Metrics that take the scores at their word, as probabilities of fake."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from unmask.scoring.metrics.metric import SMALLEST_CLIP, Metric, Settings
from unmask.scoring.sample import Floats, Ints, Sample

#: Bins of the calibration errors.
BINS = 15


def _mean(sample: Sample, losses: Floats) -> Floats:
    """Weighted mean of (N,) losses for each column: (B,)."""
    return np.asarray((losses @ sample.weights) / (sample.fakes + sample.reals))


def _class_means(sample: Sample, of_fakes: Floats, of_reals: Floats) -> tuple[Floats, Floats]:
    """Weighted mean of (N,) losses over the fakes, and of others over the reals: (B,) each."""
    fake = sample.ordering.labels == 1
    return (
        np.asarray((np.where(fake, of_fakes, 0.0) @ sample.weights) / sample.fakes),
        np.asarray((np.where(fake, 0.0, of_reals) @ sample.weights) / sample.reals),
    )


def _log_odds(sample: Sample, settings: Settings) -> Floats:
    """(N,) log odds of fake: no logarithm of a clipped 1 - p is taken twice."""
    clipped = np.clip(sample.ordering.scores, settings.clip, 1.0 - settings.clip)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


def logit(share: float) -> float:
    """Natural logarithm of the odds of a share in (0, 1)."""
    return math.log(share) - math.log1p(-share)


def evidence(sample: Sample, settings: Settings) -> Floats:
    """(N,) natural log likelihood ratios of fake to real that the scores amount to."""
    return _log_odds(sample, settings) - logit(settings.trained_prevalence)


def _log_loss(sample: Sample, settings: Settings) -> Floats:
    # Clipped first and subtracted from one after, as the definition has it: log1p would give another last digit.
    clipped = np.clip(sample.ordering.scores, settings.clip, 1.0 - settings.clip)
    return _mean(sample, -np.log(np.where(sample.ordering.labels == 1, clipped, 1.0 - clipped)))


def _log_loss_at_prevalence(sample: Sample, settings: Settings) -> Floats:
    odds = evidence(sample, settings) + logit(settings.prevalence)
    fakes, reals = _class_means(sample, np.logaddexp(0.0, -odds), np.logaddexp(0.0, odds))
    rest = 1.0 - settings.prevalence
    entropy = -settings.prevalence * math.log(settings.prevalence) - rest * math.log(rest)
    return np.asarray((settings.prevalence * fakes + rest * reals) / entropy)


def _brier(sample: Sample, settings: Settings) -> Floats:
    return _mean(sample, np.square(sample.ordering.scores - sample.ordering.labels))


def _cllr(sample: Sample, settings: Settings) -> Floats:
    ratios = evidence(sample, settings)
    fakes, reals = _class_means(sample, np.logaddexp(0.0, -ratios), np.logaddexp(0.0, ratios))
    return np.asarray((fakes + reals) / (2.0 * math.log(2.0)))


def _gaps(sample: Sample, ends: Ints) -> Floats:
    """Sum over bins of |fakes - what the scores promise|, as a share of all weight: (B,).

    Args:
        sample: whose curve runs down from the highest score.
        ends: (BINS, B) number of distinct scores, from the highest, up to the end of each bin.
    """
    caught, (fakes, reals) = sample.curve[0], sample.steps
    promised = np.cumsum((fakes + reals) * sample.ordering.thresholds[:, None], axis=0)
    start = np.zeros((1, caught.shape[1]))
    excess = np.concatenate([start, caught - promised])
    return np.asarray(
        np.abs(np.diff(np.take_along_axis(excess, ends, axis=0), axis=0, prepend=0.0)).sum(axis=0)
        / (sample.fakes + sample.reals)
    )


def _ece_width(sample: Sample, settings: Settings) -> Floats:
    edges = np.arange(BINS - 1, -1, -1) / BINS
    # A score on an edge belongs to the bin above it; 1 to the highest.
    ends = np.searchsorted(-sample.ordering.thresholds, -edges, side="right")
    return _gaps(sample, np.repeat(ends[:, None], sample.weights.shape[1], axis=1))


def _ece_mass(sample: Sample, settings: Settings) -> Floats:
    (caught, alarms), (fakes, reals) = sample.curve, sample.steps
    total = caught + alarms
    middle = (total - 0.5 * (fakes + reals)) / (sample.fakes + sample.reals)
    shares = np.arange(1, BINS) / BINS
    ends = [[*np.searchsorted(column, shares), len(total)] for column in np.ascontiguousarray(middle.T)]
    return _gaps(sample, np.array(ends).T)


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
    return LOG_LOSS.value(Sample.of(labels, scores, weights), Settings(clip=clip))


def log_loss_at_prevalence(
    labels: ArrayLike,
    scores: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    prevalence: float = 0.001,
    trained_prevalence: float = 0.5,
    clip: float = SMALLEST_CLIP,
) -> float:
    """Log loss in a stream with few fakes, in units of what saying nothing costs there.

    The log odds of each score are moved by logit π - logit π_trained; the mean loss of the fakes is weighed by π, that
    of the reals by 1 - π, and the sum is divided by the entropy of π. Lower is better; from 0; above 1 the scores are
    worse than telling everybody the prevalence.

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), in [0, 1].
        weights: (N,), not negative; None for ones.
        prevalence: π, share of fakes in the stream, in (0, 1).
        trained_prevalence: the share that the scores take for granted, in (0, 1).
        clip: from 1e-15, below 0.5; before the move.

    Raises:
        Undefined: one class only.
        ValueError: wrong shapes, labels, prevalence or clip.
    """
    settings = Settings(clip=clip, prevalence=prevalence, trained_prevalence=trained_prevalence)
    return LOG_LOSS_AT_PREVALENCE.value(Sample.of(labels, scores, weights), settings)


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
    return BRIER.value(Sample.of(labels, scores, weights))


def ece_width(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Expected calibration error over 15 bins of equal width: the mean of |share of fakes - mean score|.

    Each bin counts by its rows; a score on an edge belongs to the bin above it. Lower is better; range [0, 1]. Defined
    for one class. Source: Naeini et al. 2015, on the probability of fake rather than of the likelier class.

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), in [0, 1].
        weights: (N,), not negative; None for ones.

    Raises:
        Undefined: no row has weight.
        ValueError: wrong shapes or labels.
    """
    return ECE_WIDTH.value(Sample.of(labels, scores, weights))


def ece_mass(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Expected calibration error over 15 bins of about equally many rows: the mean of |share of fakes - mean score|.

    Tied scores stay together, in the bin in which the middle one of them lies. Lower is better; range [0, 1]. Defined
    for one class. Source: Nixon et al. 2019, "Measuring calibration in deep learning" (adaptive bins).

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), in [0, 1].
        weights: (N,), not negative; None for ones.

    Raises:
        Undefined: no row has weight.
        ValueError: wrong shapes or labels.
    """
    return ECE_MASS.value(Sample.of(labels, scores, weights))


def cllr(
    labels: ArrayLike,
    scores: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    trained_prevalence: float = 0.5,
    clip: float = SMALLEST_CLIP,
) -> float:
    """Cost of the log likelihood ratio, in bits: how much is lost by taking the scores at their word at even odds.

    Half the mean over fakes of log2(1 + 1/L) plus half that over reals of log2(1 + L), where L is the ratio of fake to
    real that a score amounts to. Lower is better; from 0; a constant that says nothing gives 1. Source: Brümmer and du
    Preez 2006; as in ASVspoof 5.

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), in [0, 1].
        weights: (N,), not negative; None for ones.
        trained_prevalence: the share of fakes that the scores take for granted, in (0, 1).
        clip: from 1e-15, below 0.5.

    Raises:
        Undefined: one class only.
        ValueError: wrong shapes, labels, prevalence or clip.
    """
    settings = Settings(clip=clip, trained_prevalence=trained_prevalence)
    return CLLR.value(Sample.of(labels, scores, weights), settings)


LOG_LOSS = Metric(
    name="log_loss", title="Log loss", function=log_loss, batch=_log_loss, direction="lower", low=0.0, high=None,
    description="Punishes confident errors. A constant 0.5 gives 0.693, 0 is perfect.", both_classes=False,
    headline=True,
)  # fmt: skip
LOG_LOSS_AT_PREVALENCE = Metric(
    name="log_loss_at_prevalence", title="Log loss at prevalence", function=log_loss_at_prevalence,
    batch=_log_loss_at_prevalence, direction="lower", low=0.0, high=None,
    description="Log loss where fakes are as rare as the prevalence. 1 is what saying nothing costs, 0 is perfect.",
)  # fmt: skip
BRIER = Metric(
    name="brier", title="Brier score", function=brier, batch=_brier, direction="lower", low=0.0, high=1.0,
    description="Mean squared error of the probability. A constant 0.5 gives 0.25, 0 is perfect.", both_classes=False,
    headline=True,
)  # fmt: skip
ECE_WIDTH = Metric(
    name="ece_width", title="Calibration error, equal width", function=ece_width, batch=_ece_width, direction="lower",
    low=0.0, high=1.0, description="How far scores are from the share of fakes among rows with such scores.",
    both_classes=False,
)  # fmt: skip
ECE_MASS = Metric(
    name="ece_mass", title="Calibration error, equal mass", function=ece_mass, batch=_ece_mass, direction="lower",
    low=0.0, high=1.0, description="The same over bins with equally many rows each.", both_classes=False,
)  # fmt: skip
CLLR = Metric(
    name="cllr", title="Cllr", function=cllr, batch=_cllr, direction="lower", low=0.0, high=None,
    description="Bits lost by taking the scores at their word. 1 is what saying nothing costs, 0 is perfect.",
)  # fmt: skip
