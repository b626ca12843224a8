"""Frames and pictures into files again: JPEG, H.264 at a rate factor, another size; and what is left of them then."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image


def encode_jpeg(image: np.ndarray, quality: int) -> bytes:
    """JPEG bytes of an RGB picture, 4:2:0 chroma, no metadata.

    Args:
        image: (H, W, 3) uint8 RGB.
        quality: 1 to 100.
    """
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return buffer.getvalue()


def encode_picture(image: np.ndarray, encoding: str, quality: int) -> bytes:
    """A picture as the bytes of a file.

    Args:
        image: (H, W, 3) uint8 RGB.
        encoding: "jpeg", or without loss "png" or "webp".
        quality: of JPEG, 1 to 100.
    """
    if encoding == "jpeg":
        return encode_jpeg(image, quality)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, encoding, lossless=True)
    return buffer.getvalue()


def through_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """What JPEG leaves of a picture; arguments and result as ``encode_jpeg``'s picture."""
    return np.asarray(Image.open(io.BytesIO(encode_jpeg(image, quality))))


def through_size(image: np.ndarray, scale: float) -> np.ndarray:
    """What is left of a picture that was shrunk and enlarged again.

    Args:
        image: (H, W, 3) uint8 RGB.
        scale: side of the small one in sides of the picture, in (0, 1].

    Returns:
        A picture of the same size.
    """
    height, width = image.shape[:2]
    small = max(round(width * scale), 1), max(round(height * scale), 1)
    shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_CUBIC)


def through_h264(frames: Sequence[np.ndarray], *, crf: int) -> list[np.ndarray]:
    """What H.264 leaves of frames: encoded and decoded again, in memory.

    Args:
        frames: (H, W, 3) uint8 RGB each, all of one size, both sides even.
        crf: as for ``write_video``.

    Returns:
        As many frames of the same size.
    """
    buffer = io.BytesIO()
    write_video(buffer, frames, fps=25, crf=crf)
    buffer.seek(0)
    with av.open(buffer, "r") as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(container.streams.video[0])]


def write_video(path: str | Path | io.BytesIO, frames: Sequence[np.ndarray], *, fps: float, crf: int) -> None:
    """Encode frames as H.264 (yuv420p, MP4, no sound). The same frames give the same bytes.

    Args:
        path: where to; overwritten.
        frames: (H, W, 3) uint8 RGB each, all of one size; odd sizes lose their last row or column.
        fps: frames a second.
        crf: constant rate factor, 0 (lossless) to 51 (worst).
    """
    height, width = (side - side % 2 for side in frames[0].shape[:2])
    with av.open(path if isinstance(path, io.BytesIO) else str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        # What several threads write differs from run to run, and so, in some runs, does what x264's mbtree decides.
        stream.options = {"crf": str(crf), "preset": "veryfast", "x264-params": "mbtree=0"}
        stream.codec_context.thread_count = 1
        for image in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:height, :width]), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
