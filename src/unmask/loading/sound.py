"""Sound of files, as detectors of sound take it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from unmask.media.audio import read_audio

#: Samples a second.
RATE = 16_000
#: Seconds of a file that are heard at most, and the windows of them.
_LONGEST_S, _MOST_WINDOWS = 600.0, 16


def window_starts(duration_s: float, samples: int) -> list[float]:
    """Where windows begin, in seconds, that cover a sound side by side; of a long one, that are spread evenly over it.

    Args:
        duration_s: of the sound, seconds.
        samples: of a window. The last one ends where the sound does, so it may overlap the one before it.
    """
    latest = max(min(duration_s, _LONGEST_S) - samples / RATE, 0.0)
    count = min(int(np.ceil(latest * RATE / samples)) + 1, _MOST_WINDOWS)
    return [float(start) for start in np.linspace(0, latest, count)]


def window(path: str, start_s: float, samples: int) -> Tensor:
    """A stretch of a file's sound.

    Args:
        path: the file.
        start_s: where it begins, seconds; earlier, where the sound ends before the stretch would.
        samples: N.

    Returns:
        (N,) float32 in [-1, 1]. Shorter sound is repeated until it is long enough, as the field does.

    Raises:
        MediaError: see ``read_audio``.
    """
    sound = _sound(path)
    start = min(round(start_s * RATE), max(len(sound) - samples, 0))
    return torch.from_numpy(np.resize(sound[start : start + samples], samples))


@lru_cache(maxsize=2)  # the windows of a file follow each other
def _sound(path: str) -> np.ndarray:
    return read_audio(path, rate=RATE, most_s=_LONGEST_S)
