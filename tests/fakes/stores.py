"""Small face stores, row by row: crops of one colour, so that one can be told from another in any picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from unmask.faces.crop import CropSettings
from unmask.faces.store import FaceStore, StoreSettings, StoreWriter
from unmask.media.encode import encode_jpeg

SETTINGS = StoreSettings(CropSettings(size=64, margin=1.25, detector="d"), frames=4, tracks=3)
#: Middle of the crop, and four points a quarter of it away.
LANDMARKS = [16.0, 16.0, 48.0, 16.0, 31.5, 31.5, 16.0, 48.0, 48.0, 48.0]

Row = dict[str, object]


def coloured(colour: tuple[int, int, int], side: int = 64) -> bytes:
    """A JPEG of one colour."""
    return encode_jpeg(np.full((side, side, 3), colour, dtype=np.uint8), 95)


def crop(name: str, frame: int = 0, track: int = 0, *, face: float = 40, **cells: object) -> Row:
    """One row with a crop; ``face`` is the longer side of its box."""
    return {
        "id": name,
        "frame": frame,
        "track": track,
        "box": [1.0, 2.0, 1.0 + 0.75 * face, 2.0 + face],
        "landmarks": LANDMARKS,
        "confidence": 0.75,
        "time_s": frame / 25,
        "image": coloured((200, 100, 50)),
        "reason": None,
    } | cells


def without(name: str, reason: str | None = "no_face") -> Row:
    """One row of a file without a crop."""
    return {"id": name, "reason": reason}


def make_store(folder: Path, *shards: Sequence[Row], settings: StoreSettings = SETTINGS) -> FaceStore:
    """Write a store of these shards and open it."""
    writer = StoreWriter(folder, settings)
    for rows in shards:
        writer.add(rows)
    return FaceStore(folder)
