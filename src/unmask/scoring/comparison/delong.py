"""DeLong's variances and covariances of ROC AUCs: an analytic answer where rows are independent.

Source: DeLong, DeLong and Clarke-Pearson 1988, "Comparing the areas under two or more correlated receiver operating
characteristic curves"; computed from ranks as in Sun and Xu 2014, "Fast implementation of DeLong's algorithm", which
takes O(S N log N) for S systems on N rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from unmask.scoring.metrics import Undefined
from unmask.scoring.sample import Floats, Ints

#: A variance of a difference below this share of those of its two sides is rounding: the two move as one.
_NOTHING = 1e-12


@dataclass(frozen=True)
class DeLong:
    """AUCs of S systems on the same rows, and how they vary together.

    Attributes:
        areas: (S,), ROC AUC of each.
        covariance: (S, S).
    """

    areas: Floats
    covariance: Floats

    def intervals(self, confidence: float) -> Floats:
        """(S, 2) lower and upper ends: area ± z standard errors, cut at 0 and 1."""
        half = NormalDist().inv_cdf(0.5 + 0.5 * confidence) * np.sqrt(np.diagonal(self.covariance))
        return np.clip(self.areas[:, None] + np.outer(half, (-1.0, 1.0)), 0.0, 1.0)

    def p_values(self) -> Floats:
        """(S, S) two-sided p of the difference of each pair, by the normal distribution.

        1 where there is no difference and none can arise; NaN where there is one whose variance is 0.
        """
        own = np.diagonal(self.covariance)
        both = own[:, None] + own
        variance = both - 2.0 * self.covariance
        difference = self.areas[:, None] - self.areas
        still = variance <= _NOTHING * both
        z = np.abs(difference) / np.sqrt(np.where(still, 1.0, variance))
        p = 2.0 * np.vectorize(NormalDist().cdf, otypes=[np.float64])(-z)
        return np.where(still, np.where(difference == 0.0, 1.0, np.nan), p)


def delong(labels: Ints, scores: Floats) -> DeLong:
    """Areas and their covariance matrix.

    Rows must be independent: where several belong to one person or source, the variances come out too small.

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (S, N), finite; only their order counts, ties count one half.

    Raises:
        Undefined: there are fewer than two fakes or two reals.
    """
    fakes, reals = scores[:, labels == 1], scores[:, labels == 0]
    if min(fakes.shape[1], reals.shape[1]) < 2:
        raise Undefined("DeLong's variance needs two fakes and two reals")
    # Of each fake the share of reals below it, of each real the share of fakes above it; ties count one half.
    beats = np.stack([_share_below(one, other) for one, other in zip(fakes, reals, strict=True)])
    beaten = np.stack([_share_below(-one, -other) for one, other in zip(reals, fakes, strict=True)])
    return DeLong(beats.mean(axis=1), _covariance_of_means(beats) + _covariance_of_means(beaten))


def _share_below(values: Floats, others: Floats) -> Floats:
    """(N,) share of ``others`` that are smaller than each value, equal ones counted one half."""
    ordered = np.sort(others)
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / (2.0 * len(others))


def _covariance_of_means(components: Floats) -> Floats:
    """(S, S) covariance of the means of (S, N) components."""
    count = components.shape[1]
    centred = components - components.mean(axis=1, keepdims=True)
    # Not ``np.cov``, whose last digits depend on the number of processors.
    return np.asarray(np.einsum("in,jn->ij", centred, centred) / (count * (count - 1)))
