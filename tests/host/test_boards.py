"""Boards: the numbers of the offline ranking, the Ladder, disqualified teams, final picks, the close."""

import base64
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi.testclient import TestClient
from sqlalchemy import select

from tests.challenge.conftest import answers_of
from unmask.challenge.ranking import rank
from unmask.challenge.rules import SHOWABLE
from unmask.host.boards import make_board, shown_scores
from unmask.host.finals import close, is_closed, pick, public_key, publish
from unmask.host.records import Snapshot, Team
from unmask.host.refusals import RefusedError
from unmask.host.scoring import PRIVATE, PUBLIC, begin, current, is_complete, standing
from unmask.host.web.app import create_app
from unmask.host.worker import Worker


def is_genuine(content, signature, key):
    """As anybody checks a snapshot who has the public key."""
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(base64.b64decode(signature), content.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


QUALITIES = {"Alpha": (0.1, 0.5, 0.3), "Beta": (0.4,), "Gamma": (0.02, 0.01)}


@pytest.fixture
def place(changed):
    """Without the Ladder, so that every number is shown."""
    return changed("ladder: false\n")


@pytest.fixture
def played(place):
    """Three teams, scored: name to account and submissions."""
    found = {}
    for team, qualities in QUALITIES.items():
        account = place.team(team)
        found[team] = account, [place.submit(account, quality=each, seed=3) for each in qualities]
    assert all(place.score_all())
    return found


def board(place, part=PUBLIC, track=""):
    with place.database.reading() as session:
        return make_board(session, place.host.challenge.definition, current(session), part, track)


def offline(place, part, chosen):
    folder = place.host.challenge.folder
    for team, quality in chosen.items():
        answers_of(quality, seed=3).write_csv(folder / "submissions" / f"{team}.csv")
    return {entry.team: entry for entry in rank(folder, usage=part).entries}


def choose(place, account, submission, *, picked=True):
    with place.database.writing() as session:
        pick(session, place.host.challenge.definition, account, submission.id, place.clock(), picked=picked)


def test_the_board_is_the_offline_ranking_of_each_team_s_best(place, played):
    found = board(place)
    expected = offline(place, PUBLIC, {"Alpha": 0.5, "Beta": 0.4, "Gamma": 0.02})
    assert {row.team for row in found.rows} == set(expected)
    for row in found.rows:
        own = expected[row.team]
        assert (row.place.rank, row.place.score, row.place.low, row.place.high, row.place.tier) == (
            own.rank, own.score, own.low, own.high, own.tier,
        )  # fmt: skip
        assert (row.place.rank_low, row.place.rank_high) == (own.rank_low, own.rank_high)
        assert row.entries == len(row.trend) == len(QUALITIES[row.team])
    json.dumps(found.as_dict(SHOWABLE), allow_nan=False)


def test_the_private_board_takes_final_picks_or_else_the_best_public_one(place, played):
    account, sent = played["Alpha"]
    choose(place, account, sent[0])
    expected = offline(place, PRIVATE, {"Alpha": 0.1, "Beta": 0.4, "Gamma": 0.02})
    assert {row.team: row.place.score for row in board(place, PRIVATE).rows} == {
        team: entry.score for team, entry in expected.items()
    }
    choose(place, account, sent[0], picked=False)
    choose(place, account, sent[1])
    assert {row.team: row.submission_id for row in board(place, PRIVATE).rows}["Alpha"] == sent[1].id


def test_picks_have_a_limit_and_belong_to_the_team(place, played):
    account, sent = played["Alpha"]
    choose(place, account, sent[0])
    choose(place, account, sent[0])
    choose(place, account, sent[1])
    with pytest.raises(RefusedError, match="2 final picks"):
        choose(place, account, sent[2])
    with pytest.raises(RefusedError, match="no submission"):
        choose(place, played["Beta"][0], sent[2])
    choose(place, account, sent[1], picked=False)
    choose(place, account, sent[2])


def test_a_disqualified_team_is_on_no_board_and_still_sees_its_own(place, played):
    with place.database.writing() as session:
        session.get(Team, played["Beta"][0].team_id).disqualified = place.clock()
    for part in (PUBLIC, PRIVATE):
        assert {row.team for row in board(place, part).rows} == {"Alpha", "Gamma"}
        assert [row.place.rank for row in board(place, part).rows] == [1, 2]
    with place.database.reading() as session:
        definition = place.host.challenge.definition
        assert len(shown_scores(session, definition, current(session), PUBLIC, team_id=played["Beta"][0].team_id)) == 1


def test_the_ladder_moves_only_for_what_is_more_than_chance(changed):
    place = changed("")
    account = place.team()
    for quality, seed in ((0.0, 5), (0.3, 0), (0.301, 0), (0.8, 1), (0.2, 2)):
        place.submit(account, quality=quality, seed=seed)
    place.score_all()
    with place.database.reading() as session:
        shown = shown_scores(session, place.host.challenge.definition, current(session), PUBLIC)
        assert [each.shows and each.shows.submission_id for each in shown] == [None, 2, 2, 4, 4]
    row = board(place).rows[0]
    assert row.trend[0] is None
    assert row.trend[1] == row.trend[2] < row.trend[3] == row.trend[4] == row.place.score


def test_a_team_that_is_not_better_than_chance_stands_with_what_says_nothing(changed):
    place = changed("limits: {daily: 9}\n")
    place.submit(place.team(), quality=0.0, seed=5)
    place.submit(place.team("Beta"), quality=0.9)
    place.score_all()
    first, last = board(place).rows
    assert (first.team, first.held_back) == ("Beta", False)
    assert (last.place.score, last.place.rank, last.held_back) == (0.5, 2, True)


def test_the_close_freezes_everything_and_is_signed(place, played):
    account, sent = played["Alpha"]
    definition = place.host.challenge.definition
    with place.database.writing() as session:
        close(session, place.clock(), "organizer")
    with pytest.raises(RefusedError, match="frozen"):
        choose(place, account, sent[0])
    with pytest.raises(RefusedError, match="closed"):
        place.submit(account, seed=9)
    boards = [board(place), board(place, PRIVATE)]
    with place.database.writing() as session:
        with pytest.raises(RefusedError, match="already"):
            close(session, place.clock(), "organizer")
        snapshot = publish(session, place.clock(), "organizer", definition)
        key = public_key(session)
    assert is_genuine(snapshot.content, snapshot.signature, key)
    assert not is_genuine(snapshot.content.replace("Alpha", "Alphb"), snapshot.signature, key)
    assert not is_genuine(snapshot.content, snapshot.signature[::-1], key)
    told = json.loads(snapshot.content)
    assert told["boards"] == json.loads(json.dumps([each.as_dict(definition.show) for each in boards]))


def snapshots(place):
    with place.database.reading() as session:
        found = list(session.scalars(select(Snapshot).order_by(Snapshot.id)))
    return [(each.scoring_id, json.loads(each.content)) for each in found]


def test_after_the_close_boards_that_change_are_published_anew(changed):
    place = changed("")
    sent = {name: place.submit(place.team(name), seed=seed) for seed, name in enumerate(("Alpha", "Beta"))}
    assert all(place.score_all())
    desk = TestClient(create_app(place.host), headers={"Authorization": f"Bearer {place.organizer}"})

    def ask(path, **said):
        told = desk.post(f"/api{path}", json=said)
        assert told.status_code < 300, told.text

    ask("/close")
    ask("/teams/1/disqualify", reason="two accounts")
    ask("/rescore", reason="a label was wrong")
    assert [scoring for scoring, _ in snapshots(place)] == [1, 1]  # nothing is final while files wait
    assert [each["team"] for each in desk.get("/api/board?part=private").json()["entries"]] == ["Beta"]
    worker = Worker(place.host)
    try:
        for each in sent.values():
            worker.score(each.id)
    finally:
        worker.end()
    assert [scoring for scoring, _ in snapshots(place)] == [1, 1, 2]
    ask("/teams/1/reinstate", reason="it was one")
    teams = [[entry["team"] for entry in told["boards"][0]["entries"]] for _, told in snapshots(place)]
    assert [sorted(each) for each in teams] == [["Alpha", "Beta"], ["Beta"], ["Beta"], ["Alpha", "Beta"]]


def test_nothing_closes_while_a_submission_waits(place):
    place.submit(place.team())
    with pytest.raises(RefusedError, match="1 submission waits"), place.database.writing() as session:
        close(session, place.clock(), "organizer")
    with place.database.reading() as session:
        assert not is_closed(session)


def test_picks_freeze_when_the_last_phase_ends(changed):
    place = changed("phases: [{name: one, opens: 2026-03-01T00:00:00Z, closes: 2026-03-02T00:00:00Z}]\n")
    account = place.team()
    made = place.submit(account)
    place.clock.turn(hours=11, minutes=59, seconds=59)
    choose(place, account, made)
    place.clock.turn(seconds=1)
    with pytest.raises(RefusedError, match="frozen"):
        choose(place, account, made, picked=False)


def test_a_new_scoring_is_complete_when_all_old_submissions_have_it(place, played):
    with place.database.writing() as session:
        scoring = begin(session, place.clock(), place.host.challenge, "organizer", "again")
    place.clock.turn(seconds=1)
    late = place.submit(played["Beta"][0], seed=8)
    with place.database.reading() as session:
        assert not is_complete(session, scoring)
        assert standing(session).id == 1
    for _, sent in played.values():
        assert all(place.score(each.id) for each in sent)
    with place.database.reading() as session:
        assert is_complete(session, scoring)
        assert standing(session).id == 2
    assert place.score(late.id)


def test_what_the_board_does_not_show_the_api_does_not_tell(place, played):
    told = board(place).as_dict(["rank_interval"])["entries"]
    for entry in told:
        assert {entry[name] for name in ("score", "ties", "trend", "low", "high", "tier")} == {None}
        assert entry["rank"] >= entry["rank_low"]
    assert board(place).as_dict(SHOWABLE)["entries"][0]["score"] is not None
