"""A face store opened in a fresh process, and 1,000 random crops read: seconds and memory as JSON. Linux only.

    python benchmarks/open_store.py STORE

Memory is what this process has more of than before it opened the store. Pages of the store's files are counted where
they were read; the system takes them back when it needs room.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

READS = 1_000


def memory() -> tuple[float, float]:
    """Resident memory in MB, and how much of it are pages of files."""
    lines = [line.split() for line in Path("/proc/self/smaps_rollup").read_text().splitlines()]
    sizes = {words[0]: int(words[1]) / 1024 for words in lines if words[-1] == "kB"}
    return sizes["Rss:"], sizes["Rss:"] - sizes["Anonymous:"]


def main(folder: str) -> None:
    """Print what was measured."""
    start = time.perf_counter()
    import numpy as np

    from unmask.faces.store import FaceStore

    imported = time.perf_counter()
    before, _ = memory()
    begin = time.perf_counter()
    store = FaceStore(folder)
    opened = time.perf_counter()
    after_open, _ = memory()
    rows = np.random.default_rng(0).integers(0, len(store), READS).tolist()
    store.image(rows[0])  # what the decoder loads when it is first used is not the store's
    ready, files = memory()
    for row in rows:
        store.image(row)
    after_reads, files_after = memory()
    ids = store.table["id"].unique().to_pylist()
    store.crops(ids[:1])  # pyarrow imports pandas, where it is installed, at a first list
    looking = time.perf_counter()
    store.crops(ids)
    looked = time.perf_counter()
    found = {
        "imports_s": imported - start,
        "open_ms": 1000 * (opened - begin),
        "lookup_ms": 1000 * (looked - looking),
        "open_mb": after_open - before,
        "read_mb": after_open - before + after_reads - ready,
        "read_files_mb": files_after - files,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
