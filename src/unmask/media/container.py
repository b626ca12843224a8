"""What videos and sounds share: files opened with FFmpeg that can harm nobody, their packets, their errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from unmask.tables.errors import MediaError

#: Formats, as FFmpeg calls them, that are lists of other files: such a file would give what it does not hold.
_LISTS = frozenset({"concat", "dash", "hls", "imf", "rtsp", "sdp", "webm_dash_manifest"})

#: Titles and the like are in any encoding, and no reason to refuse a file that can be seen or heard. From 19 on, PyAV
#: never does.
_ANY_TITLES: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}


@contextmanager
def opened(path: str | Path, kind: str) -> Iterator[InputContainer]:
    """A file, opened; what FFmpeg raises inside becomes a MediaError.

    Args:
        path: the file.
        kind: what errors call it: "video" or "sound".

    Raises:
        MediaError: it is not there (``missing``), or cannot be opened or read (``unreadable``).
    """
    try:
        if not Path(path).is_file():  # a pipe would block for ever
            raise unreadable(path, kind, "there is no such file", "missing")
        # A playlist in disguise may name any address; nothing but this computer's files is opened.
        options = {"protocol_whitelist": "file"}
        with av.open(str(Path(path).absolute()), options=options, **_ANY_TITLES) as container:
            if _LISTS & set(container.format.name.split(",")):
                raise unreadable(path, kind, "it is a list of other files")
            yield container
    except (FFmpegError, ValueError, OSError) as error:
        raise unreadable(path, kind, error) from error


def demux(container: InputContainer, *streams: AudioStream | VideoStream) -> Iterator[av.Packet]:
    """Every packet in the file's order, of these streams or else of all, up to where the file breaks off."""
    packets = container.demux(*streams)
    while True:
        try:
            packet = next(packets, None)
        except FFmpegError:
            return
        if packet is None:
            return
        yield packet


def unreadable(path: str | Path, kind: str, detail: object, reason: str = "unreadable") -> MediaError:
    """The error that says why a file is of no use."""
    # The number of an error and the path in it tell the reader nothing new.
    if isinstance(detail, FFmpegError | OSError) and detail.strerror:
        detail = detail.strerror
    first = str(detail).strip().splitlines()[0] if str(detail).strip() else type(detail).__name__
    return MediaError(
        f"the {kind} cannot be read ({first[:200]})", reason=reason, where=path, next_step="replace or remove the file"
    )
