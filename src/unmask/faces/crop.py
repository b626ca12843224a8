"""Cutting a face out of a picture. How it is cut decides what a detector sees, so it is recorded with every crop."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import cv2
import numpy as np

from unmask.faces.face import Face


@dataclass(frozen=True)
class CropSettings:
    """How crops are made. Two stores with different settings do not mix, and a model refuses crops made another way.

    Attributes:
        size: side of the crop in pixels.
        margin: side of the square that is cut, in sides of the face box (the longer one); 1.3 shows hair and chin.
        detector: name of the face detector and its weights.
        quality: JPEG quality of the stored crop, 1 to 100.
    """

    size: int = 256
    margin: float = 1.3
    detector: str = ""
    quality: int = 95

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


def check_whole(name: str, value: object, low: int, high: int) -> None:
    """Raise ValueError unless ``value`` is a whole number from ``low`` to ``high``."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{name} is {value!r}, not a whole number from {low} to {high}")


def square(face: Face, margin: float) -> tuple[float, float, float]:
    """Left, top and side, in pixels, of the square that is cut around a face: upright, centred on the box."""
    left, top, right, bottom = face.box
    side = max(right - left, bottom - top) * margin
    return (left + right - side) / 2, (top + bottom - side) / 2, side


def to_crop(face: Face, settings: CropSettings) -> np.ndarray:
    """The (2, 3) affine map from the picture's pixels to the crop's."""
    left, top, side = square(face, settings.margin)
    scale = settings.size / max(side, 1.0)
    # Pixel centres lie at whole coordinates in OpenCV, half a pixel inside the area they stand for.
    shift = (np.array([-left, -top]) + 0.5) * scale - 0.5
    return np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])


def cut(image: np.ndarray, face: Face, settings: CropSettings) -> np.ndarray:
    """Cut one face out of its picture.

    Args:
        image: (H, W, 3) uint8 RGB.
        face: in the picture's pixels.
        settings: margin and size.

    Returns:
        (size, size, 3) uint8 RGB. What lies beyond the picture repeats its edge.
    """
    left, top, side = square(face, settings.margin)
    if side <= settings.size:
        return cv2.warpAffine(
            image,
            to_crop(face, settings),
            (settings.size, settings.size),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
    # Shrinking needs area averaging, which warpAffine does not do: cut whole pixels, then resize.
    box = np.round([left, top, left + side, top + side]).astype(int)
    return cv2.resize(take(image, box), (settings.size, settings.size), interpolation=cv2.INTER_AREA)


def take(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The whole pixels of a box, left, top, right, bottom; what lies beyond the picture repeats its edge."""
    left, top, right, bottom = box
    height, width = image.shape[:2]
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return image[top:bottom, left:right]
    rows, columns = np.arange(top, bottom).clip(0, height - 1), np.arange(left, right).clip(0, width - 1)
    return image.take(rows, axis=0).take(columns, axis=1)
