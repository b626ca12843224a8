"""MTCNN, as many published pipelines find faces: for comparison with them. Needs the extra ``mtcnn``.

Source: Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks", IEEE Signal
Processing Letters 2016; weights and code of the package facenet-pytorch (MIT), which holds both.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import cv2
import numpy as np
import torch
from facenet_pytorch import MTCNN

from unmask.faces.face import Face
from unmask.media.frame import shrunk_size

#: Pixels of the least face, and of the least picture that the network takes.
_LEAST = 16


class Mtcnn:
    """Detects faces of about 16 pixels and more after the picture has been shrunk."""

    name = f"mtcnn-{version('facenet-pytorch')}"

    def __init__(self) -> None:
        self._network = MTCNN(keep_all=True, min_face_size=_LEAST, device=torch.device("cpu"))

    def detect(self, images: Sequence[np.ndarray], *, longest: int = 640) -> list[list[Face]]:
        """Find the faces of each (H, W, 3) uint8 RGB picture, the most confident first."""
        return [self._detect_one(image, longest) for image in images]

    def _detect_one(self, image: np.ndarray, longest: int) -> list[Face]:
        height, width = image.shape[:2]
        size = shrunk_size(width, height, longest)
        if min(size) < _LEAST:
            return []
        shrunk = image if size == (width, height) else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        boxes, confidence, marks = self._network.detect(shrunk, landmarks=True)
        if boxes is None:
            return []
        back = np.array([width / size[0], height / size[1]])
        found = [
            Face(box.astype(float) * np.tile(back, 2), points.astype(float) * back, float(sure))
            for box, sure, points in zip(boxes, confidence, marks, strict=True)
        ]
        return sorted(found, key=lambda face: -face.confidence)
