"""Manifest to face store: faces are found in worker processes, so that a bad file costs only itself."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl
from pebble import ProcessExpired, ProcessPool
from rich.progress import Progress

from unmask.faces.centerface import CenterFace
from unmask.faces.crop import CropSettings, to_crop
from unmask.faces.finding import METHOD, CutFace, find_faces
from unmask.faces.store import StoreSettings, StoreWriter
from unmask.faces.tracking import track
from unmask.media.encode import encode_jpeg
from unmask.media.frame import Frame
from unmask.media.sampling import sample
from unmask.tables.errors import MediaError, StoreError
from unmask.tables.manifest import media_path

Row = dict[str, object]

#: Seconds after which a file is given up.
TIME_LIMIT_S = 300
#: Files a shard holds: what a stopped run may have to do again.
_FILES_A_SHARD = 64


@dataclass(frozen=True)
class Prepared:
    """What ``prepare`` did.

    Attributes:
        files: files in the manifest.
        resumed: files that the store held already.
        crops: crops made now.
        failures: files without a crop, by reason.
    """

    files: int
    resumed: int
    crops: int
    failures: dict[str, int]


def default_settings(*, frames: int = 16, tracks: int = 1, size: int = 256, margin: float = 1.3) -> StoreSettings:
    """The settings of ``unmask prepare``; see ``StoreSettings`` and ``CropSettings``."""
    crop = CropSettings(size=size, margin=margin, detector=_detector_name())
    return StoreSettings(crop, frames, tracks)


def prepare(
    manifest: pl.DataFrame,
    folder: str | Path,
    settings: StoreSettings,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Detect, track, cut and store the faces of every video and picture of a manifest.

    Args:
        manifest: as ``read_manifest`` gives it; sound files are passed over.
        folder: the store, continued where it is there already.
        settings: how crops are made.
        workers: processes; None for one a processor.
        progress: where to show a bar.

    Raises:
        StoreError: the folder holds a store made in another way, or the settings name a face detector that is not here.
    """
    if settings.crop.detector != _detector_name():
        raise StoreError(
            f"faces are wanted that {settings.crop.detector!r} found; this version of unmask has {_detector_name()!r}",
            where=folder,
            next_step="use the version of unmask that made the model or the store, or prepare and train again",
        )
    writer = StoreWriter(folder, settings)
    rows = manifest.filter(pl.col("media") != "audio").to_dicts()
    done = writer.done()
    waiting = [row for row in rows if row["id"] not in done]
    bar = progress.add_task("faces", total=len(rows), completed=len(rows) - len(waiting)) if progress else None
    shard: list[Row] = []
    held, crops = 0, 0
    failures: dict[str, int] = {}
    for found in _in_workers(waiting, settings, workers):
        shard += found
        held += 1
        crops += sum(row["reason"] is None for row in found)
        if reason := found[0]["reason"]:
            failures[str(reason)] = failures.get(str(reason), 0) + 1
        if progress and bar is not None:
            progress.advance(bar)
        if held == _FILES_A_SHARD:
            writer.add(shard)
            shard, held = [], 0
    if shard:
        writer.add(shard)
    return Prepared(len(rows), len(rows) - len(waiting), crops, failures)


def _in_workers(rows: Sequence[Row], settings: StoreSettings, workers: int | None) -> Iterator[list[Row]]:
    """The store rows of each file, in order; one that kills its worker or takes too long is a failure."""
    if not rows:
        return
    count = min(workers or os.cpu_count() or 1, len(rows))
    pool = ProcessPool(max_workers=count, context=get_context("spawn"))
    try:
        tasks: list[Future[list[Row]]] = [
            pool.schedule(faces_of_file, args=[str(media_path(row)), row["media"], settings], timeout=TIME_LIMIT_S)
            for row in rows
        ]
        # In the manifest's order, not as they become ready: the same manifest gives the same store, on any machine.
        for row, task in zip(rows, tasks, strict=True):
            try:
                found = task.result()
            except ProcessExpired:
                found = [failure("decoder_crashed")]
            except FutureTimeoutError:
                found = [failure("took_too_long")]
            yield [{"id": str(row["id"]), **cells} for cells in found]
    finally:
        # Whatever ended the loop, nobody waits any more for files that are not done.
        pool.stop()
        pool.join()


def failure(reason: str) -> Row:
    """The store row of a file without a crop."""
    return {"reason": reason}


def _detector_name() -> str:
    return f"{CenterFace.name}-{METHOD}"


@cache
def _detector() -> CenterFace:
    return CenterFace()


def faces_of_file(path: str, media: str, settings: StoreSettings) -> list[Row]:
    """The store rows of one file, without its id; a single row with a reason where there is no face or no picture.

    Args:
        path: the file.
        media: "video" or "image".
        settings: how crops are made.
    """
    try:
        frames = sample(path, media, settings.frames)
    except MediaError as error:
        return [failure(error.reason)]
    return faces_of_frames(frames, settings) or [failure("no_face")]


def faces_of_frames(frames: Sequence[Frame], settings: StoreSettings) -> list[Row]:
    """The store rows of decoded frames, without an id; empty where no face was found."""
    tracks = track(find_faces(frames, _detector(), settings.crop))[: settings.tracks]
    return [
        _row(frames[place], face, number, settings.crop)
        for number, known in enumerate(tracks)
        for place, face in zip(known.frames, known.faces, strict=True)
    ]


def _row(frame: Frame, face: CutFace, number: int, crop: CropSettings) -> Row:
    matrix = to_crop(face, crop)
    marks = face.landmarks @ matrix[:, :2].T + matrix[:, 2]
    return {
        "frame": frame.index,
        "track": number,
        "box": face.box.astype(np.float32).tolist(),
        "landmarks": marks.astype(np.float32).ravel().tolist(),
        "confidence": face.confidence,
        "time_s": frame.time_s,
        "image": encode_jpeg(face.crop, crop.quality),
        "reason": None,
    }
