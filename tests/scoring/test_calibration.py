"""Calibration against scipy and scikit-learn; what cannot be fitted; and that no order ever changes."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy import optimize, special
from sklearn.linear_model import LogisticRegression

from tests.scoring.test_metrics import SCORES
from unmask.scoring.calibration import METHODS, Calibration, fit
from unmask.scoring.metrics import average_precision, eer, roc_auc
from unmask.tables.errors import UnmaskError

CALIBRATIONS = st.one_of(
    st.floats(0.01, 100).map(lambda temperature: Calibration("temperature", {"temperature": temperature})),
    st.tuples(st.floats(0.01, 100), st.floats(-50, 50)).map(
        lambda line: Calibration("platt", {"slope": line[0], "shift": line[1]})
    ),
)


def rows(seed, *, count=400, slope=2.0, shift=0.5, gap=1.5):
    """Labels, and scores that are neither as sure as they should be nor in the middle."""
    random = np.random.default_rng(seed)
    labels = (random.random(count) < 0.4).astype(int)
    return labels, special.expit(slope * (random.normal(size=count) + gap * (labels - 0.5)) + shift)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("slope", [1e-4, 0.3, 8.0])
def test_temperature_is_that_of_scipy(seed, slope):
    labels, scores = rows(seed, slope=slope, shift=0.2 * slope)
    odds = special.logit(np.clip(scores, 1e-15, 1 - 1e-15)) * (2 * labels - 1)
    loss = lambda power: np.logaddexp(0, -odds * np.exp(power)).mean()  # noqa: E731
    theirs = optimize.minimize_scalar(loss, bracket=(-math.log(slope) - 1, -math.log(slope) + 1), tol=1e-14).x
    assert fit("temperature", labels, scores).parameters["temperature"] == pytest.approx(math.exp(-theirs), rel=1e-6)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("slope", "shift"), [(1e-4, 0.0), (0.3, 2.0), (8.0, -3.0)])
def test_platt_is_the_logistic_regression_of_scikit_learn(seed, slope, shift):
    labels, scores = rows(seed, slope=slope, shift=shift)
    odds = special.logit(np.clip(scores, 1e-15, 1 - 1e-15))
    middle, spread = odds.mean(), odds.std()  # so that their optimizer gets to the end
    theirs = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit((odds[:, None] - middle) / spread, labels)
    steep = theirs.coef_[0, 0] / spread
    ours = fit("platt", labels, scores).parameters
    assert ours["slope"] == pytest.approx(steep, rel=1e-6)
    assert ours["shift"] == pytest.approx(theirs.intercept_[0] - steep * middle, rel=1e-6, abs=1e-6)


def test_platt_brings_the_mean_to_the_share_of_fakes():
    labels, scores = rows(0, shift=3.0)
    assert fit("platt", labels, scores).apply(scores).mean() == pytest.approx(labels.mean(), abs=1e-9)


def test_the_formulas():
    scores = np.array([0.0, 1e-20, 0.1, 0.5, 0.9, 1.0])
    odds = np.log(np.clip(scores, 1e-6, 1 - 1e-6) / (1 - np.clip(scores, 1e-6, 1 - 1e-6)))
    by_temperature = Calibration("temperature", {"temperature": 2.5}, 1e-6).apply(scores)
    assert by_temperature == pytest.approx(1 / (1 + np.exp(-odds / 2.5)), abs=1e-12)
    by_platt = Calibration("platt", {"slope": 0.7, "shift": -1.0}, 1e-6).apply(scores)
    assert by_platt == pytest.approx(1 / (1 + np.exp(1.0 - 0.7 * odds)), abs=1e-12)
    assert Calibration("none", {}).apply(scores).tolist() == scores.tolist()


@given(CALIBRATIONS, st.lists(st.one_of(SCORES, st.floats(1 - 1e-12, 1), st.floats(0, 1e-300)), max_size=60))
@settings(max_examples=400)
def test_order_and_ties_stay(calibration, scores):
    raw = np.array(scores, dtype=np.float64)
    found = calibration.apply(raw)
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.sign(raw[:, None] - raw) == np.sign(found[:, None] - found)).all()


@given(CALIBRATIONS, st.integers(0, 10_000))
@settings(max_examples=100)
def test_metrics_of_ranks_stay_even_where_probabilities_run_out_of_digits(calibration, seed):
    labels, scores = rows(seed, slope=6.0, shift=2.0)
    calibrated = calibration.apply(scores)
    for metric in (roc_auc, average_precision, eer):
        assert metric(labels, calibrated) == metric(labels, scores)


def test_moved_apart_by_less_than_matters():
    _, scores = rows(0, slope=20.0, count=5000)
    calibration = Calibration("platt", {"slope": 3.0, "shift": 1.0})
    odds = special.logit(np.clip(scores, 1e-15, 1 - 1e-15))
    assert np.abs(calibration.apply(scores) - special.expit(3.0 * odds + 1.0)).max() < 1e-12
    assert len(np.unique(calibration.apply(scores))) == len(np.unique(scores))


@pytest.mark.parametrize("method", ["temperature", "platt"])
@pytest.mark.parametrize(
    ("labels", "scores", "told"),
    [
        ([1, 1, 1], [0.1, 0.5, 0.9], "no real"),
        ([0, 0, 0], [0.1, 0.5, 0.9], "no fake"),
        ([0, 1, 0, 1], [0.7, 0.7, 0.7, 0.7], "all scores are the same"),
        ([0, 1], [0.0, 1e-17], "all scores are the same"),  # as far as the clip lets them differ
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], "perfectly"),
        ([0, 0, 1, 1], [0.1, 0.5, 0.5, 0.9], "perfectly"),
        ([0, 0, 1, 1], [0.9, 0.8, 0.2, 0.1], "whether 1 means fake"),
        ([0, 1, 0, 1], [0.9, 0.2, 0.3, 0.6], "whether 1 means fake"),
    ],
)
def test_what_has_no_optimum_says_what_to_do(method, labels, scores, told):
    with pytest.raises(UnmaskError, match=told) as caught:
        fit(method, labels, scores)
    assert caught.value.next_step


def test_scores_on_one_side_of_one_half_want_platt():
    labels, scores = [0, 0, 0, 0, 1, 1], [0.7, 0.8, 0.85, 0.9, 0.87, 0.95]
    with pytest.raises(UnmaskError, match="on the wrong side") as caught:
        fit("temperature", labels, scores)
    assert "--method platt" in caught.value.next_step
    assert fit("platt", labels, scores).parameters["slope"] > 0


def test_one_file_between_the_classes_is_no_separation():
    labels, scores = (
        np.array([0] * 50 + [1] * 50),
        np.concatenate([np.linspace(0.1, 0.5, 50), np.linspace(0.499, 0.9, 50)]),
    )
    parameters = fit("platt", labels, scores).parameters
    assert 10 < parameters["slope"] < 1e6
    gradient = np.mean(fit("platt", labels, scores).apply(scores) - labels)
    assert gradient == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("method", "parameters", "clip"),
    [("isotonic", {}, 1e-15), ("none", {"temperature": 1.0}, 1e-15), ("temperature", {}, 1e-15),
     ("temperature", {"temperature": 0.0}, 1e-15), ("platt", {"slope": -1.0, "shift": 0.0}, 1e-15),
     ("platt", {"slope": 1.0, "shift": math.nan}, 1e-15), ("none", {}, 0.5), ("none", {}, 1e-17)],
)  # fmt: skip
def test_wrong_parameters(method, parameters, clip):
    with pytest.raises(ValueError):
        Calibration(method, parameters, clip)


def test_every_method_is_fitted():
    labels, scores = rows(1)
    assert {fit(method, labels, scores).method for method in METHODS} == set(METHODS)
