"""Metrics with bootstrap intervals: unmask beside a plain loop over scikit-learn.

    python benchmarks/scoring.py [--repeats 5] [--million 1000000]

The loop draws rows, or whole clusters with all their rows, and calls scikit-learn on what was drawn, as people write
it. On the large set some of its replicates are timed and counted for all: once with log loss and AUC alone, once with
everything of ours that scikit-learn has or that is read off its ROC curve. unmask uses as many processors as it finds,
the loop one. Needs scikit-learn. Prints Markdown.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np
import polars as pl
from measuring import spread, table, told
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    roc_auc_score,
    roc_curve,
)

from unmask.scoring.estimates import Protocol, estimate
from unmask.scoring.intervals import Resampling, bootstrap, percentile_interval
from unmask.scoring.metrics import DEFAULTS, METRICS
from unmask.scoring.sample import Ordering

REPLICATES = 1000
#: Replicates of the loop that are timed on the large set.
TIMED = 5
CLUSTERS = 50_000
TWO = ("log_loss", "roc_auc")

Arrays = tuple[np.ndarray, np.ndarray]


def made(rows: int, clusters: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores and names of the clusters: a detector with an AUC of about 0.8; half the rows are fakes."""
    random = np.random.default_rng(0)
    names = np.arange(rows) if clusters is None else random.integers(0, clusters, rows)
    labels = names % 2
    shared = random.normal(size=names.max() + 1)[names] if clusters else random.normal(size=rows)
    return labels, 1 / (1 + np.exp(-(1.2 * labels + 0.7 * shared + 0.7 * random.normal(size=rows)))), names


def two(labels: np.ndarray, scores: np.ndarray) -> list[float]:
    """Log loss and AUC."""
    return [log_loss(labels, scores), roc_auc_score(labels, scores)]


def all_it_has(labels: np.ndarray, scores: np.ndarray) -> list[float]:
    """Twelve of our metrics."""
    alarms, caught, _ = roc_curve(labels, scores, drop_intermediate=False)
    nearest = np.argmin(np.abs(alarms + caught - 1))
    called = scores >= 0.5
    return [
        *two(labels, scores),
        average_precision_score(labels, scores),
        brier_score_loss(labels, scores),
        roc_auc_score(labels, scores, max_fpr=0.1),
        balanced_accuracy_score(labels, called),
        f1_score(labels, called),
        (alarms[nearest] + 1 - caught[nearest]) / 2,
        *(caught[alarms <= rate].max() for rate in (0.1, 0.01, 0.001)),
        (0.05 * (1 - caught) + 0.95 * 10 * alarms).min() / 0.05,
    ]


def loop(
    measure: Callable[[np.ndarray, np.ndarray], list[float]],
    labels: np.ndarray,
    scores: np.ndarray,
    names: np.ndarray | None,
    replicates: int,
) -> np.ndarray:
    """(replicates, metrics), one replicate after the other."""
    random = np.random.default_rng(1)
    classes = [np.flatnonzero(labels == label) for label in (0, 1)]
    if names is not None:
        order = np.argsort(names, kind="stable")
        members = np.split(order, np.flatnonzero(np.diff(names[order])) + 1)
        classes = [np.array([i for i, rows in enumerate(members) if labels[rows[0]] == label]) for label in (0, 1)]
    found = []
    for _ in range(replicates):
        drawn = np.concatenate([random.choice(each, len(each)) for each in classes])
        rows = drawn if names is None else np.concatenate([members[cluster] for cluster in drawn])
        found.append(measure(labels[rows], scores[rows]))
    return np.array(found)


def timed(function: Callable[[], object]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def show_small(rows: int, repeats: int) -> None:
    """Print the table of a small set, where both do the same work, and the intervals that come out."""
    labels, scores, names = made(rows)
    found: dict[str, np.ndarray] = {}

    def ours() -> None:
        resampling = Resampling.of(labels, names, replicates=REPLICATES)
        metrics = [METRICS[name] for name in TWO]
        found["unmask"] = bootstrap(metrics, [Ordering(labels, scores)], resampling, DEFAULTS)[0].T

    def theirs() -> None:
        found["a loop over scikit-learn"] = loop(two, labels, scores, None, REPLICATES)

    seconds: dict[str, list[float]] = {"unmask": [], "a loop over scikit-learn": []}
    for number in range(repeats):
        seconds["unmask"].append(timed(ours))
        seconds["a loop over scikit-learn"].append(timed(theirs))
        told(f"{rows:,} rows: run {number + 1} of {repeats}")
    first = median(seconds["unmask"])
    intervals = {
        name: [percentile_interval(column, 0.95, rows // 2) for column in drawn.T] for name, drawn in found.items()
    }
    table(
        [f"{rows:,} rows, log loss and AUC, {REPLICATES:,} replicates, {repeats} runs", "seconds", "times the first",
         "log loss, interval", "AUC, interval"],
        [
            [name, spread(runs, ".3f"), f"{median(runs) / first:.1f}",
             *(f"{low:.4f} to {high:.4f}" for low, high in intervals[name])]
            for name, runs in seconds.items()
        ],
    )  # fmt: skip


def show_large(rows: int, clusters: int | None, repeats: int) -> None:
    """Print the table of a large set: all metrics of ours, two of the loop's."""
    labels, scores, names = made(rows, clusters)
    frame = pl.DataFrame({"label": labels, "score": scores, "cluster": names})
    protocol = Protocol(DEFAULTS, seed=0, replicates=REPLICATES, confidence=0.95)
    grouped = None if clusters is None else names
    loops = {"log loss and AUC alone": two, "the twelve metrics that it has": all_it_has}
    ours: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in loops}
    for number in range(repeats):
        ours.append(timed(lambda: estimate(frame, protocol)))
        for name, measure in loops.items():
            # What is done once, the grouping, is not counted for every replicate.
            few, many = (timed(partial(loop, measure, labels, scores, grouped, count)) for count in (1, 1 + TIMED))
            theirs[name].append(few + (many - few) / TIMED * (REPLICATES - 1))
        told(f"{rows:,} rows: run {number + 1} of {repeats}")
    what = "each row by itself" if clusters is None else f"{len(np.unique(names)):,} clusters"
    first = median(ours)
    table(
        [f"{rows:,} rows, {what}, {REPLICATES:,} replicates, {repeats} runs", "seconds", "times the first"],
        [
            [f"unmask, all {len(METRICS)} metrics", spread(ours), "1.0"],
            *(
                [f"a loop over scikit-learn, {name}; {TIMED} replicates counted for all", spread(runs, ".0f"),
                 f"{median(runs) / first:.0f}"]
                for name, runs in theirs.items()
            ),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--million", type=int, default=1_000_000)
    given = parser.parse_args()
    show_small(10_000, given.repeats)
    show_large(given.million, None, given.repeats)
    show_large(given.million, CLUSTERS, given.repeats)
