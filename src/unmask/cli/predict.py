"""``unmask predict``: a model and media become predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_HELP = """Predict how probable it is that each video or picture is fake.

Writes columns id and score (0 real, 1 fake). A file without an answer, because no face was found or it cannot be read,
has no score and a third column says why.

Examples:

    unmask predict run/model video.mp4 --out predictions.csv

    unmask predict run/model manifest.parquet --split test --store faces --out predictions.csv
"""


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("predict", help=_HELP)(run)


def run(
    model: Annotated[Path, typer.Argument(help="Model folder, such as run/model.")],
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", help="Manifests, folders, videos, pictures.")],
    out: Annotated[Path, typer.Option(help="Where predictions go: .csv or .parquet.")],
    frames: Annotated[Path | None, typer.Option(help="Also write one row a frame: .csv or .parquet.")] = None,
    split: Annotated[str | None, typer.Option(help="Of a manifest, take only this split.")] = None,
    store: Annotated[Path | None, typer.Option(help="Face store of these files, if it was prepared.")] = None,
) -> None:
    """Predict."""
    from unmask.cli.progress import progress
    from unmask.faces.store import FaceStore
    from unmask.inference.model_folder import load_model
    from unmask.inference.predict import manifest_of, predict
    from unmask.tables.predictions import write_predictions
    from unmask.tables.writing import write_table

    manifest = manifest_of(inputs, split=split)
    faces = None if store is None else FaceStore(store)
    with progress() as bar:
        found = predict(load_model(model), manifest, faces, progress=bar)
    write_predictions(found.files, out)
    if frames is not None:
        write_table(found.frames, frames)
    answered = found.files["score"].count()
    typer.echo(f"{answered} of {found.files.height} files have a score: {out}")
    for reason, count in found.files.drop_nulls("reason")["reason"].value_counts().sort("reason").iter_rows():
        typer.echo(f"  no score, {reason}: {count}")
