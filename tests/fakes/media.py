"""Small real files: H.264 clips, JPEG pictures, WAV and FLAC sound, each another by its seed."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np

from unmask.media.encode import encode_jpeg, write_video


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


def make_sound(path: Path, *, seed: int | str | None = None, seconds: float = 0.1, rate: int = 16_000) -> None:
    """Write a noisy tone, 16 bits, mono, as WAV or FLAC by the ending; without a seed its name is the seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(list(str(path.name if seed is None else seed).encode()))
    times = np.arange(round(seconds * rate)) / rate
    wanted = np.sin(2 * np.pi * random.uniform(100, 1000) * times) + random.normal(0, 0.1, times.size)
    samples = (wanted * 10_000).astype("<i2")
    if path.suffix == ".wav":
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(samples.tobytes())
        return
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=rate, layout="mono", format="s16")
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
