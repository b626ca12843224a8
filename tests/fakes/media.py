"""Small real files: H.264 clips and JPEG pictures, each another by its seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unmask.media.image import encode_jpeg
from unmask.media.video import write_video


def noise(seed: int | str, *, width: int = 64, height: int = 48) -> np.ndarray:
    """A smooth random picture, (height, width, 3) uint8."""
    coarse = np.random.default_rng(list(str(seed).encode())).integers(0, 256, (height // 8, width // 8, 3))
    return np.kron(coarse, np.ones((8, 8, 1))).astype(np.uint8)


def make_clip(path: Path, *, seed: int | str | None = None, frames: int = 4, width: int = 64, height: int = 48) -> None:
    """Write a clip; without a seed its name is the seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = noise(path.name if seed is None else seed, width=width, height=height)
    write_video(path, [np.roll(picture, step, axis=1) for step in range(frames)], fps=25, crf=30)


def make_picture(
    path: Path, *, seed: int | str | None = None, width: int = 64, height: int = 48, quality: int = 90
) -> None:
    """Write a JPEG picture; without a seed its name is the seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = noise(path.name if seed is None else seed, width=width, height=height)
    path.write_bytes(encode_jpeg(picture, quality))
