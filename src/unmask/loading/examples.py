"""What a detector is shown of a manifest's files: crops, clips of crops, windows of sound, or clips with sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from unmask.faces.store import FaceStore, rows_of
from unmask.loading.clips import TOO_FEW_FRAMES, clips_of
from unmask.loading.sound import window_starts
from unmask.media.audio import probe_audio
from unmask.tables.errors import MediaError
from unmask.tables.manifest import media_path


@dataclass(frozen=True)
class Form:
    """The form in which a detector takes an example.

    Attributes:
        takes: "images", "clips", "sound", or "clips" and "sound".
        size: S, side of its crops in pixels; 0 where it takes none.
        frames: T, crops of a clip; 0 where it takes none.
        samples: N, samples of its sound at 16 kHz; 0 where it takes none.
    """

    takes: tuple[str, ...]
    size: int = 0
    frames: int = 0
    samples: int = 0

    @property
    def pictures(self) -> str | None:
        """What it takes of "images" and "clips"; None where it takes sound alone."""
        return next((name for name in self.takes if name != "sound"), None)

    @property
    def batch_size(self) -> int:
        """Examples at a time in evaluation: 64 crops or sounds, or as many clips as have 64 crops."""
        return max(64 // max(self.frames, 1), 1)


@dataclass(frozen=True)
class Examples:
    """Examples of some files, and what is known of each.

    Attributes:
        ids: (N,) whose example each is.
        frames: (N,) int: which frame of the file it is, or begins with; of sound alone, which of the file's windows.
        rows: its crops in the store: (N,), of clips (N, T); None of sound alone.
        paths: (N,) the files that hold its sound; none where a detector takes none.
        starts: (N,) where its sound begins, seconds.
        missing: id -> why there is no example of a file, for those files.
    """

    ids: list[str]
    frames: np.ndarray
    rows: np.ndarray | None
    paths: list[str]
    starts: np.ndarray
    missing: dict[str, str]

    def __len__(self) -> int:
        """N."""
        return len(self.ids)


def examples_of(files: pl.DataFrame, form: Form, store: FaceStore | None) -> Examples:
    """The examples of some files.

    Args:
        files: rows of a manifest; needs columns id, path and root.
        form: the detector's.
        store: their faces; None where the detector takes sound alone.

    Returns:
        Examples in the store's order; of sound alone, in the order of the files.
    """
    ids = files["id"].to_list()
    if store is None or form.pictures is None:
        return _sounds(files, form.samples)
    rows = store.crops(ids)
    missing = store.missing(ids)
    if form.pictures == "clips":
        with_crops = {name for name, _ in rows_of(store, rows)}
        rows = clips_of(store, rows, form.frames)
        with_clips = {name for name, _ in rows_of(store, rows[:, 0])}
        missing |= dict.fromkeys(sorted(with_crops - with_clips), TOO_FEW_FRAMES)
    first = rows if rows.ndim == 1 else rows[:, 0]
    named = list(rows_of(store, first))
    found = Examples(
        [name for name, _ in named], np.array([frame for _, frame in named], dtype=int), rows, [], np.zeros(0), missing
    )
    return _with_sound(found, files, first, store) if "sound" in form.takes else found


def _sounds(files: pl.DataFrame, samples: int) -> Examples:
    """The windows of sound files."""
    ids, frames, paths, starts = [], [], [], []
    missing = {}
    for row in files.iter_rows(named=True):
        path = str(media_path(row))
        try:
            info = probe_audio(path)
        except MediaError as error:
            missing[str(row["id"])] = error.reason
            continue
        for number, start in enumerate(window_starts(info.duration_s, samples)):
            ids.append(str(row["id"]))
            frames.append(number)
            paths.append(path)
            starts.append(start)
    return Examples(ids, np.array(frames, dtype=int), None, paths, np.array(starts), missing)


def _with_sound(found: Examples, files: pl.DataFrame, first: np.ndarray, store: FaceStore) -> Examples:
    """Clips with the sound that begins where they do; files without sound have no example."""
    paths = {str(row["id"]): str(media_path(row)) for row in files.iter_rows(named=True)}
    silent = {}
    for name in dict.fromkeys(found.ids):
        try:
            probe_audio(paths[name])
        except MediaError as error:
            silent[name] = error.reason
    kept = [place for place, name in enumerate(found.ids) if name not in silent]
    times = store.table["time_s"].take(pa.array(first)).to_pylist()
    assert found.rows is not None  # noqa: S101 - they are clips
    return Examples(
        [found.ids[place] for place in kept],
        found.frames[kept],
        found.rows[kept],
        [paths[found.ids[place]] for place in kept],
        np.array([times[place] or 0.0 for place in kept]),
        found.missing | silent,
    )
