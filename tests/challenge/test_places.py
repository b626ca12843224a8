"""Places: what is shown decides, tie-breakers part what is the same, tiers and intervals are those of a comparison."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.challenge.create import create
from unmask.challenge.definition import Definition
from unmask.challenge.folder import open_challenge
from unmask.challenge.marks import Mark, Marker
from unmask.challenge.places import place
from unmask.challenge.submission import read_submission
from unmask.scoring.comparison import compare

from .conftest import answers_of

DEFINITION = Definition("Toy", "roc_auc", "a.csv", "0" * 64, digits=2, tie_breakers=("log_loss",))


def bare(*values):
    """A mark without replicates."""
    return Mark(values, None if values[0] is not None else "one class", np.empty((len(values), 0)))


def test_scores_that_show_the_same_are_parted_by_the_tie_breaker_in_its_own_direction():
    found = place([bare(0.901, 0.5), bare(0.899, 0.4), bare(0.95, 0.9), bare(0.902, None)], DEFINITION, 0)
    assert [each.rank for each in found] == [3, 2, 1, 4]
    assert [each.score for each in found] == [0.9, 0.9, 0.95, 0.9]
    assert found[1].ties == (0.4,)


def test_what_shows_the_same_in_everything_shares_a_rank_and_the_next_is_left_out():
    found = place([bare(0.9, 0.4), bare(0.9, 0.4001), bare(0.8, 0.1), bare(None, None)], DEFINITION, 0)
    assert [each.rank for each in found] == [1, 1, 3, None]
    assert found[3].reason == "one class"
    assert found[3].score is None


numbers = st.one_of(st.none(), st.sampled_from([0.1, 0.2, 0.201, 0.3, 0.5]))


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.204, 0.3]), numbers, numbers), min_size=1, max_size=12))
def test_against_sorting_tuples(rows):
    definition = replace(DEFINITION, tie_breakers=("log_loss", "eer"))

    def key(row):
        return (-round(row[0], 2), *(np.inf if each is None else round(each, 2) for each in row[1:]))

    expected = [1 + sum(key(other) < key(row) for other in rows) for row in rows]
    assert [each.rank for each in place([bare(*row) for row in rows], definition, 0)] == expected


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
def test_one_by_one_gives_what_a_comparison_of_all_gives(tmp_path, manifest, metric):
    folder = create(tmp_path / "c", manifest, metric=metric).folder
    challenge = open_challenge(folder)
    challenge = replace(challenge, definition=replace(challenge.definition, digits=12, replicates=300))
    files = {}
    for team, quality in (("a", 0.9), ("b", 0.3), ("c", 0.28), ("d", 0.0)):
        answers_of(quality).write_csv(folder / f"{team}.csv")
        files[team] = folder / f"{team}.csv"
    marker = Marker(challenge, "private")
    marks = [marker.mark(read_submission(path, challenge.ids)) for path in files.values()]
    places = dict(zip(files, place(marks, challenge.definition, marker.fewest), strict=True))
    compared = compare(folder / "answers.csv", files, metric=metric, replicates=300, usage="private")
    for system in compared.systems:
        own = places[system.name]
        assert own.score == pytest.approx(system.value, abs=1e-11)
        assert (own.low, own.high) == pytest.approx((system.low, system.high), abs=1e-11)
        assert (own.rank, own.rank_low, own.rank_high, own.tier) == (
            system.rank, system.rank_low, system.rank_high, system.tier,
        )  # fmt: skip


def test_without_enough_replicates_there_are_no_tiers(challenge):
    opened = open_challenge(challenge)
    few = replace(opened, definition=replace(opened.definition, replicates=10))
    marker = Marker(few, "public")
    marks = [marker.mark(answers_of(quality)) for quality in (0.1, 0.9)]
    assert [each.tier for each in place(marks, few.definition, marker.fewest)] == [None, None]
    assert all(each.low is not None for each in place(marks, few.definition, marker.fewest))
