"""What comes in: limits are exact, days are UTC's, a refusal costs nothing, and no message depends on a label."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from sqlalchemy import func, select

from tests.challenge.conftest import answers_of
from unmask.host.quota import quota
from unmask.host.records import Event, Refusal, Submission
from unmask.host.refusals import RefusedError
from unmask.host.scoring import claim, give_up
from unmask.tables.hashing import sha256


def refusal(act, *given, **named):
    with pytest.raises(RefusedError) as caught:
        act(*given, **named)
    return caught.value


def left(place, account):
    with place.database.reading() as session:
        return quota(session, account.team_id, place.host.challenge.definition.limits, place.clock())


def count(place, table):
    with place.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_a_good_file_is_kept_counted_and_queued(place):
    account = place.team()
    made = place.submit(account)
    assert (made.state, made.rows, made.day) == ("queued", 120, place.clock().date())
    assert place.queued == [made.id]
    assert sha256(place.host.files.path(made.stored)) == made.sha256
    assert left(place, account).today == 4


def test_a_refused_file_costs_a_failure_and_no_submission(place):
    account = place.team()
    bad = answers_of(0.3).with_columns(score=pl.lit(2.0)).head(50)
    error = refusal(place.submit, account, bad)
    assert (error.status, error.code) == (422, "refused")
    assert any("between 0 and 1" in problem for problem in error.problems)
    assert any("70 of the 120 ids have no row" in problem for problem in error.problems)
    assert (left(place, account).today, left(place, account).failures) == (5, 49)
    assert count(place, Submission) == 0
    assert count(place, Refusal) == 1
    assert list((place.host.folder / "files").iterdir()) == []


def test_the_cap_of_failures_is_exact_though_they_come_at_once(changed):
    place = changed("limits: {failures: 3}\n")
    account, codes = place.team(), []
    threads = [
        threading.Thread(target=lambda: codes.append(refusal(place.submit, account, b"id,score\n").code))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(codes) == {"refused": 3, "failure_limit": 17}
    assert count(place, Refusal) == 3


def test_failures_have_a_cap_of_their_own(changed):
    place = changed("limits: {failures: 2}\n")
    account = place.team()
    for _ in range(2):
        assert refusal(place.submit, account, b"id,score\n").code == "refused"
    assert refusal(place.submit, account).code == "failure_limit"
    place.clock.turn(days=1)
    assert place.submit(account).state == "queued"


def test_a_failed_run_burns_no_quota_and_blocks_nothing(place):
    account = place.team()
    made = place.submit(account)
    give_up(
        place.database,
        claim(place.database, place.host.challenge.definition, made.id, place.clock()),
        "why",
        place.clock(),
    )
    assert left(place, account).today == 5
    for seed in range(1, 6):
        place.submit(account, seed=seed)
    assert refusal(place.submit, account, seed=7).code == "daily_limit"


def test_fifty_threads_against_a_limit_of_five(place):
    account = place.team()
    outcomes = []

    def send(seed):
        try:
            outcomes.append(place.submit(account, seed=seed).id)
        except RefusedError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=send, args=(seed,)) for seed in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 50
    assert sum(isinstance(each, int) for each in outcomes) == 5
    assert outcomes.count("daily_limit") == 45
    assert count(place, Submission) == 5


def test_the_day_ends_at_midnight_utc_and_nowhere_else(place):
    account = place.team()
    place.clock.time = datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC)
    for seed in range(5):
        place.submit(account, seed=seed)
    error = refusal(place.submit, account, seed=9)
    assert error.code == "daily_limit"
    assert "2026-03-02 00:00 UTC" in error.next_step
    assert left(place, account).resets == datetime(2026, 3, 2, tzinfo=UTC)
    place.clock.turn(microseconds=1)
    assert place.submit(account, seed=9).day.isoformat() == "2026-03-02"


def test_the_whole_challenge_has_a_limit(changed):
    place = changed("limits: {daily: 2, total: 3}\n")
    account = place.team()
    for seed in range(2):
        place.submit(account, seed=seed)
    place.clock.turn(days=1)
    place.submit(account, seed=2)
    assert refusal(place.submit, account, seed=3).code == "total_limit"


def test_phases_open_and_close_to_the_microsecond(changed):
    place = changed("phases: [{name: one, opens: 2026-03-02T00:00:00Z, closes: 2026-03-03T00:00:00Z}]\n")
    account, day = place.team(), datetime(2026, 3, 2, tzinfo=UTC)
    error = refusal(place.submit, account)
    assert error.code == "no_phase"
    assert "2026-03-02 00:00 UTC" in error.next_step
    for at in (day, day + timedelta(days=1, microseconds=-1)):
        place.clock.time = at
        assert place.submit(account, seed=at.microsecond).received == at
    place.clock.time = day + timedelta(days=1)
    assert refusal(place.submit, account, seed=3).code == "no_phase"


def test_the_same_bytes_are_taken_once(place):
    account = place.team()
    place.submit(account)
    assert refusal(place.submit, account).code == "sent_before"
    assert left(place, account).today == 4
    assert place.submit(place.team("Beta")).id  # another team may have the same


def test_the_same_file_under_two_keys_gives_the_same_message(folder, changed):
    told = []
    answers = pl.read_csv(folder / "answers.csv", infer_schema=False)
    for turn, labels in enumerate((answers["label"], answers["label"].replace({"0": "1", "1": "0"}))):
        answers.with_columns(label=labels).write_csv(folder / "answers.csv")
        text = (folder / "challenge.yaml").read_text()
        old = next(line for line in text.splitlines() if line.startswith("sha256"))
        (folder / "challenge.yaml").write_text(text.replace(old, f"sha256: '{sha256(folder / 'answers.csv')}'"))
        if turn:
            (folder / "host" / "challenge.db").unlink(missing_ok=True)
        place = changed("") if not turn else None
        from tests.host.conftest import Place

        place = place or Place(folder, None)
        bad = b"id,score\nv001,2\nv001,0.5\nnobody,x\n" + "v\u200b002,٠.٥\n".encode()
        told.append(refusal(place.submit, place.team(f"T{turn}"), bad).as_dict())
    assert told[0] == told[1]


@pytest.mark.parametrize("name", ["x.exe", "", "x.csv.exe", "../../x.zip", "x\x00.csv.pkl"])
def test_other_endings_are_refused(place, name):
    assert refusal(place.submit, place.team(), name=name).code == "refused"


@pytest.mark.parametrize("name", ["../../../etc/x.csv", "C:\\x\\y.csv", "a\x00b\n.csv", "=cmd().csv", "<b>.csv"])
def test_a_file_s_name_leads_nowhere(place, name):
    made = place.submit(place.team(), name=name)
    assert "/" not in made.file_name
    assert made.file_name.isprintable()
    assert place.host.files.path(made.stored).parent == place.host.folder / "files"


def test_too_many_bytes_are_refused_while_they_come(changed):
    place = changed("limits: {megabytes: 1}\n")
    error = refusal(place.submit, place.team(), b"id,score\n" + b"v001,0.5\n" * 200_000)
    assert "1 MB" in error.what
    assert list((place.host.folder / "files").iterdir()) == []


def test_a_track_is_one_of_the_challenge_s(changed):
    place = changed("tracks: [open, closed]\n")
    account = place.team()
    assert refusal(place.submit, account).code == "no_track"
    assert place.submit(account, track="open").track == "open"
    assert place.submit(account, track="closed").track == "closed"


def test_organizers_do_not_take_part(place):
    assert refusal(place.submit, place.account(place.organizer)).code == "no_team"


def test_the_audit_log_names_who_sent_what(place):
    made = place.submit(place.team())
    with place.database.reading() as session:
        event = session.scalars(select(Event).where(Event.action == "submitted")).one()
    assert (event.actor, event.subject) == ("member of Alpha", f"submission {made.id}")
    assert event.detail["sha256"] == made.sha256
