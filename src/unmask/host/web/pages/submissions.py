"""A team's submissions: their state, scores and final picks, and the scorecard of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from unmask.host.finals import is_closed
from unmask.host.records import SCORED, Submission, Team
from unmask.host.refusals import RefusedError
from unmask.host.web.api import Number, choose, own_submissions, submission
from unmask.host.web.pages.cards import card_page
from unmask.host.web.pages.rendering import render
from unmask.host.web.pages.visitor import Proven, SignedIn, tell
from unmask.host.web.shapes import PickIn
from unmask.host.web.state import StateOf

router = APIRouter()
#: A scorecard is one page that opens from disk: its styles are in it.
_CARD = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@router.get("/submissions")
def show(request: Request, state: StateOf, account: SignedIn) -> Response:
    """All submissions of the team, the last first."""
    if account.organizes:
        return RedirectResponse("/desk/submissions", 303)
    definition = state.host.challenge.definition
    found = own_submissions(state, account.team_id)[::-1]
    with state.host.database.reading() as session:
        closed = is_closed(session)
        team = session.get(Team, account.team_id) if account.team_id else None
    last = definition.phases[-1] if definition.phases else None
    tracks = definition.tracks or ("",)
    return render(
        request, state, account, "submissions.html", submissions=found, team=team, last=last,
        frozen=closed or (last is not None and state.host.now() >= last.closes),
        waiting=sum(each.state in ("queued", "running") for each in found),
        picks={track: sum(each.picked for each in found if each.track == track) for track in tracks},
    )  # fmt: skip


@router.post("/submissions/{number}/pick", dependencies=[Proven])
def pick(
    request: Request, state: StateOf, account: SignedIn, number: Number, picked: Annotated[bool, Form()]
) -> Response:
    """Make a submission a final pick, or take that back."""
    choose(state, account, number, PickIn(picked=picked))
    tell(request, f"Submission {number} is {'a final pick now' if picked else 'no final pick any more'}.")
    return RedirectResponse("/submissions", 303)


@router.get("/submissions/{number}")
def card(state: StateOf, account: SignedIn, number: Number) -> Response:
    """The scorecard of a submission on the public part, for its team and for organizers."""
    team_id = account.team_id
    if account.organizes:
        with state.host.database.reading() as session:
            stored = session.get(Submission, number)
            team_id = None if stored is None else stored.team_id
    found = submission(state, replace(account, team_id=team_id), number)
    if found.shown_of is None:
        held = "nothing that the team sent is better than chance yet"
        why = found.error or (held if found.state == SCORED else "it waits to be scored")
        raise RefusedError(404, "no_card", f"submission {number} has no scorecard: {why}", "look at the list")
    return HTMLResponse(card_page(state, found), headers={"Content-Security-Policy": _CARD})
