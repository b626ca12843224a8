from __future__ import annotations

import shutil
import struct
import subprocess
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unmask.media.audio import probe_audio, read_audio
from unmask.media.encode import write_video
from unmask.tables.errors import MediaError

TONE = 440.0
#: Samples at either end that a resampler makes of what is not there.
EDGE = 200
#: Samples at either end that lossy encoders get wrong.
LOSSY_EDGE = 1_000


def tone(rate: int, seconds: float = 1.0, *, height: float = 0.5, pitch: float = TONE) -> np.ndarray:
    """A sine, (n,) float64; its value at a time does not depend on the rate."""
    return height * np.sin(2 * np.pi * pitch * np.arange(round(rate * seconds)) / rate)


def wav(path: Path, samples: np.ndarray, rate: int, *, width: int = 2) -> Path:
    """Write (n,) or (n, C) samples in [-1, 1] as whole numbers of ``width`` bytes, by the standard library."""
    samples = samples[:, np.newaxis] if samples.ndim == 1 else samples
    whole = np.round(samples * (2 ** (8 * width - 1) - 1)).astype("<i4")
    data = (whole + 128).astype(np.uint8) if width == 1 else whole.view(np.uint8).reshape(-1, 4)[:, :width]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data.tobytes())
    return path


def float_wav(path: Path, samples: np.ndarray, rate: int) -> Path:
    """Write a mono WAV of 32-bit floats, which the standard library cannot, byte by byte."""
    data = samples.astype("<f4").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, 1, rate, 4 * rate, 4, 32)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data
    path.write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)
    return path


def encode(path: Path, codec: str, samples: np.ndarray, rate: int, *, layout: str = "mono") -> Path:
    """Write the same samples in every channel."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        context = stream.codec_context
        if codec == "vorbis":
            stream.options = {"strict": "experimental"}
        channels = np.tile(samples.astype(np.float32), (context.layout.nb_channels, 1))
        frame = av.AudioFrame.from_ndarray(channels, format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        fitting = av.AudioResampler(context.format.name, layout, rate, frame_size=context.frame_size or None)
        for each in [*fitting.resample(frame), *fitting.resample(None)]:
            container.mux(stream.encode(each))
        container.mux(stream.encode(None))
    return path


def furthest(found: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference between the two but for their ends, where they differ by nature."""
    count = min(len(found), len(wanted))
    return float(np.abs(found[:count] - wanted[:count])[EDGE : count - EDGE].max())


def noise(found: np.ndarray, wanted: np.ndarray) -> float:
    """The share of the found that is not the wanted, as effective values: encoders of little sound click at times."""
    count = min(len(found), len(wanted))
    difference = (found[:count] - wanted[:count])[LOSSY_EDGE : count - LOSSY_EDGE]
    return float(np.sqrt(np.mean(difference**2) / np.mean(wanted**2)))


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 7_919, 37_811, 96_000])
@pytest.mark.parametrize("wanted", [8_000, 16_000, 24_000, 44_100])
def test_a_sine_at_any_rate(tmp_path, rate, wanted):
    path = wav(tmp_path / "a.wav", tone(rate), rate)
    found = read_audio(path, rate=wanted)
    assert found.dtype == np.float32
    assert found.ndim == 1
    assert abs(len(found) - wanted) <= 1
    assert furthest(found, tone(wanted)) < 1e-3
    assert probe_audio(path).rate == rate


def test_what_the_wanted_rate_cannot_hold_is_filtered_not_folded(tmp_path):
    path = wav(tmp_path / "a.wav", tone(48_000, pitch=7_000), 48_000)
    assert np.abs(read_audio(path, rate=8_000)[EDGE:-EDGE]).max() < 1e-3


def test_at_its_own_rate_no_sample_changes(tmp_path):
    samples = np.random.default_rng(0).uniform(-1, 1, 5_000)
    found = read_audio(wav(tmp_path / "a.wav", samples, 16_000), rate=16_000)
    np.testing.assert_array_equal(found, (np.round(samples * 32767) / 32768).astype(np.float32))


@pytest.mark.parametrize(("width", "codec"), [(1, "pcm_u8"), (2, "pcm_s16le"), (3, "pcm_s24le"), (4, "pcm_s32le")])
def test_widths(tmp_path, width, codec):
    path = wav(tmp_path / "a.wav", tone(16_000), 16_000, width=width)
    assert np.abs(read_audio(path, rate=16_000) - tone(16_000)).max() < 1.1 / 2 ** (8 * width - 1) + 1e-6
    assert probe_audio(path).codec == codec


