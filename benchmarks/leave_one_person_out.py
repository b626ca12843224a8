"""One person of a folder of real and fake pictures left out at a time: what can be told, and by what.

    python benchmarks/leave_one_person_out.py ../shared/data/flux_politicians

For each person: the best trivial feature of the test pictures, logistic regression on a frozen ImageNet network, the
same network trained, all scored on the person that was in no other split. Prints a Markdown table.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import polars as pl

from unmask.datasets import index
from unmask.datasets.audit import audit
from unmask.faces.prepare import default_settings, prepare
from unmask.scoring import Scorecard, score
from unmask.tables.manifest import read_manifest, write_manifest
from unmask.training.compose import compose_config
from unmask.training.run import train

RUNS = {
    "frozen": ("fit=head",),
    "trained": ("augment=faces", "data.blends=0", "data.workers=1", "trainer.max_epochs=4"),
}


def trivial(manifest: Path, scratch: Path) -> tuple[str, float]:
    """The trivial feature of the file itself (not of its name) that tells most about the test split, and its AUC."""
    part = scratch / "test.parquet"
    write_manifest(read_manifest(manifest).filter(split="test"), part)
    found = audit([part]).trivial.filter(~pl.col("feature").str.starts_with("name")).sort("auc", descending=True)
    return str(found["feature"][0]), float(found["auc"][0])


def run(name: str, manifest: Path, store: Path, out: Path) -> Scorecard:
    """Train as ``RUNS`` says and score the test split."""
    overrides = [
        *RUNS[name],
        "trainer.enable_progress_bar=false",
        f"manifest={manifest}",
        f"store={store}",
        f"out={out}",
    ]
    train(compose_config(overrides), out)
    return score(out / "predictions.csv", manifest, split="test")


def shown(card: Scorecard) -> str:
    """AUC with its interval."""
    auc = card.metrics["roc_auc"]
    return f"{auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f})"


def main(root: Path) -> None:
    """Print the table."""
    scratch = Path(tempfile.mkdtemp(prefix="unmask-"))
    people = sorted(path.name for path in (root / "real").iterdir() if path.is_dir())
    everyone = index("folder", root, subject_from="folder")
    prepare(everyone, scratch / "faces", default_settings())
    print("| left out | real | fake | best trivial feature | frozen network | trained network |")
    print("|---|---|---|---|---|---|")
    for person in people:
        manifest = scratch / person / "manifest.parquet"
        write_manifest(index("folder", root, subject_from="folder", hold_out=[person]), manifest)
        feature, auc = trivial(manifest, scratch)
        cards = [run(name, manifest, scratch / "faces", scratch / person / name) for name in RUNS]
        labels = read_manifest(manifest).filter(pl.col("split") == "test")["label"]
        counts = f"{(labels == 0).sum()} | {(labels == 1).sum()}"
        print(f"| {person} | {counts} | {auc:.3f} ({feature}) | {' | '.join(map(shown, cards))} |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
