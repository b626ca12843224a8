"""Ranks in replicates against literal counts and scipy's Kendall tau."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats

from unmask.scoring.comparison.ranks import first_shares, mean_kendall_tau, rank_interval, rank_shares, ranks


def losses(systems=6, replicates=50, seed=0, values=4):
    return np.random.default_rng(seed).integers(0, values, (systems, replicates)).astype(float)


def test_ranks_against_a_literal_count():
    found = ranks(losses())
    for column in range(50):
        for system in range(6):
            assert found[system, column] == 1 + sum(losses()[:, column] < losses()[system, column])


@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(1, 30), st.integers(1, 6))
@settings(max_examples=80)
def test_who_is_first_and_who_has_which_rank(seed, systems, replicates, values):
    places = ranks(losses(systems, replicates, seed, values))
    first = first_shares(places)
    assert first.sum() == pytest.approx(1)
    for system in range(systems):
        parts = [1 / sum(column == 1) for column in places.T if column[system] == 1]
        assert first[system] == pytest.approx(sum(parts) / replicates)
        taken = rank_shares(places)[system]
        assert taken.tolist() == [np.mean(places[system] == rank) for rank in range(1, systems + 1)]


def test_a_rank_interval_is_made_of_ranks_that_were_taken_and_holds_the_rank():
    places = np.repeat([1, 2, 3, 9], [24, 900, 52, 24])
    assert rank_interval(2, places, 0.95) == (2, 3)
    assert rank_interval(2, places, 0.99) == (1, 9)
    assert rank_interval(5, places, 0.95) == (2, 5)
    assert rank_interval(1, places, 0.95) == (1, 3)


@given(st.integers(0, 10_000), st.integers(2, 7), st.integers(2, 6))
@settings(max_examples=80)
def test_kendall_against_scipy(seed, systems, values):
    places = ranks(losses(systems, 12, seed, values))
    rank = ranks(losses(systems, 1, seed + 1, values))[:, 0]
    found = mean_kendall_tau(rank, places)
    if len(set(rank.tolist())) == 1:
        assert found is None
    else:
        taus = [stats.kendalltau(rank, column).statistic for column in places.T]
        # Where all tie in a replicate scipy has no value; ours is that it says nothing.
        assert found == pytest.approx(np.mean(np.nan_to_num(taus)))
