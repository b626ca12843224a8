"""Faces of the sampled frames of one file: seldom looked for in the whole frame, otherwise where they were last.

Looking at a whole frame costs some thirty times as much as looking closely at one place. Every face, of a picture too,
ends in such a close look, always at the same scale, so that its box does not depend on how it was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from unmask.faces.crop import CropSettings, cut, take
from unmask.faces.face import Face, FaceDetector, intersection_over_union
from unmask.media.frame import Frame

#: Every so many sampled frames the whole frame is looked at, ...
_WHOLE_EVERY = 4
#: ... and every so many of them finely enough for faces smaller than those that are known.
_FINE_EVERY = 32
#: Longer side of a frame that is looked at finely, and coarsely, in pixels.
_FINE, _COARSE = 640, 256
#: Pixels across that the smallest known face must have where a frame is looked at coarsely.
_LEAST = 24
#: Side of the square that is looked at closely: in sides of the face's box, and in pixels it is brought to.
_CLOSE, _CLOSE_PIXELS = 2.0, 96
#: Grey level of what lies beyond the picture: repeated edges hide faces that reach them.
_GREY = 128
#: Most faces that are followed in one frame, the most prominent.
_FOLLOWED = 8
#: A face that was known with more confidence than this is looked for in the whole frame once it is lost.
_SURE = 0.7
#: Boxes that share more than this are one face.
_SAME = 0.3

#: How faces are found, as it belongs to the name under which crops are recorded.
METHOD = f"{_FINE}-{_CLOSE_PIXELS}"


@dataclass(frozen=True)
class CutFace(Face):
    """A face with its crop.

    Attributes:
        crop: (size, size, 3) uint8 RGB.
    """

    crop: np.ndarray

    @classmethod
    def of(cls, face: Face, image: np.ndarray, settings: CropSettings) -> CutFace:
        """The face, cut out of the picture that it is in."""
        return cls(face.box, face.landmarks, face.confidence, cut(image, face, settings))


def find_faces(frames: Sequence[Frame], detector: FaceDetector, settings: CropSettings) -> list[list[CutFace]]:
    """The faces of each frame, cut out.

    Args:
        frames: of one file, in time order.
        detector: what finds faces.
        settings: how they are cut out.

    Returns:
        For each frame its faces, at most eight, the most prominent.
    """
    found: list[list[CutFace]] = []
    known: list[Face] = []
    for place, frame in enumerate(frames):
        image = frame.rgb()
        near = [look_closer(image, face, detector) for face in known]
        faces = _distinct([face for face in near if face])
        lost = any(face.confidence > _SURE for face, closer in zip(known, near, strict=True) if closer is None)
        if place % _WHOLE_EVERY == 0 or lost:
            fine = place % _FINE_EVERY == 0 or lost or not faces
            fresh = _look_at_all(frame, image.shape, detector, _FINE if fine else _scale(faces, image.shape))
            added = [look_closer(image, face, detector) or face for face in fresh if _is_new(face, faces)]
            faces = _distinct([*faces, *added])
            _go_back(frames, found, added, detector, settings)
        known = _most_prominent(faces)
        found.append([CutFace.of(face, image, settings) for face in known])
    return found


def look_closer(image: np.ndarray, face: Face, detector: FaceDetector) -> Face | None:
    """The face that is at about the place and size of ``face``, from a close look at that place; None if none is."""
    left, top, right, bottom = face.box
    side = max(right - left, bottom - top, 1.0) * _CLOSE
    corner = np.array([(left + right - side) / 2, (top + bottom - side) / 2])
    corner = np.round(corner)
    side = max(round(side), 1)
    scale = side / _CLOSE_PIXELS
    method = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    square = take(image, np.concatenate([corner, corner + side]).astype(int), beyond=_GREY)
    close = cv2.resize(square, (_CLOSE_PIXELS, _CLOSE_PIXELS), interpolation=method)
    expected = side / _CLOSE / scale
    best, least = None, 0.5
    for seen in detector.detect([close], longest=_CLOSE_PIXELS)[0]:
        middle, size = (seen.box[:2] + seen.box[2:]) / 2, max(seen.box[2:] - seen.box[:2])
        away = float(np.hypot(*(middle - _CLOSE_PIXELS / 2))) / expected
        if away < least and 0.5 < size / expected < 2:
            best, least = seen, away
    if best is None:
        return None
    return Face(best.box * scale + np.tile(corner, 2), best.landmarks * scale + corner, best.confidence)


def _look_at_all(frame: Frame, shape: tuple[int, ...], detector: FaceDetector, longest: int) -> list[Face]:
    """The faces of a whole frame, in its own pixels."""
    small = frame.rgb(longest=longest)
    back = np.array([shape[1] / small.shape[1], shape[0] / small.shape[0]])
    faces = detector.detect([small], longest=longest)[0]
    return [Face(face.box * np.tile(back, 2), face.landmarks * back, face.confidence) for face in faces]


def _scale(faces: Sequence[Face], shape: tuple[int, ...]) -> int:
    """The longer side to which a frame may be shrunk if faces such as those that are known must stay visible."""
    smallest = min(max(face.box[2:] - face.box[:2]) for face in faces)
    return int(np.clip(max(shape[:2]) * _LEAST / smallest, _COARSE, _FINE))


def _go_back(
    frames: Sequence[Frame],
    found: list[list[CutFace]],
    added: Sequence[Face],
    detector: FaceDetector,
    settings: CropSettings,
) -> None:
    """Look for faces that are new in a frame in those before it that were not looked at whole."""
    waiting = list(added)
    for place in range(len(found) - 1, -1, -1):
        if not waiting or place % _WHOLE_EVERY == 0:
            return
        image = frames[place].rgb()
        waiting = [
            closer
            for face in waiting
            if (closer := look_closer(image, face, detector)) is not None and _is_new(closer, found[place])
        ]
        found[place] += [CutFace.of(face, image, settings) for face in waiting]


def _distinct(faces: Sequence[Face]) -> list[Face]:
    """Faces without those that share their place with a more confident one."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.confidence):
        if _is_new(face, kept):
            kept.append(face)
    return kept


def _is_new(face: Face, others: Sequence[Face]) -> bool:
    return not others or intersection_over_union(face.box, np.stack([other.box for other in others])).max() <= _SAME


def _most_prominent(faces: Sequence[Face]) -> list[Face]:
    return sorted(faces, key=lambda face: -face.area * face.confidence)[:_FOLLOWED]
