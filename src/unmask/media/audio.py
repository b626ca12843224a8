"""Sound: of any file that FFmpeg opens, videos too, to mono samples at a wanted rate.

FFmpeg decodes and resamples, through PyAV. Nothing is written on the screen, however damaged a file is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from unmask.media.container import demux, opened, unreadable
from unmask.tables.errors import MediaError


@dataclass(frozen=True)
class AudioInfo:
    """What the sound of a file is.

    Attributes:
        duration_s: seconds, as the file's header has it, which may be a lie; 0 where it does not say.
        rate: samples a second and channel, as they are decoded.
        channels: number of channels.
        codec: ffmpeg's name, such as "flac", "pcm_s16le" or "mp3".
        sampling: how samples are decoded, in ffmpeg's name, such as "s16" or "fltp".
    """

    duration_s: float
    rate: int
    channels: int
    codec: str
    sampling: str


def probe_audio(path: str | Path) -> AudioInfo:
    """Read the properties of a file's sound and decode the beginning of it, to be sure that it can be.

    Raises:
        MediaError: as ``read_audio``.
    """
    with _opened(path) as (container, stream):
        first = next(_decode(path, container, stream))
        duration = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
        if not duration and container.duration:
            duration = container.duration / av.time_base
        codec = stream.codec_context.codec.canonical_name
        channels = first.layout.nb_channels
        return AudioInfo(max(duration, 0.0), first.sample_rate, channels, codec, first.format.name)


def read_audio(path: str | Path, *, rate: int, most_s: float | None = None) -> np.ndarray:
    """Read the sound of a file, or the sound track of a video.

    Of several tracks it is the one that a player would take. A file that breaks off gives what comes before the break;
    a packet that cannot be decoded costs itself, and what follows moves up.

    Args:
        path: any file that FFmpeg opens.
        rate: samples a second of what comes back.
        most_s: seconds from the beginning that are read at most, and no more is decoded. Give it where files come from
            strangers: a file of a megabyte may hold days of silence.

    Returns:
        (n,) float32 in [-1, 1]: the mean of the channels. What a file of floats has beyond is cut off, and what is no
        number in it is 0.

    Raises:
        MediaError: it is not there (``missing``), cannot be read (``unreadable``), has no sound track (``no_audio``) or
            one that gives no sample (``empty``).
    """
    most = math.inf if most_s is None else max(round(most_s * rate), 0)
    chunks: list[np.ndarray] = []
    length = 0
    with _opened(path) as (container, stream):
        for chunk in _resampled(_decode(path, container, stream), rate):
            chunks.append(chunk)
            length += len(chunk)
            if length >= most:
                break
    if not length:
        raise _unreadable(path, f"its sound track is too short for one sample at {rate:,} Hz", "empty")
    return np.concatenate(chunks)[: int(min(most, length))]


@contextmanager
def _opened(path: str | Path) -> Iterator[tuple[InputContainer, AudioStream]]:
    """The file and its sound track, opened."""
    with opened(path, "sound") as container:
        stream = container.streams.best("audio")
        if not isinstance(stream, AudioStream):
            raise _unreadable(path, "it has no sound track", "no_audio")
        if stream.codec_context is None:
            raise _unreadable(path, "nothing here decodes its codec")
        yield container, stream


def _decode(path: str | Path, container: InputContainer, stream: AudioStream) -> Iterator[av.AudioFrame]:
    """Every frame with samples, in order, up to where the file breaks off; packets that cannot be decoded are left out.

    Raises:
        MediaError: there is none, because it is ``empty`` or because nothing could be decoded (``unreadable``).
    """
    found, fault = False, None
    for packet in demux(container, stream):
        try:
            frames = packet.decode()
        except FFmpegError as error:
            fault = fault or error
            continue
        for frame in frames:
            if isinstance(frame, av.AudioFrame) and frame.samples:
                found = True
                yield frame
    if not found and fault:
        raise _unreadable(path, fault)
    if not found:
        raise _unreadable(path, "its sound track holds no sample", "empty")


def _resampled(frames: Iterable[av.AudioFrame], rate: int) -> Iterator[np.ndarray]:
    """Frames to mono samples at ``rate``, (n,) float32 each; a file may change its own rate and channels on the way."""
    resampler, kind = None, None
    for frame in frames:
        if resampler is None or kind != _kind(frame):
            if resampler:
                yield from map(_mono, resampler.resample(None))
            resampler, kind = av.AudioResampler("flt", rate=rate), _kind(frame)
        frame.pts = None  # stamps that jump must neither drop samples nor make any up
        yield from map(_mono, resampler.resample(frame))
    if resampler:
        yield from map(_mono, resampler.resample(None))


def _kind(frame: av.AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _mono(frame: av.AudioFrame) -> np.ndarray:
    """The mean of the channels. FFmpeg's own way to mono weighs them, and leaves some out.

    The samples are interleaved: of eight and more channels that are not, PyAV 18.1 reads beyond the first ones' memory.
    """
    samples = frame.to_ndarray().reshape(-1, frame.layout.nb_channels)  # (n, C)
    return np.nan_to_num(samples.mean(axis=1, dtype=np.float32), nan=0.0).clip(-1, 1)


def _unreadable(path: str | Path, detail: object, reason: str = "unreadable") -> MediaError:
    return unreadable(path, "sound", detail, reason)
