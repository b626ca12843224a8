"""Scoring: by one worker at a time, once, whatever is lost; and again, as a whole, where the key is corrected."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
import yaml
from sqlalchemy import select

import unmask.host.scoring
from tests.challenge.conftest import answers_of
from unmask.challenge.submission import score_submission
from unmask.host.place import set_up
from unmask.host.records import Score, Scoring, Submission
from unmask.host.refusals import RefusedError
from unmask.host.scoring import (
    LEASE,
    LOSSES,
    begin,
    claim,
    compute,
    current,
    finish,
    give_up,
    mark_of,
    release,
    renew,
    waiting,
)
from unmask.host.worker import Worker
from unmask.tables.errors import UnmaskError
from unmask.tables.hashing import sha256


def take(place, submission_id):
    return claim(place.database, place.host.challenge.definition, submission_id, place.clock())


def state(place, submission_id):
    with place.database.reading() as session:
        return session.get(Submission, submission_id)


def scores(place):
    with place.database.reading() as session:
        found = session.scalars(select(Score)).all()
        return {(each.submission_id, each.scoring_id, each.part): mark_of(each) for each in found}


def wait_list(place):
    with place.database.reading() as session:
        return waiting(session, place.clock())


def test_numbers_are_those_of_the_offline_scorer(place, tmp_path):
    made = place.submit(place.team())
    assert place.score(made.id)
    answers_of(0.3).write_csv(tmp_path / "same.csv")
    found = scores(place)
    assert set(found) == {(made.id, 1, "public"), (made.id, 1, "private")}
    for part in ("public", "private"):
        card = score_submission(place.host.challenge.folder, tmp_path / "same.csv", usage=part)
        auc = card.metrics["roc_auc"]
        mark = found[made.id, 1, part]
        assert mark.values == (auc.value,)
        assert mark.replicates.shape == (1, 1000)
        assert abs(np.median(mark.replicates) - auc.value) < auc.high - auc.low


def test_two_workers_cannot_have_the_same(place):
    made = place.submit(place.team())
    assert take(place, made.id) is not None
    assert take(place, made.id) is None
    assert wait_list(place) == []


def test_what_a_lost_worker_held_is_another_s_and_counts_once(place):
    made = place.submit(place.team())
    lost = take(place, made.id)
    marks = compute(place.host.challenge, place.host.files, lost.stored)
    place.clock.turn(seconds=LEASE.total_seconds() - 1)
    renew(place.database, lost, place.clock())
    place.clock.turn(seconds=LEASE.total_seconds() - 1)
    assert take(place, made.id) is None
    place.clock.turn(seconds=1)
    assert wait_list(place) == [made.id]
    other = take(place, made.id)
    assert other.number == lost.number + 1
    assert not finish(place.database, lost, marks, place.clock())  # it comes back after all
    give_up(place.database, lost, "too late", place.clock())
    assert state(place, made.id).state == "running"
    assert finish(place.database, other, marks, place.clock())
    assert not finish(place.database, other, marks, place.clock())
    assert len(scores(place)) == 2
    assert state(place, made.id).state == "scored"
    assert take(place, made.id) is None


def test_a_file_that_kills_its_workers_is_given_up_and_says_so(place):
    made = place.submit(place.team())
    for _ in range(LOSSES):
        held = take(place, made.id)
        assert held is not None
        release(place.database, held, place.clock())
    assert take(place, made.id) is None
    found = state(place, made.id)
    assert found.state == "failed"
    assert f"{LOSSES} times" in found.error
    assert wait_list(place) == []


def corrected(folder):
    """Turn some labels of the key round, as an organizer would who found them wrong."""
    answers = pl.read_csv(folder / "answers.csv", infer_schema=False)
    turned = answers.with_columns(
        label=pl.when(pl.int_range(pl.len()) < 12)
        .then(1 - pl.col("label").cast(int))
        .otherwise(pl.col("label").cast(int))
    )
    turned.write_csv(folder / "answers.csv")
    written = yaml.safe_load((folder / "challenge.yaml").read_text())
    written["sha256"] = sha256(folder / "answers.csv")
    (folder / "challenge.yaml").write_text(yaml.safe_dump(written))


def test_a_failed_file_can_be_sent_again(place):
    account = place.team()
    made = place.submit(account)
    give_up(place.database, take(place, made.id), "why", place.clock())
    again = place.submit(account)
    assert again.id == made.id
    assert place.score(again.id)
    found = state(place, made.id)
    assert (found.state, found.error) == ("scored", None)
    with pytest.raises(RefusedError, match="sent this very file"):
        place.submit(account)


def test_nothing_is_scored_while_the_key_is_being_changed(place):
    account, folder = place.team(), place.host.challenge.folder
    made = place.submit(account)
    answers = (folder / "answers.csv").read_bytes()
    (folder / "answers.csv").write_bytes(answers.replace(b",1,", b",0,", 1))
    worker = Worker(place.host)
    try:
        worker.score(made.id)
        assert state(place, made.id).state == "queued"
        assert paused(place)
        assert "SHA-256" in place.host.fault
        (folder / "answers.csv").write_bytes(answers)
        assert not paused(place)
        worker.score(made.id)
    finally:
        worker.end()
    assert state(place, made.id).state == "scored"


def paused(place):
    with place.database.reading() as session:
        return place.host.is_paused(session)


def test_a_file_that_answers_the_challenge_no_more_fails_alone(place):
    """Of the new key an id was left out: what was sent for it all fails by name, and the worker goes on."""
    account, folder = place.team(), place.host.challenge.folder
    old = [place.submit(account, seed=seed) for seed in range(2)]
    place.score_all()
    drop_first(folder)
    with place.database.writing() as session:
        begin(session, place.clock(), place.host.challenge, "organizer", "a clip was withdrawn")
    left = place.host.challenge.ids
    new = place.submit(account, answers_of(0.3, 7).filter(pl.col("id").is_in(left)))
    worker = Worker(place.host)
    try:
        for each in [*old, new]:
            worker.score(each.id)
    finally:
        worker.end()
    assert [state(place, each.id).state for each in [*old, new]] == ["failed", "failed", "scored"]
    assert "is not asked for" in state(place, old[0].id).error


def drop_first(folder):
    for name in ("answers.csv", "sample_submission.csv"):
        lines = (folder / name).read_text().splitlines(keepends=True)
        (folder / name).write_text("".join([lines[0], *lines[2:]]))
    written = yaml.safe_load((folder / "challenge.yaml").read_text())
    written["sha256"] = sha256(folder / "answers.csv")
    (folder / "challenge.yaml").write_text(yaml.safe_dump(written))


def test_another_scorer_needs_another_scoring(place, monkeypatch):
    monkeypatch.setattr(unmask.host.scoring, "SCORER", 2)
    assert paused(place)
    with pytest.raises(UnmaskError, match="is not what the board was scored with"):
        set_up(place.host)
    set_up(place.host, rescore="a better scorer")
    assert not paused(place)


def test_a_corrected_key_scores_everything_again_and_the_old_numbers_stay(place):
    account = place.team()
    numbers = [place.submit(account, seed=seed).id for seed in range(3)]
    place.score_all()
    before = scores(place)
    failed = place.submit(account, seed=4)
    give_up(place.database, take(place, failed.id), "why", place.clock())
    corrected(place.host.challenge.folder)
    with place.database.writing() as session:
        assert begin(session, place.clock(), place.host.challenge, "organizer", "12 labels were wrong").id == 2
    assert wait_list(place) == [*numbers, failed.id]  # what failed may go well now
    assert all(place.score(number) for number in [*numbers, failed.id])
    after = scores(place)
    assert {key: after[key].values for key in before} == {key: mark.values for key, mark in before.items()}
    assert any(after[number, 2, "public"].values != after[number, 1, "public"].values for number in numbers)


def test_nothing_is_scored_by_another_key_than_its_scoring_names(place):
    made = place.submit(place.team())
    corrected(place.host.challenge.folder)
    assert take(place, made.id) is None  # it waits
    assert state(place, made.id).state == "queued"
    with pytest.raises(UnmaskError, match="not what the board was scored with"):
        set_up(place.host)
    set_up(place.host, rescore="labels were wrong")
    assert place.score(made.id)


def test_a_run_that_a_rescore_overtook_counts_for_nothing(place):
    made = place.submit(place.team())
    held = take(place, made.id)
    marks = compute(place.host.challenge, place.host.files, held.stored)
    with place.database.writing() as session:
        begin(session, place.clock(), place.host.challenge, "organizer", "again")
    assert not finish(place.database, held, marks, place.clock())
    assert wait_list(place) == [made.id]
    assert place.score(made.id)
    assert {key[1] for key in scores(place)} == {2}


def test_setting_up_twice_changes_nothing(place):
    assert place.organizer.startswith("um_")
    assert set_up(place.host) is None
    with place.database.reading() as session:
        assert [each.id for each in session.scalars(select(Scoring))] == [current(session).id]
    place.clock.turn(seconds=timedelta(days=400).total_seconds())
    assert set_up(place.host) is None
