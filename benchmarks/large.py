"""``unmask score`` on ten million rows from Parquet: how long it takes, and how much memory.

    python benchmarks/large.py [--rows 10000000] [--repeats 3]

Each run is a process of its own. Prints Markdown.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from indexing import run
from measuring import spread, table, told

#: A process inherits the peak memory of the one that starts it, so that the tables are made in another.
MAKE = """
import sys
import numpy as np
import polars as pl
rows, folder = int(sys.argv[1]), sys.argv[2]
random = np.random.default_rng(0)
labels = random.integers(0, 2, rows)
scores = 1 / (1 + np.exp(-(1.2 * labels + random.normal(size=rows))))
ids = pl.select(pl.format("video_{}.mp4", pl.int_range(rows).cast(pl.String).str.zfill(9))).to_series()
pl.DataFrame({"id": ids, "label": labels}).write_parquet(folder + "/answers.parquet")
predictions = pl.DataFrame({"id": ids, "score": scores})
predictions.sample(fraction=1, shuffle=True, seed=1).write_parquet(folder + "/predictions.parquet")
"""


def main(rows: int, repeats: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="unmask-") as scratch:
        told(f"making {rows:,} rows")
        subprocess.run([sys.executable, "-c", MAKE, str(rows), scratch], check=True)
        files = [str(Path(scratch) / name) for name in ("predictions.parquet", "answers.parquet")]
        ways = {
            "`unmask score`": ["-m", "unmask", "score", *files],
            "`unmask score --out`, with the page": ["-m", "unmask", "score", *files, "--out", scratch],
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for number in range(repeats):
            for name, words in ways.items():
                found[name].append(run(words))
                told(
                    f"{name}: {found[name][-1][0]:.0f} s, {found[name][-1][1]:,.0f} MB (run {number + 1} of {repeats})"
                )
        table(
            [f"{rows:,} rows of Parquet, all metrics, 1,000 replicates, {repeats} runs", "seconds", "peak memory, MB"],
            [
                [
                    name,
                    spread([seconds for seconds, _ in pairs], ".0f"),
                    f"{median(memory for _, memory in pairs):,.0f}",
                ]
                for name, pairs in found.items()
            ],
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    main(given.rows, given.repeats)