def test_floats_are_cut_off_at_one_and_what_is_no_number_is_silent(tmp_path):
    samples = np.array([0.25, 1.0, 1.5, -7.0, np.nan, np.inf, -np.inf, -0.5])
    path = float_wav(tmp_path / "a.wav", samples, 16_000)
    np.testing.assert_array_equal(read_audio(path, rate=16_000), [0.25, 1, 1, -1, 0, 1, -1, -0.5])
    assert probe_audio(path).codec == "pcm_f32le"


def test_floats(tmp_path):
    path = float_wav(tmp_path / "a.wav", tone(44_100), 44_100)
    assert furthest(read_audio(path, rate=16_000), tone(16_000)) < 1e-4


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 8, 9, 20])
@pytest.mark.parametrize("wanted", [16_000, 8_000])
def test_channels_weigh_the_same(tmp_path, channels, wanted):
    levels = np.linspace(-0.2, 0.9, channels)
    path = wav(tmp_path / "a.wav", np.tile(levels, (16_000, 1)), 16_000)
    found = read_audio(path, rate=wanted)[EDGE:-EDGE]
    np.testing.assert_allclose(found, levels.mean(), atol=1e-4)
    assert probe_audio(path).channels == channels


def test_opposite_channels_cancel(tmp_path):
    sine = tone(16_000)
    path = wav(tmp_path / "a.wav", np.stack([sine, -sine], axis=1), 16_000)
    assert np.abs(read_audio(path, rate=16_000)).max() == 0


@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout", "told", "error"),
    [
        ("a.flac", "flac", 48_000, "stereo", "flac", 1e-3),
        ("a.flac", "flac", 8_000, "mono", "flac", 1e-3),
        ("a.ogg", "flac", 16_000, "mono", "flac", 1e-3),
        ("a.m4a", "alac", 44_100, "stereo", "alac", 1e-3),
        ("a.mov", "pcm_s24le", 48_000, "stereo", "pcm_s24le", 1e-3),
        ("a.mp3", "libmp3lame", 44_100, "stereo", "mp3", 0.1),
        ("a.mp3", "libmp3lame", 16_000, "mono", "mp3", 0.1),
        ("a.m4a", "aac", 48_000, "stereo", "aac", 0.1),
        ("a.mp4", "aac", 44_100, "mono", "aac", 0.1),
        ("a.opus", "libopus", 48_000, "mono", "opus", 0.1),
        ("a.ogg", "libopus", 48_000, "stereo", "opus", 0.1),
        ("a.mkv", "libopus", 16_000, "mono", "opus", 0.1),
        ("a.webm", "libopus", 48_000, "stereo", "opus", 0.1),
        ("a.ogg", "vorbis", 48_000, "stereo", "vorbis", 0.1),
    ],
)
def test_codecs_and_boxes(tmp_path, name, codec, rate, layout, told, error):
    path = encode(tmp_path / name, codec, tone(rate), rate, layout=layout)
    found, info = read_audio(path, rate=16_000), probe_audio(path)
    assert 16_000 <= len(found) < 16_400  # AAC fills its last frame up
    assert noise(found, tone(16_000)) < error
    assert info.codec == told
    assert info.rate == (48_000 if told == "opus" else rate)  # Opus decodes at 48 kHz, whatever went in
    assert info.channels == {"mono": 1, "stereo": 2}[layout]
    assert info.duration_s == pytest.approx(1, abs=0.03)


def test_the_delay_of_aac_is_taken_out_where_the_box_tells_it(tmp_path):
    """Its encoder puts 1,024 samples before the first; a bare stream does not say so, and keeps them."""
    told = read_audio(encode(tmp_path / "a.m4a", "aac", tone(48_000), 48_000), rate=48_000)
    assert noise(told, tone(48_000)) < 0.1
    np.testing.assert_array_equal(
        read_audio(encode(tmp_path / "a.mkv", "aac", tone(48_000), 48_000), rate=48_000), told
    )
    bare = read_audio(encode(tmp_path / "a.aac", "aac", tone(48_000), 48_000), rate=48_000)
    np.testing.assert_allclose(bare[1_024:], told, atol=1e-6)


