"""Videos: their properties, and their frames by index or by time, the same as a full sequential decode gives.

Of a damaged file too, wherever FFmpeg notices the damage in a frame that is decoded; in one that was passed over, or in
bits that still make sense, nobody can.

FFmpeg decodes, through PyAV. decord, which did at first, gives frames of open groups of pictures up to three places
off, ends the process at some damaged files, writes on the screen, and makes torch fail where it is imported before it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from unmask.media.container import demux, opened, unreadable
from unmask.media.frame import Frame, evenly_spaced, first_middle_last
from unmask.tables.errors import MediaError

#: Videos with more pixels a frame than this are refused before any is unpacked.
MAX_PIXELS = 100_000_000

#: A file with at least this share of what its header says is whole: headers are often a little off.
_WHOLE = 0.95

#: Codecs whose packets are frames, one for one. Of the others each frame must be decoded to be counted: VP8, for one,
#: has packets that are never shown.
_PACKET_IS_FRAME = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4", "mjpeg", "ffv1", "prores"})


@dataclass(frozen=True)
class VideoInfo:
    """What a video is.

    Attributes:
        frames: number of frames, as the file's header has it; of rate times duration where it says nothing.
        fps: mean frames a second; 0 where the file does not say.
        duration_s: seconds.
        width: pixels, as stored (before any turn).
        height: pixels, as stored.
        codec: ffmpeg's name, such as "h264".
        sampling: how pixels are stored, in ffmpeg's name, such as "yuv420p".
        rate: of its sound, samples a second; None where the file does not say, or has no sound.
        channels: of its sound; 0 where it has none, None where the file does not say.
    """

    frames: int
    fps: float
    duration_s: float
    width: int
    height: int
    codec: str
    sampling: str
    rate: int | None
    channels: int | None


@dataclass(frozen=True)
class _Index:
    """What a file's packets, or a full decode, say of its frames.

    Attributes:
        stamps: presentation stamp of each frame, in the stream's time base; its place where the file has no stamps.
        keys: indices of the frames at which decoding may begin, the first among them.
        sure: whether every frame was decoded to know it.
        timed: whether the file has stamps.
    """

    stamps: list[int]
    keys: list[int]
    sure: bool
    timed: bool


class _WrongIndexError(Exception):
    """Decoding gave other frames than the index says, or damaged ones: their gaps are filled from all before them."""


class VideoReader:
    """One video, opened anew for each question, so that it may be kept, and sent to another process.

    Args:
        path: the file.
        threads: processor threads of the decoder; 1 where many files are read at a time.

    Raises:
        MediaError: it is not there (``missing``), is no video that can be opened (``unreadable``), or has sound alone
            (``no_video``).
    """

    def __init__(self, path: str | Path, *, threads: int = 1) -> None:
        self.path, self.threads = Path(path), threads
        with self._opened() as (container, stream):
            self._time_base = float(stream.time_base or 1)  # seconds a stamp's step lasts
            self._packets = _index_of_packets(container, stream)

    def __len__(self) -> int:
        """Number of frames, as their packets have it; what the header says may be a lie."""
        return len(self._index.stamps)

    def __iter__(self) -> Iterator[Frame]:
        """Every frame in order. A file that breaks off gives what comes before the break."""
        with self._opened() as (container, stream):
            first = None
            for index, picture in enumerate(_decode(container, stream)):
                first = picture.pts if first is None else first
                yield Frame(index, _seconds(picture, first), picture)

    @cached_property
    def info(self) -> VideoInfo:
        """The video's properties; its first frame is decoded to be sure that it can be.

        Raises:
            MediaError: it holds no frame (``no_frames``).
        """
        with self._opened() as (container, stream):
            first = next(_decode(container, stream), None)
            if first is None:
                raise self._unreadable("it has no frame", "no_frames")
            fps = float(stream.average_rate or 0)
            duration = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
            if not duration and container.duration:
                duration = container.duration / av.time_base
            frames = stream.frames or round(duration * fps)
            sound = next(iter(container.streams.audio), None)
            context = sound.codec_context if sound else None
            rate, channels = (context.sample_rate, context.layout.nb_channels) if context else (None, None)
            return VideoInfo(
                frames, fps, duration, first.width, first.height, stream.codec_context.name, first.format.name,
                rate or None, channels if sound else 0,
            )  # fmt: skip

    def breaks_off(self) -> bool:
        """Whether the file was cut: it has clearly fewer frames than its header says, and ends before it should.

        Fewer frames alone prove nothing: a telephone cuts a video by a note in its header, and the sound may be longer
        than the pictures. Nor is anything told of files whose header says neither frames nor duration.
        """
        if len(self) >= _WHOLE * self.info.frames:
            return False
        with self._opened() as (container, _):
            duration, begin = (container.duration or 0) / av.time_base, (container.start_time or 0) / av.time_base
            end = max((_end(packet) for packet in demux(container)), default=0.0)
        return end - begin < _WHOLE * duration

    def frames(self, indices: Sequence[int]) -> list[Frame]:
        """Frames by index; none after the last of them is decoded, and of those between only what they depend on.

        Args:
            indices: in any order; negative ones count from the end.

        Returns:
            As many frames, in the order of ``indices``.

        Raises:
            MediaError: the video cannot be read.
            IndexError: there is no such frame.
        """

        def chosen(total: int) -> list[int]:
            if any(not -total <= index < total for index in indices):
                raise IndexError(f"{self.path} has {total} frames, not all of {list(indices)}")
            return [index % total for index in indices]

        return self._frames(chosen)

    def first_middle_last(self) -> list[Frame]:
        """Three frames, of which some are the same where there are fewer.

        Raises:
            MediaError: the video cannot be read.
        """
        return self._frames(first_middle_last)

    def frames_at(self, times_s: Sequence[float]) -> list[Frame]:
        """For each time the frame that is on the screen then: the last that began, or the first.

        Args:
            times_s: seconds from the first frame, in any order.

        Raises:
            MediaError: the video cannot be read, or its frames have no times (``no_times``).
        """
        base = self._time_base

        def chosen(_: int) -> list[int]:
            stamps = self._index.stamps
            if not self._index.timed:
                raise self._unreadable("its frames have no times", "no_times")
            # Half a tick of grace: a stamp that was turned into seconds and back must find itself.
            return [max(bisect_right(stamps, stamps[0] + time / base + 0.5) - 1, 0) for time in times_s]

        return self._frames(chosen)

    def evenly_spaced(self, count: int, run: int = 1) -> list[Frame]:
        """``count`` frames spread over the whole video, ``run`` in a row; all of them, if it has fewer.

        Raises:
            MediaError: the video cannot be read.
        """
        return self._frames(lambda total: evenly_spaced(total, count, run))

    def reference_frames(self, count: int) -> list[Frame]:
        """``count`` frames spread over the whole video, each moved to the nearest one that others are predicted from.

        Frames that no other needs are not decoded. Which are chosen is up to the encoder, so these are other pictures
        than ``evenly_spaced`` gives, of better quality; fewer, where two fall together.

        Raises:
            MediaError: the video cannot be read.
        """
        index = self._index
        places = {stamp: place for place, stamp in enumerate(index.stamps)}
        if len(places) < len(index.stamps):  # of two frames with one stamp nothing says which came
            return self.evenly_spaced(count)
        waiting = evenly_spaced(len(index.stamps), count)[::-1]
        found: dict[int, Frame] = {}
        with self._opened() as (container, stream):
            stream.codec_context.skip_frame = "NONREF"
            before: Frame | None = None
            for picture in _decode(container, stream):
                place = places.get(picture.pts) if index.timed and picture.pts is not None else None
                if place is None:  # what the packets say of the frames is not to be relied on
                    return self.evenly_spaced(count)
                frame = self._frame(place, picture)
                while waiting and waiting[-1] <= place:
                    wanted = waiting.pop()
                    nearer = before if before and wanted - before.index < place - wanted else frame
                    found[nearer.index] = nearer
                if not waiting:
                    break
                before = frame
            if waiting and before:  # the last frames are none that others need
                found[before.index] = before
        return [found[place] for place in sorted(found)]

    @contextmanager
    def _opened(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        """The file and its video stream, opened."""
        with opened(self.path, "video") as container:
            streams = [each for each in container.streams.video if not each.disposition & Disposition.attached_pic]
            if not streams:
                raise self._unreadable("it has no video stream", "no_video")
            context = streams[0].codec_context
            if context is None:
                raise self._unreadable("nothing here decodes its codec")
            context.thread_count, context.options = self.threads, {"max_pixels": str(MAX_PIXELS)}
            yield container, streams[0]

    def _unreadable(self, detail: str, reason: str = "unreadable") -> MediaError:
        return unreadable(self.path, "video", detail, reason)

    @cached_property
    def _index(self) -> _Index:
        return self._packets or self._index_by_decoding()

    def _index_by_decoding(self) -> _Index:
        with self._opened() as (container, stream):
            stamps = [picture.pts for picture in _decode(container, stream)]
        if not stamps:
            raise self._unreadable("it has no frame", "no_frames")
        known = [stamp for stamp in stamps if stamp is not None]
        timed = len(known) == len(stamps)
        return _Index(known if timed else list(range(len(stamps))), [0], sure=True, timed=timed)

    def _frames(self, choose: Callable[[int], list[int]]) -> list[Frame]:
        """The frames that ``choose`` picks of so many, by the index; counted by a full decode where it was wrong."""
        try:
            return self._decoded(choose(len(self)))
        except _WrongIndexError:
            self.__dict__["_index"] = self._index_by_decoding()
            return self._decoded(choose(len(self)))

    def _decoded(self, indices: list[int]) -> list[Frame]:
        index, waiting, found = self._index, sorted(set(indices), reverse=True), dict[int, Frame]()
        wanted = None if index.sure else {index.stamps[place] for place in waiting}
        with self._opened() as (container, stream):
            pictures, place = _decode(container, stream, wanted), -1
            while waiting:
                key = index.keys[bisect_right(index.keys, waiting[-1]) - 1]
                if key > place + 1:
                    _check_held(stream, index)
                    container.seek(index.stamps[key], stream=stream)
                    pictures, place = _decode(container, stream, wanted), key - 1
                for picture in pictures:
                    place = _place(picture, place, index, began=place == key - 1, gaps=_may_pass_over(stream, picture))
                    if place >= waiting[-1]:
                        break
                else:
                    raise _WrongIndexError
                if place != waiting.pop():
                    raise _WrongIndexError
                found[place] = self._frame(place, picture)
            _check_held(stream, index)
        return [found[place] for place in indices]

    def _frame(self, place: int, picture: av.VideoFrame) -> Frame:
        return Frame(place, _seconds(picture, self._index.stamps[0]), picture)


def _index_of_packets(container: InputContainer, stream: VideoStream) -> _Index | None:
    """What the packets say of the frames, without decoding any; None where that tells too little."""
    packets = [
        (packet.pts, packet.is_keyframe)  # and not the packet, whose data would fill the memory
        for packet in demux(container, stream)
        if packet.size and not packet.is_discard
    ]
    stamps = sorted((stamp, key) for stamp, key in packets if stamp is not None)
    plain = len(stamps) == len(packets) and len({stamp for stamp, _ in stamps}) == len(stamps) > 0
    if not plain or stream.codec_context.name not in _PACKET_IS_FRAME:
        return None
    keys = [place for place, (_, key) in enumerate(stamps) if key or place == 0]
    return _Index([stamp for stamp, _ in stamps], keys, sure=False, timed=True)


def _place(picture: av.VideoFrame, before: int, index: _Index, *, began: bool, gaps: bool) -> int:
    """Which frame this is, after the one that came before.

    Args:
        picture: what was decoded.
        before: place of the one before it.
        index: of all frames.
        began: whether decoding began with it, which it can at a key frame alone.
        gaps: whether frames may have been passed over.

    Raises:
        _WrongIndexError: it is another frame than the index says, or damaged.
    """
    if index.sure:
        return before + 1
    if picture.is_corrupt:
        raise _WrongIndexError
    place = before + 1
    if gaps and not began and picture.pts is not None:
        place = bisect_left(index.stamps, picture.pts, lo=place)
    if place >= len(index.stamps) or picture.pts != index.stamps[place] or (began and not picture.key_frame):
        raise _WrongIndexError
    return place


def _check_held(stream: VideoStream, index: _Index) -> None:
    """Look at frames that were decoded for the sake of others and not given yet; the decoder is at its end then.

    Raises:
        _WrongIndexError: one of them is damaged, and so, perhaps, are those that were given.
    """
    if index.sure:
        return
    with suppress(FFmpegError):  # it was at its end already
        if any(picture.is_corrupt for picture in stream.codec_context.decode(None)):
            raise _WrongIndexError


def _end(packet: av.Packet) -> float:
    """When what a packet holds is over, in seconds; 0 where it does not say."""
    if packet.pts is None or packet.time_base is None:
        return 0.0
    return float((packet.pts + (packet.duration or 0)) * packet.time_base)


def _seconds(picture: av.VideoFrame, first: int | None) -> float | None:
    if picture.pts is None or first is None or picture.time_base is None:
        return None
    return float((picture.pts - first) * picture.time_base)


def _decode(
    container: InputContainer, stream: VideoStream, wanted: Container[int | None] | None = None
) -> Iterator[av.VideoFrame]:
    """Every frame in order; a packet that cannot be decoded costs itself, and the file ends where it breaks off.

    Where the stamps of the frames that are ``wanted`` are given, others on which none depends may be passed over.

    Raises:
        _WrongIndexError: some frames are ``wanted``, and a packet cannot be decoded.
    """
    passing = False
    for packet in demux(container, stream):
        if wanted is not None:
            stream.codec_context.skip_frame = "NONREF" if passing and packet.pts not in wanted else "DEFAULT"
        try:
            for picture in packet.decode():
                passing = _may_pass_over(stream, picture)
                yield picture
        except FFmpegError as error:
            if wanted is not None:
                raise _WrongIndexError from error


def _may_pass_over(stream: VideoStream, picture: av.VideoFrame) -> bool:
    """Whether frames on which no other depends can be left out with nothing changed in the others.

    H.264 marks them without exception. HEVC's mark means something else where there are layers, and of interlaced
    video a packet may be half a frame.
    """
    return stream.codec_context.name == "h264" and not picture.interlaced_frame
