"""A board's table, drawn once for all its readers."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from markupsafe import Markup
from sqlalchemy.orm import Session

from unmask.challenge.definition import Definition
from unmask.challenge.folder import CONFIDENCE
from unmask.host.boards import Board, is_complete
from unmask.host.records import Scoring
from unmask.host.web.pages.rendering import templates

#: Tables that are kept; a table of 200 teams takes about 250 kB, and 40 ms to draw.
_MOST = 24


@dataclass(frozen=True)
class Table:
    """What readers of a board are shown.

    Attributes:
        boards: it was drawn from: the board, the public one beside a private one, and that of the scoring before.
        html: the table; its rows have the identifiers ``team-1`` and so on.
        complete: whether its scoring had scored everything.
        moved: teams with another rank than in the scoring before.
    """

    boards: tuple[Board, Board | None, Board | None]
    html: Markup
    complete: bool
    moved: int

    def for_team(self, team_id: int | None) -> Markup:
        """The table with a team's row marked."""
        name = f'id="team-{team_id}"'
        return Markup(str(self.html).replace(name, f'{name} class="own"'))  # noqa: S704  # drawn from a template


_drawn: dict[tuple[object, ...], Table] = {}
_drawing = threading.Lock()


def table_of(
    session: Session, scoring: Scoring, rules: Definition, boards: tuple[Board, Board | None, Board | None]
) -> Table:
    """The table of a board, drawn anew only where one of the boards or the rules are others than before.

    Args:
        session: any.
        scoring: of the board.
        rules: the definition, as that scoring scored.
        boards: see ``Table``.
    """
    # By identity: boards are never changed, and those that a table is kept for stay alive.
    key = (*map(id, boards), rules.digits, rules.show, rules.metric, rules.tie_breakers)
    with _drawing:
        if key not in _drawn:
            while len(_drawn) >= _MOST:
                del _drawn[next(iter(_drawn))]
            _drawn[key] = _draw(session, scoring, rules, boards)
        return _drawn[key]


def _draw(
    session: Session, scoring: Scoring, rules: Definition, boards: tuple[Board, Board | None, Board | None]
) -> Table:
    board, public, before = boards
    earlier = {} if before is None else ranks(before)
    moved = sum(1 for row in board.rows if earlier and earlier.get(row.team_id) != row.place.rank)
    first, last = _span(board)
    html = templates().get_template("board_table.html").render(
        board=board, part=board.part, track=board.track, rules=rules, before=before, moved=moved, earlier=earlier,
        public={} if public is None else ranks(public), first=first, last=last, confidence=CONFIDENCE,
    )  # fmt: skip
    return Table(boards, Markup(html), is_complete(session, scoring), moved)  # noqa: S704  # the template escapes


def ranks(board: Board) -> dict[int, int | None]:
    """Team's number -> its rank."""
    return {row.team_id: row.place.rank for row in board.rows}


def _span(board: Board) -> tuple[float, float]:
    """What the bars of the board reach over: all scores and intervals, and some air on both sides."""
    places = [row.place for row in board.rows]
    ends = [end for each in places for end in (each.score, each.low, each.high) if end is not None]
    first, last = (min(ends), max(ends)) if ends else (0.0, 1.0)
    margin = 0.05 * (last - first) or 0.05
    return first - margin, last + margin
