"""The organizer's desk: how the challenge stands, rescoring, and the close."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlalchemy import func, select
from starlette.responses import RedirectResponse, Response

from unmask.host.finals import is_closed
from unmask.host.records import FAILED, QUEUED, RUNNING, SCORED, Refusal, Scoring, Snapshot, Submission, Team
from unmask.host.refusals import RefusedError
from unmask.host.scoring import current, is_complete, is_of
from unmask.host.web import desk as api
from unmask.host.web.pages.rendering import render
from unmask.host.web.pages.visitor import AtDesk, Proven, tell
from unmask.host.web.shapes import ReasonIn
from unmask.host.web.state import StateOf

router = APIRouter(prefix="/desk")
Reason = Annotated[str, Form(min_length=1, max_length=2000)]


@router.get("")
def show(request: Request, state: StateOf, account: AtDesk) -> Response:
    """How the challenge stands."""
    with state.host.database.reading() as session:
        by_state = dict(
            session.execute(select(Submission.state, func.count()).group_by(Submission.state)).tuples().all()
        )
        holds = current(session)
        return render(
            request, state, account, "desk.html", closed=is_closed(session),
            counts={each: by_state.get(each, 0) for each in (QUEUED, RUNNING, SCORED, FAILED)},
            refused=session.scalar(select(func.count()).select_from(Refusal)),
            teams=session.scalar(select(func.count()).select_from(Team)), holds=holds,
            complete=holds is not None and is_complete(session, holds),
            unchanged=holds is not None and is_of(holds, state.host.challenge.definition),
            scorings=list(session.scalars(select(Scoring).order_by(Scoring.id.desc()))),
            snapshots=list(session.scalars(select(Snapshot).order_by(Snapshot.id.desc()))),
        )  # fmt: skip


@router.post("/rescore", dependencies=[Proven])
def rescore(request: Request, state: StateOf, account: AtDesk, reason: Reason) -> Response:
    """Score everything again."""
    found = api.rescore(state, account, ReasonIn(reason=reason))
    tell(request, f"Scoring {found['scoring']} has begun. The boards before stay readable.")
    return RedirectResponse("/desk", 303)


@router.get("/close")
def ask_to_close(request: Request, state: StateOf, account: AtDesk) -> Response:
    """Ask once more, and say what the close does."""
    with state.host.database.reading() as session:
        left = select(func.count()).select_from(Submission).where(Submission.state.in_((QUEUED, RUNNING)))
        return render(
            request, state, account, "close.html", closed=is_closed(session), waiting=session.scalar(left),
            open=state.host.challenge.definition.phase(state.host.now()),
        )  # fmt: skip


@router.post("/close", dependencies=[Proven])
def close(request: Request, state: StateOf, account: AtDesk, sure: Annotated[bool, Form()] = False) -> Response:
    """End the challenge, where the organizer has said twice that it shall end."""
    if not sure:
        raise RefusedError(422, "not_sure", "the challenge was not closed", "tick the box that says you are sure")
    found = api.end(state, account)
    tell(request, f"The challenge is closed, and snapshot {found['snapshot']} of all boards is signed and published.")
    return RedirectResponse("/", 303)
