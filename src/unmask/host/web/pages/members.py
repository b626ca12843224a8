"""The organizer's desk: teams, their tokens, and invitations. A secret is shown on the answer itself, once."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from unmask.host.accounts import VALID
from unmask.host.web import desk as api
from unmask.host.web.api import Number
from unmask.host.web.pages.desk import Reason
from unmask.host.web.pages.rendering import render
from unmask.host.web.pages.visitor import AtDesk, Proven, tell
from unmask.host.web.shapes import InvitationIn, ReasonIn, TeamIn, TokenIn
from unmask.host.web.state import StateOf

router = APIRouter(prefix="/desk")
Name = Annotated[str, Form(max_length=200)]
#: A team's number; 0 for none.
OfTeam = Annotated[int, Form(ge=0, le=2**31 - 1)]


@router.get("/teams")
def show(request: Request, state: StateOf, account: AtDesk) -> Response:
    """All teams with their tokens, and invitations that can still be used."""
    tokens = defaultdict(list)
    for token in api.tokens(state, account):
        tokens[token.team_id].append(token)
    return render(
        request, state, account, "teams.html", teams=api.teams(state, account), tokens=tokens,
        invitations=api.open_invitations(state, account),
    )  # fmt: skip


@router.post("/teams", dependencies=[Proven])
def add_team(request: Request, state: StateOf, account: AtDesk, name: Name, member: Name) -> Response:
    """Make a team, and show its first member's token."""
    secret = api.add_team(state, account, TeamIn(name=name, member=member)).token
    return render(request, state, account, "secret.html", 201, secret=secret, what=f"Token of {member} in {name}")


@router.post("/tokens", dependencies=[Proven])
def add_token(request: Request, state: StateOf, account: AtDesk, member: Name, team: OfTeam = 0) -> Response:
    """Make a token, and show it."""
    secret = api.add_token(state, account, TokenIn(member=member, team_id=team or None)).token
    return render(request, state, account, "secret.html", 201, secret=secret, what=f"Token of {member}")


@router.post("/tokens/{number}/revoke", dependencies=[Proven])
def revoke(request: Request, state: StateOf, account: AtDesk, number: Number) -> Response:
    """Make a token worthless."""
    api.remove_token(state, account, number)
    tell(request, f"Token {number} is revoked.")
    return RedirectResponse("/desk/teams", 303)


@router.post("/invitations", dependencies=[Proven])
def add_invitation(request: Request, state: StateOf, account: AtDesk, team: OfTeam = 0) -> Response:
    """Make an invitation, and show the address to send."""
    code = api.add_invitation(state, account, InvitationIn(team_id=team or None)).token
    # Behind the #: no server and no proxy writes it into a log.
    link = f"{str(request.base_url).rstrip('/')}/join#{code}"
    what = f"Invitation, good for {VALID.days} days and one use"
    return render(request, state, account, "secret.html", 201, secret=link, what=what)


@router.post("/invitations/{number}/revoke", dependencies=[Proven])
def revoke_invitation(request: Request, state: StateOf, account: AtDesk, number: Number) -> Response:
    """Make an invitation worthless."""
    api.remove_invitation(state, account, number)
    tell(request, f"Invitation {number} is revoked.")
    return RedirectResponse("/desk/teams", 303)


@router.post("/teams/{number}/disqualify", dependencies=[Proven])
def disqualify(request: Request, state: StateOf, account: AtDesk, number: Number, reason: Reason) -> Response:
    """Take a team off all boards."""
    team = api.disqualify(state, account, number, ReasonIn(reason=reason))
    tell(request, f"{team.name} is disqualified, and is told why.")
    return RedirectResponse("/desk/teams", 303)


@router.post("/teams/{number}/reinstate", dependencies=[Proven])
def reinstate(request: Request, state: StateOf, account: AtDesk, number: Number, reason: Reason) -> Response:
    """Take a disqualification back."""
    team = api.reinstate(state, account, number, ReasonIn(reason=reason))
    tell(request, f"{team.name} takes part again.")
    return RedirectResponse("/desk/teams", 303)
