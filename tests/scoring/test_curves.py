"""Curves against scikit-learn's, their bands against a loop over replicates, and what the charts draw."""

import re
from statistics import NormalDist
from xml.etree import ElementTree

import numpy as np
import pytest
import sklearn.metrics as sk

from unmask.scoring import charts
from unmask.scoring.curves import Curve, curves
from unmask.scoring.intervals import Resampling, tails
from unmask.scoring.metrics import recall_at_budget
from unmask.scoring.sample import Sample

PREVALENCE = 0.001


def made(rows=400, seed=0, ties=False):
    random = np.random.default_rng(seed)
    labels = (random.random(rows) < 0.4).astype(int)
    scores = 1 / (1 + np.exp(-(random.normal(size=rows) + 1.5 * labels)))
    return labels, np.round(scores, 1) if ties else scores


def found(labels, scores, replicates=50, clusters=None):
    names = np.arange(len(labels)) if clusters is None else clusters
    resampling = Resampling.of(labels, names, replicates=replicates, seed=1)
    return curves(Sample.of(labels, scores), resampling, prevalence=PREVALENCE, confidence=0.9), resampling


@pytest.mark.parametrize("ties", [False, True])
def test_roc_is_scikit_learns(ties):
    labels, scores = made(ties=ties)
    curve = found(labels, scores)[0].roc
    rates, caught, _ = sk.roc_curve(labels, scores, drop_intermediate=False)
    between = (curve.x > 0) & ~np.isin(np.round(curve.x, 12), np.round(rates, 12))  # it jumps there
    assert between.sum() > 50
    np.testing.assert_allclose(curve.y[between], np.interp(curve.x[between], rates, caught), atol=1e-12)
    assert (curve.x[0], curve.x[-1], curve.y[-1]) == (0, 1, 1)


@pytest.mark.parametrize("ties", [False, True])
def test_precision_is_scikit_learns(ties):
    labels, scores = made(ties=ties)
    curve = found(labels, scores)[0].precision
    precision, recall, thresholds = sk.precision_recall_curve(labels, scores)
    for x, y in zip(curve.x, curve.y, strict=True):
        place = max(place for place in range(len(thresholds)) if recall[place] >= x - 1e-12)
        assert y == pytest.approx(precision[place])


def test_budget_is_the_metric_at_each_budget():
    labels, scores = made()
    curve = found(labels, scores)[0].budget
    assert curve.x[0] == pytest.approx((1 - PREVALENCE) / (labels == 0).sum())
    for x, y in list(zip(curve.x, curve.y, strict=True))[1:]:
        assert y == pytest.approx(recall_at_budget(labels, scores, budget=x, prevalence=PREVALENCE))


@pytest.mark.parametrize("ties", [False, True])
def test_reliability_counts_each_row_once(ties):
    labels, scores = made(ties=ties)
    curve = found(labels, scores)[0].reliability
    if not ties:  # ten bins of forty rows, from the highest score down
        order = np.argsort(-scores).reshape(10, 40)[::-1]
        np.testing.assert_allclose(curve.x, scores[order].mean(1))
        np.testing.assert_allclose(curve.y, labels[order].mean(1))
    assert len(curve.x) <= 10
    assert (np.diff(curve.x) > 0).all()


@pytest.mark.parametrize("clustered", [False, True])
def test_bands_are_percentiles_over_the_replicates(clustered):
    labels, scores = made(200)
    clusters = np.random.default_rng(2).integers(0, 30, 200) if clustered else None
    shown, resampling = found(labels, scores, clusters=clusters)
    weights = resampling.weights(0, 50).astype(int)
    drawn = []
    for replicate in weights.T:
        rows = np.repeat(np.arange(200), replicate)
        precision, recall, thresholds = sk.precision_recall_curve(labels[rows], scores[rows])
        places = [max(p for p in range(len(thresholds)) if recall[p] >= x - 1e-12) for x in shown.precision.x]
        drawn.append(precision[places])
    low, high = np.percentile(drawn, tails(0.9, resampling.fewest), axis=0)
    np.testing.assert_allclose(shown.precision.low, low, atol=1e-12)
    np.testing.assert_allclose(shown.precision.high, high, atol=1e-12)


def test_bands_of_very_many_rows_are_narrow_and_hold_the_curve():
    labels, scores = made(60_000)
    for curve in vars(found(labels, scores)[0]).values():
        assert (curve.low <= curve.y + 1e-9).mean() > 0.97
        assert (curve.high >= curve.y - 1e-9).mean() > 0.97
        assert np.median(curve.high - curve.low) < 0.03


def drawn_line(svg: str, series: int) -> np.ndarray:
    """The points of one line of a chart, in its own pixels."""
    root = ElementTree.fromstring(svg)
    (path,) = root.findall(f".//*[@class='series serie-{series} color-{series}']/path")
    return np.array([float(each) for each in re.findall(r"-?[0-9.]+", path.get("d"))]).reshape(-1, 2)


def test_every_chart_draws_its_curve_inside():
    shown = found(*made())[0]
    drawings = {
        "roc": charts.roc_chart(shown.roc),
        "det": charts.det_chart(shown.roc),
        "precision": charts.precision_chart(shown.precision, 0.4),
        "budget": charts.budget_chart(shown.budget),
        "reliability": charts.reliability_chart(shown.reliability),
    }
    for name, svg in drawings.items():
        assert "<script" not in svg
        assert "http" not in svg
        width, height = (float(each) for each in ElementTree.fromstring(svg).get("viewBox").split()[2:])
        line = drawn_line(svg, 2)
        assert len(line) > 5, name
        assert (line >= 0).all(), name
        assert (line <= [width, height]).all(), name


def test_a_perfect_and_a_guessing_detector_can_be_drawn():
    for labels, scores in (([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]), ([0, 0, 1, 1], [0.5] * 4), ([0, 1], [1.0, 0.0])):
        shown = found(np.array(labels), np.array(scores))[0]
        for draw, curve in (
            (charts.roc_chart, shown.roc),
            (charts.det_chart, shown.roc),
            (charts.budget_chart, shown.budget),
        ):
            assert draw(curve).startswith("<svg")
        assert charts.precision_chart(shown.precision, 0.5).startswith("<svg")
        assert charts.reliability_chart(shown.reliability).startswith("<svg")


def test_normal_scores_make_a_line_on_the_det_chart():
    normal = NormalDist()
    rates = np.linspace(0.002, 0.7, 50)
    caught = np.array([normal.cdf(normal.inv_cdf(rate) + 1.5) for rate in rates])
    line = drawn_line(charts.det_chart(Curve(rates, caught, caught, caught)), 2)
    slopes = np.diff(line[:, 1]) / np.diff(line[:, 0])
    assert slopes.std() < 0.05 * abs(slopes.mean())
