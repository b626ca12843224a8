"""A detected face, and the interface of whatever detects it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Face:
    """One face in one picture.

    Attributes:
        box: (4,) float64 left, top, right, bottom, in pixels; may reach beyond the picture.
        landmarks: (5, 2) float64 x, y in pixels: the eye at the left of the picture, the one at the right, nose tip,
            the mouth's corner at the left, the one at the right.
        confidence: 0 to 1.
    """

    box: np.ndarray
    landmarks: np.ndarray
    confidence: float

    @property
    def area(self) -> float:
        """The box's area in square pixels."""
        left, top, right, bottom = self.box
        return float(max(right - left, 0.0) * max(bottom - top, 0.0))


class FaceDetector(Protocol):
    """What finds faces. ``name`` identifies it, with its weights, in the face store."""

    name: str

    def detect(self, images: Sequence[np.ndarray], *, longest: int = 640) -> list[list[Face]]:
        """Find the faces of each (H, W, 3) uint8 RGB picture, the most confident first.

        ``longest`` is the longer side, in pixels, to which a larger picture may be shrunk.
        """
        ...


def intersection_over_union(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Overlap of one box (4,) with others (N, 4), each left, top, right, bottom: (N,) in [0, 1]."""
    corner = np.maximum(box[:2], others[:, :2])
    opposite = np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.clip(opposite - corner, 0, None), axis=1)
    areas = np.prod(box[2:] - box[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1)
    return shared / np.maximum(areas - shared, 1e-9)
