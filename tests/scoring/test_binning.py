"""Cells stand for very many rows: what they hold, and that replicates of them are those of the rows."""

import os
import subprocess
import sys
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats

from unmask.scoring.binning import Cells
from unmask.scoring.intervals import EXACT, Resampling, bootstrap
from unmask.scoring.metrics import DEFAULTS, METRICS
from unmask.scoring.sample import Ordering, Sample

ALL = list(METRICS.values())
#: Rows of which bootstrap makes cells.
MANY = EXACT + 4000


def made(kind: str, rows: int = MANY, seed: int = 0):
    """Labels and scores of a detector: fair; sharp, up to 0 and 1; rounded; all alike; apart without overlap."""
    random = np.random.default_rng(seed)
    labels = (random.random(rows) < 0.3).astype(int)
    odds = random.normal(size=rows) + 1.2 * labels
    if kind == "sharp":
        odds = 12 * (odds - 0.5)
    scores = 1 / (1 + np.exp(-odds))
    if kind == "rounded":
        scores = np.round(scores, 2)
    if kind == "apart":
        scores = np.where(labels == 1, 0.8 + 0.1 * scores, 0.1 * scores)
    return labels, np.full(rows, 0.5) if kind == "alike" else scores


@given(st.sampled_from(["fair", "sharp", "rounded", "alike", "apart"]), st.integers(1, 3000), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_every_row_is_in_the_cell_of_its_label_and_score(kind, rows, seed):
    labels, scores = made(kind, rows, seed)
    cells = Cells.of(Ordering(labels, scores))
    assert np.array_equal(np.bincount(cells.of_row), cells.counts)
    assert np.array_equal(cells.ordering.labels[cells.of_row], labels)
    binned = cells.ordering.scores[cells.of_row]
    for score in np.unique(scores):  # tied scores are not parted
        assert len(np.unique(binned[scores == score])) == 1
    order = np.argsort(scores, kind="stable")
    assert (np.diff(binned[order]) >= 0).all()
    for score in np.unique(binned):  # one bin: its score is the mean of its rows', and no other bin's rows lie within
        members = scores[binned == score]
        assert score == pytest.approx(members.mean(), abs=1e-12)
        assert ((scores >= members.min()) & (scores <= members.max())).sum() == len(members)


@pytest.mark.parametrize("kind", ["fair", "sharp", "apart"])
def test_bins_are_small(kind):
    labels, scores = made(kind)
    binned = (cells := Cells.of(Ordering(labels, scores))).ordering.scores[cells.of_row]
    for score in np.unique(binned):
        members = binned == score
        inside = np.clip(scores[members], 1e-15, 1 - 1e-15)
        odds = np.log(inside) - np.log1p(-inside)
        assert odds.max() - odds.min() <= 0.05 + 1e-9
        if len(np.unique(inside)) == 1:
            continue
        for label in (0, 1):
            above, total = (binned[labels == label] > score).sum(), (labels == label).sum()
            nearer = min(above, total - above)
            assert members[labels == label].sum() <= 1 + 0.25 * np.sqrt(nearer) * (1 + 1 / max(np.sqrt(nearer), 1))


@pytest.mark.parametrize("kind", ["fair", "sharp", "rounded"])
@pytest.mark.parametrize("clusters", [None, 1500])
def test_replicates_of_cells_are_those_of_rows(kind, clusters):
    """The same draws, once as cells and once row by row."""
    labels, scores = made(kind)
    names = np.arange(MANY) if clusters is None else np.random.default_rng(1).integers(0, clusters, MANY)
    resampling = Resampling.of(labels, names, replicates=60, seed=2)
    ordering = Ordering(labels, scores)
    fast = bootstrap(ALL, [ordering, ordering], resampling, DEFAULTS)
    assert np.array_equal(fast[0], fast[1])
    sample = Sample(ordering, resampling.weights(0, 60))
    for metric, binned in zip(ALL, fast[0], strict=True):
        exact = metric.batch(sample, DEFAULTS)
        if kind == "rounded":  # nothing is put together but what is tied
            np.testing.assert_allclose(binned, exact, rtol=1e-9, atol=1e-12, err_msg=metric.name)
            continue
        spread = exact.std() or 1e-12
        assert abs((binned - exact).mean()) < 0.1 * spread, metric.name
        assert (binned - exact).std() < 0.15 * spread, metric.name


def test_the_threshold_parts_cells():
    """What is called fake in each replicate is what is called fake of the rows, wherever the threshold falls."""
    labels, scores = made("fair")
    ordering = Ordering(labels, scores)
    settings = replace(DEFAULTS, threshold=float(np.sort(scores)[MANY // 3]))
    resampling = Resampling.of(labels, np.arange(MANY), replicates=20)
    metrics = [METRICS[name] for name in ("balanced_accuracy", "precision_at_prevalence", "f1", "fpr_per_million")]
    fast = bootstrap(metrics, [ordering, ordering], resampling, settings)[0]
    sample = Sample(ordering, resampling.weights(0, 20))
    for metric, binned in zip(metrics, fast, strict=True):
        assert binned == pytest.approx(metric.batch(sample, settings), rel=1e-12), metric.name


@pytest.mark.parametrize("kind", ["fair", "rounded"])
def test_rows_that_are_drawn_one_by_one_may_be_drawn_by_cell(kind):
    """One system alone is drawn in another way, of the same distribution."""
    labels, scores = made(kind)
    ordering = Ordering(labels, scores)
    metrics = [METRICS[name] for name in ("roc_auc", "log_loss", "tpr_at_fpr_1pct")]
    by_row, by_cell = (
        bootstrap(metrics, [ordering] * systems, Resampling.of(labels, np.arange(MANY), replicates=1000), DEFAULTS)[0]
        for systems in (2, 1)
    )
    for one, other in zip(by_row, by_cell, strict=True):
        assert stats.ks_2samp(one, other).pvalue > 0.001
    resampling = Resampling.of(labels, np.arange(MANY), replicates=1)
    cells = Cells.of(ordering)
    counts = resampling.cell_counts(cells, 0)
    for label in (0, 1):
        assert counts[cells.ordering.labels == label].sum() == (labels == label).sum()


def test_systems_that_come_one_by_one_can_be_paired():
    labels, scores = made("fair")
    other = made("fair", seed=1)[1]
    resampling = Resampling.of(labels, np.arange(MANY), replicates=12)
    metrics = [METRICS["log_loss"], METRICS["roc_auc"]]
    both = bootstrap(metrics, [Ordering(labels, scores), Ordering(labels, other)], resampling, DEFAULTS)
    for each, together in zip((scores, other), both, strict=True):
        alone = bootstrap(metrics, [Ordering(labels, each)], resampling, DEFAULTS, paired=True)
        assert np.array_equal(alone[0], together)


def test_a_constant_and_a_perfect_detector_have_no_spread():
    for kind, auc in (("alike", 0.5), ("apart", 1.0)):
        labels, scores = made(kind)
        resampling = Resampling.of(labels, np.arange(MANY), replicates=20)
        values = bootstrap([METRICS["roc_auc"]], [Ordering(labels, scores)], resampling, DEFAULTS)
        assert (values == auc).all()


SCRIPT = """
import numpy as np
from unmask.scoring.intervals import Resampling, bootstrap
from unmask.scoring.metrics import DEFAULTS, METRICS
from unmask.scoring.sample import Ordering
random = np.random.default_rng(0)
for rows in (3000, 30_000):
    labels, scores = random.integers(0, 2, rows), random.random(rows)
    resampling = Resampling.of(labels, random.integers(0, 500, rows), replicates=200)
    print(bootstrap(list(METRICS.values()), [Ordering(labels, scores)], resampling, DEFAULTS).tobytes().hex())
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processors cannot be taken away on this system")
def test_the_number_of_processors_changes_nothing():
    limit = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    one, all_of_them = (
        subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
        for script in (limit + SCRIPT, SCRIPT)
    )
    assert len(one) > 1000
    assert one == all_of_them
