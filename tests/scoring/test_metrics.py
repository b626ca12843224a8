"""Each metric against the check values of the definitions, against scikit-learn, and against a literal loop."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import assume, given, settings
from scipy import stats

from unmask.scoring.metrics import (
    METRICS,
    Settings,
    Undefined,
    average_precision,
    balanced_accuracy,
    brier,
    eer,
    log_loss,
    roc_auc,
)

#: Few distinct values, so that ties are common; and the ends.
SCORES = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 0.5000001, 1.0]), st.floats(0, 1))
ROWS = st.lists(st.tuples(st.integers(0, 1), SCORES), min_size=2, max_size=40)


def columns(rows):
    labels, scores = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=np.float64)
    assume(0 < labels.sum() < len(labels))
    return labels, scores


def test_log_loss_check_values():
    assert log_loss([1], [0.0]) == pytest.approx(34.538776, abs=5e-7)
    assert log_loss([0], [1.0]) == pytest.approx(34.539576, abs=5e-7)
    assert log_loss([0, 1, 1], [0.5, 0.5, 0.5]) == pytest.approx(0.693147, abs=5e-7)
    assert log_loss([1], [0.0], clip=0.01) == pytest.approx(-math.log(0.01))


def test_constants():
    labels, half = [0, 1, 1, 0, 1], [0.5] * 5
    assert roc_auc(labels, half) == 0.5
    assert eer(labels, half) == 0.5
    assert average_precision(labels, half) == pytest.approx(0.6)
    assert balanced_accuracy(labels, half) == 0.5
    assert brier(labels, half) == 0.25


def test_perfect_and_reversed():
    labels, scores = [0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]
    turned = [1 - score for score in scores]
    assert (roc_auc(labels, scores), roc_auc(labels, turned)) == (1.0, 0.0)
    assert (eer(labels, scores), eer(labels, turned)) == (0.0, 1.0)
    assert average_precision(labels, scores) == 1.0
    assert (balanced_accuracy(labels, scores), balanced_accuracy(labels, turned)) == (1.0, 0.0)


@given(ROWS)
@settings(max_examples=200)
def test_against_scikit_learn(rows):
    labels, scores = columns(rows)
    assert roc_auc(labels, scores) == pytest.approx(sk.roc_auc_score(labels, scores), abs=1e-12)
    assert average_precision(labels, scores) == pytest.approx(sk.average_precision_score(labels, scores), abs=1e-12)
    assert brier(labels, scores) == pytest.approx(sk.brier_score_loss(labels, scores), abs=1e-12)
    assert balanced_accuracy(labels, scores) == pytest.approx(sk.balanced_accuracy_score(labels, scores >= 0.5))
    clipped = np.clip(scores, 1e-15, 1 - 1e-15)
    assert log_loss(labels, scores) == pytest.approx(sk.log_loss(labels, clipped, labels=[0, 1]), abs=1e-9)


@given(ROWS)
@settings(max_examples=200)
def test_auc_against_the_rank_sum(rows):
    labels, scores = columns(rows)
    statistic = stats.mannwhitneyu(scores[labels == 1], scores[labels == 0]).statistic
    assert roc_auc(labels, scores) == pytest.approx(statistic / (labels.sum() * (1 - labels).sum()), abs=1e-12)


def literal_eer(labels, scores):
    """The crossing of FNR and FPR, looked for on every piece of the curve of scikit-learn."""
    false_alarms, caught, _ = sk.roc_curve(labels, scores, drop_intermediate=False)
    for i in range(1, len(caught)):
        before = false_alarms[i - 1] - (1 - caught[i - 1])
        after = false_alarms[i] - (1 - caught[i])
        if after >= 0:
            return false_alarms[i - 1] + (false_alarms[i] - false_alarms[i - 1]) * -before / (after - before)
    raise AssertionError


@given(ROWS)
@settings(max_examples=200)
def test_eer_against_a_literal_search(rows):
    labels, scores = columns(rows)
    assert eer(labels, scores) == pytest.approx(literal_eer(labels, scores), abs=1e-12)


def told(metric, *columns):
    """Its value, or why there is none."""
    try:
        return metric.function(*columns)
    except Undefined as undefined:
        return undefined.reason


def same(one, other):
    return one == (other if isinstance(other, str) else pytest.approx(other, rel=1e-9, abs=1e-9))


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_order_is_irrelevant_and_weights_are_repetitions(rows, random):
    labels, scores = columns(rows)
    weights = np.array([random.randint(0, 3) for _ in rows], dtype=np.float64)
    assume(weights[labels == 1].sum() > 0 and weights[labels == 0].sum() > 0)
    shuffled = random.sample(range(len(rows)), len(rows))
    repeated = np.repeat(np.arange(len(rows)), weights.astype(int))
    for metric in METRICS.values():
        value = told(metric, labels, scores)
        assert same(told(metric, labels[shuffled], scores[shuffled]), value)
        assert same(told(metric, labels, scores, weights), told(metric, labels[repeated], scores[repeated]))
        if isinstance(value, str):
            continue
        low, high = -math.inf if metric.low is None else metric.low, math.inf if metric.high is None else metric.high
        assert low - 1e-9 <= value <= high + 1e-9


@given(ROWS)
@settings(max_examples=100)
def test_label_flip_symmetry(rows):
    labels, scores = columns(rows)
    scores = np.round(scores * 1024) / 1024  # so that 1 - p is exact
    assert roc_auc(1 - labels, 1 - scores) == pytest.approx(roc_auc(labels, scores), abs=1e-12)
    assert roc_auc(1 - labels, scores) == pytest.approx(1 - roc_auc(labels, scores), abs=1e-12)
    assert eer(1 - labels, 1 - scores) == pytest.approx(eer(labels, scores), abs=1e-12)
    assert brier(1 - labels, 1 - scores) == pytest.approx(brier(labels, scores), abs=1e-12)
    assert log_loss(1 - labels, 1 - scores, clip=1e-6) == pytest.approx(log_loss(labels, scores, clip=1e-6), abs=1e-9)


@pytest.mark.parametrize("name", METRICS)
def test_undefined_is_told_and_never_a_number(name):
    metric = METRICS[name]
    with pytest.raises(Undefined, match="no scored row"):
        metric.function([], [])
    for labels, lacking in (([1, 1], "real"), ([0], "fake")):
        if metric.both_classes:
            with pytest.raises(Undefined, match=f"no {lacking}"):
                metric.function(labels, [0.5] * len(labels))
        else:
            assert math.isfinite(metric.function(labels, [0.5] * len(labels)))
    if metric.both_classes:
        with pytest.raises(Undefined):
            metric.function([0, 1], [0.1, 0.9], [1, 0])


@pytest.mark.parametrize("name", METRICS)
def test_directions(name):
    labels = np.array([0] * 10_000 + [1] * 10_000)
    noise = np.random.default_rng(0).random(20_000)
    good, bad = METRICS[name].function(labels, 0.7 * labels + 0.3 * noise), METRICS[name].function(labels, noise)
    assert good > bad if METRICS[name].direction == "higher" else good < bad


@pytest.mark.parametrize(
    ("labels", "scores", "weights"),
    [([0, 2], [0.5, 0.5], None), ([0, 1], [0.5], None), ([0, 1], [0.5, math.nan], None), ([[0, 1]], [[0.5, 0.5]], None),
     ([0, 1], [0.5, math.inf], None), ([0, 1], [0.5, 0.5], [1, -1]), ([0, 1], [0.5, 0.5], [1, math.nan]),
     ([0, 1], [0.5, 0.5], [1])],
)  # fmt: skip
def test_wrong_arguments(labels, scores, weights):
    with pytest.raises(ValueError):
        roc_auc(labels, scores, weights)


@pytest.mark.parametrize(
    "wrong",
    [{"clip": 0.0}, {"clip": 1e-17}, {"clip": 0.5}, {"threshold": 1.5}, {"prevalence": 0.0}, {"prevalence": 1.0},
     {"prevalence": math.nan}, {"budget": 0.0}, {"budget": 1.1}, {"trained_prevalence": 1.0}],
)  # fmt: skip
def test_wrong_settings(wrong):
    with pytest.raises(ValueError):
        Settings(**wrong)