def film(path: Path, seconds: float, *, sound: bool = True) -> Path:
    """A video whose sound is the sine."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        speech = container.add_stream("aac", rate=48_000, layout="mono") if sound else None
        for number in range(round(seconds * 25)):
            shade = np.full((48, 64, 3), number % 256, np.uint8)
            container.mux(picture.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
        container.mux(picture.encode(None))
        if speech:
            samples = tone(48_000, seconds).astype(np.float32)[np.newaxis]
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48_000, 0
            container.mux(speech.encode(frame))
            container.mux(speech.encode(None))
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_the_sound_track_of_a_video(tmp_path, name):
    path = film(tmp_path / name, 2)
    found = read_audio(path, rate=16_000)
    assert len(found) == pytest.approx(32_000, abs=400)
    assert noise(found, tone(16_000, 2)) < 0.1
    assert probe_audio(path).codec == "aac"


@pytest.mark.parametrize("most", [0.25, 1.0, 1.3])
def test_no_more_than_was_asked_for(tmp_path, most):
    path = wav(tmp_path / "a.wav", tone(44_100, 3), 44_100)
    found = read_audio(path, rate=16_000, most_s=most)
    assert len(found) == round(most * 16_000)
    np.testing.assert_array_equal(found, read_audio(path, rate=16_000)[: len(found)])


def test_more_than_there_is(tmp_path):
    path = wav(tmp_path / "a.wav", tone(16_000), 16_000)
    assert len(read_audio(path, rate=16_000, most_s=60)) == 16_000


def test_a_bomb_is_cut_short(tmp_path):
    hours = tmp_path / "a.flac"
    with av.open(str(hours), "w") as container:
        stream = container.add_stream("flac", rate=8_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8_000 * 600), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert hours.stat().st_size < 200_000
    assert len(read_audio(hours, rate=16_000, most_s=2)) == 32_000


def test_a_file_that_changes_its_rate_and_channels(tmp_path):
    first = encode(tmp_path / "a.mp3", "libmp3lame", tone(44_100), 44_100, layout="stereo").read_bytes()
    second = encode(tmp_path / "b.mp3", "libmp3lame", tone(16_000), 16_000).read_bytes()
    (tmp_path / "c.mp3").write_bytes(first + second)
    found = read_audio(tmp_path / "c.mp3", rate=16_000)
    assert len(found) == pytest.approx(32_000, abs=3_000)
    for part in (found[2_000:14_000], found[-12_000:-3_000]):
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
        assert np.argmax(spectrum) * 16_000 / len(part) == pytest.approx(TONE, abs=4)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.ogg", "a.aac"])
def test_a_file_cut_short_gives_what_decodes(tmp_path, capfd, name):
    codec = {"wav": "pcm_s16le", "flac": "flac", "mp3": "libmp3lame", "ogg": "libopus", "aac": "aac"}[name[2:]]
    whole = encode(tmp_path / name, codec, tone(48_000, 4), 48_000)
    before = read_audio(whole, rate=16_000)
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    found = read_audio(whole, rate=16_000)
    assert 0.4 < len(found) / len(before) < 0.7
    assert furthest(found, before) < 1e-3
    assert capfd.readouterr() == ("", "")


def test_a_damaged_middle_costs_itself(tmp_path, capfd):
    path = encode(tmp_path / "a.flac", "flac", tone(16_000, 4), 16_000)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 500] = b"\xa5" * 500
    path.write_bytes(data)
    found = read_audio(path, rate=16_000)
    assert 60_000 < len(found) < 64_000
    assert np.abs(found[:20_000] - tone(16_000, 4)[:20_000]).max() < 1e-4
    assert np.abs(found[-20_000:] - tone(16_000, 4)[-20_000:]).max() < 1e-4
    assert capfd.readouterr() == ("", "")


def reason(path: Path) -> str:
    with pytest.raises(MediaError) as read:
        read_audio(path, rate=16_000)
    with pytest.raises(MediaError) as probed:
        probe_audio(path)
    assert read.value.reason == probed.value.reason
    assert read.value.where == str(path)
    assert "\n" not in read.value.what
    return read.value.reason


def test_reasons(tmp_path, capfd):
    assert reason(tmp_path / "absent.wav") == "missing"
    assert reason(tmp_path) == "missing"
    for name, data in (("a.wav", b""), ("b.wav", b"no sound at all" * 100), ("c.mp3", b"\0" * 5_000)):
        (tmp_path / name).write_bytes(data)
        assert reason(tmp_path / name) == "unreadable"
    assert reason(film(tmp_path / "silent.mp4", 0.2, sound=False)) == "no_audio"
    assert reason(wav(tmp_path / "none.wav", np.zeros(0), 16_000)) == "empty"
    assert capfd.readouterr() == ("", "")


def test_a_silent_video_of_ours_has_no_sound_track(tmp_path):
    write_video(tmp_path / "a.mp4", [np.zeros((48, 64, 3), np.uint8)] * 5, fps=25, crf=30)
    assert reason(tmp_path / "a.mp4") == "no_audio"


def test_too_short_for_a_sample(tmp_path):
    path = wav(tmp_path / "a.wav", np.zeros(1), 48_000)
    assert len(read_audio(path, rate=48_000)) == 1
    with pytest.raises(MediaError) as caught:
        read_audio(path, rate=10)
    assert caught.value.reason == "empty"


def test_titles_in_any_encoding(tmp_path):
    path = encode(tmp_path / "a.mp3", "libmp3lame", tone(44_100), 44_100)
    title = b"\xff\xfe\x00\xd8M\xfcller"
    frame = b"TIT2" + struct.pack(">IH", len(title) + 1, 0) + b"\x03" + title
    size = len(frame)
    tag = b"ID3\x03\0\0" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0)) + frame
    data = path.read_bytes()
    start = data.index(b"\xff\xfb") if data.startswith(b"ID3") else 0
    path.write_bytes(tag + data[start:])
    assert len(read_audio(path, rate=16_000)) == pytest.approx(16_000, abs=800)


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile other.wav\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nother.aac\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
    ],
)
def test_playlists_in_disguise_give_no_other_file(tmp_path, capfd, text):
    wav(tmp_path / "other.wav", tone(16_000), 16_000)
    encode(tmp_path / "other.aac", "aac", tone(16_000), 16_000)
    for name in ("a.wav", "a.m3u8"):
        (tmp_path / name).write_text(text)
        assert reason(tmp_path / name) == "unreadable"
    assert capfd.readouterr() == ("", "")


def test_names_like_addresses_are_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wav(tmp_path / "concat:a|b.wav", tone(16_000), 16_000)
    assert len(read_audio("concat:a|b.wav", rate=16_000)) == 16_000


@pytest.fixture(scope="module")
def samples_of_each_kind(tmp_path_factory) -> list[Path]:
    home = tmp_path_factory.mktemp("kinds")
    made = [wav(home / "a.wav", tone(16_000), 16_000), film(home / "b.mp4", 1)]
    for name, codec in (("c.flac", "flac"), ("d.mp3", "libmp3lame"), ("e.ogg", "libopus"), ("f.mkv", "aac")):
        made.append(encode(home / name, codec, tone(48_000), 48_000, layout="stereo"))
    return made


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_gives_samples_or_a_reason_and_writes_nothing(samples_of_each_kind, tmp_path, capfd, data):
    whole = data.draw(st.sampled_from(samples_of_each_kind))
    damaged = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 20))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    del damaged[data.draw(st.integers(1, len(damaged))) :]
    path = tmp_path / whole.name
    path.write_bytes(damaged)
    try:
        found = read_audio(path, rate=16_000, most_s=5)
    except MediaError as error:
        found = np.full(1, {"unreadable": 0, "no_audio": 0, "empty": 0}[error.reason], np.float32)
    assert found.dtype == np.float32
    assert 0 < len(found) <= 80_000
    assert np.abs(found).max() <= 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng, which would speak, is not installed")
def test_speech_comes_back_from_codecs_as_it_was(tmp_path):
    spoken = tmp_path / "speech.wav"
    subprocess.run(["espeak-ng", "-w", spoken, "The quick brown fox jumps over the lazy dog."], check=True)
    with wave.open(str(spoken)) as file:
        rate, truth = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    assert (probe_audio(spoken).rate, probe_audio(spoken).channels) == (rate, 1)
    np.testing.assert_allclose(read_audio(spoken, rate=rate), truth, atol=1e-6)
    for name, codec, least in (("a.flac", "flac", 0.9999), ("a.mp3", "libmp3lame", 0.98), ("a.m4a", "aac", 0.98)):
        again = read_audio(encode(tmp_path / name, codec, truth, rate), rate=rate)
        count = min(len(again), len(truth))
        assert abs(len(again) - len(truth)) < 2_100
        assert np.corrcoef(again[:count], truth[:count])[0, 1] > least
