"""Blended faces, held against donors of which the outcome is known; donors, against a search pair by pair."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.faces import portraits
from tests.fakes.media import noise
from unmask.faces.centerface import CenterFace
from unmask.forgery import face_xray
from unmask.forgery.face_xray import blend_faces, nearest_donors
from unmask.forgery.masks import TEMPLATE
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


def test_faces_change_only_under_the_mask(people):
    for number, (image, marks) in enumerate(people):
        donor = people[(number + 1) % len(people)]
        before, given_donor = image.copy(), donor[0].copy()
        for seed in range(15):
            forged, mask = blend_faces(image, marks, rng(seed), donor)
            assert (forged.shape, forged.dtype) == (image.shape, np.uint8)
            assert (mask.shape, mask.dtype) == (image.shape[:2], np.float32)
            assert mask.min() == 0
            assert 0.5 < mask.max() <= 1
            assert (change(forged, image) <= 255 * mask + 0.5).all()
            assert 1 < change(forged, image).mean() < 60
        np.testing.assert_array_equal(image, before)
        np.testing.assert_array_equal(donor[0], given_donor)


def test_the_seed_decides(people):
    (image, marks), donor = people[:2]
    first, second, other = (blend_faces(image, marks, rng(seed), donor) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert (first[0] != other[0]).any()


def test_a_face_is_its_own_best_donor(people):
    """Warped onto itself and matched to its own colours, a face hardly changes: nothing moves, nothing shifts."""
    for image, marks in people:
        for seed in range(5):
            forged, mask = blend_faces(image, marks, rng(seed), (image, marks))
            assert mask.sum() > 500
            assert np.abs(forged.astype(int) - image).mean() < 1.5
            assert np.percentile(change(forged, image), 99) <= 8


def test_a_plain_donor_takes_the_colour_of_what_it_covers():
    image = np.full((160, 160, 3), (180, 120, 90), np.uint8)
    donor = np.full((120, 120, 3), (60, 90, 200), np.uint8), TEMPLATE * 80 + 20
    for seed in range(10):
        forged, mask = blend_faces(image, MARKS, rng(seed), donor)
        assert mask.sum() > 500
        assert change(forged, image).max() <= 4  # Lab in 8 bits and back


def test_the_donor_s_landmarks_come_to_lie_on_the_face_s(people):
    picture = np.full((200, 200, 3), 60, np.uint8)
    donor_marks = TEMPLATE * 130 + 30
    for x, y in donor_marks.round().astype(int):
        picture[y - 4 : y + 5, x - 4 : x + 5] = 250
    image = (noise("skin", width=160, height=160) // 3 + 40).astype(np.uint8)
    for seed in range(10):
        forged, mask = blend_faces(image, MARKS, rng(seed), (picture, donor_marks))
        for x, y in MARKS.round().astype(int):
            around = forged[y - 14 : y + 15, x - 14 : x + 15].mean(2), mask[y - 14 : y + 15, x - 14 : x + 15]
            if around[1].min() > 0.99:
                assert around[0][12:17, 12:17].mean() > around[0].mean() + 20


def test_masks_are_soft_and_lie_on_the_face(people):
    (image, marks), donor = people[:2]
    shapes = set()
    for seed in range(30):
        mask = blend_faces(image, marks, rng(seed), donor)[1]
        soft = (mask > 0.01) & (mask < 0.99)
        assert soft.sum() > 100
        between = marks.mean(0).round().astype(int)
        assert mask[between[1], between[0]] > 0.3
        shapes.add(int((mask > 0.5).sum()))
    assert len(shapes) > 20


def test_without_a_face_on_either_side_nothing_is_forged(people):
    (image, marks), (picture, donor_marks) = people[:2]
    line = np.column_stack([np.full(5, 40.0), np.arange(5) * 20])
    away = marks + np.array([image.shape[1] + 200, 0])
    for own, donor in (
        (line, (picture, donor_marks)),
        (away, (picture, donor_marks)),
        (marks * np.nan, (picture, donor_marks)),
        (marks, (picture, line)),
        (marks, (picture, donor_marks * 0.05)),
        (marks, (picture, donor_marks - [donor_marks[0, 0] + 2, 0])),
    ):
        forged, mask = blend_faces(image, own, rng(), donor)
        np.testing.assert_array_equal(forged, image)
        assert forged is not image
        assert not mask.any()


places = st.lists(st.tuples(st.floats(-60, 160), st.floats(-60, 160)), min_size=5, max_size=5).map(np.array)
faces = st.builds(
    lambda x, y, side, bend: (TEMPLATE - 0.5) * side + [x, y] + rng(bend).normal(0, 0.05 * side, (5, 2)),
    st.floats(-80, 180), st.floats(-80, 180), st.floats(1, 400), st.integers(0, 99),
)  # fmt: skip
donors = st.builds(
    lambda side, bend: (TEMPLATE - 0.5) * side + 40 + rng(bend).normal(0, 0.08 * side, (5, 2)),
    st.floats(1, 90), st.integers(0, 99),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(places | faces, places | donors, st.integers(0, 9999))
def test_landmarks_anywhere_do_not_break_it(marks, donor_marks, seed):
    image = noise("x", width=96, height=80)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forged, mask = blend_faces(image, marks, rng(seed), (noise("y", width=80, height=80), donor_marks))
    assert forged.shape == image.shape
    assert 0 <= mask.min() <= mask.max() <= 1
    np.testing.assert_array_equal(forged[mask == 0], image[mask == 0])


def by_pairs(landmarks: np.ndarray, people: list[str | None], count: int) -> list[list[int]]:
    """The same by comparing each with each."""
    shapes = []
    for marks in landmarks:
        centred = marks - marks.mean(0)
        shapes.append(centred / np.sqrt(np.mean(np.sum(centred**2, 1))))
    found = []
    for row, name in enumerate(people):
        far = [
            (np.linalg.norm(shapes[row] - shape), other)
            for other, shape in enumerate(shapes)
            if other != row and (name is None or people[other] != name)
        ]
        found.append(([other for _, other in sorted(far)] + [-1] * count)[:count])
    return found


def some_faces(count: int, seed: int = 0) -> np.ndarray:
    chance = rng(seed)
    scale, place = chance.uniform(20, 200, (count, 1, 1)), chance.uniform(-50, 300, (count, 1, 2))
    return (TEMPLATE + chance.normal(0, 0.03, (count, 5, 2))) * scale + place


@pytest.mark.parametrize("block", [2, 7, 512])
@pytest.mark.parametrize("names", ["abc", "aaaaaaaaab", "ab-", "a", "-", "abcdefghijklmnopqrstuvwxyz----"])
def test_donors_are_those_of_a_search_by_pairs(names, block, monkeypatch):
    monkeypatch.setattr(face_xray, "_BLOCK", block)
    for count, rows in ((1, 60), (4, 61), (9, 5), (3, 1)):
        landmarks = some_faces(rows, seed=rows)
        people = [None if name == "-" else name for name in rng(rows).choice(list(names), rows)]
        found = nearest_donors(landmarks, people, count)
        assert found.shape == (rows, count)
        assert np.issubdtype(found.dtype, np.integer)
        np.testing.assert_array_equal(found, by_pairs(landmarks, people, count))


def test_without_names_only_the_row_itself_is_left_out():
    landmarks = some_faces(30)
    np.testing.assert_array_equal(nearest_donors(landmarks, None, 3), by_pairs(landmarks, [None] * 30, 3))


def test_neither_place_nor_scale_counts():
    landmarks = some_faces(40)
    moved = landmarks * rng(1).uniform(0.3, 3, (40, 1, 1)) + rng(2).uniform(-100, 100, (40, 1, 2))
    np.testing.assert_array_equal(nearest_donors(landmarks, None, 5), nearest_donors(moved, None, 5))
    similar = np.concatenate([landmarks, landmarks * 2 + 9])
    np.testing.assert_array_equal(nearest_donors(similar, None, 1)[:, 0], np.r_[40:80, 0:40])


def test_many_rows_of_few_people():
    landmarks, people = some_faces(3000), ["a"] * 2000 + ["b"] * 996 + ["c"] * 2 + [None] * 2  # type: ignore[list-item]
    found = nearest_donors(landmarks, people, 4)
    few = rng().choice(3000, 30, replace=False)
    everything = by_pairs_of(landmarks, people, few, 4)
    np.testing.assert_array_equal(found[few], everything)


def by_pairs_of(landmarks: np.ndarray, people: list[str | None], rows: np.ndarray, count: int) -> np.ndarray:
    """``by_pairs`` for some rows."""
    centred = landmarks - landmarks.mean(1, keepdims=True)
    shapes = centred / np.linalg.norm(centred, axis=(1, 2), keepdims=True)
    found = []
    for row in rows:
        apart = np.linalg.norm(shapes - shapes[row], axis=(1, 2))
        own = [
            other == row or (people[row] is not None and people[other] == people[row]) for other in range(len(people))
        ]
        apart[own] = np.inf
        found.append(np.argsort(apart)[:count])
    return np.array(found)


def test_rows_without_shape_and_no_rows():
    assert nearest_donors(np.zeros((0, 5, 2)), None, 3).shape == (0, 3)
    assert nearest_donors(np.zeros((0, 5, 2)), [], 3).shape == (0, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = nearest_donors(np.ones((3, 5, 2), np.float32), ["a", "a", "b"], 2)
    np.testing.assert_array_equal(found, [[2, -1], [2, -1], [0, 1]])


@pytest.mark.parametrize(
    ("landmarks", "people", "count", "told"),
    [
        (np.zeros((4, 10)), None, 1, "landmarks"),
        (np.full((4, 5, 2), np.nan), None, 1, "landmarks"),
        (np.zeros((4, 5, 2)), ["a"], 1, "people"),
        (np.zeros((4, 5, 2)), None, 0, "count"),
    ],
)
def test_what_cannot_be_searched_is_refused(landmarks, people, count, told):
    with pytest.raises(ValueError, match=told):
        nearest_donors(landmarks, people, count)
