"""Strict reading of predictions and an answer key, and their join, against what people do with pandas.

    python benchmarks/tables.py [--rows 1000000] [--large 10000000] [--repeats 5]

The predictions stand in another order than the key; ids are ten random letters and ".mp4", as in DFDC. "pandas" is
``read_csv`` of both, ids as text, and ``merge`` on the id: no check of anything. Each run is a process of its own with
as many threads as it likes, and reads two tiny files first: imports, and what the libraries load when they are first
used, do not count. The peak memory is that of the whole process, imports and all. With ``--large 0`` the large files
are left out, and where pandas is not installed, so is pandas. Prints Markdown.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from measuring import spread, table, told

#: Written by a process of its own: a process inherits the peak memory of the one that starts it.
MAKE = """
import sys
import numpy as np
import polars as pl

folder, rows = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(0)
drawn = rng.integers(97, 123, (rows + rows // 100, 10)).astype(np.uint8)
names = pl.Series(np.ascontiguousarray(drawn).view("S10").ravel().astype(str)).unique(maintain_order=True)[:rows]
ids = names + ".mp4"
key = pl.DataFrame({"id": ids, "label": rng.integers(0, 2, len(ids))})
predictions = pl.DataFrame({"id": ids, "score": rng.random(len(ids))})[rng.permutation(len(ids))]
for name, frame in (("key", key), ("predictions", predictions)):
    for part, size in (("", rows), ("tiny-", 9)):
        first = frame.head(size) if part == "" else key.head(9).select("id").join(frame, on="id")
        first.write_csv(f"{folder}/{part}{name}.csv")
        first.write_parquet(f"{folder}/{part}{name}.parquet")
"""

#: What each way runs; it prints its seconds.
TIMED = """
import sys
import time
{imports}

def run(predictions, answers):
{body}

folder, ending = sys.argv[1], sys.argv[2]
run(f"{{folder}}/tiny-predictions.{{ending}}", f"{{folder}}/tiny-key.{{ending}}")
start = time.perf_counter()
rows = run(f"{{folder}}/predictions.{{ending}}", f"{{folder}}/key.{{ending}}")
print(time.perf_counter() - start, len(rows))
"""
UNMASK = TIMED.format(
    imports="""
from concurrent.futures import ThreadPoolExecutor
from unmask.tables.answers import read_answers
from unmask.tables.predictions import read_predictions
from unmask.tables.reading import read_table
""",
    body="""
    with ThreadPoolExecutor(1) as beside:  # as unmask score does it
        reading = beside.submit(read_table, predictions)
        key = read_answers(answers)
    given = read_predictions(reading.result(), expected_ids=key["id"])
    return key.hstack(given.drop("id"))  # they come in the order of the ids that are asked for
""",
)
PANDAS = TIMED.format(
    imports="import pandas as pd",
    body="""
    if answers.endswith("csv"):
        key, given = pd.read_csv(answers, dtype={"id": str}), pd.read_csv(predictions, dtype={"id": str})
    else:
        key, given = pd.read_parquet(answers), pd.read_parquet(predictions)
    return key.merge(given, on="id")
""",
)


def run(code: str, folder: Path, ending: str, rows: int) -> tuple[float, float]:
    """Seconds of reading and joining, and the peak resident memory of the process in MB."""
    process = subprocess.Popen([sys.executable, "-c", code, str(folder), ending], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)  # or it would be waited for again
    if process.returncode:
        raise SystemExit(f"a run ended with code {process.returncode}")
    seconds, joined = printed.split()
    if int(joined) != rows:
        raise SystemExit(f"{joined} rows were joined, not {rows}")
    return float(seconds), usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


def measure(ways: dict[str, str], ending: str, rows: int, repeats: int) -> None:
    """Print the table of one size and form."""
    with tempfile.TemporaryDirectory(prefix="unmask-") as scratch:
        told(f"making {rows:,} rows")
        subprocess.run([sys.executable, "-c", MAKE, scratch, str(rows)], check=True)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(repeats):
            for name, code in ways.items():
                found[name].append(run(code, Path(scratch), ending, rows))
                told(f"{name}: {found[name][-1][0]:.2f} s")
    seconds = {name: [one for one, _ in pairs] for name, pairs in found.items()}
    table(
        [f"{rows:,} rows of {ending}, {repeats} runs", "seconds", "share of pandas' time", "peak memory, MB"],
        [
            [
                name,
                spread(seconds[name], ".3f"),
                f"{median(seconds[name]) / median(seconds['pandas']):.2f}" if "pandas" in seconds else "",
                f"{median(memory for _, memory in pairs):.0f}",
            ]
            for name, pairs in found.items()
        ],
    )


def main(rows: int, large: int, repeats: int) -> None:
    """Print the tables."""
    ways = {"unmask": UNMASK}
    if importlib.util.find_spec("pandas"):
        ways["pandas"] = PANDAS
    measure(ways, "csv", rows, repeats)
    if large:
        measure(ways, "parquet", large, repeats)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    main(given.rows, given.large, given.repeats)
