"""The board, and how the last scoring and the private part moved it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy import select
from starlette.responses import Response

from unmask.host.boards import PRIVATE, PUBLIC
from unmask.host.records import Scoring
from unmask.host.scoring import as_scored, current, standing
from unmask.host.web.pages.calendar import calendar
from unmask.host.web.pages.rendering import render
from unmask.host.web.pages.tables import ranks, table_of
from unmask.host.web.pages.visitor import Visitor
from unmask.host.web.state import StateOf

router = APIRouter()
#: Teams in a chart, the first first.
MOST_ROWS, MOST_LINES = 40, 8
Part = Annotated[str | None, Query(pattern="^(public|private)$")]
Track = Annotated[str | None, Query(max_length=200)]
OfScoring = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


@router.get("/")
def show(
    request: Request,
    state: StateOf,
    account: Visitor,
    part: Part = None,
    track: Track = None,
    scoring: OfScoring = None,
) -> Response:
    """The board. After the close the private part comes first, as it decides."""
    definition = state.host.challenge.definition
    track = track if track is not None else (definition.tracks or ("",))[0]
    with state.host.database.reading() as session:
        dates = calendar(session, definition, state.host.now())
        closed, paused = dates.closed is not None, state.paused(session)
        part = part or (PRIVATE if closed else PUBLIC)
        board = state.board(session, part, track, scoring, account)
        scorings = list(session.scalars(select(Scoring).order_by(Scoring.id.desc())))
        shown = next(each for each in scorings if each.id == board.scoring_id)
        holds, latest = standing(session), current(session)
        rules = as_scored(definition, shown)
        before = next((each for each in scorings if each.id < shown.id), None)
        table = table_of(
            rules,
            (
                board,
                state.board(session, PUBLIC, track, shown.id, account) if part == PRIVATE else None,
                None if before is None else state.board(session, part, track, before.id, account),
            ),
        )  # fmt: skip
    team_id = None if account is None else account.team_id
    return render(
        request, state, account, "board.html", board=board, rules=rules, table=table.for_team(team_id), track=track,
        part=part, closed=closed, dates=dates, paused=paused, scorings=scorings, shown=shown, before=before,
        holds=holds is not None and holds.id == shown.id, coming=latest if latest is not holds else None,
        moved=table.moved, tiered=table.tiered, own=ranks(board).get(team_id or 0),
        charted=sum(row.place.rank is not None for row in board.rows) > 1, most_rows=MOST_ROWS, most_lines=MOST_LINES,
        may_see_private=closed or (account is not None and account.organizes),
    )  # fmt: skip
