"""Faces of sampled frames joined into tracks, one a person, and the track that is "the" face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from unmask.faces.face import Face

F = TypeVar("F", bound=Face)

#: A face belongs to a track if its centre moved by less than this many widths of the track's last box ...
_REACH = 1.0
#: ... and its size changed by less than this factor.
_GROWTH = 2.0


@dataclass
class Track(Generic[F]):
    """One person over time.

    Attributes:
        frames: position in the sequence of sampled frames.
        faces: the face in each of them.
    """

    frames: list[int] = field(default_factory=list)
    faces: list[F] = field(default_factory=list)

    @property
    def prominence(self) -> float:
        """Sum over frames of box area times how far its confidence is above one half.

        Large for whoever is near the camera and long in view, and small for what is taken for a face with some doubt.
        """
        return sum(face.area * (face.confidence - 0.5) for face in self.faces)


def track(detections: Sequence[Sequence[F]]) -> list[Track[F]]:
    """Join detections to tracks, greedily, nearest pairs first.

    Args:
        detections: the faces of each sampled frame, in time order.

    Returns:
        Tracks, the most prominent first: number 0 is "the" face of the video. A face that leaves and returns at about
        the same place and size continues its track.
    """
    tracks: list[Track[F]] = []
    for frame, faces in enumerate(detections):
        pairs = sorted(
            (distance, number, place)
            for number, known in enumerate(tracks)
            for place, face in enumerate(faces)
            if (distance := _distance(known.faces[-1], face)) is not None
        )
        taken: set[int] = set()
        continued: set[int] = set()
        for _, number, place in pairs:
            if number in continued or place in taken:
                continue
            continued.add(number)
            taken.add(place)
            tracks[number].frames.append(frame)
            tracks[number].faces.append(faces[place])
        tracks += [Track([frame], [face]) for place, face in enumerate(faces) if place not in taken]
    return sorted(tracks, key=lambda track: -track.prominence)


def _distance(last: Face, face: Face) -> float | None:
    """How far the centre moved, in widths of the last box; None where the two cannot be one face."""
    growth = (max(face.area, 1.0) / max(last.area, 1.0)) ** 0.5
    width = max(last.box[2] - last.box[0], 1.0)
    moved = float(np.hypot(*((face.box[:2] + face.box[2:]) - (last.box[:2] + last.box[2:])) / 2) / width)
    return moved if moved < _REACH and 1 / _GROWTH < growth < _GROWTH else None
