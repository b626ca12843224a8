"""The vectorised bootstrap against a slow loop with the same weights; what is drawn; and whether intervals cover."""

import hypothesis.strategies as st
import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from scipy import integrate, stats

from unmask.scoring.intervals import Resampling, bootstrap, percentile_interval, tails
from unmask.scoring.metrics import DEFAULTS, METRICS
from unmask.scoring.sample import Ordering, Sample

ALL = list(METRICS.values())


def toy(rows=60, clusters=20, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, rows)
    scores = np.round(np.clip(random.normal(0.4 + 0.2 * labels, 0.2), 0, 1), 1)  # rounded: ties
    return labels, scores, random.integers(0, clusters, rows).astype(str)


def test_against_a_literal_loop():
    labels, scores, clusters = toy()
    resampling = Resampling.of(labels, clusters, replicates=50, seed=3)
    fast = bootstrap(ALL, [Ordering(labels, scores)], resampling, DEFAULTS)
    weights = resampling.weights(0, 50)
    for replicate in range(50):
        rows = np.repeat(np.arange(len(labels)), weights[:, replicate].astype(int))
        for m, metric in enumerate(ALL):
            slow = float(metric.batch(Sample.of(labels[rows], scores[rows]), DEFAULTS)[0])
            assert fast[0, m, replicate] == pytest.approx(slow, rel=1e-9, abs=1e-9)
        assert fast[0, 0, replicate] == pytest.approx(sk.roc_auc_score(labels[rows], scores[rows]))


@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 20))
@settings(max_examples=60)
def test_clusters_stay_whole_and_strata_keep_their_size(seed, rows, clusters):
    labels, _, names = toy(rows, clusters, seed)
    resampling = Resampling.of(labels, names, replicates=5, seed=seed)
    weights = resampling.weights(0, 5)
    kinds = {name: frozenset(labels[names == name].tolist()) for name in set(names.tolist())}
    for replicate in weights.T:
        times = {name: set(replicate[names == name].tolist()) for name in kinds}
        assert all(len(drawn) == 1 for drawn in times.values())
        for kind in set(kinds.values()):
            drawn = [next(iter(times[name])) for name in kinds if kinds[name] == kind]
            assert sum(drawn) == len(drawn)
        for label in set(labels.tolist()):
            assert replicate[labels == label].sum() > 0


def test_replicates_are_the_same_for_every_system_and_however_they_are_cut():
    labels, scores, clusters = toy()
    resampling = Resampling.of(labels, clusters, replicates=30, seed=5)
    assert np.array_equal(resampling.weights(0, 30)[:, 11:17], resampling.weights(11, 17))
    twice = bootstrap(ALL, [Ordering(labels, scores), Ordering(labels, scores)], resampling, DEFAULTS)
    assert np.array_equal(twice[0], twice[1])
    other = Resampling.of(labels, clusters, replicates=30, seed=6)
    assert not np.array_equal(other.weights(0, 30), resampling.weights(0, 30))


def test_large_sets_are_cut_into_pieces(monkeypatch):
    labels, scores, clusters = toy()
    resampling = Resampling.of(labels, clusters, replicates=30, seed=5)
    whole = bootstrap(ALL, [Ordering(labels, scores)], resampling, DEFAULTS)
    monkeypatch.setattr("unmask.scoring.intervals._HELD", 60 * 7)
    assert np.allclose(whole, bootstrap(ALL, [Ordering(labels, scores)], resampling, DEFAULTS), rtol=0, atol=1e-12)


def test_one_cluster_cannot_vary():
    assert not Resampling.of([0, 1, 1], ["a", "a", "a"]).varies
    assert not Resampling.of([0, 1], ["a", "b"]).varies
    assert Resampling.of([0, 1, 1], ["a", "b", "c"]).varies


def test_wrong_arguments():
    with pytest.raises(ValueError):
        Resampling.of([0, 1], ["a", "b"], replicates=0)
    with pytest.raises(ValueError):
        Resampling.of([0, 1], ["a", "b"], seed=-1)


def simulated(random, clusters, size, spread):
    """Log odds N(1, 1) for fakes and N(-1, 1) for reals; a cluster, of one class, shares part of its noise."""
    labels = np.repeat(np.arange(clusters) % 2, size)
    shared = np.repeat(random.normal(0, spread, clusters), size)
    own = random.normal(0, np.sqrt(1 - spread**2), clusters * size)
    return labels, 1 / (1 + np.exp(-(2 * labels - 1 + shared + own))), np.repeat(np.arange(clusters), size)


def truths():
    """The AUC of those scores is that of two normals two apart; their log loss is integrated numerically."""

    def density(odds):
        return np.logaddexp(0, -odds) * stats.norm.pdf(odds, 1, 1)

    return stats.norm.cdf(np.sqrt(2)), integrate.quad(density, -12, 14)[0]


def coverage(clusters, size, spread, *, ignore=False, runs=1000):
    """In which share of the simulations the 95 % intervals of AUC and log loss hold the truth."""
    random = np.random.default_rng(11)
    metrics, truth = [METRICS["roc_auc"], METRICS["log_loss"]], truths()
    hits = np.zeros(2)
    for run in range(runs):
        labels, scores, names = simulated(random, clusters, size, spread)
        drawn = np.arange(len(names)) if ignore else names
        resampling = Resampling.of(labels, drawn, replicates=400, seed=run)
        for m, values in enumerate(bootstrap(metrics, [Ordering(labels, scores)], resampling, DEFAULTS)[0]):
            low, high = percentile_interval(values, 0.95, resampling.fewest)
            hits[m] += low <= truth[m] <= high
    return hits / runs


@pytest.mark.parametrize("clusters", [2, 3, 12, 80, 5000, 2_000_000])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_tails_are_wider_for_few_clusters(clusters, confidence):
    t = stats.t.ppf((1 - confidence) / 2, clusters - 1)
    low, high = tails(confidence, clusters)
    assert low == pytest.approx(100 * stats.norm.cdf(np.sqrt(clusters / (clusters - 1)) * t), rel=1e-5, abs=1e-12)
    assert high == pytest.approx(100 - low)


def test_the_fewest_clusters_are_those_of_the_class_that_has_fewer():
    assert Resampling.of([0, 0, 1, 1, 1], ["a", "b", "c", "d", "e"]).fewest == 2
    assert Resampling.of([0, 0, 1, 1, 1], ["a", "a", "c", "d", "e"]).fewest == 3  # one real cluster tells no spread
    assert Resampling.of([0, 1, 0, 1, 0, 1], ["a", "a", "b", "b", "c", "c"]).fewest == 3
    assert Resampling.of([0, 1], ["a", "b"]).fewest == 0


@pytest.mark.parametrize(("clusters", "size", "spread"), [(240, 1, 0.0), (160, 4, 0.9)])
def test_intervals_cover_the_truth(clusters, size, spread):
    covered = coverage(clusters, size, spread)
    assert (covered >= 0.93).all()
    assert (covered <= 0.97).all()


def test_ignoring_clusters_covers_too_seldom():
    assert (coverage(160, 4, 0.9, ignore=True, runs=300) < 0.85).all()
