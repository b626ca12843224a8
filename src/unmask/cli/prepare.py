"""``unmask prepare``: manifest to face store."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

_HELP = """Find the faces in a manifest's files and store their crops.

A stopped run goes on where it was. Files without a face, and files that cannot be read, are rows with a reason.

Example: unmask prepare manifest.parquet --out faces
"""


class Detector(StrEnum):
    """``DETECTORS`` of ``unmask.faces.detectors``; written out like all of these: the help needs nothing heavy."""

    centerface = "centerface"
    mtcnn = "mtcnn"


class Align(StrEnum):
    """``CropSettings.align``."""

    box = "box"
    landmarks = "landmarks"


class Encoding(StrEnum):
    """``CropSettings.encoding``."""

    jpeg = "jpeg"
    png = "png"
    webp = "webp"


class Sampling(StrEnum):
    """``StoreSettings.sampling``."""

    even = "even"
    reference = "reference"


class Boxes(StrEnum):
    """``StoreSettings.boxes``."""

    own = "own"
    source = "source"


class Executor(StrEnum):
    """``EXECUTORS`` of ``unmask.faces.prepare``."""

    local = "local"
    ray = "ray"


def register(app: typer.Typer) -> None:
    """Add the verb to ``app``."""
    app.command("prepare", help=_HELP)(run)


def run(
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="Manifest, from unmask index.")],
    out: Annotated[Path, typer.Option(help="Folder of the face store.")],
    root: Annotated[Path | None, typer.Option(help="Where the dataset lies now, if it was moved.")] = None,
    frames: Annotated[int, typer.Option(min=1, help="Evenly spaced frames taken of each video.")] = 16,
    tracks: Annotated[int, typer.Option(min=1, help="Faces kept of each file, the most prominent first.")] = 1,
    size: Annotated[int, typer.Option(min=32, max=2048, help="Side of a crop in pixels.")] = 256,
    margin: Annotated[float, typer.Option(min=1.0, max=4.0, help="Side of a crop in sides of the face box.")] = 1.3,
    detector: Annotated[
        Detector, typer.Option(help="What finds faces; mtcnn, for comparison, is slower and needs unmask[mtcnn].")
    ] = Detector.centerface,
    align: Annotated[
        Align, typer.Option(help="box: upright, around the box; landmarks: eyes, nose and mouth at fixed places.")
    ] = Align.box,
    encoding: Annotated[Encoding, typer.Option(help="Of the crops; png and webp lose nothing.")] = Encoding.jpeg,
    quality: Annotated[int, typer.Option(min=1, max=100, help="Of JPEG crops.")] = 95,
    sampling: Annotated[
        Sampling,
        typer.Option(help="even: evenly spaced to the frame; reference: the nearest frames that are faster to decode."),
    ] = Sampling.even,
    run: Annotated[
        int, typer.Option(min=1, help="So many frames at a time follow each other, as detectors of clips need.")
    ] = 1,
    boxes: Annotated[
        Boxes,
        typer.Option(help="Where fakes are cut: where their own faces lie, or those of their real twin."),
    ] = Boxes.own,
    shard: Annotated[
        str, typer.Option(help="i/n: do the i-th of n parts, from 1; all n may write into one store at a time.")
    ] = "1/1",
    executor: Annotated[
        Executor,
        typer.Option(help="ray: on a Ray cluster, the one that RAY_ADDRESS names; needs unmask[cluster]."),
    ] = Executor.local,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one a processor by default.")] = None,
) -> None:
    """Find, cut and store faces."""
    from unmask.cli.progress import progress, told_reason
    from unmask.faces.prepare import default_settings, prepare
    from unmask.tables.manifest import read_manifest

    rows = read_manifest(manifest, root=root)
    try:
        settings = default_settings(
            detector=detector.value,
            frames=frames,
            tracks=tracks,
            size=size,
            margin=margin,
            align=align.value,
            encoding=encoding.value,
            quality=quality,
            sampling=sampling.value,
            boxes=boxes.value,
            run=run,
        )
    except ValueError as error:  # what one option alone cannot say
        raise typer.BadParameter(str(error)) from error
    with progress() as bar, _ended_like_ctrl_c():
        done = prepare(rows, out, settings, part=_part(shard), executor=executor.value, workers=workers, progress=bar)
    typer.echo(f"{done.files} files ({done.resumed} were there already), {done.crops} new crops in {out}")
    for reason, count in sorted(done.failures.items()):
        typer.echo(f"  without a crop, {told_reason(reason, count)}")
    sounds = rows["media"].eq("audio").sum()
    if sounds:
        typer.echo(f"  passed over: {sounds:,} sound files, which have no face")


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Have SIGTERM, which clusters and service managers send, end the block as Ctrl-C does: what is done is kept."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _part(text: str) -> tuple[int, int]:
    """``(2, 8)`` for ``2/8``."""
    match = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise typer.BadParameter(f"{text!r} is not i/n with i from 1 to n, such as 2/8", param_hint="--shard")
    return int(match[1]), int(match[2])
