"""What every face detector must do."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.fakes.faces import portraits
from unmask.faces.detectors import DETECTORS, detector, detector_of, recorded
from unmask.faces.face import Face, intersection_over_union
from unmask.faces.finding import find_faces
from unmask.faces.prepare import default_settings, faces_of_file
from unmask.media.frame import Frame
from unmask.media.image import read_image
from unmask.tables.errors import StoreError

SOME = 6


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    return [read_image(path) for path in portraits(SOME)]


@pytest.mark.parametrize("name", list(DETECTORS))
def test_the_contract(name, images):
    found = detector(name).detect(images)
    for image, faces in zip(images, found, strict=True):
        face = faces[0]
        assert 0 < face.confidence <= 1
        assert [each.confidence for each in faces] == sorted((each.confidence for each in faces), reverse=True)
        left, top, right, bottom = face.box
        assert -20 < left < right < image.shape[1] + 20
        assert -20 < top < bottom < image.shape[0] + 20
        marks = face.landmarks
        assert marks.shape == (5, 2)
        assert marks[0, 0] < marks[1, 0]  # eyes, the picture's left first
        assert marks[3, 0] < marks[4, 0]  # mouth
        assert max(marks[0, 1], marks[1, 1]) < marks[2, 1] < min(marks[3, 1], marks[4, 1])
    assert detector(name).detect([]) == []
    for shape in ((1, 1), (5, 900), (64, 64)):
        assert detector(name).detect([np.zeros((*shape, 3), np.uint8)]) == [[]]


@pytest.mark.parametrize("name", list(DETECTORS))
def test_a_shrunk_look_gives_the_picture_s_own_pixels(name, images):
    large = cv2.resize(images[0], None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    one, other = (detector(name).detect([image], longest=320)[0][0] for image in (images[0], large))
    assert intersection_over_union(one.box, other.box[None] / 4)[0] > 0.8
    assert np.abs(one.landmarks - other.landmarks / 4).max() < 0.1 * (one.box[2] - one.box[0])


def test_detectors_agree_on_where_a_face_is(images):
    found: dict[str, list[Face]] = {}
    for name in DETECTORS:
        crop = default_settings(detector=name, size=64).crop
        found[name] = [find_faces([Frame(0, 0.0, image)], detector(name), crop)[0][0] for image in images]
    for one, other in zip(found["centerface"], found["mtcnn"], strict=True):
        assert intersection_over_union(one.box, other.box[None])[0] > 0.6


def test_what_is_recorded_leads_back(images):
    assert len({recorded(name) for name in DETECTORS}) == len(DETECTORS)
    for name in DETECTORS:
        assert detector_of(recorded(name)) is detector(name)
    for wrong in ("centerface-0-640-96", "retinaface-1", ""):
        with pytest.raises(StoreError, match="this version of unmask has"):
            detector_of(wrong)
    rows = faces_of_file(str(portraits(1)[0]), "image", default_settings(detector="mtcnn", size=64))
    assert rows[0]["reason"] is None
