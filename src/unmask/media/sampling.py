"""Frames that stand for a whole file, whatever kind of file it is."""

from __future__ import annotations

from pathlib import Path

from unmask.media.frame import Frame
from unmask.media.image import read_image
from unmask.media.sequence import SequenceReader, is_sequence
from unmask.media.video import VideoReader

#: How the frames of a video are chosen -> what it means.
SAMPLINGS = {
    "even": "evenly spaced, to the frame",
    "reference": "the nearest frames that others are predicted from: faster to decode",
}


def sample(path: str | Path, media: str, count: int, *, sampling: str = "even", run: int = 1) -> list[Frame]:
    """``count`` frames spread over a file; all of them, if it has fewer; of a picture the one that there is.

    Args:
        path: a video, a picture, or a folder of pictures that are one video.
        media: "video" or "image", as the manifest has it.
        count: at most this many frames.
        sampling: one of ``SAMPLINGS``; a sequence of pictures is always evenly sampled.
        run: of evenly sampled frames, so many at a time follow each other.

    Raises:
        MediaError: it cannot be read.
    """
    if media == "image":
        return [Frame(0, 0.0, read_image(path))]
    if is_sequence(path):
        return SequenceReader(path).evenly_spaced(count, run)
    video = VideoReader(path)
    return video.reference_frames(count) if sampling == "reference" else video.evenly_spaced(count, run)
