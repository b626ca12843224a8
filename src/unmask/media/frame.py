"""One frame of a video or of a sequence of pictures, and which frames of many stand for all."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter

from unmask.tables.errors import MediaError


@dataclass(frozen=True)
class Frame:
    """One decoded frame; its colours are converted when they are asked for.

    Attributes:
        index: place in presentation order, the first is 0.
        time_s: presentation time, seconds from the first frame; None where nothing tells it.
        picture: as it was decoded: a frame of PyAV, not yet turned upright, or (H, W, 3) uint8 RGB.
    """

    index: int
    time_s: float | None
    picture: av.VideoFrame | np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as it was decoded, before any turn."""
        if isinstance(self.picture, np.ndarray):
            return self.picture.shape[1], self.picture.shape[0]
        return self.picture.width, self.picture.height

    def rgb(self, *, longest: int | None = None) -> np.ndarray:
        """The frame as people see it, with the turn or the mirror that telephones write into the file.

        Args:
            longest: shrink until the longer side has at most this many pixels. A video's frame is shrunk before its
                colours are converted, which is cheaper than the other way round.

        Returns:
            (H, W, 3) uint8 RGB.

        Raises:
            MediaError: nothing here converts its colours (``unreadable``).
        """
        picture = self.picture
        width, height = self.size
        size = shrunk_size(width, height, longest) if longest else (width, height)
        if isinstance(picture, np.ndarray):
            return picture if size == (width, height) else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        method = "BILINEAR" if size == (width, height) else "AREA"
        converter = _converter(threading.get_ident(), width, height, size)
        try:
            converted = converter.reformat(picture, size[0], size[1], "rgb24", interpolation=method).to_ndarray()
        except (FFmpegError, ValueError) as error:
            raise MediaError(
                f"the frame's colours cannot be converted ({picture.format.name}, matrix {int(picture.colorspace)})",
                reason="unreadable",
                next_step="encode the file again, or remove it",
            ) from error
        if _is_mirrored(picture):
            converted = converted[::-1]  # before the turn, which FFmpeg tells as of a picture upside down
        return np.ascontiguousarray(np.rot90(converted, round(picture.rotation / 90)))  # counter-clockwise


def _is_mirrored(picture: av.VideoFrame) -> bool:
    """Whether the file has its pictures shown as in a mirror."""
    matrix: Any = picture.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return False
    a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].astype(float)
    return a * d < b * c


@lru_cache(maxsize=16)
def _converter(_thread: int, _width: int, _height: int, _size: tuple[int, int]) -> VideoReformatter:
    """What converts frames of one size to another. Made anew for each frame it takes as long as the conversion."""
    return VideoReformatter()


def shrunk_size(width: int, height: int, longest: int) -> tuple[int, int]:
    """Width and height, in the same proportion, with at most ``longest`` pixels on the longer side; never enlarged."""
    scale = min(longest / max(width, height), 1.0)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def first_middle_last(total: int) -> list[int]:
    """Indices of the first, the middle and the last of ``total`` frames; of fewer than three, some are the same."""
    return [0, total // 2, total - 1]


def evenly_spaced(total: int, count: int, run: int = 1) -> list[int]:
    """Indices of ``count`` frames spread over all ``total``: the middles of equal parts. All of them, if fewer.

    Args:
        total: number of frames.
        count: how many of them.
        run: so many at a time follow each other; what ``count`` has beyond a whole number of runs is left out.
    """
    if count >= total:
        return list(range(total))
    runs = count // run
    starts = [int((part + 0.5) * total / runs - (run - 1) / 2) for part in range(runs)]
    return [start + step for start in starts for step in range(run)]
