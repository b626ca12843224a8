"""The REST API of the organizer's desk: teams, tokens, scorings, the close, the audit log."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from unmask.challenge.review import check_challenge
from unmask.host.accounts import clean_reason, invitations, invite, make_team, make_token, revoke, revoke_invitation
from unmask.host.events import broken_at, log
from unmask.host.finals import close, publish
from unmask.host.records import Event, Submission, Team, Token
from unmask.host.refusals import RefusedError
from unmask.host.scoring import begin, current, is_of
from unmask.host.web.api import ERRORS, Number
from unmask.host.web.shapes import (
    EventOut,
    InvitationIn,
    InvitationOut,
    ReasonIn,
    SecretOut,
    TeamIn,
    TeamOut,
    TokenIn,
    TokenOut,
)
from unmask.host.web.state import Organizer, StateOf
from unmask.tables.errors import UnmaskError

router = APIRouter(prefix="/api", tags=["organizer"], responses=ERRORS)


@router.get("/teams")
def teams(state: StateOf, account: Organizer) -> list[TeamOut]:
    """All teams."""
    with state.host.database.reading() as session:
        counts = dict(
            session.execute(select(Submission.team_id, func.count()).group_by(Submission.team_id)).tuples().all()
        )
        return [TeamOut.of(team, counts.get(team.id, 0)) for team in session.scalars(select(Team).order_by(Team.id))]


@router.post("/teams", status_code=201)
def add_team(state: StateOf, account: Organizer, given: TeamIn) -> SecretOut:
    """Make a team; its first member's token is shown this once."""
    with state.host.database.writing() as session:
        at = state.host.now()
        team = make_team(session, at, account.actor, given.name)
        return SecretOut(token=make_token(session, at, account.actor, given.member, team))


@router.post("/teams/{number}/disqualify")
def disqualify(state: StateOf, account: Organizer, number: Number, given: ReasonIn) -> TeamOut:
    """Take a team off all boards, and tell it why. After the close, boards are published anew."""
    with state.host.database.writing() as session:
        team, at, reason = _team(session, number), state.host.now(), clean_reason(given.reason)
        team.disqualified, team.disqualified_for = at, reason
        log(session, at, account.actor, "disqualified", f"team {number}", reason=reason)
        publish(session, at, account.actor, state.host.challenge.definition)
        return TeamOut.of(team, _submissions(session, number))


@router.post("/teams/{number}/reinstate")
def reinstate(state: StateOf, account: Organizer, number: Number, given: ReasonIn) -> TeamOut:
    """Take a disqualification back."""
    with state.host.database.writing() as session:
        team, at = _team(session, number), state.host.now()
        team.disqualified = team.disqualified_for = None
        log(session, at, account.actor, "reinstated", f"team {number}", reason=clean_reason(given.reason))
        publish(session, at, account.actor, state.host.challenge.definition)
        return TeamOut.of(team, _submissions(session, number))


@router.get("/tokens")
def tokens(state: StateOf, account: Organizer) -> list[TokenOut]:
    """All tokens, without their secrets."""
    with state.host.database.reading() as session:
        return [TokenOut.of(each) for each in session.scalars(select(Token).order_by(Token.id))]


@router.post("/tokens", status_code=201)
def add_token(state: StateOf, account: Organizer, given: TokenIn) -> SecretOut:
    """Make a token for another member of a team, or another organizer; it is shown this once."""
    with state.host.database.writing() as session:
        team = None if given.team_id is None else _team(session, given.team_id)
        return SecretOut(token=make_token(session, state.host.now(), account.actor, given.member, team))


@router.delete("/tokens/{number}", status_code=204)
def remove_token(state: StateOf, account: Organizer, number: Number) -> None:
    """Revoke a token."""
    with state.host.database.writing() as session:
        revoke(session, state.host.now(), account.actor, number)


@router.get("/invitations")
def open_invitations(state: StateOf, account: Organizer) -> list[InvitationOut]:
    """Invitations that can still be used."""
    with state.host.database.reading() as session:
        return [InvitationOut.of(each) for each in invitations(session, state.host.now())]


@router.post("/invitations", status_code=201)
def add_invitation(state: StateOf, account: Organizer, given: InvitationIn) -> SecretOut:
    """Make an invitation; it is shown this once."""
    with state.host.database.writing() as session:
        team = None if given.team_id is None else _team(session, given.team_id)
        return SecretOut(token=invite(session, state.host.now(), account.actor, team))


@router.delete("/invitations/{number}", status_code=204)
def remove_invitation(state: StateOf, account: Organizer, number: Number) -> None:
    """Revoke an invitation that nobody has used."""
    with state.host.database.writing() as session:
        revoke_invitation(session, state.host.now(), account.actor, number)


@router.post("/rescore", status_code=202)
def rescore(state: StateOf, account: Organizer, given: ReasonIn) -> dict[str, int]:
    """Score everything again, by challenge.yaml and the answer key as they now lie in the challenge's folder."""
    reason = clean_reason(given.reason)
    try:
        challenge = check_challenge(state.host.challenge.folder)
    except UnmaskError as error:
        remedy = "mend the challenge's folder, and begin again: nothing was changed"
        raise RefusedError(
            409, "unusable", "the challenge cannot be used as it is", remedy, str(error).splitlines()
        ) from error
    with state.host.database.writing() as session:
        at = state.host.now()
        scoring = begin(session, at, challenge, account.actor, reason)
        publish(session, at, account.actor, challenge.definition)  # where nothing is to be scored
        return {"scoring": scoring.id}


@router.post("/close")
def end(state: StateOf, account: Organizer) -> dict[str, Any]:
    """End the challenge: freeze final picks, show the private part, publish a signed snapshot of all boards."""
    definition = state.host.challenge.definition
    with state.host.database.writing() as session:
        at, scoring = state.host.now(), current(session)
        if scoring is None or not is_of(scoring, definition):
            what = "challenge.yaml or the answer key is not what the board was scored with"
            raise RefusedError(409, "changed", what, "score everything again first, or undo the change")
        close(session, at, account.actor)
        snapshot = publish(session, at, account.actor, definition)
        assert snapshot is not None  # noqa: S101  # closed, and nothing waits
        return {"snapshot": snapshot.id, "signature": snapshot.signature}


@router.get("/audit")
def audit(
    state: StateOf,
    account: Organizer,
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="Number of the last line that is known.")] = 0,
    most: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[EventOut]:
    """The audit log, the first line first."""
    with state.host.database.reading() as session:
        query = select(Event).where(Event.id > after).order_by(Event.id).limit(most)
        return [EventOut.of(each) for each in session.scalars(query)]


@router.get("/audit/check")
def check_audit(state: StateOf, account: Organizer) -> dict[str, int | None]:
    """Whether any line of the audit log was changed: the number of the first that does not follow."""
    with state.host.database.reading() as session:
        return {"broken_at": broken_at(session.scalars(select(Event).order_by(Event.id)))}


def _team(session: Session, number: int) -> Team:
    team = session.get(Team, number)
    if team is None:
        raise RefusedError(404, "no_team", f"there is no team {number}", "look at the list of teams")
    return team


def _submissions(session: Session, team_id: int) -> int:
    return session.scalar(select(func.count()).select_from(Submission).where(Submission.team_id == team_id)) or 0
