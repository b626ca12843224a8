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

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """Find the faces of each (H, W, 3) uint8 RGB picture, the most confident first."""
        ...
