"""Videos: frames at wanted places, and frames back into a file. decord reads; PyAV takes over where decord refuses."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from unmask.tables.errors import MediaError

_STANDARD_ERROR = threading.Lock()


@dataclass(frozen=True)
class VideoInfo:
    """What a video is.

    Attributes:
        frames: number of decodable frames.
        fps: mean frames a second; 0 where the file does not say.
        duration_s: seconds.
        width: pixels.
        height: pixels.
        codec: ffmpeg's name, such as "h264".
    """

    frames: int
    fps: float
    duration_s: float
    width: int
    height: int
    codec: str


@dataclass(frozen=True)
class Frames:
    """Some frames of one video.

    Attributes:
        indices: place of each frame in decoding order, the first is 0.
        times_s: presentation time of each, seconds from the start.
        images: (H, W, 3) uint8 RGB each.
    """

    indices: list[int]
    times_s: list[float]
    images: list[np.ndarray]


def _unreadable(path: str | Path, detail: object, reason: str = "unreadable") -> MediaError:
    # The number of an error and the path in it tell the reader nothing new.
    if isinstance(detail, FFmpegError | OSError) and detail.strerror:
        detail = detail.strerror
    first = str(detail).strip().splitlines()[0] if str(detail).strip() else type(detail).__name__
    return MediaError(
        f"the video cannot be read ({first[:200]})", reason=reason, where=path, next_step="replace or remove the file"
    )


def evenly_spaced(total: int, count: int) -> list[int]:
    """Indices of ``count`` frames spread over all ``total``: the middles of equal parts. All of them, if fewer."""
    if count >= total:
        return list(range(total))
    return [int((part + 0.5) * total / count) for part in range(count)]


def probe(path: str | Path) -> VideoInfo:
    """Read a video's properties and decode its first frame.

    Raises:
        MediaError: it cannot be read (``unreadable``), or has no picture (``no_video``, ``no_frames``).
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise _unreadable(path, "it has no video stream", "no_video")
            stream = container.streams.video[0]
            first = next(container.decode(stream), None)
            if first is None:
                raise _unreadable(path, "it has no frame", "no_frames")
            fps = float(stream.average_rate or 0)
            duration = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
            if not duration and container.duration:
                duration = container.duration / av.time_base
            frames = stream.frames or round(duration * fps)
            return VideoInfo(frames, fps, duration, first.width, first.height, stream.codec_context.name)
    except (FFmpegError, ValueError, OSError) as error:
        raise _unreadable(path, error) from error


def sample_frames(path: str | Path, count: int) -> Frames:
    """Decode ``count`` evenly spaced frames (all of them, if the video has fewer).

    Raises:
        MediaError: the video cannot be read or has no frame.
    """
    if not Path(path).is_file():
        raise _unreadable(path, "there is no such file", "missing")
    _refuse_unopenable(path)
    return _sample_with_decord(path, count) or _sample_with_pyav(path, count)


def _refuse_unopenable(path: str | Path) -> None:
    """Open the file with PyAV, which is silent: of one that cannot be opened decord writes lines to standard error."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise _unreadable(path, "it has no video stream", "no_video")
    except (FFmpegError, ValueError, OSError) as error:
        raise _unreadable(path, error) from error


def _sample_with_decord(path: str | Path, count: int) -> Frames | None:
    """None where decord refuses the file."""
    import decord

    decord.logging.set_level(decord.logging.QUIET)  # what is wrong with a file is in the MediaError, not on the screen
    try:
        with _standard_error_closed():
            reader = decord.VideoReader(str(path), num_threads=1)
            indices = evenly_spaced(len(reader), count)
            if not indices:
                return None
            images = list(reader.get_batch(indices).asnumpy())
            times = [float(reader.get_frame_timestamp(index)[0]) for index in indices]
    except (decord.DECORDError, RuntimeError, IndexError, ValueError):
        return None
    return Frames(indices, times, images)


@contextmanager
def _standard_error_closed() -> Iterator[None]:
    """Send what native code writes to standard error nowhere: decord warns there of damage, and no setting stops it.

    The redirection is the whole process's, so what other threads write there in the meantime goes the same way.
    """
    with _STANDARD_ERROR:
        try:
            kept = os.dup(2)
        except OSError:  # it is closed already, as under some services
            yield
            return
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _sample_with_pyav(path: str | Path, count: int) -> Frames:
    """Two passes over the file: one to count the frames, since headers lie, one to keep those that are wanted."""
    try:
        total = sum(1 for _ in _decode(path))
        wanted = set(evenly_spaced(total, count))
        kept = [(index, frame) for index, frame in enumerate(_decode(path)) if index in wanted]
        images = [_upright(frame) for _, frame in kept]
    except (FFmpegError, ValueError, OSError) as error:
        raise _unreadable(path, error) from error
    if not kept:
        raise _unreadable(path, "it has no frame", "no_frames")
    return Frames([index for index, _ in kept], [float(frame.time or 0.0) for _, frame in kept], images)


def _upright(frame: av.VideoFrame) -> np.ndarray:
    """The frame as people see it: telephones write a turn into the file where decord and PyAV differ in heeding it."""
    turn = round(getattr(frame, "rotation", 0) / 90)  # quarters, counter-clockwise
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turn))


def _decode(path: str | Path) -> Iterable[av.VideoFrame]:
    """Every frame in order; a file that breaks off gives what comes before the break."""
    with av.open(str(path)) as container:
        frames = container.decode(container.streams.video[0])
        while True:
            try:
                frame = next(frames, None)
            except FFmpegError:
                return
            if frame is None:
                return
            yield frame


def compress(frames: Sequence[np.ndarray], *, crf: int) -> list[np.ndarray]:
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
    """Encode frames as H.264 (yuv420p, MP4, no sound).

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
        stream.options = {"crf": str(crf), "preset": "veryfast"}
        for image in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:height, :width]), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
