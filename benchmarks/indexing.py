"""``unmask index dfdc`` on a made-up tree of DFDC's size: 50 parts of empty files, each part with its metadata.json.

    python benchmarks/indexing.py [--files 120000] [--repeats 5]

Each run is a process of its own, with as many threads as it likes. Prints a Markdown table. Nothing big is imported
here: a process inherits the peak memory of the one that starts it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from measuring import spread, table, told

PARTS = 50
#: One original has about five fakes in DFDC.
FAKES = 5

#: The least that any indexer does: list every folder, parse every metadata.json. A process of its own as well.
FLOOR = """
import json, os, sys
for part in os.scandir(sys.argv[1]):
    names = {entry.name for entry in os.scandir(part)}
    with open(os.path.join(part, "metadata.json"), encoding="utf-8") as file:
        assert len(json.load(file)) + 1 == len(names)
"""


def make_tree(root: Path, files: int) -> None:
    """``files`` clips of ten random letters: of six, one is real and five are made from it."""
    rng = random.Random(0)
    for part in range(PARTS):
        folder = root / f"dfdc_train_part_{part}"
        folder.mkdir(parents=True)
        entries: dict[str, dict[str, str]] = {}
        original = ""
        for number in range(files // PARTS):
            name = "".join(rng.choices(string.ascii_lowercase, k=10)) + ".mp4"
            if number % (FAKES + 1) == 0:
                original = name
                entries[name] = {"label": "REAL", "split": "train"}
            else:
                entries[name] = {"label": "FAKE", "split": "train", "original": original}
        for name in entries:
            (folder / name).touch()
        (folder / "metadata.json").write_text(json.dumps(entries), encoding="utf-8")


def run(words: list[str]) -> tuple[float, float]:
    """Seconds and peak resident memory, in MB, of one process."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)  # or it would be waited for again
    if process.returncode:
        raise SystemExit(f"python {' '.join(words)} ended with code {process.returncode}")
    return seconds, usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


def main(files: int, repeats: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="unmask-") as scratch:
        root = Path(scratch) / "dfdc"
        told(f"making {files:,} files")
        make_tree(root, files)
        out = Path(scratch) / "manifest"
        ways: dict[str, Callable[[], tuple[float, float]]] = {
            f"`unmask index dfdc`, {ending}": lambda ending=ending: run(
                ["-m", "unmask", "index", "dfdc", str(root), "--out", f"{out}.{ending}"]
            )
            for ending in ("parquet", "csv")
        }
        ways["`unmask --version`: starting alone"] = lambda: run(["-m", "unmask", "--version"])
        ways["`os.scandir` and `json.load` alone"] = lambda: run(["-c", FLOOR, str(root)])
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(repeats):
            for name, way in ways.items():
                found[name].append(way())
                told(f"{name}: {found[name][-1][0]:.2f} s")
        table(
            [f"{files:,} files in {PARTS} parts, {repeats} runs", "seconds", "peak memory, MB"],
            [
                [name, spread([one for one, _ in pairs]), f"{median(memory for _, memory in pairs):.0f}"]
                for name, pairs in found.items()
            ],
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=120_000)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    main(given.files, given.repeats)
