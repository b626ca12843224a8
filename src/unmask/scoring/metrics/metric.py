"""What a metric is, and what it needs to know beside labels and scores.

y = 1 is fake, p is the probability of fake, all in float64. Rows with the same score are one point of a curve. A
value that does not exist (AUC with one class only) raises ``Undefined``; it is never told as 0 or 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

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
    """What metrics need to know beside the rows.

    Attributes:
        clip: scores are clipped to [clip, 1 - clip] where a logarithm is taken of them; from 1e-15, below 0.5.
        threshold: a score at or above it is called fake, in [0, 1]; fixed before the scores were seen.
        prevalence: share of fakes in the stream that the detector is meant for, in (0, 1).
        budget: share of that stream that people can look at, in (0, 1].
        trained_prevalence: share of fakes that the scores, as probabilities, take for granted, in (0, 1).
    """

    clip: float = SMALLEST_CLIP
    threshold: float = 0.5
    prevalence: float = 0.001
    budget: float = 0.01
    trained_prevalence: float = 0.5

    def __post_init__(self) -> None:
        if not SMALLEST_CLIP <= self.clip < 0.5:
            raise ValueError(f"clip {self.clip!r} is not in [{SMALLEST_CLIP}, 0.5)")
        if not 0.0 <= self.threshold <= 1.0:
            raise ValueError(f"threshold {self.threshold!r} is not in [0, 1]")
        for name, value in (("prevalence", self.prevalence), ("trained_prevalence", self.trained_prevalence)):
            if not 0.0 < value < 1.0:
                raise ValueError(f"{name} {value!r} is not between 0 and 1")
        if not 0.0 < self.budget <= 1.0:
            raise ValueError(f"budget {self.budget!r} is not in (0, 1]")


DEFAULTS = Settings()


def _no_gap(fakes: float, reals: float, settings: Settings) -> None:
    return None


def _no_details(sample: Sample, settings: Settings) -> dict[str, float]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One entry of ``METRICS``.

    Attributes:
        name: as in ``scorecard.json``.
        title: as on pages.
        function: (labels, scores, weights) to a float; raises Undefined.
        batch: the same for all columns of a sample's weights at once: (B,); NaN where a column has no value.
        direction: "higher" or "lower" is better.
        low: the smallest value; None where there is no bound.
        high: the largest value; None where there is no bound.
        description: one line that says how to read it.
        both_classes: whether it needs fakes and reals.
        headline: whether it belongs to the short tables.
        gap: what else a set with this much weight of fakes and reals lacks; None for nothing.
        nowhere: why ``batch`` gives NaN, where it can.
        details: further numbers that belong beside the value.
        defined_by: the public function of which ``function`` fixes an argument, if it does.
    """

    name: str
    title: str
    function: Callable[..., float]
    batch: Callable[[Sample, Settings], Floats]
    direction: Literal["higher", "lower"]
    low: float | None
    high: float | None
    description: str
    both_classes: bool = True
    headline: bool = False
    gap: Callable[[float, float, Settings], str | None] = _no_gap
    nowhere: str = ""
    details: Callable[[Sample, Settings], dict[str, float]] = _no_details
    defined_by: Callable[..., float] | None = None

    @property
    def definition(self) -> Callable[..., float]:
        """The public function whose docstring defines it."""
        return self.defined_by or self.function

    @property
    def range(self) -> str:
        """The smallest and the largest value, as people write them."""
        low = "(-inf" if self.low is None else f"[{self.low:.3g}"
        return f"{low}, inf)" if self.high is None else f"{low}, {self.high:,.7g}]"

    def missing(self, fakes: float, reals: float, settings: Settings = DEFAULTS) -> str | None:
        """Why there is no value with this much weight of fakes and reals; None where there may be one."""
        if fakes + reals <= 0:
            return "there is no scored row"
        if self.both_classes and fakes <= 0:
            return "there is no fake among the scored rows"
        if self.both_classes and reals <= 0:
            return "there is no real among the scored rows"
        return self.gap(fakes, reals, settings)

    def value(self, sample: Sample, settings: Settings = DEFAULTS) -> float:
        """The value for the first column of weights.

        Raises:
            Undefined: there is none.
        """
        reason = self.missing(float(sample.fakes[0]), float(sample.reals[0]), settings)
        if reason is not None:
            raise Undefined(reason)
        value = float(self.batch(sample, settings)[0])
        if math.isnan(value):
            raise Undefined(self.nowhere)
        return value
