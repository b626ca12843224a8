"""The transforms of footage, each held against an encoder or a filter of its own."""

from __future__ import annotations

import albumentations
import cv2
import numpy as np
import pytest

from tests.fakes.faces import portraits
from unmask.loading.footage import NoiseReduction, VideoCompression
from unmask.media.image import read_image


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    return cv2.resize(read_image(portraits(1)[0]), (128, 128))


def error(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def grain(image: np.ndarray) -> float:
    """Mean absolute Laplacian: how much fine detail a picture has."""
    return float(np.abs(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_32F)).mean())


@pytest.mark.parametrize(
    "transform", [VideoCompression(p=1.0), NoiseReduction(p=1.0)], ids=lambda each: type(each).__name__
)
def test_size_and_place_stay_and_the_seed_decides(transform, face):
    before = face.copy()
    found = []
    for seed in (1, 1, 2):
        transform.set_random_seed(seed)
        found.append(transform(image=face)["image"])
    np.testing.assert_array_equal(face, before)
    assert found[0].shape == face.shape
    assert found[0].dtype == np.uint8
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()
    moved = [error(found[0], np.roll(face, (down, right), (0, 1))) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    assert int(np.argmin(moved)) == 4  # nothing fits better than where it was


def test_worse_quality_loses_more(face):
    losses = []
    for crf in (5, 20, 36, 48):
        transform = VideoCompression((crf, crf), p=1.0)
        transform.set_random_seed(0)
        losses.append(error(transform(image=face)["image"], face))
    assert losses == sorted(losses)
    assert losses[0] < 3  # colour is halved in size even so
    assert losses[-1] > 2 * losses[0]


def test_noise_goes_and_edges_stay(face):
    rng = np.random.default_rng(0)
    noisy = (face + rng.normal(0, 8, face.shape)).clip(0, 255).astype(np.uint8)
    smooth = NoiseReduction((40, 40), p=1.0)(image=noisy)["image"]
    assert grain(smooth) < 0.6 * grain(noisy)
    step = np.zeros((64, 64, 3), np.uint8)
    step[:, 32:] = 200
    np.testing.assert_array_equal(NoiseReduction((40, 40), p=1.0)(image=step)["image"], step)


def test_they_compose_with_albumentations(face):
    both = albumentations.Compose([VideoCompression(p=0.5), NoiseReduction(p=0.5)], seed=3)
    shown = [both(image=face)["image"] for _ in range(12)]
    unchanged = sum(bool((image == face).all()) for image in shown)
    assert 0 < unchanged < 12
