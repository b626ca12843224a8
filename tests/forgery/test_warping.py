"""Faces through a small size, held against pictures that such a journey must leave as they are, or must wipe out."""

from __future__ import annotations

import warnings

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from tests.fakes.faces import portraits
from tests.fakes.media import noise
from unmask.faces.centerface import CenterFace
from unmask.forgery.masks import TEMPLATE
from unmask.forgery.warping import face_side, is_face, warp_face
from unmask.media.image import read_image

#: A face of a template square of 100 pixels in a picture of 160.
MARKS = TEMPLATE * 100 + 30


@pytest.fixture(scope="module")
def people() -> list[tuple[np.ndarray, np.ndarray]]:
    images = [read_image(path) for path in portraits(4)]
    return [(image, faces[0].landmarks) for image, faces in zip(images, CenterFace().detect(images), strict=True)]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def change(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(H, W) greatest difference of a channel, in grey levels."""
    return np.abs(one.astype(int) - other).max(2)


def test_faces_change_a_little_and_only_under_the_mask(people):
    for image, marks in people:
        before = image.copy()
        for seed in range(25):
            forged, mask = warp_face(image, marks, rng(seed))
            assert (forged.shape, forged.dtype) == (image.shape, np.uint8)
            assert (mask.shape, mask.dtype) == (image.shape[:2], np.float32)
            assert mask.min() == 0
            assert 0.99 < mask.max() <= 1
            assert (change(forged, image) <= 255 * mask + 0.5).all()
            assert 0.1 < change(forged, image).mean() < 12
        np.testing.assert_array_equal(image, before)


def test_the_seed_decides(people):
    image, marks = people[0]
    first, second, other = (warp_face(image, marks, rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert (first[0] != other[0]).any()


@pytest.mark.parametrize("angle", [0.0, 0.4, -1.2])
def test_a_slope_comes_back_where_it_was(angle):
    """Shrinking, blurring and enlarging keep a linear function, unless they move it."""
    y, x = np.mgrid[:160, :160]
    slope = np.stack([40 + x, 220 - y, 30 + 0.6 * (x + y)], -1).astype(np.uint8)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    marks = (MARKS - 80) @ turn.T + 80
    for seed in range(12):
        forged, mask = warp_face(slope, marks, rng(seed))
        assert mask.sum() > 1000
        assert change(forged, slope).max() <= 2  # rounded at each step
        moved = (forged.astype(float) - slope)[mask > 0.99].mean(0)
        assert np.abs(moved).max() < 0.3  # pixels, or grey levels


def test_what_is_finer_than_the_small_size_is_gone():
    """A chequerboard of single pixels becomes its mean where the mask is whole."""
    board = (np.indices((160, 160)).sum(0) % 2 * 200 + 20).astype(np.uint8)
    board = np.repeat(board[..., None], 3, 2)
    for seed in range(12):
        forged, mask = warp_face(board, MARKS, rng(seed))
        inside = ndimage.binary_erosion(mask > 0.999, iterations=2)
        assert inside.sum() > 500
        assert np.abs(forged[inside].astype(float) - 120).max() < 15
        np.testing.assert_array_equal(forged[mask == 0], board[mask == 0])


def test_sharpness_falls_inside_and_stays_outside(people):
    for image, marks in people:
        forged, mask = warp_face(image, marks, rng(3))
        sharp, blurred = (np.abs(ndimage.laplace(each.mean(2))) for each in (image, forged))
        inside = ndimage.binary_erosion(mask > 0.999, iterations=2)
        outside = ndimage.binary_erosion(mask == 0, iterations=2)
        assert blurred[inside].mean() < 0.7 * sharp[inside].mean()
        np.testing.assert_allclose(blurred[outside], sharp[outside])


def test_the_masks_are_squares_and_polygons_within_them():
    masks = [warp_face(noise("m", width=160, height=160), MARKS, rng(seed))[1] > 0.5 for seed in range(30)]
    square = np.zeros((160, 160), bool)
    square[63:124, 50:111] = True  # 0.33 to 0.93 and 0.2 to 0.8 of the template's square
    whole = [bool(np.mean(mask[square]) > 0.97) for mask in masks]
    assert 5 < sum(whole) < 25
    for mask in masks:
        assert not mask[~ndimage.binary_dilation(square, iterations=3)].any()
        for x, y in MARKS[:2].round().astype(int):
            assert mask[y, x]


def test_the_size_of_a_face_is_that_of_its_template_square():
    assert face_side(MARKS) == pytest.approx(100)
    assert face_side(MARKS * 0.5 + 7) == pytest.approx(50)


def test_what_is_no_face():
    shape = (160, 160)
    assert is_face(MARKS, shape)
    assert is_face(MARKS - 100, shape)
    half_turned = MARKS.copy()
    half_turned[[1, 4], 0] -= 25
    assert is_face(half_turned, shape)
    mirrored = MARKS[[1, 0, 2, 4, 3]]
    line = np.column_stack([np.full(5, 40.0), np.arange(5) * 20])
    for marks in (mirrored, line, MARKS * 0.1, np.full((5, 2), 40.0), MARKS * 1e9, MARKS * np.nan, MARKS + 5000):
        assert not is_face(marks, shape)
        image = noise("n", width=160, height=160)
        forged, mask = warp_face(image, marks, rng())
        np.testing.assert_array_equal(forged, image)
        assert not mask.any()


places = st.lists(st.tuples(st.floats(-60, 160), st.floats(-60, 160)), min_size=5, max_size=5).map(np.array)
faces = st.builds(
    lambda x, y, side, bend: (TEMPLATE - 0.5) * side + [x, y] + rng(bend).normal(0, 0.05 * side, (5, 2)),
    st.floats(-80, 180), st.floats(-80, 180), st.floats(1, 400), st.integers(0, 99),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(places | faces, st.integers(0, 9999))
def test_landmarks_anywhere_do_not_break_it(marks, seed):
    image = noise("x", width=96, height=80)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forged, mask = warp_face(image, marks, rng(seed))
    assert forged.shape == image.shape
    assert 0 <= mask.min() <= mask.max() <= 1
    np.testing.assert_array_equal(forged[mask == 0], image[mask == 0])


def test_threads_do_not_change_it(people):
    image, marks = people[1]
    expected = warp_face(image, marks, rng(5))[0]
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        np.testing.assert_array_equal(warp_face(image, marks, rng(5))[0], expected)
    finally:
        cv2.setNumThreads(threads)
