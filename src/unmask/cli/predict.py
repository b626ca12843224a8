"""``unmask predict``: a model and media become predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unmask.tables.errors import UnmaskError

if TYPE_CHECKING:
    import polars as pl

_HELP = """Predict how probable it is that each video, picture or sound is fake.

Prints id and score (0 real, 1 fake), or writes them to --out. A file without an answer, because no face was found or it
cannot be read, has no score and a reason instead. In a folder, files count by their endings, and those passed over are
told; a file that is named itself may have any ending.

Leaves with 2, and writes nothing, if not a single file got a score.

Examples:

    unmask predict run/model video.mp4

    unmask predict run/model manifest.parquet --split test --store faces --out predictions.csv
"""


#: What the reader can do where no file got a score, by reason.
_NEXT_STEPS = {
    "missing": "index the folder again where it lies now",
    "no_face": "give files in which a face can be seen",
    "not_prepared": "run unmask prepare on these files, or leave --store out",
}
_REPLACE = "replace the files that cannot be read"


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("predict", help=_HELP)(run)


def run(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Model folder, such as run/model.")],
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT", help="Manifests, folders, videos, pictures.")],
    out: Annotated[
        Path | None, typer.Option(help="Where predictions go: .csv or .parquet. Printed as a table without it.")
    ] = None,
    frames: Annotated[Path | None, typer.Option(help="Also write one row a frame: .csv or .parquet.")] = None,
    split: Annotated[str | None, typer.Option(help="Of a manifest, take only this split.")] = None,
    store: Annotated[Path | None, typer.Option(help="Face store of these files, if it was prepared.")] = None,
) -> None:
    """Predict."""
    from unmask.cli.progress import progress
    from unmask.faces.store import FaceStore
    from unmask.inference.inputs import inputs_of, told_passed_over
    from unmask.inference.model_folder import load_model
    from unmask.inference.predict import MEDIA, predict
    from unmask.tables.predictions import write_predictions
    from unmask.tables.writing import write_table

    _refuse_unwritable(out, frames)
    loaded = load_model(model)
    given = inputs_of(inputs, split=split, media=MEDIA[loaded.detector.takes])
    faces = None if store is None else FaceStore(store)
    with progress() as bar:
        found = predict(loaded, given.files, faces, progress=bar)
    passed_over = told_passed_over(given.passed_over)
    answered = found.files["score"].count()
    if not answered:
        raise _unanswered(found.files, passed_over)
    if out is None:
        _show(found.files)
    else:
        write_predictions(found.files, out)
    if frames is not None:
        write_table(found.frames, frames)
    have = "file has" if found.files.height == 1 else "files have"
    typer.echo(f"{answered:,} of {found.files.height:,} {have} a score" + (f": {out}" if out else ""))
    for line in [*_reasons(found.files), *passed_over]:
        typer.echo(f"  no score, {line}")


def _refuse_unwritable(*paths: Path | None) -> None:
    """Refuse tables of another kind before hours have gone into them."""
    wrong = [str(path) for path in paths if path is not None and path.suffix.lower() not in (".csv", ".parquet")]
    if wrong:
        raise UnmaskError(
            "predictions cannot be written to a file of this kind",
            where=", ".join(wrong),
            next_step="give a name that ends in .csv or .parquet",
        )


def _reasons(files: pl.DataFrame) -> list[str]:
    """Why files have no score, a line for each reason."""
    from unmask.cli.progress import told_reason

    counts = files.drop_nulls("reason")["reason"].value_counts().sort("reason")
    return [told_reason(reason, count) for reason, count in counts.iter_rows()]


def _unanswered(files: pl.DataFrame, passed_over: list[str]) -> UnmaskError:
    """The error that not a single file got a score: how many for each reason, and one file of each."""
    what = f"none of {files.height:,} files got a score" if files.height > 1 else "the file got no score"
    firsts = files.unique("reason", keep="first", maintain_order=True).sort("reason")
    return UnmaskError(
        "\n  ".join([f"{what}, and nothing was written", *_reasons(files), *passed_over]),
        where=", ".join(firsts["id"]) + (", ..." if files.height > firsts.height else ""),
        next_step="; ".join(dict.fromkeys(_NEXT_STEPS.get(reason, _REPLACE) for reason in firsts["reason"])),
    )


def _show(files: pl.DataFrame) -> None:
    from rich.markup import escape
    from rich.table import Table

    from unmask.cli.progress import REASONS, tables

    table = Table()
    table.add_column("id", overflow="fold")
    table.add_column("score (1 = fake)")
    for name, score, reason in files.iter_rows():
        table.add_row(escape(name), f"none: {REASONS.get(reason, reason)}" if score is None else f"{score:.4f}")
    tables().print(table)
