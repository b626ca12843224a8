"""Manifest to face store: faces are found in worker processes, so that a bad file costs only itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.progress import Progress

from unmask.faces.crop import CropSettings, to_crop
from unmask.faces.detectors import detector_of, recorded
from unmask.faces.finding import CutFace, find_faces
from unmask.faces.store import StoreSettings, StoreWriter
from unmask.faces.tracking import Track, track
from unmask.media import ray_workers
from unmask.media.encode import encode_picture
from unmask.media.frame import Frame
from unmask.media.sampling import sample
from unmask.media.workers import Lost, in_order
from unmask.tables.errors import MediaError
from unmask.tables.manifest import media_path

Row = dict[str, object]

#: Where files are worked on -> what does it.
EXECUTORS = {"local": in_order, "ray": ray_workers.in_order}
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


def default_settings(
    *,
    detector: str = "centerface",
    frames: int = 16,
    tracks: int = 1,
    sampling: str = "even",
    boxes: str = "own",
    run: int = 1,
    **crop: Any,
) -> StoreSettings:
    """The settings of ``unmask prepare``; see ``StoreSettings``, and ``CropSettings`` for what else may be given.

    Args:
        detector: one of ``faces.detectors.DETECTORS``.
        frames, tracks, sampling, boxes, run: as ``StoreSettings`` has them.
        crop: further fields of ``CropSettings``.
    """
    return StoreSettings(CropSettings(detector=recorded(detector), **crop), frames, tracks, sampling, boxes, run)


def prepare(
    manifest: pl.DataFrame,
    folder: str | Path,
    settings: StoreSettings,
    *,
    part: tuple[int, int] = (1, 1),
    executor: str = "local",
    workers: int | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Detect, track, cut and store the faces of every video and picture of a manifest.

    Args:
        manifest: as ``read_manifest`` gives it; sound files are passed over.
        folder: the store, continued where it is there already.
        settings: how crops are made.
        part: (i, n) to do the i-th of n equal parts, from 1; the n of them may run at a time, and write one store.
        executor: one of ``EXECUTORS``.
        workers: processes; None for one a processor.
        progress: where to show a bar.

    Raises:
        StoreError: the folder holds a store made in another way, or the settings name a face detector that is not here.
    """
    detector_of(settings.crop.detector)  # refused now, not in the first worker
    writer = StoreWriter(folder, settings)
    rows = manifest.filter(pl.col("media") != "audio").to_dicts()
    twins = _twins(rows) if settings.boxes == "source" else {}
    rows = rows[part[0] - 1 :: part[1]]
    done = writer.done()
    waiting = [row for row in rows if row["id"] not in done]
    bar = progress.add_task("faces", total=len(rows), completed=len(rows) - len(waiting)) if progress else None
    shard: list[Row] = []
    held, crops = 0, 0
    failures: dict[str, int] = {}
    try:
        for found in _in_workers(waiting, settings, twins, executor, workers):
            shard += found
            held += 1
            crops += sum(row["reason"] is None for row in found)
            if reason := found[0]["reason"]:
                failures[str(reason)] = failures.get(str(reason), 0) + 1
            if progress and bar is not None:
                progress.advance(bar)
            if held == _FILES_A_SHARD:
                writer.add(shard, once=True)
                shard, held = [], 0
    finally:  # a run that is stopped keeps what it has
        if shard:
            writer.add(shard, once=True)
    return Prepared(len(rows), len(rows) - len(waiting), crops, failures)


def _in_workers(
    rows: Sequence[Row], settings: StoreSettings, twins: Mapping[str, str], executor: str, workers: int | None
) -> Iterator[list[Row]]:
    """The store rows of each file, in order; one that kills its worker or takes too long is a failure."""
    files = [[str(media_path(row)), row["media"], settings, twins.get(str(row["id"]))] for row in rows]
    results = EXECUTORS[executor](faces_of_file, files, workers=workers, time_limit_s=TIME_LIMIT_S)
    # In the manifest's order, not as they become ready: the same manifest gives the same store, on any machine.
    for row, result in zip(rows, results, strict=True):
        found = [failure(result.reason)] if isinstance(result, Lost) else result
        yield [{"id": str(row["id"]), **cells} for cells in found]


def failure(reason: str) -> Row:
    """The store row of a file without a crop."""
    return {"reason": reason}


def _twins(rows: Sequence[Row]) -> dict[str, str]:
    """Id of a fake -> path of the real file that it was made from, in the same compression, if the manifest has it."""

    def key(row: Row) -> tuple[object, ...]:
        return tuple(row.get(name) for name in ("dataset", "media", "compression", "source_id"))

    reals = {key(row): str(media_path(row)) for row in rows if row["label"] == 0 and row.get("source_id")}
    return {str(row["id"]): reals[key(row)] for row in rows if row["label"] == 1 and key(row) in reals}


def faces_of_file(path: str, media: str, settings: StoreSettings, twin: str | None = None) -> list[Row]:
    """The store rows of one file, without its id; a single row with a reason where there is no face or no picture.

    Args:
        path: the file.
        media: "video" or "image".
        settings: how crops are made.
        twin: the file whose boxes are taken, if its frames are as many and as large; else the file's own are.
    """
    try:
        frames = sample(path, media, settings.frames, sampling=settings.sampling, run=settings.run)
        tracks = _tracks_of_twin(frames, twin, media, settings) if twin else None
        own = tracks is None
        if tracks is None:
            tracks = track(find_faces(frames, detector_of(settings.crop.detector), settings.crop))[: settings.tracks]
    except MediaError as error:
        return [failure(error.reason)]
    rows = [
        _row(frames[place], face, number, settings.crop) | {"boxes_from": None if own else twin}
        for number, known in enumerate(tracks)
        for place, face in zip(known.frames, known.faces, strict=True)
    ]
    return rows or [failure("no_face")]


def _tracks_of_twin(
    frames: Sequence[Frame], twin: str, media: str, settings: StoreSettings
) -> list[Track[CutFace]] | None:
    """The twin's tracks, cut out of these frames; None where they would not lie in the same places."""
    found = _tracks_of_real(twin, media, settings)
    if found is None or found[0] != [(frame.index, frame.size) for frame in frames]:
        return None
    return [
        Track(
            known.frames,
            [
                CutFace.of(face, frames[place].rgb(), settings.crop)
                for place, face in zip(known.frames, known.faces, strict=True)
            ],
        )
        for known in found[1]
    ]


@lru_cache(maxsize=8)  # the fakes of one real follow each other in most manifests
def _tracks_of_real(
    path: str, media: str, settings: StoreSettings
) -> tuple[list[tuple[int, tuple[int, int]]], list[Track[CutFace]]] | None:
    """Index and size of each frame of a real file, and its tracks; None where it cannot be read."""
    try:
        frames = sample(path, media, settings.frames, sampling=settings.sampling, run=settings.run)
        tracks = track(find_faces(frames, detector_of(settings.crop.detector), settings.crop))[: settings.tracks]
    except MediaError:
        return None
    return [(frame.index, frame.size) for frame in frames], tracks


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
        "image": encode_picture(face.crop, crop.encoding, crop.quality),
        "reason": None,
    }
