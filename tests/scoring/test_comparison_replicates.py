"""The fast bootstrap of many systems against the plain one, against scikit-learn, and however it is cut."""

import os
import subprocess
import sys

import hypothesis.strategies as st
import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import assume, given, settings

from unmask.scoring.comparison.replicates import replicate
from unmask.scoring.intervals import Resampling, bootstrap
from unmask.scoring.metrics import DEFAULTS, METRICS, Settings
from unmask.scoring.sample import Ordering

FAST = ("roc_auc", "log_loss")


def toy(seed=0, systems=4, rows=80, clusters=30, digits=1):
    """Rounded scores, so that many are tied; clusters of several rows, some with both classes."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, rows)
    scores = np.clip(random.normal(0.4 + 0.2 * labels, 0.2, (systems, rows)), 0, 1)
    return labels, np.round(scores, digits), random.integers(0, clusters, rows)


@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(2, 50), st.integers(1, 30), st.sampled_from([1, 2, 8]))
@settings(max_examples=80, deadline=None)
def test_against_the_plain_bootstrap(seed, systems, rows, clusters, digits):
    labels, scores, names = toy(seed, systems, rows, clusters, digits)
    assume(0 < labels.sum() < rows)
    resampling = Resampling.of(labels, names, replicates=7, seed=seed)
    for name in FAST:
        plain = bootstrap([METRICS[name]], [Ordering(labels, each) for each in scores], resampling, DEFAULTS)[:, 0]
        found = replicate(METRICS[name], labels, scores, resampling, DEFAULTS)
        assert found == pytest.approx(plain, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("digits", [1, 12])
def test_against_scikit_learn(digits):
    labels, scores, names = toy(digits=digits)
    resampling = Resampling.of(labels, names, replicates=20, seed=1)
    areas = replicate(METRICS["roc_auc"], labels, scores, resampling, DEFAULTS)
    losses = replicate(METRICS["log_loss"], labels, scores, resampling, Settings(clip=0.01))
    for column, weights in enumerate(resampling.weights(0, 20).T):
        for s, each in enumerate(scores):
            assert areas[s, column] == pytest.approx(sk.roc_auc_score(labels, each, sample_weight=weights))
            clipped = np.clip(each, 0.01, 0.99)
            assert losses[s, column] == pytest.approx(sk.log_loss(labels, clipped, sample_weight=weights))


@pytest.mark.parametrize("name", [*FAST, "eer"])
def test_threads_and_cuts_change_nothing(name, monkeypatch):
    labels, scores, names = toy()
    resampling = Resampling.of(labels, names, replicates=60, seed=2)
    found = replicate(METRICS[name], labels, scores, resampling, DEFAULTS)
    for threads, held in ((1, 80 * 60), (2, 80 * 7), (5, 80 * 7)):
        monkeypatch.setattr("unmask.scoring.intervals._processors", lambda threads=threads: threads)
        monkeypatch.setattr("unmask.scoring.intervals._HELD", held)
        assert np.array_equal(replicate(METRICS[name], labels, scores, resampling, DEFAULTS), found)


@pytest.mark.parametrize("name", [*FAST, "eer"])
def test_equal_systems_are_equal_to_the_last_bit(name):
    labels, scores, names = toy(systems=37, digits=12)
    scores[[5, 17, 36]] = scores[0]
    found = replicate(METRICS[name], labels, scores, Resampling.of(labels, names, replicates=33), DEFAULTS)
    for other in (5, 17, 36):
        assert np.array_equal(found[0], found[other])
    assert not np.array_equal(found[0], found[1])


@pytest.mark.parametrize("name", FAST)
def test_the_number_of_processors_changes_nothing(name):
    """A matrix product by BLAS is cut by the number of its threads, which moves the last digits."""
    code = (
        "import hashlib, numpy as np\n"
        "from unmask.scoring.comparison.replicates import replicate\n"
        "from unmask.scoring.intervals import Resampling\n"
        "from unmask.scoring.metrics import DEFAULTS, METRICS\n"
        "labels = np.arange(2003) % 2\n"
        "scores = 1 / (1 + np.exp(np.random.default_rng(0).normal(size=(37, 2003)) - labels))\n"
        "resampling = Resampling.of(labels, np.arange(2003) // 2, replicates=100)\n"
        f"found = replicate(METRICS[{name!r}], labels, scores, resampling, DEFAULTS)\n"
        "print(hashlib.sha256(found.tobytes()).hexdigest())"
    )
    told = {
        subprocess.run([sys.executable, "-c", code], env=os.environ | {"OPENBLAS_NUM_THREADS": count},
                       capture_output=True, text=True, check=True).stdout
        for count in ("1", "2", "4")
    }  # fmt: skip
    assert len(told) == 1
