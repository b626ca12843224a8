"""The organizer's desk: all submissions, look-alikes between teams, and the audit log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy import func, select
from starlette.responses import Response

from unmask.host.boards import PRIVATE, PUBLIC
from unmask.host.events import broken_at
from unmask.host.lookalikes import EACH, LEAST, find_lookalikes
from unmask.host.records import Event, Refusal, Score, Submission, Team
from unmask.host.scoring import current
from unmask.host.web.pages.rendering import render
from unmask.host.web.pages.visitor import AtDesk
from unmask.host.web.state import StateOf

router = APIRouter(prefix="/desk")
#: Lines of a page of a list.
_PAGE = 100
Page = Annotated[int, Query(ge=1, le=10**6)]


@router.get("/submissions")
def submissions(
    request: Request, state: StateOf, account: AtDesk, team: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    page: Page = 1,
) -> Response:  # fmt: skip
    """All submissions, or one team's, the last first, with both scores: organizers alone see this page."""
    of_team = [Submission.team_id == team] if team else []
    with state.host.database.reading() as session:
        count = session.scalar(select(func.count()).select_from(Submission).where(*of_team)) or 0
        query = select(Submission).where(*of_team).order_by(Submission.id.desc())
        found = list(session.scalars(query.limit(_PAGE).offset(_PAGE * (page - 1))))
        scoring, scores = current(session), {}
        if scoring is not None:
            marks = select(Score.submission_id, Score.part, Score.values).where(
                Score.scoring_id == scoring.id, Score.submission_id.in_([each.id for each in found])
            )
            scores = {(number, part): values[0] for number, part, values in session.execute(marks)}
        refused = select(Refusal, Team.name).join(Team, Team.id == Refusal.team_id).order_by(Refusal.id.desc())
        if team:
            refused = refused.where(Refusal.team_id == team)
        return render(
            request, state, account, "all_submissions.html", submissions=found, scores=scores, public=PUBLIC,
            private=PRIVATE, count=count, page=page, pages=-(-count // _PAGE), team=team,
            teams=list(session.scalars(select(Team).order_by(Team.name))),
            refused=list(session.execute(refused.limit(20))),
        )  # fmt: skip


@router.get("/look-alikes")
def lookalikes(request: Request, state: StateOf, account: AtDesk) -> Response:
    """Pairs of teams that have sent nearly the same."""
    with state.host.database.reading() as session:
        found = find_lookalikes(session)
    return render(request, state, account, "look_alikes.html", found=found, least=LEAST, each=EACH)


@router.get("/audit")
def audit(request: Request, state: StateOf, account: AtDesk, page: Page = 1) -> Response:
    """The audit log, the last line first, and whether each line follows from the one before."""
    with state.host.database.reading() as session:
        count = session.scalar(select(func.count()).select_from(Event)) or 0
        query = select(Event).order_by(Event.id.desc()).limit(_PAGE).offset(_PAGE * (page - 1))
        return render(
            request, state, account, "audit.html", events=list(session.scalars(query)), count=count, page=page,
            pages=-(-count // _PAGE), broken=broken_at(session.scalars(select(Event).order_by(Event.id))),
        )  # fmt: skip
