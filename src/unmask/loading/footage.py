"""What cameras and codecs of video do to a picture, as albumentations transforms that keep size and place."""

from __future__ import annotations

from typing import Any

import albumentations
import cv2
import numpy as np

from unmask.media.encode import through_h264


class VideoCompression(albumentations.ImageOnlyTransform):
    """The picture as it stands in a clip: the last of three H.264 frames through which it moved a little.

    Args:
        crf_range: least and greatest constant rate factor, each 0 (lossless) to 51 (worst).
        p: how often it is applied, 0 to 1.
    """

    #: Greatest step between two frames, in pixels.
    _STEP = 2.0

    def __init__(self, crf_range: tuple[int, int] = (20, 36), p: float = 0.5) -> None:
        super().__init__(p=p)
        self.crf_range = crf_range

    def get_params(self) -> dict[str, Any]:
        """Draw the quality and the step between two frames."""
        steps = [self.py_random.uniform(-self._STEP, self._STEP) for _ in range(2)]
        return {"crf": self.py_random.randint(*self.crf_range), "step": np.array(steps)}

    def apply(self, img: np.ndarray, crf: int, step: np.ndarray, **_: Any) -> np.ndarray:
        """Compress one picture, (H, W, 3) uint8 RGB, both sides even."""
        height, width = img.shape[:2]
        moves = [np.column_stack([np.eye(2), left * step]) for left in (2, 1, 0)]
        clip = [cv2.warpAffine(img, move, (width, height), borderMode=cv2.BORDER_REFLECT) for move in moves]
        return through_h264(clip, crf=crf)[-1]


class NoiseReduction(albumentations.ImageOnlyTransform):
    """Skin without grain between sharp edges, as phones and webcams make it: a bilateral filter.

    Args:
        strength_range: least and greatest spread of the filter over grey levels, of 256, and over pixels.
        p: how often it is applied, 0 to 1.
    """

    #: Diameter of the filter in pixels.
    _DIAMETER = 7

    def __init__(self, strength_range: tuple[float, float] = (10.0, 50.0), p: float = 0.5) -> None:
        super().__init__(p=p)
        self.strength_range = strength_range

    def get_params(self) -> dict[str, Any]:
        """Draw the strength."""
        return {"strength": self.py_random.uniform(*self.strength_range)}

    def apply(self, img: np.ndarray, strength: float, **_: Any) -> np.ndarray:
        """Filter one picture, (H, W, 3) uint8 RGB."""
        return cv2.bilateralFilter(img, self._DIAMETER, strength, self._DIAMETER)
