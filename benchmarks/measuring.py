"""What the benchmarks of the data part share: one core, runs in turn, medians, tables, and where all this was measured.

    python benchmarks/measuring.py NAME...

Prints the line that says on which machine, and with which versions of these packages.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

#: What the libraries that are measured read at their start: how many threads they may have.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS", "OPENCV_FOR_THREADS_NUM")


def on_one_core() -> None:
    """Start this script anew, on one processor core and with one thread for each library."""
    if os.environ.pop("UNMASK_ON_ONE_CORE", None):
        return
    if hasattr(os, "sched_setaffinity"):  # Linux only
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    else:
        print("This system pins no process to a core: only the libraries' threads were limited.\n", flush=True)
    sys.stdout.flush()
    limited = dict.fromkeys((*THREADS, "UNMASK_ON_ONE_CORE"), "1")
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | limited)


def in_turn(ways: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each way, ``repeats`` times: all of them once, then all of them again."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(repeats):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
            told(f"{name}: {seconds[name][-1]:.2f} s (run {number + 1} of {repeats})")
    return seconds


def told(what: str) -> None:
    """Say on standard error how far the work is; standard output is the page."""
    print(what, file=sys.stderr, flush=True)


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """The median, and the smallest and the largest: ``1.23 (1.20 to 1.31)``."""
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table and an empty line."""
    print(f"| {' | '.join(heads)} |")
    print("|---" * len(heads) + "|")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
    print(flush=True)


def versions(names: Sequence[str]) -> str:
    """``numpy 2.4.6, polars 2.1.0``; packages that are not installed are passed over."""
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def processor() -> str:
    """The processor's model, as the system tells it."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


if __name__ == "__main__":
    print(
        f"Measured on {os.cpu_count()} cores of {processor()} ({platform.machine()}), no GPU, {platform.system()}, "
        f"Python {platform.python_version()}: {versions(sys.argv[1:])}.\n"
    )
