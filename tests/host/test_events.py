"""The audit log: append-only, in a chain that shows any change."""

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from unmask.host.events import broken_at, changes
from unmask.host.records import Event, Score


def lines(place):
    with place.database.reading() as session:
        return session.scalars(select(Event).order_by(Event.id)).all()


def test_the_chain_holds_and_shows_each_change(place):
    account = place.team()
    for seed in range(3):
        place.submit(account, seed=seed)
    place.score_all()
    found = lines(place)
    assert broken_at(found) is None
    assert {each.action for each in found} >= {"made a team", "made a token", "submitted", "scored", "began scoring"}
    for number in range(len(found)):
        assert broken_at(found[:number] + found[number + 1 :]) in (
            None if number == len(found) - 1 else found[number + 1].id,
        )
    for name, value in (("actor", "x"), ("action", "x"), ("subject", "x"), ("detail", {}), ("sha256", "0" * 64)):
        changed = lines(place)
        setattr(changed[4], name, value)
        assert broken_at(changed) == changed[4].id


@pytest.mark.parametrize(
    "change", [update(Event).values(actor="x"), delete(Event), update(Score).values(reason="x"), delete(Score)]
)
def test_the_database_itself_refuses_changes(place, change):
    place.submit(place.team())
    place.score_all()
    with pytest.raises(DBAPIError, match="never changed"), place.database.writing() as session:
        session.execute(change)
    assert broken_at(lines(place)) is None


def test_changes_are_counted_and_lost_ones_are_not(place):
    with place.database.reading() as session:
        before = changes(session)
    with pytest.raises(RuntimeError), place.database.writing() as session:
        place_fails(session)
    place.team()
    with place.database.reading() as session:
        assert changes(session) == before + 2
        assert session.execute(text("SELECT count(*) FROM teams")).scalar() == 1


def place_fails(session):
    session.execute(text("INSERT INTO facts VALUES ('x', 'y')"))
    raise RuntimeError
