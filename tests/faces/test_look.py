"""Contact sheets: the right crops, in order, told apart; what is missing is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.stores import LANDMARKS, coloured, crop, make_store, without
from unmask.faces.look import MOST_CROPS, MOST_IDS, choose, draw, file_name, tell_shown
from unmask.tables.errors import StoreError

PAPER, BLANK, DOT = (246, 245, 241), (201, 200, 194), (0, 229, 255)
TILE = 144


@pytest.fixture
def store(tmp_path):
    """Two shards, rows out of order, a file with three tracks, one in both shards, a picture, two without a crop."""
    return make_store(
        tmp_path / "store",
        [crop("a", 9), crop("a", 3), crop("b", 4, 1), crop("b", 8, 0), crop("b", 2, 0), without("c", "unreadable")],
        [crop("b", 1, 2), crop("d", 0, time_s=None), crop("a", 5), without("e", None), crop("f", 7, 1)],
    )


def expected(store, name, track=None):
    """(track, frame, row) of an id's crops, told by reading every row."""
    rows = [
        (row["track"], row["frame"], number)
        for number, row in enumerate(store.table.to_pylist())
        if row["id"] == name and row["image"] is not None and track in (None, row["track"])
    ]
    return sorted(rows)


def chosen(block):
    return [(strip.track, frame, row) for strip in block.strips for row, frame, *_ in strip.crops.rows()]


@pytest.mark.parametrize("track", [None, 0, 1, 5])
def test_every_crop_of_the_ids_and_no_other(store, track):
    names = ["d", "c", "b", "a", "e", "b"]
    blocks = choose(store, names, track=track)
    assert [block.id for block in blocks] == ["d", "c", "b", "a", "e"]
    for block in blocks:
        assert chosen(block) == expected(store, block.id, track)
        assert block.total == block.shown == len(expected(store, block.id, track))
    times = {row["row"]: row["time_s"] for block in blocks for strip in block.strips for row in strip.crops.to_dicts()}
    assert times == {row: store.table["time_s"][row].as_py() for row in times}


