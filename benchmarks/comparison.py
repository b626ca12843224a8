"""Many systems compared with ranks and 1,000 paired replicates: unmask beside a plain loop over scikit-learn.

    python benchmarks/comparison.py [--repeats 5] [--systems 100]

Both go from one frame for each system to ranks in every replicate; unmask also checks the frames and gives differences
with p, tiers and DeLong's covariances. A few of the loop's replicates are timed, counted for all. unmask uses as many
processors as it finds, the loop one. Needs scikit-learn. Prints Markdown.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import polars as pl
from measuring import spread, table, told, versions
from sklearn.metrics import log_loss, roc_auc_score

from unmask.scoring import Comparison, compare

ROWS = 10_000
REPLICATES = 1000
#: Replicates of the loop that are timed.
TIMED = 3
LOOPED = {"roc_auc": roc_auc_score, "log_loss": log_loss}


def made(systems: int) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """A key, and a frame for each system: AUCs from about 0.8 to 0.9, with a part in common."""
    random = np.random.default_rng(0)
    labels = np.arange(ROWS) % 2
    ids = [f"clip_{row:05d}.mp4" for row in range(ROWS)]
    shared = random.normal(size=ROWS)
    frames = {}
    for number in range(systems):
        odds = (1.4 + 0.8 * number / systems) * (labels - 0.5) + 0.7 * shared + random.normal(size=ROWS)
        frames[f"system {number}"] = pl.DataFrame({"id": ids, "score": 1 / (1 + np.exp(-odds))})
    return pl.DataFrame({"id": ids, "label": labels}), frames


def loop(key: pl.DataFrame, frames: dict[str, pl.DataFrame], metric: str, replicates: int) -> np.ndarray:
    """(systems, replicates) ranks, one replicate and one system after the other."""
    random = np.random.default_rng(1)
    labels = key["label"].to_numpy()
    scores = [key.join(frame, on="id")["score"].to_numpy() for frame in frames.values()]
    classes = [np.flatnonzero(labels == label) for label in (0, 1)]
    ranks = np.empty((len(scores), replicates), dtype=np.int64)
    for replicate in range(replicates):
        drawn = np.concatenate([random.choice(rows, len(rows)) for rows in classes])
        values = np.array([LOOPED[metric](labels[drawn], each[drawn]) for each in scores])
        ranks[:, replicate] = 1 + np.argsort(np.argsort(values if metric == "log_loss" else -values))
    return ranks


def timed(function: Callable[[], object]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main(systems: int, repeats: int) -> None:
    """Print the table."""
    key, frames = made(systems)
    rows = []
    for metric in LOOPED:
        ours, theirs = [], []
        for number in range(repeats):
            ours.append(timed(lambda: compare(key, frames, metric=metric, replicates=REPLICATES)))  # noqa: B023
            theirs.append(timed(lambda: loop(key, frames, metric, TIMED)) / TIMED * REPLICATES)  # noqa: B023
            told(f"{metric}: {ours[-1]:.2f} and {theirs[-1]:.0f} s (run {number + 1})")
        found: Comparison = compare(key, frames, metric=metric, replicates=REPLICATES)
        written = timed(found.to_json)
        rows.append([
            found.metric.title, spread(ours), f"{written:.2f}", spread(theirs, ".0f"),
            f"{np.median(theirs) / np.median(ours):.0f}",
        ])  # fmt: skip
    table(
        [f"{systems} systems, {ROWS:,} rows, {REPLICATES:,} replicates, {repeats} runs", "unmask, seconds",
         "its JSON, seconds", f"loop over scikit-learn, {TIMED} replicates counted for all, seconds", "times as fast"],
        rows,
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--systems", type=int, default=100)
    given = parser.parse_args()
    print(f"{versions(['scikit-learn', 'numpy', 'polars'])}.\n")
    main(given.systems, given.repeats)
