from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.faces import portraits
from tests.fakes.media import noise
from unmask.faces.centerface import CenterFace
from unmask.forgery.masks import TEMPLATE
from unmask.forgery.self_blend import blend, blending_mask, self_blend
from unmask.forgery.swap import SWAPS, align_onto, match_colour, swap_face
from unmask.media.image import read_image


@pytest.fixture(scope="module")
def people() -> list[tuple[np.ndarray, np.ndarray]]:
    images = [read_image(path) for path in portraits(4)]
    return [(image, faces[0].landmarks) for image, faces in zip(images, CenterFace().detect(images), strict=True)]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_self_blends_are_pictures_of_the_same_shape(people):
    for image, marks in people:
        for seed in range(10):
            forged, mask = self_blend(image, marks, rng(seed))
            assert forged.shape == image.shape
            assert forged.dtype == np.uint8
            assert mask.shape == image.shape[:2]
            assert mask.min() >= 0
            assert mask.max() <= 1 + 1e-6


def test_the_seed_decides(people):
    image, marks = people[0]
    before = image.copy()
    first, _ = self_blend(image, marks, rng(1))
    np.testing.assert_array_equal(first, self_blend(image, marks, rng(1))[0])
    assert (first != self_blend(image, marks, rng(2))[0]).any()
    np.testing.assert_array_equal(image, before)


def test_a_self_blend_changes_the_face_a_little(people):
    image, marks = people[0]
    changes = [np.abs(self_blend(image, marks, rng(seed))[0].astype(int) - image).mean() for seed in range(30)]
    assert np.mean([change > 0.05 for change in changes]) > 0.9
    assert max(changes) < 40


def test_blending_masks_are_weights(people):
    image, marks = people[0]
    for seed in range(50):
        mask = blending_mask(marks, image.shape[:2], rng(seed))
        assert mask.min() >= 0
        assert mask.max() <= 1 + 1e-6


def test_blend_is_a_weighted_mean():
    inside, outside = noise(1), noise(2)
    mask = rng().random(inside.shape[:2])
    expected = inside * mask[..., None] + outside * (1 - mask[..., None])
    assert np.abs(blend(inside, outside, mask) - expected).max() <= 0.5 + 1e-9
    np.testing.assert_array_equal(blend(inside, outside, np.ones_like(mask)), inside)
    np.testing.assert_array_equal(blend(inside, outside, np.zeros_like(mask)), outside)


@pytest.mark.parametrize("method", list(SWAPS))
def test_a_swap_leaves_the_picture_alone_away_from_the_face(method, people):
    small, marks = people[0]
    target = np.tile(noise("wall", width=480, height=480), (1, 1, 1))
    height, width = small.shape[:2]
    target[150 : 150 + height, 100 : 100 + width] = small
    marks = marks + np.array([100, 150])
    donor, donor_marks = people[1]
    before = target.copy()
    swapped = swap_face(method, target, marks, donor, donor_marks, rng())
    assert swapped.shape == target.shape
    assert swapped.dtype == np.uint8
    np.testing.assert_array_equal(target, before)
    eyes = np.linalg.norm(marks[0] - marks[1])
    y, x = np.mgrid[:480, :480]
    away = np.hypot(x - marks[:, 0].mean(), y - marks[:, 1].mean()) > 3 * eyes * 2**0.5 + 2
    assert away.any()
    np.testing.assert_array_equal(swapped[away], target[away])
    between = tuple(marks.mean(0).round().astype(int)[::-1])
    patch = (slice(between[0] - 5, between[0] + 5), slice(between[1] - 5, between[1] + 5))
    assert np.abs(swapped[patch].astype(int) - target[patch]).mean() > 1
    np.testing.assert_array_equal(swapped, swap_face(method, target, marks, donor, donor_marks, rng()))


def test_alignment_puts_landmarks_on_landmarks():
    donor = np.zeros((200, 200, 3), np.uint8)
    donor_marks = TEMPLATE * 120 + 40
    target_marks = TEMPLATE * [70, 80] + [30, 20]
    for x, y in donor_marks.round().astype(int):
        donor[y - 4 : y + 5, x - 4 : x + 5] = 255
    aligned = align_onto(donor, donor_marks, target_marks, (150, 140))
    assert aligned.shape == (150, 140, 3)
    for x, y in target_marks:
        assert aligned[round(y), round(x)].min() > 128


def test_matched_colours_have_the_other_s_mean():
    inside = (noise(3, width=96, height=96) // 3 + 40).astype(np.uint8)
    outside = (noise(4, width=96, height=96) // 3 + 90).astype(np.uint8)
    mask = np.zeros((96, 96), np.float32)
    mask[20:80, 20:80] = 1
    matched = match_colour(inside, outside, mask)
    chosen = mask > 0.5
    before = np.abs(inside[chosen].mean(0) - outside[chosen].mean(0)).mean()
    after = np.abs(matched[chosen].mean(0) - outside[chosen].mean(0)).mean()
    assert after < before / 4


places = st.lists(st.tuples(st.floats(-60, 160), st.floats(-60, 160)), min_size=5, max_size=5).map(np.array)


@settings(max_examples=100)
@given(places, st.integers(0, 9999))
def test_landmarks_anywhere_do_not_break_a_self_blend(marks, seed):
    image = noise("x", width=96, height=96)
    forged, _ = self_blend(image, marks, rng(seed))
    assert forged.shape == image.shape


@settings(max_examples=60)
@given(st.floats(-40, 140), st.floats(-40, 140), st.floats(2, 120), st.sampled_from(sorted(SWAPS)), st.integers(0, 99))
def test_a_face_that_leaves_the_picture_does_not_break_a_swap(x, y, side, method, seed):
    image = noise("y", width=96, height=96)
    marks = (TEMPLATE - TEMPLATE.mean(0)) * side + np.array([x, y])
    donor = noise("z", width=64, height=64)
    swapped = swap_face(method, image, marks, donor, TEMPLATE * 50 + 5, rng(seed))
    assert swapped.shape == image.shape
    assert swapped.dtype == np.uint8


@pytest.mark.parametrize("method", list(SWAPS))
def test_a_face_wholly_outside_the_picture_changes_nothing(method):
    image = noise("y", width=96, height=96)
    swapped = swap_face(method, image, TEMPLATE * 8 + 130, noise("z", width=64, height=64), TEMPLATE * 50 + 5, rng())
    np.testing.assert_array_equal(swapped, image)
