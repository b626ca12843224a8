"""Cutting a face out of a picture. How it is cut decides what a detector sees, so it is recorded with every crop."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass

import cv2
import numpy as np

from unmask.faces.face import Face

#: How crops may be aligned, and encoded.
ALIGNMENTS = ("box", "landmarks")
ENCODINGS = ("jpeg", "png", "webp")
#: Eyes, nose tip and mouth corners in sides of the square that face recognition cuts. Source: ArcFace's 112 pixels.
TEMPLATE = (
    np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]) / 112
)


@dataclass(frozen=True)
class CropSettings:
    """How crops are made. Two stores with different settings do not mix, and a model refuses crops made another way.

    Attributes:
        size: side of the crop in pixels.
        margin: side of the square that is cut, in sides of the face box (the longer one); 1.3 shows hair and chin. With
            ``align`` "landmarks", in sides of the square of 112 pixels that face recognition cuts.
        detector: name of the face detector and its weights.
        quality: JPEG quality of the stored crop, 1 to 100.
        align: "box": upright, centred on the box; "landmarks": turned and scaled so that eyes, nose and mouth come
            to lie where ``TEMPLATE`` has them, as DeepfakeBench does.
        encoding: of the stored crop: "jpeg", or without loss "png" or "webp".
    """

    size: int = 256
    margin: float = 1.3
    detector: str = ""
    quality: int = 95
    align: str = "box"
    encoding: str = "jpeg"

    def to_dict(self) -> dict[str, object]:
        """As it stands in ``store.yaml`` and ``model.yaml``."""
        return asdict(self)

    def __post_init__(self) -> None:
        """Raise ValueError for what no crop can be made with: settings are read from files that anyone may write."""
        check_whole("size", self.size, 16, 2048)
        check_whole("quality", self.quality, 1, 100)
        if not isinstance(self.margin, (int, float)) or not 0.5 <= self.margin <= 8:
            raise ValueError(f"margin is {self.margin!r}, not a number from 0.5 to 8")
        if not isinstance(self.detector, str):
            raise ValueError("detector is not text")
        check_choice("align", self.align, ALIGNMENTS)
        check_choice("encoding", self.encoding, ENCODINGS)


def check_whole(name: str, value: object, low: int, high: int) -> None:
    """Raise ValueError unless ``value`` is a whole number from ``low`` to ``high``."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{name} is {value!r}, not a whole number from {low} to {high}")


def check_choice(name: str, value: object, choices: Collection[str]) -> None:
    """Raise ValueError unless ``value`` is one of ``choices``."""
    if value not in choices:
        raise ValueError(f"{name} is {value!r}, not one of {', '.join(choices)}")


def square(face: Face, margin: float) -> tuple[int, int, int]:
    """Left, top and side of the square that is cut around a face: upright, centred on the box, of whole pixels.

    Whole, because such a square is resized ten times as fast as one between pixels is sampled, and loses nothing: boxes
    are not as exact as half a pixel.
    """
    left, top, right, bottom = face.box
    side = max(round(max(right - left, bottom - top) * margin), 1)
    return round((left + right - side) / 2), round((top + bottom - side) / 2), side


def to_crop(face: Face, settings: CropSettings) -> np.ndarray:
    """The (2, 3) affine map from the picture's pixels to the crop's."""
    if _by_landmarks(face, settings):
        return _similarity(face.landmarks, (0.5 + (TEMPLATE - 0.5) / settings.margin) * settings.size - 0.5)
    left, top, side = square(face, settings.margin)
    scale = settings.size / side
    # Pixel centres lie at whole coordinates in OpenCV, half a pixel inside the area they stand for.
    shift = (np.array([-left, -top]) + 0.5) * scale - 0.5
    return np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])


def _by_landmarks(face: Face, settings: CropSettings) -> bool:
    """Whether landmarks align the crop: not those that fell into one pixel, which say nothing of size and turn."""
    return settings.align == "landmarks" and float(np.ptp(face.landmarks, axis=0).max()) > 1


def _similarity(points: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """The (2, 3) turn, scale and shift that bring (N, 2) points nearest to their goals, by least squares.

    Source: Umeyama, Least-squares estimation of transformation parameters between two point patterns, PAMI 1991; in two
    dimensions the best turn and scale are one complex factor.
    """
    one, other = (each - each.mean(0) for each in (points, goals))
    a, b = one[:, 0] + 1j * one[:, 1], other[:, 0] + 1j * other[:, 1]
    factor = np.vdot(a, b) / np.vdot(a, a).real
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([turn, goals.mean(0) - turn @ points.mean(0)])


def cut(image: np.ndarray, face: Face, settings: CropSettings) -> np.ndarray:
    """Cut one face out of its picture.

    Args:
        image: (H, W, 3) uint8 RGB.
        face: in the picture's pixels.
        settings: margin, size and alignment.

    Returns:
        (size, size, 3) uint8 RGB. What lies beyond the picture repeats its edge.
    """
    if _by_landmarks(face, settings):
        return _turned(image, to_crop(face, settings), settings.size)
    left, top, side = square(face, settings.margin)
    method = cv2.INTER_AREA if side > settings.size else cv2.INTER_CUBIC
    part = take(image, np.array([left, top, left + side, top + side]))
    return cv2.resize(part, (settings.size, settings.size), interpolation=method)


def _warp(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    return cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _turned(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """What the matrix brings into the crop; one larger than it is shrunk by averaging, then turned at its own size."""
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale >= 1:
        return _warp(image, matrix, size)
    corners = np.array([[0, 0, size, size], [0, size, 0, size]]) - 0.5
    back = np.linalg.inv(matrix[:, :2]) @ (corners - matrix[:, 2:])
    box = np.array([*np.floor(back.min(1)), *np.ceil(back.max(1)) + 1]).astype(int)
    width, height = (max(round(side * scale), 1) for side in box[2:] - box[:2])
    part = cv2.resize(take(image, box), (width, height), interpolation=cv2.INTER_AREA)
    # From the part's pixels to the picture's, whose centres lie half a pixel inside the area they stand for.
    grown = (box[2:] - box[:2]) / np.array([width, height])
    shift = 0.5 * grown - 0.5 + box[:2]
    return _warp(part, np.column_stack([matrix[:, :2] * grown, matrix[:, :2] @ shift + matrix[:, 2]]), size)


def take(image: np.ndarray, box: np.ndarray, *, beyond: int | None = None) -> np.ndarray:
    """The whole pixels of a box, left, top, right, bottom.

    What lies beyond the picture repeats its edge or, where ``beyond`` is given, is of that grey level, 0 to 255.
    """
    left, top, right, bottom = box
    height, width = image.shape[:2]
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return image[top:bottom, left:right]
    if beyond is not None:
        taken = np.full((bottom - top, right - left, 3), beyond, np.uint8)
        inner = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        low, near = max(-top, 0), max(-left, 0)
        taken[low : low + inner.shape[0], near : near + inner.shape[1]] = inner
        return taken
    rows, columns = np.arange(top, bottom).clip(0, height - 1), np.arange(left, right).clip(0, width - 1)
    return image.take(rows, axis=0).take(columns, axis=1)
