"""The demo, timed and scored for several seeds. Prints Markdown.

    python benchmarks/demo.py DEMOS

Each run is a process of its own, into a folder below DEMOS; the packages that it fetches are in the cache already.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

#: Name to options.
RUNS = {
    "seed-0": ("--seed", "0"),
    "seed-1": ("--seed", "1"),
    "seed-2": ("--seed", "2"),
    "quick": ("--seed", "0", "--quick"),
}


def entry(standings: dict[str, list[dict[str, object]]], team: str) -> str:
    """A team's score with its interval."""
    found = next(row for row in standings["entries"] if row["team"] == team)
    return f"{found['score']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def line(out: Path, options: tuple[str, ...]) -> str:
    """Run the demo once: one row of the table."""
    start = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "unmask", "demo", "--out", str(out), *options], check=True, capture_output=True
    )
    seconds = time.monotonic() - start
    card = json.loads((out / "scorecard.json").read_text())
    standings = json.loads((out / "challenge" / "standings.json").read_text())
    auc = card["metrics"]["roc_auc"]
    methods = card["slices"]["method"]
    cells = [
        " ".join(options),
        f"{seconds:.0f} s",
        f"{auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})",
        *(f"{methods[name]['roc_auc']['value']:.3f}" for name in ("self_blend", "swap_alpha", "swap_poisson")),
        entry(standings, "efficientnet"),
        entry(standings, "frequencies"),
    ]
    return f"| {' | '.join(cells)} |"


def main(demos: Path) -> None:
    """Print the table."""
    heads = ("run", "time", "test AUC", "self-blends", "alpha swaps", "Poisson swaps, never seen")
    print(f"| {' | '.join([*heads, 'private part', 'regression there'])} |")
    print("|---|---|---|---|---|---|---|---|")
    for name, options in RUNS.items():
        print(line(demos / name, options), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
