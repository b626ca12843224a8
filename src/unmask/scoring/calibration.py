"""Calibration: from a detector's raw scores to probabilities. It never changes their order."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unmask.scoring.metrics import SMALLEST_CLIP
from unmask.scoring.sample import Floats
from unmask.tables.errors import UnmaskError

Bools = NDArray[np.bool_]

#: Method -> its parameters.
METHODS: dict[str, tuple[str, ...]] = {"none": (), "temperature": ("temperature",), "platt": ("slope", "shift")}

#: Log odds below which no probability is told: far from zero, so that there is room to keep many apart.
_LEAST = -700.0
#: Newton's decrement from which on one more step is exact, and how many steps there are at most.
_NEAR, _STEPS = 1e-12, 200


@dataclass(frozen=True)
class Calibration:
    """How a raw score p becomes a probability, where odds are counted with p clipped to [clip, 1 - clip].

    "none": p. "temperature": sigmoid(logit(p) / temperature). "platt": sigmoid(slope * logit(p) + shift).

    Attributes:
        method: one of ``METHODS``.
        parameters: those that the method has; ``temperature`` and ``slope`` are above 0.
        clip: from 1e-15, below 0.5.
    """

    method: str
    parameters: Mapping[str, float]
    clip: float = SMALLEST_CLIP

    def __post_init__(self) -> None:
        names = METHODS.get(self.method)
        if names is None or set(self.parameters) != set(names):
            raise ValueError(f"method {self.method!r} with parameters {sorted(self.parameters)}; there are {METHODS}")
        for name, value in self.parameters.items():
            if not math.isfinite(value) or (value <= 0.0 and name != "shift"):
                raise ValueError(f"{name} {value!r} is not finite, or not above 0")
        if not SMALLEST_CLIP <= self.clip < 0.5:
            raise ValueError(f"clip {self.clip!r} is not in [{SMALLEST_CLIP}, 0.5)")

    def apply(self, scores: ArrayLike) -> Floats:
        """Probabilities of fake, in [0, 1].

        Distinct scores stay distinct and in order, so that no metric of ranks and no call at a threshold changes: where
        rounding to float64 or the clip would tie several, the lower ones are moved down by the smallest steps that
        there are, each by about 1e-16.

        Args:
            scores: (N,), raw, in [0, 1].
        """
        raw = np.asarray(scores, dtype=np.float64)
        if self.method == "none":
            return raw
        distinct, place = np.unique(raw, return_inverse=True)
        slope, shift = self._slope_and_shift()
        odds = np.maximum(slope * _log_odds(distinct, self.clip) + shift, _LEAST)
        return np.asarray(_apart(np.exp(-np.logaddexp(0.0, -odds)))[place])

    def _slope_and_shift(self) -> tuple[float, float]:
        """Slope and shift of the log odds."""
        if self.method == "temperature":
            return 1.0 / self.parameters["temperature"], 0.0
        return self.parameters["slope"], self.parameters["shift"]


def fit(method: str, labels: ArrayLike, scores: ArrayLike, *, clip: float = SMALLEST_CLIP) -> Calibration:
    """The calibration of smallest log loss on these rows, each of which counts the same.

    Args:
        method: one of ``METHODS``. "temperature" has one parameter and leaves a score of 1/2 where it is; "platt" has
            two, and so can also move the mean to the share of fakes.
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), raw, in [0, 1].
        clip: of the scores before their odds are taken.

    Raises:
        UnmaskError: there is no such optimum: one class only, constant scores, classes that the scores separate
            perfectly, or an order that is turned round.

    Source: Guo et al. 2017, "On calibration of modern neural networks" (temperature); Platt 1999, "Probabilistic
    outputs for support vector machines", without his smoothed labels.
    """
    if method == "none":
        return Calibration(method, {}, clip)
    fake = np.asarray(labels) == 1
    odds = _log_odds(np.asarray(scores, dtype=np.float64), clip)
    _refuse_nothing_to_fit(fake, odds)
    if method == "temperature":
        return Calibration(method, {"temperature": 1.0 / _steepness(fake, odds)}, clip)
    slope, shift = _line(fake, odds)
    return Calibration(method, {"slope": slope, "shift": shift}, clip)


def _refuse_nothing_to_fit(fake: Bools, odds: Floats) -> None:
    if fake.all() or not fake.any():
        raise UnmaskError(
            f"there is no {'real' if fake.any() else 'fake'} among the rows to fit on",
            next_step="validate on fakes and reals",
        )
    if odds.min() == odds.max():
        raise UnmaskError(
            "all scores are the same: there is nothing to fit",
            next_step="look at how they were made; a detector that says the same of every file tells nothing",
        )


def _steepness(fake: Bools, odds: Floats) -> float:
    """By how much to multiply the log odds for the least log loss."""
    right = np.where(fake, odds, -odds)
    if (right >= 0).all():
        raise _separated("every fake is at 0.5 or above, and every real at 0.5 or below")
    spread = float(np.abs(odds).max())
    slope = float(_newton(odds[:, None] / spread, fake)[0]) / spread if (right > 0).any() else -math.inf
    if slope <= 0:
        raise UnmaskError(
            "no temperature makes these scores better than 0.5 for every file: they lie on the wrong side of 0.5",
            next_step="take --method platt, which can move them, or look whether 1 means fake in scores and labels",
        )
    return slope


def _line(fake: Bools, odds: Floats) -> tuple[float, float]:
    """Slope and shift of the log odds for the least log loss."""
    if odds[~fake].max() <= odds[fake].min():
        raise _separated("no real scores above a fake")
    middle, spread = float(odds.mean()), float(odds.std())
    slope = shift = -math.inf
    if odds[fake].max() > odds[~fake].min():
        steep, level = _newton(np.stack([(odds - middle) / spread, np.ones_like(odds)], axis=1), fake).tolist()
        slope, shift = steep / spread, level - steep * middle / spread
    if slope <= 0:
        raise UnmaskError(
            "the best fit would turn the order of the scores round: they are worse than guessing",
            next_step="look whether 1 means fake in scores and labels",
        )
    return slope, shift


def _separated(how: str) -> UnmaskError:
    return UnmaskError(
        f"the scores separate fakes and reals perfectly ({how}): the best fit is infinitely steep",
        next_step="validate on more or harder files, or leave the scores as they are with --method none",
    )


def _newton(columns: Floats, fake: Bools) -> Floats:
    """The weights of least log loss: (P,).

    Args:
        columns: (N, P), scaled to about 1; no weights but zeros may separate the classes.
        fake: (N,), whether the row is a fake.
    """
    sign = np.where(fake, 1.0, -1.0)
    weights = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        odds = columns @ weights
        wrong = np.exp(-np.logaddexp(0.0, sign * odds))
        gradient = -(columns * (sign * wrong)[:, None]).mean(axis=0)
        curvature = (columns * (wrong * (1.0 - wrong))[:, None]).T @ columns / len(columns)
        step = -np.linalg.solve(curvature, gradient)
        decrement = -float(gradient @ step)
        if decrement <= _NEAR:
            return np.asarray(weights + step)
        length, before = 1.0, np.logaddexp(0.0, -sign * odds).mean()
        while np.logaddexp(0.0, -sign * (columns @ (weights + length * step))).mean() > (
            before - 1e-4 * length * decrement
        ):
            length *= 0.5
        weights = weights + length * step
    raise AssertionError("Newton's method has not come to its end")


def _log_odds(scores: Floats, clip: float) -> Floats:
    clipped = np.clip(scores, clip, 1.0 - clip)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


def _apart(values: Floats) -> Floats:
    """(N,) positive values that climb but for ties and rounding, as values that all differ: each as high as it can be.

    Positive floats lie in the order of their bits, so that the next one below is one bit less.
    """
    bits, number = values.view(np.int64), np.arange(len(values))
    return (np.minimum.accumulate((bits - number)[::-1])[::-1] + number).view(np.float64)
