"""Exact intervals and beta quantiles against scipy."""

import math

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings
from scipy import special, stats

from unmask.scoring.binomial import beta_below, beta_quantile, clopper_pearson

COUNTS = st.integers(1, 5000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


@given(COUNTS, st.sampled_from([0.5, 0.9, 0.95, 0.999]))
@settings(max_examples=300)
def test_clopper_pearson(counts, confidence):
    events, trials = counts
    theirs = stats.binomtest(events, trials).proportion_ci(confidence, method="exact")
    assert clopper_pearson(events, trials, confidence) == pytest.approx((theirs.low, theirs.high), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize(("events", "trials"), [(0, 10**7), (1, 10**7), (12_345, 10**7), (10**7, 10**7), (3, 10**6)])
def test_many_rows(events, trials):
    low = stats.beta.ppf(0.025, events, trials - events + 1) if events else 0.0
    high = stats.beta.ppf(0.975, events + 1, trials - events) if events < trials else 1.0
    assert clopper_pearson(events, trials) == pytest.approx((low, high), rel=1e-6)


def test_both_ends_are_each_others_mirror():
    low, high = clopper_pearson(3, 40)
    assert clopper_pearson(37, 40) == pytest.approx((1 - high, 1 - low))
    assert clopper_pearson(0, 40)[0] == 0.0
    assert clopper_pearson(40, 40)[1] == 1.0


@given(st.floats(1e-6, 1 - 1e-6), st.floats(0.5, 1e4), st.floats(0.5, 1e4))
@settings(max_examples=300)
def test_beta_distribution(x, a, b):
    assert beta_below(x, a, b) == pytest.approx(special.betainc(a, b, x), rel=1e-8, abs=1e-12)


@given(st.floats(1e-4, 1 - 1e-4), st.floats(0.5, 1e4), st.floats(0.5, 1e4))
@example(0.9998999999999999, 3079.0, 0.5)  # 3e-12 below 1
@settings(max_examples=300)
def test_beta_quantiles(share, a, b):
    found = beta_quantile(share, a, b)
    assert 0.0 < found <= 1.0
    assert special.betainc(a, b, found) == pytest.approx(share, rel=1e-6)
    assert math.isclose(found, stats.beta.ppf(share, a, b), rel_tol=1e-6, abs_tol=1e-12)
