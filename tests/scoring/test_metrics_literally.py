"""Metrics that no other package has as we define them, against slow literal transcriptions of their definitions."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import sklearn.metrics as sk
import torch
from hypothesis import assume, given, settings
from torchmetrics.classification import BinaryCalibrationError

from tests.scoring.test_metrics import ROWS, columns
from unmask.scoring.metrics import (
    DEFAULTS,
    METRICS,
    Undefined,
    act_dcf,
    cllr,
    ece_mass,
    ece_width,
    eer_asvspoof,
    f1,
    fpr_per_million,
    log_loss_at_prevalence,
    log_weighted_precision,
    min_dcf,
    partial_auc,
    precision_at_prevalence,
    recall_at_budget,
    tpr_at_fpr,
)
from unmask.scoring.sample import Sample

SHARES = st.floats(0.001, 0.999)


def points(labels, scores):
    """(FPR, TPR) of every threshold, from none called fake to all, counted one by one."""
    fakes, reals = scores[labels == 1], scores[labels == 0]
    found = [(0.0, 0.0)]
    for threshold in sorted(set(scores.tolist()), reverse=True):
        found.append((float(np.mean(reals >= threshold)), float(np.mean(fakes >= threshold))))
    return found


@given(ROWS)
@settings(max_examples=150)
def test_partial_auc_against_scikit_learn(rows):
    labels, scores = columns(rows)
    assert partial_auc(labels, scores) == pytest.approx(sk.roc_auc_score(labels, scores, max_fpr=0.1), abs=1e-12)


@given(ROWS)
@settings(max_examples=150)
def test_eer_of_asvspoof(rows):
    labels, scores = columns(rows)
    gaps = [(abs((1 - caught) - alarms), number) for number, (alarms, caught) in enumerate(points(labels, scores))]
    least = min(gap for gap, _ in gaps)
    nearest = {round((alarms + 1 - caught) / 2, 12) for (gap, _), (alarms, caught) in
               zip(gaps, points(labels, scores), strict=True) if gap <= least + 1e-12}  # fmt: skip
    assert min(abs(eer_asvspoof(labels, scores) - each) for each in nearest) < 1e-9


@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.25, 0.5]))
@settings(max_examples=60)
def test_tpr_at_fpr(seed, most):
    random = np.random.default_rng(seed)
    labels = random.permutation(np.repeat([0, 1], [random.integers(100, 140), 50]))
    scores = np.round(random.random(len(labels)) + 0.3 * labels, 2)
    expected = max(caught for alarms, caught in points(labels, scores) if alarms <= most)
    assert tpr_at_fpr(labels, scores, fpr=most) == pytest.approx(expected, abs=1e-12)


def test_tpr_at_fpr_tells_the_rate_that_it_attained_and_claims_nothing_on_few_reals():
    labels, scores = np.repeat([0, 1], [1000, 10]), np.concatenate([np.linspace(0, 0.8, 1000), np.full(10, 0.7995)])
    metric = METRICS["tpr_at_fpr_1pct"]
    assert metric.value(Sample.of(labels, scores)) == 1.0
    alarms = float(np.mean(scores[labels == 0] >= 0.7995))
    assert metric.details(Sample.of(labels, scores), DEFAULTS) == {"attained_fpr": pytest.approx(0.01)}
    assert 0 < alarms <= 0.01
    with pytest.raises(Undefined, match="needs 1,000 reals; there are 999"):
        tpr_at_fpr(labels[1:], scores[1:], fpr=0.01)
    with pytest.raises(ValueError, match="fpr"):
        tpr_at_fpr(labels, scores, fpr=0.0)


@given(ROWS, st.floats(0, 1), SHARES)
@settings(max_examples=150)
def test_calls_at_a_threshold(rows, threshold, prevalence):
    labels, scores = columns(rows)
    called = scores >= threshold
    caught, alarms = float(np.mean(called[labels == 1])), float(np.mean(called[labels == 0]))
    assert f1(labels, scores, threshold=threshold) == pytest.approx(sk.f1_score(labels, called, zero_division=0))
    assert fpr_per_million(labels, scores, threshold=threshold) == pytest.approx(1e6 * alarms)
    if not called.any():
        with pytest.raises(Undefined, match="nothing is called fake"):
            precision_at_prevalence(labels, scores, threshold=threshold, prevalence=prevalence)
        return
    expected = prevalence * caught / (prevalence * caught + (1 - prevalence) * alarms)
    got = precision_at_prevalence(labels, scores, threshold=threshold, prevalence=prevalence)
    assert got == pytest.approx(expected)


def test_precision_without_a_false_alarm_is_bounded():
    """Clopper and Pearson: with no event in 100, the rate is at most 3.6 % at 97.5 % confidence (their table)."""
    labels, scores = np.repeat([0, 1], [100, 10]), np.repeat([0.1, 0.9], [100, 10])
    details = METRICS["precision_at_prevalence"].details(Sample.of(labels, scores), DEFAULTS)
    assert details["bound"] == pytest.approx(0.001 / (0.001 + 0.999 * 0.036217), rel=1e-4)


@given(ROWS, SHARES, SHARES)
@settings(max_examples=150)
def test_recall_at_budget(rows, budget, prevalence):
    labels, scores = columns(rows)
    found = points(labels, scores)
    flagged = [prevalence * caught + (1 - prevalence) * alarms for alarms, caught in found]
    if (1 - prevalence) / (labels == 0).sum() > budget:
        with pytest.raises(Undefined, match="more than the budget"):
            recall_at_budget(labels, scores, budget=budget, prevalence=prevalence)
        return
    expected = np.interp(budget, flagged, [caught for _, caught in found])
    assert recall_at_budget(labels, scores, budget=budget, prevalence=prevalence) == pytest.approx(expected, abs=1e-9)


def test_recall_at_budget_of_constants_and_of_perfect_scores():
    labels = np.repeat([0, 1], [2000, 50])
    assert recall_at_budget(labels, np.full(2050, 0.5), budget=0.03) == pytest.approx(0.03)
    assert recall_at_budget(labels, labels, budget=0.02, prevalence=0.02) == pytest.approx(1.0)


@given(ROWS, st.sampled_from([0.1, 0.5, 0.9, 1.0]))
@settings(max_examples=150)
def test_weighted_precision_of_the_dfdc(rows, recall):
    labels, scores = columns(rows)
    fakes, reals = int((labels == 1).sum()), int((labels == 0).sum())
    alarms, caught = next((alarms, caught) for alarms, caught in points(labels, scores) if caught >= recall)
    expected = caught * fakes / (caught * fakes + 100 * alarms * reals)
    assert math.exp(log_weighted_precision(labels, scores, recall=recall)) == pytest.approx(expected)
    threshold = next(
        t for t in sorted(set(scores.tolist()), reverse=True) if np.mean(scores[labels == 1] >= t) >= recall
    )
    there = fakes / (fakes + 100 * reals)
    assert precision_at_prevalence(labels, scores, threshold=threshold, prevalence=there) == pytest.approx(expected)


@given(ROWS, SHARES, SHARES)
@settings(max_examples=150)
def test_log_loss_at_prevalence(rows, prevalence, trained):
    labels, scores = columns(rows)
    clip = 1e-6
    losses = {0: [], 1: []}
    for label, score in zip(labels, np.clip(scores, clip, 1 - clip), strict=True):
        odds = score / (1 - score) * (prevalence / (1 - prevalence)) / (trained / (1 - trained))
        losses[int(label)].append(-math.log(odds / (1 + odds)) if label else -math.log(1 / (1 + odds)))
    entropy = -prevalence * math.log(prevalence) - (1 - prevalence) * math.log(1 - prevalence)
    expected = (prevalence * np.mean(losses[1]) + (1 - prevalence) * np.mean(losses[0])) / entropy
    got = log_loss_at_prevalence(labels, scores, prevalence=prevalence, trained_prevalence=trained, clip=clip)
    assert got == pytest.approx(expected, rel=1e-6)


def test_saying_the_prevalence_costs_one():
    labels = np.repeat([0, 1], [30, 70])
    assert log_loss_at_prevalence(labels, np.full(100, 0.5)) == pytest.approx(1.0)
    assert cllr(labels, np.full(100, 0.5)) == pytest.approx(1.0)
    assert cllr(labels, np.full(100, 0.2), trained_prevalence=0.2) == pytest.approx(1.0)
    assert min_dcf(labels, np.full(100, 0.5)) == 1.0


@given(ROWS)
@settings(max_examples=150)
def test_costs_of_asvspoof(rows):
    labels, scores = columns(rows)
    assert min_dcf(labels, scores) == pytest.approx(min(1.9 * a + (1 - c) for a, c in points(labels, scores)))
    clip = 1e-6
    clipped = np.clip(scores, clip, 1 - clip)
    genuine = np.log(1 - clipped) - np.log(clipped)  # ASVspoof's scores are high for what is genuine
    assume((np.abs(genuine + math.log(1.9)) > 1e-9).all())
    missed, passed = np.mean(genuine[labels == 0] < -math.log(1.9)), np.mean(genuine[labels == 1] >= -math.log(1.9))
    assert act_dcf(labels, scores, clip=clip) == pytest.approx(1.9 * missed + passed)
    bits = np.mean(np.log2(1 + np.exp(-genuine[labels == 0]))) + np.mean(np.log2(1 + np.exp(genuine[labels == 1])))
    assert cllr(labels, scores, clip=clip) == pytest.approx(bits / 2)


@given(ROWS)
@settings(max_examples=150)
def test_calibration_error_of_equal_width(rows):
    labels, scores = columns(rows)
    bins: dict[int, list[float]] = {}
    for label, score in zip(labels, scores, strict=True):
        bin_ = max(number for number in range(15) if score >= number / 15)
        bins.setdefault(bin_, []).append(float(label - score))
    expected = sum(abs(sum(gaps)) for gaps in bins.values()) / len(labels)
    assert ece_width(labels, scores) == pytest.approx(expected, abs=1e-9)


def test_calibration_error_against_torchmetrics():
    random = np.random.default_rng(0)
    labels, scores = random.integers(0, 2, 5000), random.random(5000)
    theirs = BinaryCalibrationError(n_bins=15, norm="l1")(torch.tensor(scores), torch.tensor(labels))
    assert ece_width(labels, scores) == pytest.approx(float(theirs), abs=1e-6)


@given(ROWS)
@settings(max_examples=150)
def test_calibration_error_of_equal_mass(rows):
    labels, scores = columns(rows)
    bins: dict[int, float] = {}
    above = 0
    for value in sorted(set(scores.tolist()), reverse=True):
        tied = labels[scores == value]
        bin_ = math.floor(15 * (2 * above + len(tied)) / (2 * len(labels)) + 1e-12)
        bins[bin_] = bins.get(bin_, 0.0) + float((tied - value).sum())
        above += len(tied)
    assert ece_mass(labels, scores) == pytest.approx(sum(map(abs, bins.values())) / len(labels), abs=1e-9)
