"""Holm against the closed test that it is a shortcut of; tiers against a literal transcription."""

from itertools import combinations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from unmask.scoring.comparison.tiers import holm, needed_replicates, tiers

SHARES = st.sampled_from([0.001, 0.004, 0.01, 0.02, 0.03, 0.05, 0.2, 0.5, 1.0])


@given(st.lists(SHARES, min_size=1, max_size=7))
@settings(max_examples=150)
def test_holm_is_the_closed_bonferroni_test(p):
    """A hypothesis falls if every set of hypotheses that it belongs to does: m times the smallest p of the m."""
    numbers = range(len(p))
    sets = [chosen for size in range(1, len(p) + 1) for chosen in combinations(numbers, size)]
    for number, found in zip(numbers, holm(np.array(p)), strict=True):
        worst = max(len(chosen) * min(p[i] for i in chosen) for chosen in sets if number in chosen)
        assert found == pytest.approx(min(worst, 1.0))


def literal(p, alpha):
    left, found, tier = list(range(len(p))), {}, 0
    while left:
        tier += 1
        first, others = left[0], left[1:]
        found[first] = tier
        still_rejecting = True
        for turn, other in enumerate(sorted(others, key=lambda other: p[first][other])):
            still_rejecting = still_rejecting and p[first][other] * (len(others) - turn) <= alpha
            if not still_rejecting:
                found[other] = tier
        left = [system for system in left if system not in found]
    return [found[system] for system in range(len(p))]


@given(st.integers(0, 10_000), st.integers(1, 9))
@settings(max_examples=150)
def test_tiers_against_a_literal_transcription(seed, systems):
    p = np.random.default_rng(seed).random((systems, systems)) ** 4
    p = np.minimum(p, p.T)
    found = tiers(p, 0.05).tolist()
    assert found == literal(p.tolist(), 0.05)
    assert found[0] == 1
    assert sorted(set(found)) == list(range(1, max(found) + 1))


def test_a_pair_without_p_is_not_told_apart():
    p = np.array([[1.0, np.nan, 0.001], [np.nan, 1.0, 0.001], [0.001, 0.001, 1.0]])
    assert tiers(p, 0.05).tolist() == [1, 1, 2]


@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.1])
@pytest.mark.parametrize("systems", [2, 3, 10, 51, 100])
def test_needed_replicates_are_the_fewest_that_can_tell_all_apart(systems, alpha):
    def apart(replicates):
        p = np.full((systems, systems), 1 / (replicates + 1))
        return tiers(p, alpha).tolist() == list(range(1, systems + 1))

    needed = needed_replicates(systems, alpha)
    assert apart(needed)
    assert not apart(needed - 1)
