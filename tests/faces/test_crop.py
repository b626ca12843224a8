from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.faces import hand_made_face
from unmask.faces.crop import TEMPLATE, CropSettings, cut, square, take, to_crop
from unmask.faces.face import Face


def boxed(left: float, top: float, right: float, bottom: float) -> Face:
    return Face(np.array([left, top, right, bottom], float), np.zeros((5, 2)), 1.0)


@pytest.fixture(scope="module")
def ramp() -> np.ndarray:
    """Brightness says where a pixel is: channel 0 is half its x, channel 1 half its y."""
    y, x = np.mgrid[:400, :500]
    return np.dstack([x / 2, y / 2, np.full_like(x, 7)]).round().astype(np.uint8)


BOXES = [(100, 100, 160, 160), (100.3, 80.7, 160.9, 150.2), (50.0, 60.0, 350.4, 361.7), (120.5, 90.5, 330, 300)]


@pytest.mark.parametrize("size", [32, 100, 224])
@pytest.mark.parametrize("box", BOXES)
def test_the_pixels_lie_where_the_matrix_says(box, size, ramp):
    chosen = CropSettings(size=size, margin=1.0)
    face = boxed(*box)
    crop = cut(ramp, face, chosen).astype(float)
    back = np.vstack([to_crop(face, chosen), [0, 0, 1]])
    y, x = np.mgrid[:size, :size]
    place = np.linalg.inv(back) @ np.stack([x.ravel(), y.ravel(), np.ones(size * size)])
    inner = (slice(3, -3), slice(3, -3))
    for axis in (0, 1):
        off = crop[..., axis] * 2 - place[axis].reshape(size, size)
        assert abs(off[inner].mean()) < 0.3  # pixels of the picture
        assert np.abs(off[inner]).max() < 2


def test_shrinking_and_enlarging_agree(ramp):
    """The two ways of cutting show the same place."""
    face = boxed(100, 100, 200, 200)
    small, large = (cut(ramp, face, CropSettings(size=size, margin=1.0)) for size in (99, 101))
    assert np.abs(cv2.resize(large, (99, 99)).astype(int) - small).max() <= 2


def test_landmarks_follow_the_pixels():
    """A white dot in the picture lies in the crop where the matrix sends it."""
    for side in (40, 300):
        image = np.zeros((400, 400, 3), np.uint8)
        face = hand_made_face(60, 50, side)
        for x, y in face.landmarks.round().astype(int):
            cv2.circle(image, (int(x), int(y)), 4, (255, 255, 255), -1)
        chosen = CropSettings(size=128, margin=1.3)
        matrix = to_crop(face, chosen)
        crop = cut(image, face, chosen)
        marks = face.landmarks.round() @ matrix[:, :2].T + matrix[:, 2]
        for x, y in marks:
            assert crop[round(y), round(x)].min() > 128


def test_the_square_is_centred_on_the_longer_side():
    left, top, side = square(boxed(10, 20, 30, 80), 1.5)
    assert (left, top, side) == (20 - 45, 50 - 45, 90)


def replicated(image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """Whole pixels of a box, pixel by pixel; beyond the picture its edge."""
    height, width = image.shape[:2]
    return np.array(
        [
            [image[min(max(y, 0), height - 1), min(max(x, 0), width - 1)] for x in range(box[0], box[2])]
            for y in range(box[1], box[3])
        ]
    )


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 64, 64),
        (-20, -10, 44, 54),
        (60, 30, 124, 94),
        (-200, 0, -136, 64),  # wholly outside, on each side
        (300, 0, 364, 64),
        (0, 200, 64, 264),
        (0, -200, 64, -136),
        (-64, -64, 128, 128),
    ],
)
@pytest.mark.parametrize("factor", [1, 2])
def test_beyond_the_picture_the_edge_repeats(box, factor):
    image = np.random.default_rng(0).integers(0, 256, (80, 100, 3), dtype=np.uint8)
    side = box[2] - box[0]
    crop = cut(image, boxed(*box), CropSettings(size=side // factor, margin=1.0))
    expected = replicated(image, box)
    if factor == 2:  # area averaging
        blocks = expected.reshape(side // 2, 2, side // 2, 2, 3).astype(float)
        assert np.abs(crop - blocks.mean((1, 3))).max() <= 1
    else:
        np.testing.assert_array_equal(crop, expected)


numbers = st.floats(-300, 600)


@settings(max_examples=150)
@given(numbers, numbers, st.floats(0, 400), st.floats(0, 400), st.sampled_from([16, 50, 224]), st.floats(0.5, 4))
def test_any_box_gives_a_crop(left, top, width, height, size, margin):
    image = np.full((90, 70, 3), 200, np.uint8)
    chosen = CropSettings(size=size, margin=margin)
    crop = cut(image, boxed(left, top, left + width, top + height), chosen)
    assert crop.shape == (size, size, 3)
    assert crop.dtype == np.uint8
    assert (crop == 200).all()
    assert np.isfinite(to_crop(boxed(left, top, left + width, top + height), chosen)).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0},
        {"size": 10**9},
        {"size": "256"},
        {"size": 256.0},
        {"size": True},
        {"margin": float("nan")},
        {"margin": 1e9},
        {"margin": "1.3"},
        {"quality": 0},
        {"detector": None},
        {"align": "nose"},
        {"encoding": "gif"},
    ],
)
def test_settings_that_cannot_work(wrong):
    with pytest.raises(ValueError):
        CropSettings(**wrong)