def test_why_a_file_has_no_crop(store):
    reasons = {block.id: block.reason for block in choose(store, ["a", "c", "e", "f"])}
    assert reasons == {"a": None, "c": "unreadable", "e": "no reason is stated", "f": None}
    reasons = {block.id: block.reason for block in choose(store, ["a", "c", "f"], track=0)}
    assert reasons == {"a": None, "c": "unreadable", "f": "no crop of track 0"}


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Forty files of one to forty crops; the even ones have two tracks."""
    rows = [
        crop(f"id{number:02d}", frame * 5, (frame % 2) * (number % 2 == 0), image=b"never decoded")
        for number in range(1, 41)
        for frame in range(number)
    ]
    return make_store(tmp_path_factory.mktemp("many"), rows[:300], rows[300:])


def test_too_many_crops_are_dealt_evenly(many):
    names = [f"id{number:02d}" for number in range(1, 41)]
    blocks = choose(many, names)
    shown = {block.id: block.shown for block in blocks}
    assert sum(shown.values()) == MOST_CROPS
    assert {block.id: block.total for block in blocks} == {name: len(expected(many, name)) for name in names}
    cut = [block.shown for block in blocks if block.shown < block.total]
    assert max(cut) - min(cut) <= 1
    assert all(block.shown == block.total for block in blocks if block.total < min(cut))
    assert tell_shown(blocks) == "40 files, 200 of 820 crops, evenly chosen"
    for block in blocks:
        places = [expected(many, block.id).index(one) for one in chosen(block)]
        steps = np.diff(places)
        assert (steps > 0).all()
        assert steps.max(initial=0) - steps.min(initial=99) <= 1


@given(st.integers(1, 60))
def test_as_many_as_there_is_room_for(many, most):
    blocks = choose(many, ["id10", "id40", "id01"], most=most)
    assert sum(block.shown for block in blocks) == min(most, 51)
    assert all(set(chosen(block)) <= set(expected(many, block.id)) for block in blocks)


def test_all_fit(many):
    assert tell_shown(choose(many, ["id40"])) == "1 file, 40 crops"
    assert tell_shown(choose(many, ["id01"])) == "1 file, 1 crop"


def test_unknown_ids_are_all_named_with_near_ones(tmp_path):
    names = ["train/real/0001.mp4", "train/fake/0001.mp4", "test/Ünicode 7.png"]
    store = make_store(tmp_path, [crop(name) for name in names])
    with pytest.raises(StoreError) as caught:
        choose(store, [names[0], "train/raal/0001.mp4", "0001.mp4", "TEST/ünicode 7.png", "qqq", ""])
    told = caught.value.what.splitlines()
    assert told[0] == "the face store does not hold these 5 ids:"
    assert len(told) == 6
    assert told[1].startswith('  "train/raal/0001.mp4" (did you mean "train/real/0001.mp4"')
    assert '"0001.mp4" (did you mean "train/' in told[2]
    assert told[3].endswith(r'(did you mean "test/\xdcnicode 7.png"?)')
    assert told[4] == '  "qqq"'
    assert caught.value.where == str(tmp_path)
    assert 'such as "train/real/0001.mp4"' in str(caught.value)


def test_letters_case_keeps_no_id_from_being_near(tmp_path):
    store = make_store(tmp_path, [crop("REAL/ANNA.MP4")])
    with pytest.raises(StoreError, match=r'did you mean "REAL/ANNA\.MP4"'):
        choose(store, ["real/anna.mp4"])


def test_a_near_id_is_found_among_many(tmp_path):
    rows = [without(f"videos/{number:05d}_{number * 7919 % 100_000:05d}.mp4") for number in range(5000)]
    store = make_store(tmp_path, rows)
    with pytest.raises(StoreError, match=r'did you mean "videos/04321_17999\.mp4"'):
        choose(store, ["video/04321_17999.mp4"])


def test_an_empty_store_has_no_id(tmp_path):
    with pytest.raises(StoreError, match="does not hold this id"):
        choose(make_store(tmp_path, []), ["a"])


def test_too_many_ids(many):
    with pytest.raises(StoreError, match=f"{MOST_IDS + 1} ids are too many"):
        choose(many, [f"id{number}" for number in range(MOST_IDS + 1)])


COLOURS = [(250, 30, 30), (30, 200, 30), (30, 30, 250), (240, 220, 20), (220, 30, 220), (30, 180, 220), (120, 60, 20)]


def places(sheet, colour, tolerance=12):
    """Rows and columns of the pixels of about one colour."""
    near = np.abs(np.asarray(sheet).astype(int) - colour).max(2) <= tolerance
    return np.argwhere(near)


def test_crops_stand_in_frame_order_and_tracks_below_each_other(tmp_path):
    order = [("x", 0, 5), ("x", 0, 6), ("x", 0, 10), ("x", 1, 2), ("x", 1, 7), ("y", 0, 0), ("y", 0, 1)]
    images = dict(zip(order, COLOURS, strict=True))
    mixed = [order[place] for place in (4, 1, 6, 0, 3, 5, 2)]
    rows = [crop(name, frame, track, image=coloured(images[name, track, frame])) for name, track, frame in mixed]
    store = make_store(tmp_path, rows[:3], rows[3:])
    sheet = draw(store, choose(store, ["x", "y"]))
    middles = {key: places(sheet, colour).mean(0) for key, colour in images.items()}
    for key, colour in images.items():
        assert len(places(sheet, colour)) == pytest.approx(TILE**2, rel=0.02), key
    lines = {key: round(middles[key][0]) for key in order}
    assert lines["x", 0, 5] == lines["x", 0, 6] == lines["x", 0, 10] < lines["x", 1, 2] == lines["x", 1, 7]
    assert lines["x", 1, 7] < lines["y", 0, 0] == lines["y", 0, 1]
    assert middles["x", 0, 5][1] < middles["x", 0, 6][1] < middles["x", 0, 10][1]
    assert middles["x", 1, 2][1] < middles["x", 1, 7][1]
    # A frame around each crop, another colour for each track.
    top, left = places(sheet, images["x", 0, 5]).min(0)
    other_top, other_left = places(sheet, images["x", 1, 2]).min(0)
    pixels = np.asarray(sheet)
    assert tuple(pixels[top - 2, left + 9]) != tuple(pixels[other_top - 2, other_left + 9]) != PAPER
    # Something is written below each.
    for bottom, middle in (places(sheet, colour).max(0) - (0, TILE // 2) for colour in COLOURS):
        assert (pixels[bottom + 6 : bottom + 34, middle - 60 : middle + 60].min(2) < 80).sum() > 50


def test_landmarks_are_dots_where_they_belong(tmp_path):
    store = make_store(tmp_path, [crop("x")])
    blocks = choose(store, ["x"])
    assert len(places(draw(store, blocks), DOT, 0)) == 0
    sheet = draw(store, blocks, landmarks=True)
    top, left = places(draw(store, blocks), (200, 100, 50)).min(0)
    dots = places(sheet, DOT, 0)
    wanted = (np.array(LANDMARKS).reshape(5, 2) + 0.5) * TILE / 64
    nearest = np.linalg.norm((dots - [top, left])[:, None, ::-1] - wanted[None], axis=2)
    assert nearest.min(1).max() < 4
    assert (np.bincount(nearest.argmin(1), minlength=5) > 8).all()


def test_a_file_without_a_crop_is_a_grey_tile(store):
    sheet = draw(store, choose(store, ["c"]), words={"unreadable": "damaged, or of a kind that is not read"})
    grey = places(sheet, BLANK, 0)
    assert 0.8 * TILE**2 < len(grey) < TILE**2
    plain = draw(store, choose(store, ["c"]))
    assert len(places(plain, BLANK, 0)) > len(grey)  # the meaning of the reason is written there


def test_a_damaged_crop_hides_no_other(tmp_path):
    good = coloured(COLOURS[0])
    rows = [crop("x", 0, image=good), crop("x", 1, image=good[: len(good) // 2]), crop("x", 2, image=b"no picture")]
    store = make_store(tmp_path, rows)
    sheet = draw(store, choose(store, ["x"]), landmarks=True)
    assert len(places(sheet, COLOURS[0])) > 0.95 * TILE**2
    assert len(places(sheet, BLANK, 0)) > TILE**2


def test_cells_may_be_null(tmp_path):
    store = make_store(tmp_path, [crop("x", 0, time_s=None, confidence=None), crop("x", 1, track=None)])
    (block,) = choose(store, ["x"])
    assert [strip.track for strip in block.strips] == [0, None]
    assert draw(store, [block]).size[1] > 2 * TILE


@pytest.mark.parametrize("name", ["ü" * 500, "中文 файл", "x" * 5000, "a\nb\x00", "<b>&\\n"])
def test_any_id_can_be_written(name, tmp_path):
    store = make_store(tmp_path, [crop(name)])
    sheet = draw(store, choose(store, [name]))
    rim = np.asarray(sheet)[:, -15:]
    assert (rim == PAPER).all()


@pytest.mark.parametrize(
    ("ids", "name"),
    [
        (["a.mp4"], "a.mp4.png"),
        (["real/a b.mp4"], "real_a_b.mp4.png"),
        (["../../etc/passwd"], "_.._etc_passwd.png"),
        (["/abs/x.png"], "_abs_x.png.png"),
        (["C:\\x"], "C_x.png"),
        (["--out"], "out.png"),
        ([".hidden"], "hidden.png"),
        (["..."], "faces.png"),
        (["<b>"], "_b_.png"),
        (["中文/файл ü"], "中文_файл_ü.png"),
        (["a\0\nb"], "a_b.png"),
        (["a", "b", "c"], "a_and_2_more.png"),
    ],
)
def test_file_names(ids, name):
    assert file_name(ids) == name


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_file_names_are_safe(name):
    made = file_name([name])
    assert "/" not in made
    assert "\\" not in made
    assert made[0] not in ".-"
    assert made.endswith(".png")
    assert len(made.encode()) < 200
