"""The demo's detectors on clips that others forged: folders of real/ and fake/ videos or pictures.

    python benchmarks/clips.py DEMOS FOLDER...

DEMOS is what ``benchmarks/demo.py DEMOS`` made: one folder a run. Prints a Markdown table, a row for each FOLDER.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import polars as pl

from unmask.datasets import index
from unmask.faces.prepare import prepare
from unmask.faces.store import FaceStore
from unmask.inference.model_folder import load_model
from unmask.inference.predict import predict
from unmask.scoring import score
from unmask.tables.manifest import write_manifest
from unmask.tables.predictions import write_predictions


def cell(model: Path, manifest: pl.DataFrame, store: FaceStore, scratch: Path) -> str:
    """AUC with its interval of one model on one folder; files without a face get 0.5."""
    answers, predictions = scratch / "answers.parquet", scratch / "predictions.csv"
    write_manifest(manifest, answers)
    found = predict(load_model(model), manifest, store).files
    write_predictions(found.select("id", pl.col("score").fill_null(0.5)), predictions)
    auc = score(predictions, answers).metrics["roc_auc"]
    return f"{auc.value:.2f} ({auc.low:.2f} to {auc.high:.2f})"


def main(demos: Path, folders: list[Path]) -> None:
    """Print the table."""
    models = {path.parents[1].name: path for path in sorted(demos.glob("*/run/model"))}
    print(f"| clips | real | fake | {' | '.join(models)} |")
    print(f"|---|---|---|{'---|' * len(models)}")
    for folder in folders:
        scratch = Path(tempfile.mkdtemp(prefix="unmask-"))
        manifest = index("folder", folder).with_columns(split=pl.lit("test"))
        prepare(manifest, scratch / "faces", load_model(next(iter(models.values()))).spec.store)
        store = FaceStore(scratch / "faces")
        counts = f"{(manifest['label'] == 0).sum()} | {(manifest['label'] == 1).sum()}"
        cells = [cell(model, manifest, store, scratch) for model in models.values()]
        print(f"| {folder.name} | {counts} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
