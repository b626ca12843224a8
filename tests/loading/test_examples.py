"""Clips and sound, from the store and from files."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.fakes.media import make_sound
from unmask.faces.store import FaceStore
from unmask.loading.crops import PairedExamples, PlainExamples
from unmask.loading.data_module import split_of
from unmask.loading.examples import Form, examples_of
from unmask.loading.pairs import Pair
from unmask.loading.sound import window, window_starts
from unmask.media.audio import read_audio
from unmask.tables.errors import ConfigError
from unmask.tables.manifest import read_manifest

CLIPS = Form(("clips",), 48, frames=4)
SOUND = Form(("sound",), samples=8_000)
BOTH = Form(("clips", "sound"), 48, frames=4, samples=6_400)


@pytest.fixture(scope="module")
def store(films) -> FaceStore:
    return FaceStore(films.store)


def test_frames_come_in_runs(films, store):
    frames = dict.fromkeys(store.table["id"].to_pylist())
    for name in frames:
        rows = store.crops([name])
        # Two runs of four around the quarters of sixteen frames.
        assert store.table["frame"].take(rows).to_pylist() == [2, 3, 4, 5, 10, 11, 12, 13]


def test_clips_lie_within_a_run(films, store):
    found = examples_of(films.rows("train"), CLIPS, store)
    assert len(found) == 2 * 8
    assert found.rows.shape == (16, 4)
    for name, frame, rows in zip(found.ids, found.frames, found.rows, strict=True):
        assert set(store.table["id"].take(rows).to_pylist()) == {name}
        assert store.table["frame"].take(rows).to_pylist() == [frame, frame + 1, frame + 2, frame + 3]
    assert not found.missing


@pytest.mark.parametrize(("length", "clips"), [(1, 8), (2, 4), (3, 2), (4, 2), (5, 0)])
def test_what_is_left_over_is_in_no_clip(length, clips, films, store):
    found = examples_of(films.rows("validation"), Form(("clips",), 48, frames=length), store)
    assert len(found) == 4 * clips
    assert set(found.missing.values()) == (set() if clips else {"too_few_frames"})
    if not clips:
        with pytest.raises(ConfigError, match=r"no clip of 5 crops of a real face \(4 x too_few_frames\)") as caught:
            split_of(films.rows(), store, "validation", Form(("clips",), 48, frames=length))
        assert "--run" in str(caught.value.next_step)


def test_single_frames_make_clips_too(prepared):
    store = FaceStore(prepared.store)
    found = examples_of(prepared.rows("test"), Form(("clips",), 48, frames=3), store)
    assert {name.rpartition(".")[2] for name in found.ids} == {"mp4"}
    assert set(found.missing.values()) == {"too_few_frames", "no_face"}
    for rows in found.rows:
        frames = store.table["frame"].take(rows).to_pylist()
        assert frames == sorted(frames)


def test_augmentation_is_one_over_a_clip(films, store):
    import albumentations

    view = albumentations.Compose([albumentations.GaussNoise(std_range=(0.2, 0.2), p=1)])
    examples = examples_of(films.rows("train"), CLIPS, store)
    noisy = PairedExamples(examples, CLIPS, store, None, view)[Pair(0, 3, "", 7)]["clips"]
    plain = PairedExamples(examples, CLIPS, store, None, albumentations.Compose([]))[Pair(0, 3, "", 7)]["clips"]
    assert noisy.shape == (2, 4, 3, 96, 96)
    # Noise is cut off where pictures are black or white.
    inner = (plain > 0.3) & (plain < 0.7) & (noisy > 0.01) & (noisy < 0.99)
    noise = (noisy - plain).masked_fill(~inner, torch.nan)
    both = inner[0, 0] & inner[1, 3]
    torch.testing.assert_close(noise[0, 0][both], noise[1, 3][both], atol=0.01, rtol=0)


def test_a_clip_is_forged_the_same_way_throughout(films, store):
    import albumentations

    examples = examples_of(films.rows("train"), CLIPS, store)
    pairs = PairedExamples(examples, CLIPS, store, None, albumentations.Compose([]))
    for seed in range(5):
        real, forged = pairs[Pair(0, None, "", seed)]["clips"]
        change = (forged - real).flatten(1).mean(1)  # (T,)
        assert change.std() < 0.02


def test_windows_of_sound_cover_it():
    assert window_starts(0.0, 16_000) == [0.0]
    assert window_starts(0.7, 16_000) == [0.0]
    assert window_starts(2.5, 16_000) == [0.0, 0.75, 1.5]
    for duration in (1.0, 3.3, 15.9, 100.0, 1e6):
        starts = window_starts(duration, 16_000)
        assert len(starts) <= 16
        assert starts[-1] == pytest.approx(min(duration, 600) - 1)
        if len(starts) < 16:
            assert max(np.diff(starts), default=0) <= 1 + 1e-9


def test_sound_is_the_file_s(tmp_path):
    make_sound(tmp_path / "a.wav", seconds=1.5)
    whole = read_audio(tmp_path / "a.wav", rate=16_000)
    np.testing.assert_array_equal(window(str(tmp_path / "a.wav"), 0.5, 8_000).numpy(), whole[8_000:16_000])
    np.testing.assert_array_equal(window(str(tmp_path / "a.wav"), 9.0, 8_000).numpy(), whole[-8_000:])
    repeated = window(str(tmp_path / "a.wav"), 0.0, 50_000).numpy()
    np.testing.assert_array_equal(repeated[:24_000], whole)
    np.testing.assert_array_equal(repeated[24_000:48_000], whole)


def test_windows_of_files(films):
    found = examples_of(films.rows(), SOUND, None)
    assert found.missing == {"test/silent.mkv": "no_audio"}
    names = [name for name in films.rows()["id"].to_list() if name != "test/silent.mkv"]
    assert found.ids == [name for name in names for _ in range(4)]  # 1.6 s in windows of half a second
    assert found.frames.tolist() == [0, 1, 2, 3] * len(names)
    item = PlainExamples(found, SOUND, None, [1] * len(found))[1]
    assert item["sound"].shape == (8_000,)
    assert float(item["labels"]) == 1


def test_a_clip_has_the_sound_that_begins_with_it(films, store):
    found = examples_of(films.rows("test"), BOTH, store)
    assert found.missing == {"test/silent.mkv": "no_audio"}
    assert len(found) == 2 * 4
    assert found.starts.tolist() == [0.2, 1.0] * 4
    item = PlainExamples(found, BOTH, store)[1]
    assert item["clips"].shape == (4, 3, 48, 48)
    whole = read_audio(found.paths[1], rate=16_000)
    np.testing.assert_array_equal(item["sound"].numpy(), whole[16_000:22_400])


def test_a_fake_made_on_the_spot_has_its_real_s_sound(films, store):
    import albumentations

    found = examples_of(films.rows("test"), BOTH, store)
    pairs = PairedExamples(found, BOTH, store, None, albumentations.Compose([albumentations.Resize(48, 48)]))
    own = pairs[Pair(0, None, "", 1)]["sound"]
    assert torch.equal(own[0], own[1])
    other = pairs[Pair(0, 2, "", 1)]["sound"]
    assert torch.equal(other[0], own[0])
    assert not torch.equal(other[0], other[1])


def test_sound_that_is_not_there_is_told(films):
    rows = read_manifest(films.manifest)
    broken = rows.with_columns(path=rows["path"] + "x")
    with pytest.raises(ConfigError, match=r"the train split has no real sound \(8 x missing\)"):
        split_of(broken, None, "train", SOUND)
