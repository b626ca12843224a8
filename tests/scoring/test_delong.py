"""DeLong's covariance against the structural components of 1988, counted pair by pair, and against the bootstrap."""

import hypothesis.strategies as st
import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import assume, given, settings
from scipy import stats

from unmask.scoring.comparison.delong import delong
from unmask.scoring.comparison.replicates import replicate
from unmask.scoring.intervals import Resampling
from unmask.scoring.metrics import DEFAULTS, METRICS, Undefined

#: Rows of three systems whose scores are one of few, so that many are tied.
GRID = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
ROWS = st.lists(st.tuples(st.integers(0, 1), GRID, GRID, GRID), min_size=4, max_size=40)


def literal(labels, scores):
    """Areas and covariance as DeLong, DeLong and Clarke-Pearson define them, by O(N^2) comparisons."""
    areas, tens, ones = [], [], []
    for system in scores:
        fakes, reals = system[labels == 1], system[labels == 0]
        psi = [[1.0 if x > y else 0.5 if x == y else 0.0 for y in reals] for x in fakes]
        areas.append(sum(map(sum, psi)) / (len(fakes) * len(reals)))
        tens.append([sum(row) / len(reals) for row in psi])
        ones.append([sum(row[j] for row in psi) / len(fakes) for j in range(len(reals))])

    def spread(components, r, s):
        m = len(components[r])
        return sum((components[r][i] - areas[r]) * (components[s][i] - areas[s]) for i in range(m)) / (m - 1)

    count = range(len(scores))
    covariance = [[spread(tens, r, s) / len(tens[0]) + spread(ones, r, s) / len(ones[0]) for s in count] for r in count]
    return np.array(areas), np.array(covariance)


def enough(rows):
    labels = np.array([row[0] for row in rows])
    assume(2 <= labels.sum() <= len(labels) - 2)
    return labels, np.array([row[1:] for row in rows]).T


@given(ROWS)
@settings(max_examples=200)
def test_against_a_literal_transcription(rows):
    labels, scores = enough(rows)
    found = delong(labels, scores)
    areas, covariance = literal(labels, scores)
    assert found.areas == pytest.approx(areas, abs=1e-12)
    assert found.covariance == pytest.approx(covariance, abs=1e-12)
    assert found.areas == pytest.approx([sk.roc_auc_score(labels, each) for each in scores], abs=1e-12)


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_order_of_rows_and_any_increasing_function_change_nothing(rows, random):
    labels, scores = enough(rows)
    shuffled = random.sample(range(len(labels)), len(labels))
    found, again = delong(labels, scores), delong(labels[shuffled], np.exp(3 * scores[:, shuffled]))
    assert again.areas == pytest.approx(found.areas, abs=1e-12)
    assert again.covariance == pytest.approx(found.covariance, abs=1e-12)


def systems(seed=0, rows=400):
    random = np.random.default_rng(seed)
    labels = np.arange(rows) % 2
    shared = random.normal(size=rows)
    return labels, np.stack([lift * labels + 0.7 * shared + random.normal(size=rows) for lift in (0.6, 0.8, 1.5)])


def test_p_and_intervals_are_those_of_the_normal_distribution():
    labels, scores = systems()
    found = delong(labels, scores)
    p, ends = found.p_values(), found.intervals(0.9)
    areas, covariance = literal(labels, scores)
    for r in range(3):
        error = np.sqrt(covariance[r, r])
        assert ends[r] == pytest.approx(stats.norm.interval(0.9, areas[r], error))
        for s in range(3):
            if r != s:
                z = (areas[r] - areas[s]) / np.sqrt(covariance[r, r] + covariance[s, s] - 2 * covariance[r, s])
                assert p[r, s] == pytest.approx(2 * stats.norm.sf(abs(z)))
    assert np.array_equal(np.diagonal(p), np.ones(3))


def test_variances_are_about_those_of_the_bootstrap():
    labels, scores = systems(rows=1000)
    resampling = Resampling.of(labels, np.arange(1000), replicates=2000)
    drawn = replicate(METRICS["roc_auc"], labels, scores, resampling, DEFAULTS)
    found = delong(labels, scores).covariance
    own = np.diagonal(found)
    # Standard error of a covariance of 2,000 normal draws.
    error = np.sqrt((np.outer(own, own) + found**2) / 2000)
    assert (np.abs(np.cov(drawn) - found) <= 3.5 * error).all()


def test_systems_that_move_as_one_differ_never_or_beyond_the_formula():
    labels, scores = systems()
    same = delong(labels, np.stack([scores[0], 2 * scores[0] - 1]))
    assert same.p_values()[0, 1] == 1.0
    apart = delong(labels, np.stack([labels, 1 - labels]).astype(float))
    assert np.isnan(apart.p_values()[0, 1])
    assert apart.intervals(0.95).tolist() == [[1.0, 1.0], [0.0, 0.0]]


@pytest.mark.parametrize("labels", [[1, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0]])
def test_a_class_of_one_row_has_no_variance(labels):
    with pytest.raises(Undefined, match="two fakes and two reals"):
        delong(np.array(labels), np.random.default_rng(0).random((2, len(labels))))
