from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.forgery.masks import REGIONS, TEMPLATE, apply, distort, fit, hull, soften, yaw


def similarity(angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn, shift])


def by_linear_least_squares(landmarks: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """The same fit as four unknowns of a linear system: x' = a x - b y + c, y' = b x + a y + d."""
    rows, values = [], []
    for (x, y), (u, v) in zip(landmarks, onto, strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        values += [u, v]
    a, b, c, d = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    return np.array([[a, -b, c], [b, a, d]])


angles, scales, shifts = st.floats(-3, 3), st.floats(5, 300), st.tuples(st.floats(-200, 500), st.floats(-200, 500))


@given(angles, scales, shifts, st.integers(0, 1000))
def test_the_fit_equals_linear_least_squares(angle, scale, shift, seed):
    points = apply(similarity(angle, scale, shift), TEMPLATE)
    points += np.random.default_rng(seed).normal(0, 0.05 * scale, points.shape)
    np.testing.assert_allclose(fit(TEMPLATE, points), by_linear_least_squares(TEMPLATE, points), rtol=1e-6, atol=1e-5)


def test_the_fit_of_an_exact_similarity():
    matrix = similarity(0.4, 80, (30, -20))
    np.testing.assert_allclose(fit(TEMPLATE, apply(matrix, TEMPLATE)), matrix, atol=1e-9)


@pytest.mark.parametrize("region", list(REGIONS))
def test_masks_lie_where_the_face_is(region):
    marks = TEMPLATE * 100 + 50
    mask = hull(marks, (200, 220), region)
    assert mask.shape == (200, 220)
    assert mask.dtype == np.float32
    assert set(np.unique(mask)) == {0.0, 1.0}
    mouth = marks[3:].mean(0)
    assert mask[round(mouth[1]), round(mouth[0])] == 1
    assert mask[:30].sum() + mask[:, :30].sum() + mask[:, -30:].sum() == 0


def test_regions_nest():
    marks = TEMPLATE * 100 + 50
    area = {region: hull(marks, (200, 200), region).sum() for region in REGIONS}
    assert area["mouth"] < area["inner"] < area["face"] < area["head"]


points = st.lists(st.tuples(st.floats(-300, 500), st.floats(-300, 500)), min_size=5, max_size=5).map(np.array)


@settings(max_examples=150)
@given(points, st.sampled_from(list(REGIONS)), st.floats(0, 30), st.integers(0, 99))
def test_any_landmarks_give_a_mask(marks, region, width, seed):
    mask = hull(marks, (60, 80), region)
    bent = soften(distort(mask, np.random.default_rng(seed), 0.03), width)
    for each in (mask, bent):
        assert each.shape == (60, 80)
        assert each.min() >= -1e-6
        assert each.max() <= 1 + 1e-5


def test_softening_keeps_the_middle_of_the_edge():
    mask = np.zeros((40, 40), np.float32)
    mask[:, 20:] = 1
    np.testing.assert_array_equal(soften(mask, 0), mask)
    soft = soften(mask, 8)
    assert soft[20, 19] + soft[20, 20] == pytest.approx(1, abs=1e-3)
    assert soft[20, 10] < 0.02
    assert (np.diff(soft[20]) >= -1e-6).all()


def test_yaw_is_positive_towards_the_picture_s_right():
    assert yaw(TEMPLATE * 80 + 7) == pytest.approx(0, abs=0.05)
    for angle in (0.0, 0.5, -0.5):  # whatever the head's tilt
        for offset in (-0.1, 0.1):
            turned = TEMPLATE.copy()
            turned[2, 0] += offset
            assert np.sign(yaw(apply(similarity(angle, 90, (5, 6)), turned))) == np.sign(offset)
    mirrored = TEMPLATE[[1, 0, 2, 4, 3]] * [-1, 1] + [1, 0]
    assert yaw(mirrored) == pytest.approx(-yaw(TEMPLATE), abs=0.02)
