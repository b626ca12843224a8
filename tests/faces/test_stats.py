"""The numbers of a store, against an independent count over its rows."""

from __future__ import annotations

import json
import math
import statistics
import tracemalloc
from collections import Counter, defaultdict

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from tests.fakes.stores import SETTINGS, crop, make_store, without
from unmask.faces.coverage import wilson
from unmask.faces.crop import square
from unmask.faces.face import Face
from unmask.faces.stats import SHOWN, Spread, files_of, measure, open_edges
from unmask.faces.store import FaceStore
from unmask.tables.errors import StoreError

QUANTILES = {"least": 0, "q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95, "most": 1}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Eighty files in shards of any length, some in two of them, one shard without a row."""
    random = np.random.default_rng(5)
    rows = []
    for number in range(80):
        name = f"f{number:02d}"
        if number % 9 == 0:
            rows.append(without(name, ["no_face", "unreadable", None][number // 9 % 3]))
            continue
        for track in range(1 + number % 4 // 2 + number % 16 // 15):
            for frame in range(1 + int(random.integers(6))):
                face, sure = random.lognormal(4, 0.6), float(random.integers(50, 101)) / 100
                image = bytes(int(random.integers(1, 900)))
                twin = "twin.mp4" if number % 10 == 1 else None
                further = {"confidence": sure, "image": image, "boxes_from": twin, "time_s": None}
                rows.append(crop(name, frame, track, face=face, **further))
    rows.append(crop("only track 1", 0, 1))
    rows.append(crop("no numbers", box=None, confidence=None))
    return make_store(tmp_path_factory.mktemp("s") / "store", rows[:3], [], rows[3:150], rows[150:])


@pytest.fixture(scope="module")
def rows(store):
    return store.table.to_pylist()


@pytest.fixture(scope="module")
def found(store):
    return measure(store)


def longer(row):
    left, top, right, bottom = row["box"]
    return max(right - left, bottom - top)


def check_spread(spread, values):
    assert spread.n == len(values)
    told = {name: getattr(spread, name) for name in QUANTILES}
    wanted = {name: np.percentile(np.array(values, dtype=np.float64), 100 * q) for name, q in QUANTILES.items()}
    assert told == pytest.approx(wanted, rel=1e-6)
    assert told["median"] == pytest.approx(statistics.median(values), rel=1e-6)


def test_files_and_why_some_have_no_crop(found, rows):
    held = {row["id"] for row in rows if row["image"] is not None}
    bare = {row["id"]: row["reason"] or "not_stated" for row in rows if row["id"] not in held}
    assert found.files == len({row["id"] for row in rows}) == len(held) + found.without
    assert found.without == len(bare)
    assert found.reasons == Counter(bare.values())
    assert list(found.reasons.values()) == sorted(found.reasons.values(), reverse=True)
    assert set(found.reasons) == {"no_face", "unreadable", "not_stated"}
    assert found.borrowed == sum(row["boxes_from"] is not None for row in rows) > 0


def test_crops_and_tracks_of_each_file(found, rows):
    crops, firsts, tracks = Counter(), Counter(), defaultdict(set)
    for row in rows:
        if row["image"] is not None:
            crops[row["id"]] += 1
            firsts[row["id"]] += row["track"] == 0
            tracks[row["id"]].add(row["track"])
    assert found.crops == crops.total()
    assert found.tracks_per_file == Counter(map(len, tracks.values()))
    assert len(found.tracks_per_file) == 3
    assert found.several
    check_spread(found.crops_per_file, list(crops.values()))
    check_spread(found.first_per_file, list(firsts.values()))


def test_sizes_of_faces(found, rows):
    having = [row for row in rows if row["box"] is not None]
    assert len(having) == found.crops - 1
    check_spread(found.side.all, [longer(row) for row in having])
    check_spread(found.side.first, [longer(row) for row in having if row["track"] == 0])
    enlarged = [
        square(Face(np.array(row["box"], dtype=np.float64), np.zeros((5, 2)), 1), SETTINGS.crop.margin)[2]
        < SETTINGS.crop.size
        for row in having
    ]
    assert found.enlarged == sum(enlarged)
    assert 0 < found.enlarged < len(having)
    assert found.enlarged_first == sum(small for small, row in zip(enlarged, having, strict=True) if row["track"] == 0)
    assert found.enlarged_below == pytest.approx(51.2)
    assert found.enlarged_exact


def test_confidence_and_bytes(found, rows):
    having = [row for row in rows if row["confidence"] is not None]
    check_spread(found.confidence.all, [row["confidence"] for row in having])
    check_spread(found.confidence.first, [row["confidence"] for row in having if row["track"] == 0])
    sizes = [len(row["image"]) for row in rows if row["image"] is not None]
    check_spread(found.bytes_per_crop, sizes)
    assert found.total_bytes == sum(sizes)


@pytest.mark.parametrize(("name", "cell"), [("side", longer), ("confidence", lambda row: row["confidence"])])
def test_histograms_count_every_crop_once(found, rows, name, cell):
    measured = getattr(found, name)
    edges = measured.histogram.edges
    for counts, others in ((measured.histogram.first, False), (measured.histogram.others, True)):
        values = [cell(row) for row in rows if row["confidence"] is not None and (row["track"] != 0) == others]
        wanted = [
            sum(low <= value < high or (last and value == high) for value in values)
            for low, high, last in zip(edges, edges[1:], [*[False] * (len(edges) - 2), True], strict=False)
        ]
        assert list(counts) == wanted
    assert sum(measured.histogram.first) + sum(measured.histogram.others) == measured.all.n


@pytest.mark.parametrize(("name", "cell"), [("least_sure", lambda row: row["confidence"]), ("smallest", longer)])
def test_what_is_worth_a_look(found, rows, name, cell):
    having = [(cell(row), number) for number, row in enumerate(rows) if row["confidence"] is not None]
    told = getattr(found, name)
    assert [one.row for one in told] == [number for _, number in sorted(having)[:SHOWN]]
    for one in told:
        row = rows[one.row]
        cells = row["id"], row["frame"], row["track"], row["time_s"], row["confidence"]
        assert (one.id, one.frame, one.track, one.time_s, one.confidence) == cells
        assert one.side == pytest.approx(longer(row))


def test_as_json(found):
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["format"] == 1
    assert told["settings"] == SETTINGS.to_dict()
    assert told["without"] == sum(told["reasons"].values())
    assert sum(told["tracks_per_file"].values()) == told["files"] - told["without"]
    assert told["coverage"] is None


def test_a_real_store(prepared):
    store = FaceStore(prepared.store)
    found = measure(store, prepared.rows())
    assert (found.files, found.reasons, found.several) == (40, {"no_face": 1}, False)
    assert found.crops == sum(row["image"] is not None for row in store.table.to_pylist())
    assert found.coverage is not None
    groups = {group.name: (group.without, group.files) for group in found.coverage.groups["method"]}
    assert groups == {"real": (1, 15), "self_blend": (0, 11), "swap_alpha": (0, 14)}


@pytest.mark.parametrize("shards", [([],), ([], []), ([without("a"), without("b", "missing")],)])
def test_a_store_without_a_crop(shards, tmp_path):
    found = measure(make_store(tmp_path, *shards))
    assert (found.files, found.crops, found.without) == (len(shards[0]), 0, len(shards[0]))
    assert found.side.all == found.confidence.first == found.bytes_per_crop == Spread(0)
    assert (found.least_sure, found.enlarged, found.total_bytes, found.several) == ((), 0, 0, False)
    json.dumps(found.to_dict(), allow_nan=False)


def test_numbers_that_are_none_are_left_out(tmp_path):
    boxes = [[0, 0, math.nan, 1], [0, 0, math.inf, 1], [0, 0, 3e38, 1], [0, 0, 7, 5]]
    rows = [crop("a", number, box=box, confidence=math.nan) for number, box in enumerate(boxes)]
    found = measure(make_store(tmp_path, rows))
    assert (found.crops, found.side.all.n, found.side.all.least) == (4, 2, 7)
    assert found.confidence.all == Spread(0)
    json.dumps(found.to_dict(), allow_nan=False)


def test_confidence_beyond_its_range_is_counted_at_its_ends(tmp_path):
    rows = [crop("a", number, confidence=sure) for number, sure in enumerate((-3, 0.5, 7, 7))]
    histogram = measure(make_store(tmp_path, rows)).confidence.histogram
    assert (histogram.first[0], histogram.first[10], histogram.first[-1], sum(histogram.first)) == (1, 1, 2, 4)


def test_what_stands_in_the_row_of_a_file_without_a_crop_is_not_counted(tmp_path):
    bare = without("b", "no_face") | {"track": 2, "box": [0.0, 0, 9, 9], "confidence": 0.1}
    store = make_store(tmp_path, [crop("a"), crop("a", 1, 1), bare, without("a", "unreadable")])
    assert files_of(store.table).rows() == [("a", 2, 1, 2, None), ("b", 0, 0, 0, "no_face")]
    found = measure(store)
    assert found.tracks_per_file == {2: 1}
    assert found.side.all.n == found.confidence.all.n == 2


def test_one_file_in_two_shards_is_one_file(tmp_path):
    found = measure(make_store(tmp_path, [crop("a", 0)], [without("a", "no_face"), crop("a", 1)]))
    assert (found.files, found.without, found.crops) == (1, 0, 2)


@given(st.lists(st.floats(0, 1e6, width=32), max_size=50))
def test_edges_are_few_round_and_reach_everything(values):
    edges = open_edges(np.array(values, dtype=np.float32))
    assert edges[0] == 0
    assert edges[-1] >= max(values, default=0)
    assert 2 <= len(edges) <= 22
    steps = np.diff(edges)
    assert (steps > 0).all()
    assert len(set(steps[:-1])) <= 1
    assert str(int(steps[0]))[0] in "125"


def test_pictures_stay_on_the_disk(tmp_path):
    rows = [crop("a", number, image=bytes(10_000_000)) for number in range(4)]
    store = make_store(tmp_path, rows[:2], rows[2:])
    usual = pa.default_memory_pool()
    pool = pa.proxy_memory_pool(usual)
    pa.set_memory_pool(pool)
    tracemalloc.start()
    try:
        assert measure(store).total_bytes == 40_000_000
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(usual)
    assert pool.max_memory() < 1_000_000


@pytest.mark.parametrize(("count", "total"), [(0, 1), (1, 1), (0, 40), (3, 40), (40, 40), (70, 1000)])
def test_intervals_against_scipy(count, total):
    wanted = binomtest(count, total).proportion_ci(0.95, method="wilson")
    assert wilson(count, total) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def manifest(rows):
    """A manifest of (id, label, split, method)."""
    columns = {"id": pl.String, "label": pl.Int8, "split": pl.String, "method": pl.String}
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(media=pl.lit("video"))


@pytest.fixture
def covered(tmp_path):
    """A store and its manifest: two files of it are unknown, three of the manifest's not prepared, one is sound."""
    listed, shards = [], []
    for number in range(60):
        label = [0, 1, 1, None][number % 4]
        method = [None, "swap", "blend" if number % 8 == 2 else None, None][number % 4]
        name = f"n{number}"
        listed.append((name, label, ["train", "test", "validation"][number % 3], method))
        if number >= 57:
            continue
        bad = number % (3 if label else 7) == 0
        shards.append([without(name, "no_face" if number % 2 else "unreadable") if bad else crop(name)])
    shards.append([crop("stranger"), without("foreigner")])
    sound = manifest([("n.wav", 1, "train", "voice")]).with_columns(media=pl.lit("audio"))
    return make_store(tmp_path / "store", *shards), pl.concat([manifest(listed), sound])


def test_shares_by_label_split_and_method(covered):
    store, listed = covered
    coverage = measure(store, listed).coverage
    assert coverage is not None
    rows = {row["id"]: row for row in store.table.to_pylist()}
    assert (coverage.files, coverage.not_prepared, coverage.unknown) == (60, 3, 2)
    label = {0: "real", 1: "fake", None: "without a label"}
    other = {0: "real", 1: "fake, method not stated", None: "without a label"}
    key = {
        "label": lambda row: label[row["label"]],
        "split": lambda row: row["split"],
        "method": lambda row: row["method"] or other[row["label"]],
    }
    assert list(coverage.groups) == list(key)
    for column, groups in coverage.groups.items():
        wanted = defaultdict(lambda: {"files": 0, "without": 0, "reasons": Counter(), "not_prepared": 0})
        for row in listed.to_dicts():
            if row["media"] == "audio":
                continue
            group = wanted[key[column](row)]
            if row["id"] not in rows:
                group["not_prepared"] += 1
                continue
            group["files"] += 1
            if rows[row["id"]]["image"] is None:
                group["without"] += 1
                group["reasons"][rows[row["id"]]["reason"]] += 1
        told = {
            group.name: {
                "files": group.files, "without": group.without, "reasons": group.reasons,
                "not_prepared": group.not_prepared,
            }
            for group in groups
        }  # fmt: skip
        assert told == wanted
        shares = [group.without / group.files for group in groups]
        assert shares == sorted(shares, reverse=True)
        assert [group.share for group in groups] == shares
        assert all(group.low < group.share < group.high or group.share in (0, 1) for group in groups)
    json.dumps(coverage.to_dict(), allow_nan=False)


def test_a_manifest_without_methods(covered):
    store, listed = covered
    coverage = measure(store, listed.drop("method")).coverage
    assert coverage is not None
    assert set(coverage.groups) == {"label", "split"}


def test_a_group_of_which_nothing_is_prepared_stands_last(tmp_path):
    store = make_store(tmp_path, [crop("a"), without("b")])
    listed = manifest([("a", 0, "train", None), ("b", 0, "validation", None), ("c", 1, "test", "swap")])
    coverage = measure(store, listed).coverage
    assert coverage is not None
    assert [group.name for group in coverage.groups["split"]] == ["validation", "train", "test"]
    last = coverage.groups["label"][-1]
    assert (last.name, last.share, last.low, last.not_prepared) == ("fake", None, None, 1)
    assert coverage.warning is None


@pytest.mark.parametrize(
    ("fakes", "reals", "warned"),
    [
        ((30, 100), (3, 100), True),
        ((3, 100), (30, 100), True),
        ((6, 100), (3, 100), False),
        ((3, 4), (0, 4), False),
        ((0, 100), (0, 100), False),
        ((250, 25_000), (20, 25_000), False),
        ((350, 25_000), (20, 25_000), True),
    ],
)
def test_a_warning_where_one_class_is_seen_less(fakes, reals, warned, tmp_path):
    rows, listed = [], []
    for label, (bare, total) in enumerate((reals, fakes)):
        for number in range(total):
            name = f"{label}/{number}"
            image = {} if number < bare else {"image": b"never decoded"}
            rows.append({"id": name, "reason": None if image else "no_face", "track": 0} | image)
            listed.append((name, label, "train", None))
    coverage = measure(make_store(tmp_path, rows), manifest(listed)).coverage
    assert coverage is not None
    assert (coverage.warning is not None) == warned
    if warned:
        fake, real = (100 * bare / total for bare, total in (fakes, reals))
        assert f"{fake:.1f} % of the fakes and {real:.1f} % of the reals have no face" in coverage.warning


def test_a_foreign_manifest_is_refused(tmp_path):
    store = make_store(tmp_path, [crop("a")])
    for listed in (manifest([("b", 0, "train", None)]), manifest([])):
        with pytest.raises(StoreError, match="holds none of the manifest's files") as caught:
            measure(store, listed)
        assert caught.value.where == str(tmp_path)