def turned_face(centre: tuple[float, float], side: float, degrees: float) -> Face:
    """A face whose landmarks are the template's, turned about its centre, clockwise as seen."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    marks = (TEMPLATE - 0.5) @ turn.T * side + centre
    return Face(np.array([*marks.min(0), *marks.max(0)]), marks, 1.0)


@pytest.mark.parametrize("degrees", [-40, 0, 25, 170])
@pytest.mark.parametrize("side", [40, 300])
@pytest.mark.parametrize("margin", [1.0, 1.3])
def test_aligned_landmarks_lie_where_the_template_has_them(degrees, side, margin):
    face = turned_face((250, 220), side, degrees)
    chosen = CropSettings(size=112, margin=margin, align="landmarks")
    matrix = to_crop(face, chosen)
    marks = face.landmarks @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose((marks + 0.5) / 112, 0.5 + (TEMPLATE - 0.5) / margin, atol=1e-9)
    image = np.zeros((500, 500, 3), np.uint8)
    for x, y in face.landmarks:
        cv2.circle(image, (round(x), round(y)), max(2, side // 30), (255, 255, 255), -1)
    crop = cut(image, face, chosen)
    for x, y in marks:
        assert crop[round(y), round(x)].min() > 100


def test_alignment_is_the_best_in_least_squares():
    """Against numpy's solver of the linear equations a x - b y + c = u, b x + a y + d = v."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        face = turned_face((100, 120), 80, rng.uniform(-30, 30))
        face = Face(face.box, face.landmarks + rng.normal(0, 4, (5, 2)), 1.0)
        x, y = face.landmarks.T
        one, nil = np.ones(5), np.zeros(5)
        goals = TEMPLATE * 112 - 0.5
        system = np.concatenate([np.column_stack([x, -y, one, nil]), np.column_stack([y, x, nil, one])])
        a, b, c, d = np.linalg.lstsq(system, goals.T.ravel(), rcond=None)[0]
        found = to_crop(face, CropSettings(size=112, margin=1.0, align="landmarks"))
        np.testing.assert_allclose(found, [[a, -b, c], [b, a, d]], atol=1e-9)


def test_an_aligned_crop_is_shrunk_by_averaging():
    """Fine stripes become grey, not other stripes."""
    image = np.zeros((800, 800, 3), np.uint8)
    image[:, ::2] = 255
    face = turned_face((400, 400), 600, 5)
    crop = cut(image, face, CropSettings(size=100, margin=1.0, align="landmarks"))
    assert np.abs(crop[10:-10, 10:-10].astype(int) - 127).max() < 40


def test_landmarks_in_one_point_do_no_harm():
    face = Face(np.array([10.0, 10, 20, 20]), np.full((5, 2), 15.0), 1.0)
    assert cut(np.zeros((40, 40, 3), np.uint8), face, CropSettings(size=64, align="landmarks")).shape == (64, 64, 3)


@pytest.mark.parametrize(
    "box", [(0, 0, 64, 64), (-20, -10, 44, 54), (60, 30, 124, 94), (300, 0, 364, 64), (-99, -99, -35, -35)]
)
def test_grey_beyond_the_picture(box):
    image = np.random.default_rng(0).integers(0, 256, (80, 100, 3), dtype=np.uint8)
    expected = np.full((64, 64, 3), 7, np.uint8)
    for y in range(64):
        for x in range(64):
            if 0 <= box[1] + y < 80 and 0 <= box[0] + x < 100:
                expected[y, x] = image[box[1] + y, box[0] + x]
    np.testing.assert_array_equal(take(image, np.array(box), beyond=7), expected)
