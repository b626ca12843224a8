"""Detection costs as ASVspoof 5 counts them: letting a fake pass costs ten times what stopping a real does."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from unmask.scoring.metrics.metric import SMALLEST_CLIP, Metric, Settings
from unmask.scoring.metrics.probabilities import evidence
from unmask.scoring.sample import Floats, Sample

#: Share of fakes that is assumed; cost of a real that is called fake; cost of a fake that is let pass.
SPOOFED, STOPPED, PASSED = 0.05, 1.0, 10.0
#: Price of all reals stopped, and of all fakes let pass.
_STOP_ALL, _PASS_ALL = STOPPED * (1.0 - SPOOFED), PASSED * SPOOFED


def _cost(caught: Floats, alarms: Floats) -> Floats:
    """Cost in units of the cheaper of stopping all and letting all pass."""
    return np.asarray((_STOP_ALL * alarms + _PASS_ALL * (1.0 - caught)) / min(_STOP_ALL, _PASS_ALL))


def _min_dcf(sample: Sample, settings: Settings) -> Floats:
    return np.asarray(_cost(*sample.rates).min(axis=0))


def _act_dcf(sample: Sample, settings: Settings) -> Floats:
    # Bayes: a fake is worth stopping where its odds outweigh the ratio of the prices.
    return _cost(*sample.called(evidence(sample, settings) > math.log(_STOP_ALL / _PASS_ALL)))


def min_dcf(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Smallest detection cost that any threshold reaches, in units of the cheaper of stopping all and none.

    The cost of a threshold is 0.95 FPR + 10 * 0.05 FNR, over 0.5. Lower is better; range [0, 1]: a constant gives 1.
    Source: the evaluation plan of ASVspoof 5 (Pspoof 0.05, Cmiss 1, Cfa 10).

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), finite; only their order counts.
        weights: (N,), not negative; None for ones.

    Raises:
        Undefined: one class only.
        ValueError: wrong shapes or labels.
    """
    return MIN_DCF.value(Sample.of(labels, scores, weights))


def act_dcf(
    labels: ArrayLike,
    scores: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    trained_prevalence: float = 0.5,
    clip: float = SMALLEST_CLIP,
) -> float:
    """Detection cost at the threshold that would be best if the scores were true probabilities.

    Units and costs as of ``min_dcf``; what it has more than that is lost by bad calibration. Lower is better; range
    [0, 2.9]. Source: the evaluation plan of ASVspoof 5.

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
    return ACT_DCF.value(Sample.of(labels, scores, weights), settings)


MIN_DCF = Metric(
    name="min_dcf", title="minDCF", function=min_dcf, batch=_min_dcf, direction="lower", low=0.0, high=1.0,
    description="ASVspoof 5's cost at the best threshold. 1 is what stopping all or none costs, 0 is perfect.",
)  # fmt: skip
ACT_DCF = Metric(
    name="act_dcf", title="actDCF", function=act_dcf, batch=_act_dcf, direction="lower", low=0.0,
    high=(_STOP_ALL + _PASS_ALL) / min(_STOP_ALL, _PASS_ALL),
    description="ASVspoof 5's cost at the threshold that the scores, taken at their word, call best.",
)  # fmt: skip
