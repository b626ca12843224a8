"""Charts of a board, each an SVG of its own that pages show as a picture."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from unmask.host.boards import PRIVATE, PUBLIC, Shown, shown_scores
from unmask.host.records import Scoring
from unmask.host.refusals import RefusedError
from unmask.host.scoring import as_scored
from unmask.host.web.pages.board import MOST_LINES, MOST_ROWS, OfScoring
from unmask.host.web.pages.drawings import Step, draw_intervals, draw_progress, draw_shifts
from unmask.host.web.pages.visitor import Visitor
from unmask.host.web.state import State, StateOf

router = APIRouter(prefix="/charts")
#: A picture may style itself, and nothing else.
_ALONE = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
Part = Annotated[str, Query(pattern="^(public|private)$")]
Track = Annotated[str, Query(max_length=200)]


@router.get("/ranks.svg")
def ranks(
    state: StateOf, account: Visitor, part: Part = PUBLIC, track: Track = "", scoring: OfScoring = None
) -> Response:
    """Which ranks each team could have."""
    _require(state, "rank_interval")
    with state.host.database.reading() as session:
        board = state.board(session, part, track, scoring, account)
    rows = tuple(
        (row.team, row.place.rank, row.place.rank_low, row.place.rank_high)
        for row in board.rows[:MOST_ROWS]
        if not row.held_back
        and row.place.rank is not None
        and row.place.rank_low is not None
        and row.place.rank_high is not None
    )
    return _svg(draw_intervals(rows) if rows else None)


@router.get("/shake-up.svg")
def shake_up(state: StateOf, account: Visitor, track: Track = "", scoring: OfScoring = None) -> Response:
    """How the private part moved the teams."""
    with state.host.database.reading() as session:
        private = state.board(session, PRIVATE, track, scoring, account)
        public = {row.team_id: row.place.rank for row in state.board(session, PUBLIC, track, scoring, account).rows}
    rows = tuple(
        (row.team, before, row.place.rank)
        for row in private.rows[:MOST_ROWS]
        if row.place.rank is not None and (before := public.get(row.team_id)) is not None
    )
    return _svg(draw_shifts(rows) if rows else None)


@router.get("/progress.svg")
def progress(state: StateOf, account: Visitor, track: Track = "", scoring: OfScoring = None) -> Response:
    """The first teams' best public score over time."""
    _require(state, "score")
    with state.host.database.reading() as session:
        board = state.board(session, PUBLIC, track, scoring, account)
        shown = session.get_one(Scoring, board.scoring_id)
        definition = as_scored(state.host.challenge.definition, shown)
        higher = definition.metrics[0].direction == "higher"
        lines = []
        for row in (each for each in board.rows[:MOST_LINES] if each.place.rank is not None):
            found = shown_scores(session, definition, shown, PUBLIC, team_id=row.team_id)
            own = [each for each in found if each.submission.track == track]
            if steps := _best_so_far(own, definition.digits, higher=higher):
                lines.append((row.team, steps))
    return _svg(draw_progress(tuple(lines), definition.digits) if lines else None)


def _best_so_far(found: list[Shown], digits: int, *, higher: bool) -> tuple[Step, ...]:
    """The steps at which a new best was shown, rounded as everywhere; what is undefined or held back is none."""
    steps: list[Step] = []
    for each in found:
        if each.shows is None or each.shows.values[0] is None:
            continue
        value = round(each.shows.values[0], digits)
        if not steps or (value > steps[-1][1] if higher else value < steps[-1][1]):
            steps.append((each.submission.received, value))
    return tuple(steps)


def _require(state: State, what: str) -> None:
    """Refuse a chart of what the challenge's boards do not show."""
    if what not in state.host.challenge.definition.show:
        raise RefusedError(404, "not_shown", "this challenge's boards do not show that", "look at the board")


def _svg(drawing: str | None) -> Response:
    blank = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 520 1"/>'
    return Response(drawing or blank, media_type="image/svg+xml", headers={"Content-Security-Policy": _ALONE})
