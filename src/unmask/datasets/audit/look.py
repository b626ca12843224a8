"""One file looked at, once, by a process that it may crash: its facts, its fault, and what tells copies of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image

from unmask.datasets.audit.surface import Facts, surface
from unmask.media.audio import probe_audio, read_audio
from unmask.media.frame import first_middle_last
from unmask.media.image import read_with_info
from unmask.media.sequence import SequenceReader, is_sequence
from unmask.media.video import VideoReader
from unmask.tables.errors import MediaError

#: Sounds that are no longer than this, in seconds, are decoded to their end, others at their beginning alone.
SHORT_S = 60
#: A picture whose grey levels, of 0 to 255, have a smaller standard deviation is flat: its hash would be noise.
FLAT = 3.0
#: Side that a picture is shrunk to before it is hashed, as imagehash does.
_SIDE = 32
#: A sound with at least this share of what its header says is whole.
_WHOLE = 0.95
#: Of other codecs, a header without a length has it guessed from the bit rate.
_LENGTH_IS_KNOWN = ("flac", "alac", "pcm_")


def look_at(path: str, media: str, digest: bool) -> Facts:
    """What one file says of itself. Whatever is wrong with it comes back as ``fault`` and ``detail``.

    Args:
        path: a file, or a folder of pictures, which may lie in an archive.
        media: "video", "image" or "audio", as the manifest has it.
        digest: whether to hash its bytes, which a folder of pictures always is.
    """
    facts: Facts = {}
    try:
        _look(Path(path), media, digest, facts)
    except MediaError as error:
        inside = error.where if error.where and error.where.startswith(f"{path}/") else None
        place = f"{inside.removeprefix(f'{path}/')}: " if inside else ""
        missing = error.reason == "missing"
        facts |= {"fault": "missing" if missing else "unreadable", "detail": f"{place}{error.what}"}
    except Exception as error:  # a hostile file leads decoders to whatever; it must not end the audit of the others
        facts |= {"fault": "unreadable", "detail": f"{type(error).__name__}: {error}"[:200]}
    return facts


def _look(path: Path, media: str, digest: bool, facts: Facts) -> None:
    if media == "video" and is_sequence(path):
        _look_at_sequence(path, facts)
        return
    facts |= surface(path, digest)
    if "fault" not in facts:
        _DECODED[media](path, facts)


def _look_at_picture(path: Path, facts: Facts) -> None:
    info, picture = read_with_info(path)
    facts |= {"width": info.width, "height": info.height, "codec": info.format, "sampling": info.sampling}
    facts["hashes"] = [perceptual_hash(picture)]


def _look_at_video(path: Path, facts: Facts) -> None:
    video = VideoReader(path)
    info, there = video.info, len(video)
    facts |= {"width": info.width, "height": info.height, "codec": info.codec, "sampling": info.sampling}
    facts |= {"frames": there, "duration_s": info.duration_s, "fps": info.fps}
    facts |= {"rate": info.rate, "channels": info.channels}
    facts["hashes"] = [perceptual_hash(frame.rgb()) for frame in video.first_middle_last()]
    if video.breaks_off():
        facts |= {"fault": "incomplete", "detail": f"it breaks off: {there:,} of {info.frames:,} frames are there"}
    elif len(video) < _WHOLE * there:  # found by decoding all, after what the packets say was wrong
        facts |= {"fault": "incomplete", "detail": f"{len(video):,} of {there:,} frames can be decoded"}


def _look_at_sequence(path: Path, facts: Facts) -> None:
    sequence = SequenceReader(path)
    facts |= {"frames": len(sequence), "bytes": sum(sequence.sizes)}
    empty = [name for name, size in zip(sequence.names, sequence.sizes, strict=True) if size == 0]
    if empty:
        detail = f"{len(empty):,} of {len(sequence):,} pictures are empty, such as {empty[0]}"
        facts |= {"fault": "incomplete", "detail": detail}
        return
    places = first_middle_last(len(sequence))
    files = sequence.pictures(places)
    facts["digest"] = _digest(sequence.sizes, files)
    looked = [read_with_info(data, path / sequence.names[place]) for place, data in zip(places, files, strict=True)]
    info = looked[0][0]
    facts |= {"width": info.width, "height": info.height, "codec": info.format, "sampling": info.sampling}
    facts["hashes"] = [perceptual_hash(picture) for _, picture in looked]


def _digest(sizes: Iterable[int], files: Iterable[bytes]) -> str:
    """Of the sizes of all pictures of a sequence and the bytes of three: reading all of them would take long."""
    made = hashlib.sha256(repr(list(sizes)).encode())
    for data in files:
        made.update(hashlib.sha256(data).digest())
    return made.hexdigest()


def _look_at_sound(path: Path, facts: Facts) -> None:
    info = probe_audio(path)
    facts |= {"duration_s": info.duration_s, "codec": info.codec, "sampling": info.sampling}
    facts |= {"rate": info.rate, "channels": info.channels}
    if info.duration_s > SHORT_S:
        return
    decoded = len(read_audio(path, rate=info.rate, most_s=2 * SHORT_S)) / info.rate
    if info.codec.startswith(_LENGTH_IS_KNOWN) and decoded < _WHOLE * info.duration_s:
        detail = f"it breaks off: {decoded:.1f} of {info.duration_s:.1f} seconds are there"
        facts |= {"fault": "incomplete", "detail": detail}


_DECODED = {"image": _look_at_picture, "video": _look_at_video, "audio": _look_at_sound}


def perceptual_hash(picture: np.ndarray) -> int | None:
    """64 bits, most of which a picture keeps when it is scaled or encoded again; None of a flat one.

    Args:
        picture: (H, W, 3) uint8 RGB.
    """
    small = Image.fromarray(picture).convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    if np.asarray(small).std() < FLAT:
        return None
    return int.from_bytes(np.packbits(imagehash.phash(small).hash.ravel()).tobytes(), "big")
