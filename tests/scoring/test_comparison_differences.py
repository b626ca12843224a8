"""Paired differences against a literal loop in exact fractions, and how often equal systems are called different."""

from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from unmask.scoring.comparison.differences import paired_differences
from unmask.scoring.comparison.replicates import replicate
from unmask.scoring.intervals import Resampling, percentile_interval
from unmask.scoring.metrics import DEFAULTS, METRICS
from unmask.scoring.sample import Sample


@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(1, 30), st.sampled_from([3, 7, 30, 1000]))
@settings(max_examples=100)
def test_p_against_a_literal_loop(seed, systems, replicates, parts):
    """Values on a grid of fractions: |D* - D| often equals |D|, which floats do not represent."""
    random = np.random.default_rng(seed)
    values, drawn = random.integers(0, parts + 1, systems), random.integers(0, parts + 1, (systems, replicates))
    found = paired_differences(values / parts, drawn / parts, 0.9, 20)
    for i in range(systems):
        for j in range(systems):
            apart = Fraction(int(values[i] - values[j]), parts)
            each = [Fraction(int(one - other), parts) for one, other in zip(drawn[i], drawn[j], strict=True)]
            far = sum(abs(one - apart) >= abs(apart) for one in each)
            assert found.p[i, j] == pytest.approx((1 + far) / (replicates + 1))
            assert found.value[i, j] == pytest.approx(float(apart), abs=1e-12)
            low, high = percentile_interval(np.array(each, dtype=float), 0.9, 20)
            assert (found.low[i, j], found.high[i, j]) == pytest.approx((low, high), abs=1e-12)


def test_a_system_without_a_value_in_some_replicate_has_no_p_and_takes_nobody_elses():
    drawn = np.random.default_rng(0).random((3, 50))
    whole = paired_differences(np.array([0.9, 0.5, 0.1]), drawn, 0.95, 20)
    drawn[1, 7] = np.nan
    found = paired_differences(np.array([0.9, 0.5, 0.1]), drawn, 0.95, 20)
    for each, before in zip(vars(found).values(), vars(whole).values(), strict=True):
        assert each[0, 2] == before[0, 2]
    for each in (found.p, found.low, found.high):
        assert np.isnan([each[0, 1], each[1, 0], each[1, 2], each[2, 1]]).all()


def called_different(*, size, ignore=False, runs=500):
    """Share of test sets on which two equally good systems have p <= 0.05; files of a cluster are alike to both."""
    random = np.random.default_rng(5)
    clusters = 240 // size
    names = np.repeat(np.arange(clusters), size)
    labels = np.repeat(np.arange(clusters) % 2, size)
    found = 0
    for run in range(runs):
        alike = np.repeat(random.normal(0, 0.9, (2, clusters)) if size > 1 else np.zeros((2, clusters)), size, axis=1)
        scores = labels + alike + random.normal(size=240) + random.normal(0, 0.6, (2, 240))
        resampling = Resampling.of(labels, np.arange(240) if ignore else names, replicates=199, seed=run)
        drawn = replicate(METRICS["roc_auc"], labels, scores, resampling, DEFAULTS)
        values = np.array([METRICS["roc_auc"].value(Sample.of(labels, each)) for each in scores])
        found += paired_differences(values, drawn, 0.95, resampling.fewest).p[0, 1] <= 0.05
    return found / runs


@pytest.mark.parametrize("size", [1, 3])
def test_equally_good_systems_are_called_different_in_about_alpha_of_the_cases(size):
    # 500 simulations of a true 5 %: standard error 1 %.
    assert 0.02 <= called_different(size=size) <= 0.085


def test_ignoring_clusters_calls_them_different_too_often():
    assert called_different(size=6, ignore=True, runs=300) > 0.12
