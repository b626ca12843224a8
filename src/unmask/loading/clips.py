"""Clips: crops of one file that follow each other in time, as detectors of videos take them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from unmask.faces.store import FaceStore, rows_of

#: Why a file with crops has no clip.
TOO_FEW_FRAMES = "too_few_frames"


def clips_of(store: FaceStore, rows: np.ndarray, length: int) -> np.ndarray:
    """Clips of a store's crops.

    Where the store's frames come in runs, a clip lies within one of them and has a crop of every frame; elsewhere it is
    made of crops that follow each other in the store, however far apart. Clips do not overlap; what is left over at the
    end of a run, or of a file, is in none.

    Args:
        store: its crops.
        rows: (N,) rows of one track of each file, in the store's order.
        length: T, crops a clip.

    Returns:
        (M, T) rows, each in order of time; the clips of a file one after the other.
    """
    spans: list[list[int]] = []
    named = list(rows_of(store, rows))
    order = sorted(range(len(rows)), key=lambda place: (named[place][0], named[place][1]))
    before: int | None = None
    for place in order:
        follows = before is not None and named[before][0] == named[place][0]
        if follows and before is not None and store.settings.run > 1:
            follows = named[place][1] == named[before][1] + 1
        if follows:
            spans[-1].append(int(rows[place]))
        else:
            spans.append([int(rows[place])])
        before = place
    found = [span[start:end] for span in spans for start, end in pairwise(range(0, len(span) + 1, length))]
    return np.array(found, dtype=np.int64).reshape(-1, length)
