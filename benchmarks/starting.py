"""What starting costs: ``unmask --help``, and ``unmask score`` on as many rows as the DFDC's test had.

    python benchmarks/starting.py [--repeats 11]

Each run is a process of its own. Prints Markdown.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl
from indexing import run
from measuring import spread, table, told

ROWS = 4000
#: All that scoring imports, and nothing done with it.
IMPORTS = "import unmask.cli.main, unmask.scoring, unmask.scoring.report"


def make(folder: Path) -> list[str]:
    """Predictions and an answer key with two slice columns; their paths."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, ROWS)
    ids = [f"video_{number:05d}.mp4" for number in range(ROWS)]
    scores = 1 / (1 + np.exp(-(1.2 * labels + random.normal(size=ROWS))))
    methods = [
        f"method {number}" if label else None for number, label in zip(random.integers(0, 5, ROWS), labels, strict=True)
    ]
    people = [f"person {number}" for number in random.integers(0, 400, ROWS)]
    key = pl.DataFrame({"id": ids, "label": labels, "manipulation": methods, "cluster": people})
    key.write_csv(folder / "answers.csv")
    pl.DataFrame({"id": ids, "score": scores}).write_csv(folder / "predictions.csv")
    return [str(folder / "predictions.csv"), str(folder / "answers.csv")]


def main(repeats: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="unmask-") as scratch:
        files = make(Path(scratch))
        ways = {
            "`python -c pass`": ["-c", "pass"],
            "`python -c 'import typer'`": ["-c", "import typer"],
            "`unmask --help`": ["-m", "unmask", "--help"],
            "what `unmask score` imports, alone": ["-c", IMPORTS],
            f"`unmask score`, {ROWS:,} rows": ["-m", "unmask", "score", *files],
            f"`unmask score --out`, {ROWS:,} rows, with the page": ["-m", "unmask", "score", *files, "--out", scratch],
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for number in range(repeats):
            for name, words in ways.items():
                found[name].append(run(words))
            told(f"starting: run {number + 1} of {repeats}")
    first = median(seconds for seconds, _ in next(iter(found.values())))
    table(
        [f"a process of its own, {repeats} runs", "seconds", "times the first", "peak memory, MB"],
        [
            [name, spread([seconds for seconds, _ in pairs]), f"{median(s for s, _ in pairs) / first:.1f}",
             f"{median(memory for _, memory in pairs):.0f}"]
            for name, pairs in found.items()
        ],
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=11)
    given = parser.parse_args()
    main(given.repeats)
