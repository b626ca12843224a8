"""Frame scores to video scores, against plain loops over Python lists."""

import math
from collections import Counter
from statistics import fmean, median

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.scoring.aggregation import AGGREGATIONS, aggregate, check_aggregation
from unmask.tables.errors import UnmaskError


def confident(scores: list[float]) -> float:
    """The DFDC winner's rule, literally."""
    fakes = [score for score in scores if score > 0.8]
    reals = [score for score in scores if score < 0.2]
    if len(fakes) > len(scores) // 2.5 and len(fakes) > 11:
        return fmean(fakes)
    if len(reals) > 0.9 * len(scores):
        return fmean(reals)
    return fmean(scores)


LITERALLY = {
    "mean": fmean,
    "median": median,
    "max": max,
    "top": lambda scores: fmean(sorted(scores)[-math.ceil(len(scores) / 10) :]),
    "confident": confident,
}

likely = st.floats(0, 1) | st.floats(0.79, 1) | st.floats(0, 0.21)
cells = st.tuples(likely, st.none()) | st.tuples(st.none(), st.sampled_from(["no_face", "too_dark"]))


def test_every_aggregation_is_tested():
    assert LITERALLY.keys() == AGGREGATIONS.keys()


@pytest.mark.parametrize("name", AGGREGATIONS)
@given(st.dictionaries(st.sampled_from(["a", "b/1", "c"]), st.lists(cells, min_size=1, max_size=80), min_size=1))
def test_against_plain_loops(name, videos):
    rows = [(id, frame, *cell) for id, found in videos.items() for frame, cell in enumerate(found)]
    schema = {"id": pl.String, "frame": pl.Int64, "score": pl.Float64, "reason": pl.String}
    found = aggregate(pl.DataFrame(rows, schema=schema, orient="row"), name)
    assert found.columns == ["id", "score", "reason"]
    assert sorted(found["id"]) == sorted(videos)
    for id, score, reason in found.iter_rows():
        scores = [score for score, _ in videos[id] if score is not None]
        if scores:
            assert score == pytest.approx(LITERALLY[name](scores), abs=1e-12)
            assert reason is None
        else:
            counts = Counter(reason for _, reason in videos[id])
            assert score is None
            assert reason == min(counts, key=lambda reason: (-counts[reason], reason))


def test_the_order_of_the_frames_changes_nothing():
    frames = pl.DataFrame({"id": ["a"] * 40, "frame": range(40), "score": [n / 40 for n in range(40)], "reason": None})
    frames = frames.with_columns(pl.col("reason").cast(pl.String))
    for name in AGGREGATIONS:
        one, other = (aggregate(rows, name)["score"][0] for rows in (frames, frames.sample(40, shuffle=True, seed=1)))
        assert one == pytest.approx(other, abs=1e-15)


def test_an_unknown_name():
    with pytest.raises(UnmaskError, match="mean, median, max, top, confident"):
        check_aggregation("sum")
