"""The exact interval of a share, for independent rows."""

from __future__ import annotations

import math

#: Terms of the continued fraction, at most; it needs some thousands where there are tens of millions of rows.
_TERMS = 1_000_000
_TINY = 1e-300


def clopper_pearson(events: float, trials: float, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of a share whose chance to miss the truth, on either side, is at most half of 1 - confidence.

    Rows are taken to be independent: where they come in clusters, it is too narrow.

    Args:
        events: from 0 to ``trials``.
        trials: more than 0.
        confidence: between 0 and 1.

    Returns:
        Its lower and upper end, in [0, 1].

    Source: Clopper and Pearson 1934, "The use of confidence or fiducial limits".
    """
    tail = 0.5 * (1.0 - confidence)
    low = beta_quantile(tail, events, trials - events + 1.0) if events > 0 else 0.0
    high = beta_quantile(1.0 - tail, events + 1.0, trials - events) if events < trials else 1.0
    return low, high


def beta_quantile(share: float, a: float, b: float) -> float:
    """Where the beta distribution with parameters ``a`` and ``b``, both above 0, has ``share`` of its mass below.

    Newton's steps, halved intervals where one would lead out. Relative error below 1e-7 up to tens of millions, of the
    distance from 1 too, as far as a float can tell.
    """
    low, high, x = 0.0, 1.0, a / (a + b)
    while True:
        excess = beta_below(x, a, b) - share
        low, high = (x, high) if excess < 0 else (low, x)
        density = math.exp((a - 1.0) * math.log(x) + (b - 1.0) * math.log1p(-x) - _log_beta(a, b))
        after = x - excess / density if density > 0 else low
        after = after if low < after < high else 0.5 * (low + high)
        if abs(after - x) <= 1e-12 * min(x, 1.0 - x) or after in (low, high):
            return after
        x = after


def beta_below(x: float, a: float, b: float) -> float:
    """Mass of the beta distribution below ``x`` in (0, 1): the regularised incomplete beta function.

    Source: its continued fraction (NIST Digital Library of Mathematical Functions, 8.17.22), by Lentz's method.
    """
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - beta_below(1.0 - x, b, a)
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - _log_beta(a, b)) / a
    c, d = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, _TERMS):
        before = value
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 / _away_from_zero(1.0 + term * d)
            c = _away_from_zero(1.0 + term / c)
            value *= c * d
        if abs(value - before) <= 1e-15 * value:
            break
    return front * value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
