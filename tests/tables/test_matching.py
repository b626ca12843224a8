"""Positions of ids in other ids, compared with a dictionary."""

import hypothesis.strategies as st
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings

from unmask.tables.matching import positions

IDS = st.lists(
    st.one_of(st.sampled_from(["a", "b", "c", "aa", "", "é", "a" * 40, "a" * 39 + "b"]), st.text(max_size=3))
)


def text(values):
    return pl.Series(values, dtype=pl.String)


@settings(max_examples=500)
@given(ids=IDS, among=IDS)
def test_each_position_has_the_very_text(ids, among):
    found = positions(text(ids), text(among)).to_list()
    assert len(found) == len(ids)
    for name, place in zip(ids, found, strict=True):
        assert (among[place] == name) if place is not None else (name not in among)


@settings(max_examples=200)
@given(ids=IDS, among=st.lists(st.text(max_size=2), unique=True))
def test_of_different_ids_there_is_one_position(ids, among):
    known = {name: place for place, name in enumerate(among)}
    assert positions(text(ids), text(among)).to_list() == [known.get(name) for name in ids]


@pytest.mark.parametrize("repeats", [1, 3])
def test_many_ids_in_another_order(repeats):
    rng = np.random.default_rng(0)
    among = [f"clip-{n:06d}.mp4" for n in range(50_000)]
    places = rng.permutation(np.repeat(np.arange(len(among)), repeats))
    found = positions(text([among[place] for place in places]), text(among))
    assert found.dtype == pl.UInt32
    assert found.to_list() == places.tolist()
    others = positions(text([among[place] + "x" for place in places[:9]]), text(among))
    assert others.to_list() == [None] * 9
