"""The one way by which every demo file, real or forged, reaches the disk: nothing on it may tell the two apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from unmask.media.encode import encode_jpeg, write_video

#: Frames a second of every clip.
FPS = 12.0
#: No file's longer side has more pixels.
LONGEST = 480


@dataclass(frozen=True)
class Camera:
    """How one scene is recorded; a real file and the forgeries made of it share it.

    Attributes:
        longest: the longer side in pixels; smaller pictures are not enlarged.
        quality: of JPEG, 1 to 100.
        crf: of H.264, 0 to 51.
    """

    longest: int
    quality: int
    crf: int


def draw_camera(rng: np.random.Generator) -> Camera:
    """A camera by chance: 160 to 480 pixels, good to poor compression."""
    return Camera(int(rng.integers(160, LONGEST + 1)), int(rng.integers(60, 96)), int(rng.integers(18, 37)))


def record_picture(image: np.ndarray, camera: Camera, path: Path) -> None:
    """Write an (H, W, 3) uint8 RGB picture as JPEG."""
    path.write_bytes(encode_jpeg(shrink(image, camera.longest), camera.quality))


def record_clip(frames: list[np.ndarray], camera: Camera, path: Path) -> None:
    """Write (H, W, 3) uint8 RGB frames as H.264 in MP4, ``FPS`` frames a second."""
    write_video(path, [shrink(frame, camera.longest) for frame in frames], fps=FPS, crf=camera.crf)


def shrink(image: np.ndarray, longest: int) -> np.ndarray:
    """The picture with its longer side at ``longest`` pixels; a smaller one stays as it is."""
    scale = longest / max(image.shape[:2])
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image


def hand_held(image: np.ndarray, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Frames of a camera that drifts, turns and zooms a little before a portrait.

    Args:
        image: (H, W, 3) uint8 RGB.
        count: number of frames.
        rng: the source of chance; a real clip and its forgery take generators of the same seed.

    Returns:
        ``count`` frames of the picture's size.
    """
    height, width = image.shape[:2]
    steps = np.linspace(0, 2 * np.pi, count, endpoint=False)
    waves = [rng.uniform(0.5, 1.5) * np.sin(steps * rng.uniform(0.5, 1.5) + rng.uniform(0, 6.28)) for _ in range(4)]
    frames = []
    for right, down, turn, zoom in zip(*waves, strict=True):
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 2.0 * turn, 1.05 + 0.03 * zoom)
        matrix[:, 2] += np.array([right, down]) * 0.01 * max(height, width)
        moved = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        frames.append(moved)
    return frames
