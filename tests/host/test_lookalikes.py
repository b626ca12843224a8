"""Near copies between teams are told, however they were disguised; good detectors that merely agree are not."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr

from tests.challenge.conftest import answers_of, make_manifest
from unmask.host.lookalikes import EACH, LEAST, find_lookalikes

DISGUISES = {
    "squashed": lambda scores, noise: 0.1 + 0.5 * scores**2,
    "rounded": lambda scores, noise: np.round(scores, 2),
    "blurred": lambda scores, noise: np.clip(scores + 0.005 * noise, 0, 1),
}


@pytest.fixture
def found(changed):
    """What is told of files that teams send: (team, scores) -> look-alikes."""
    place = changed("limits: {daily: 20}")
    teams = {}

    def look(*sent):
        for name, frame in sent:
            teams[name] = teams.get(name) or place.team(name)
            place.submit(teams[name], frame)
        assert all(place.score_all())
        with place.database.reading() as session:
            pairs = find_lookalikes(session)
            return [
                (*sorted((pair.one.team.name, pair.other.team.name)), (pair.same_bytes, pair.correlation, pair.one.id))
                for pair in pairs
            ]

    return look


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_disguised_copy_is_told(found, disguise):
    original = answers_of(0.3, 1)
    scores, noise = original["score"].to_numpy(), np.random.default_rng(2).standard_normal(120)
    copy = DISGUISES[disguise](scores, noise)
    told = found(("Alpha", original), ("Beta", original.with_columns(score=copy)), ("Gamma", answers_of(0.3, 9)))
    assert [each[:2] for each in told] == [("Alpha", "Beta")]
    same_bytes, correlation, number = told[0][2]
    assert not same_bytes
    assert correlation == pytest.approx(spearmanr(scores, copy).statistic, abs=1e-6)
    assert number == 1


def test_the_same_file_is_told_though_it_says_the_same_of_all(found):
    constant = answers_of(0.3).with_columns(score=pl.lit(0.5))
    told = found(("Alpha", constant), ("Beta", constant), ("Gamma", answers_of(0.3)))
    assert [(one, other, rest[:2]) for one, other, rest in told] == [("Alpha", "Beta", (True, None))]


def test_the_same_file_comes_first_and_with_its_correlation(found):
    blurred = answers_of(0.2, 1)
    scores = np.clip(blurred["score"].to_numpy() + 0.004 * np.random.default_rng(0).standard_normal(120), 0, 1)
    told = found(
        ("Alpha", blurred), ("Beta", blurred.with_columns(score=scores)),
        ("Gamma", answers_of(0.3, 7)), ("Delta", answers_of(0.3, 7)),
    )  # fmt: skip
    assert [each[:2] for each in told] == [("Delta", "Gamma"), ("Alpha", "Beta")]
    assert told[0][2][:2] == (True, pytest.approx(1.0, abs=1e-6))


def test_good_detectors_that_agree_are_not_told(found):
    # Both find nearly every fake; among the fakes and among the reals their order is their own.
    sent = []
    for seed, name in enumerate(("Alpha", "Beta", "Gamma")):
        rng = np.random.default_rng(seed)
        labels = make_manifest()["label"].to_numpy()
        scores = 0.9 * labels + 0.1 * rng.random(120)
        sent.append((name, make_manifest().select("id").with_columns(score=pl.Series(scores))))
    correlation = spearmanr(sent[0][1]["score"], sent[1][1]["score"]).statistic
    assert 0.5 < correlation < LEAST
    assert found(*sent) == []


def test_copies_within_a_team_are_its_own_affair(found):
    frame = answers_of(0.3, 1)
    assert found(("Alpha", frame), ("Alpha", frame.with_columns(score=pl.col("score") / 2))) == []


def test_of_many_submissions_the_last_are_compared_and_all_by_bytes(found):
    old = answers_of(0.3, 1)
    others = [("Alpha", answers_of(0.3, 100 + seed)) for seed in range(EACH)]
    near = old.with_columns(score=pl.col("score") / 2)
    assert found(("Alpha", old), *others, ("Beta", near)) == []
    told = found(("Gamma", old))
    # Gamma's file has the bytes of Alpha's old one, and the ranks of Beta's.
    assert [each[:2] for each in told] == [("Alpha", "Gamma"), ("Beta", "Gamma")]
    assert [rest[0] for *_, rest in told] == [True, False]


def test_nothing_is_told_of_nothing(found):
    assert found() == []
