from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.faces import hand_made_face as face
from unmask.faces.tracking import track


def test_a_face_that_moves_is_one_track():
    (only,) = track([[face(10 + 20 * step, 50 + 5 * step, 60)] for step in range(8)])
    assert only.frames == list(range(8))
    assert [known.box[0] for known in only.faces] == [10 + 20 * step for step in range(8)]


def test_a_face_that_leaves_and_returns_is_one_track():
    (only,) = track([[face(10, 10, 50)], [], [], [face(25, 12, 55)]])
    assert only.frames == [0, 3]


def test_two_people_are_two_tracks():
    left = [face(10 + step, 10, 50, 0.8) for step in range(5)]
    right = [face(300 - step, 10, 80, 0.8) for step in range(5)]
    # The detector names the more confident first, so the order within a frame says nothing.
    frames = [[one, two] if step % 2 else [two, one] for step, (one, two) in enumerate(zip(left, right, strict=True))]
    first, second = track(frames)
    assert first.faces == right  # the larger
    assert second.faces == left


def test_two_people_who_stand_close_keep_their_own_track():
    frames = [[face(100 + 8 * step, 50, 60), face(170 + 8 * step, 50, 60)] for step in range(6)]
    for known in track(frames):
        moves = np.diff([each.box[0] for each in known.faces])
        np.testing.assert_allclose(moves, 8)


def test_who_is_longer_in_view_is_more_prominent():
    long, short = [[face(0, 0, 50)]] * 9, [[face(300, 0, 100)]] * 2
    first, second = track(long + short)
    assert len(first.frames) == 9  # 9 * 2500 against 2 * 10000
    assert len(second.frames) == 2


def test_a_confident_face_is_more_prominent_than_a_doubtful_one():
    first, _ = track([[face(0, 0, 50, 0.6), face(300, 0, 50, 0.9)]])
    assert first.faces[0].confidence == 0.9


def test_a_far_jump_and_a_jump_in_size_are_other_people():
    assert len(track([[face(0, 0, 50)], [face(200, 0, 50)]])) == 2
    assert len(track([[face(0, 0, 50)], [face(0, 0, 150)]])) == 2


def test_nothing_gives_nothing():
    assert track([]) == []
    assert track([[], []]) == []


boxes = st.tuples(st.floats(-50, 300), st.floats(-50, 300), st.floats(0, 200), st.floats(0.01, 1))


@given(st.lists(st.lists(boxes, max_size=4), max_size=6))
def test_every_face_is_in_one_track_once(frames):
    faces = [[face(*each) for each in frame] for frame in frames]
    tracks = track(faces)
    placed = [(at, id(known)) for each in tracks for at, known in zip(each.frames, each.faces, strict=True)]
    assert sorted(placed) == sorted((at, id(known)) for at, frame in enumerate(faces) for known in frame)
    for each in tracks:
        assert each.frames == sorted(set(each.frames))
    prominence = [each.prominence for each in tracks]
    assert prominence == sorted(prominence, reverse=True)
    again = track(faces)
    assert [each.frames for each in again] == [each.frames for each in tracks]
