"""A board's table, drawn once for all its readers."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

from markupsafe import Markup

from unmask.challenge.definition import Definition
from unmask.challenge.folder import CONFIDENCE
from unmask.host.boards import Board
from unmask.host.web.pages.rendering import templates

#: Tables that are kept; a table of 200 teams takes about 250 kB, and 40 ms to draw.
_MOST = 24


@dataclass(frozen=True)
class Table:
    """What readers of a board are shown.

    Attributes:
        boards: it was drawn from: the board, the public one beside a private one, and that of the scoring before.
        html: the table; its rows have the identifiers ``team-1`` and so on.
        moved: teams with another rank than in the scoring before.
        tiered: whether any team has a tier.
    """

    boards: tuple[Board, Board | None, Board | None]
    html: Markup
    moved: int
    tiered: bool

    def for_team(self, team_id: int | None) -> Markup:
        """The table with a team's row marked."""
        name = f'id="team-{team_id}"'
        return Markup(str(self.html).replace(name, f'{name} class="own"'))  # noqa: S704  # drawn from a template


_drawn: dict[tuple[object, ...], Table] = {}
_drawing = threading.Lock()


def table_of(rules: Definition, boards: tuple[Board, Board | None, Board | None]) -> Table:
    """The table of a board, drawn anew only where one of the boards or the rules are others than before.

    Args:
        rules: the definition, as that scoring scored.
        boards: see ``Table``.
    """
    # By identity: boards are never changed, and those that a table is kept for stay alive.
    key = (*map(id, boards), rules.digits, rules.show, rules.metric, rules.tie_breakers)
    with _drawing:
        if key not in _drawn:
            while len(_drawn) >= _MOST:
                del _drawn[next(iter(_drawn))]
            _drawn[key] = _draw(rules, boards)
        return _drawn[key]


def _draw(rules: Definition, boards: tuple[Board, Board | None, Board | None]) -> Table:
    board, public, before = boards
    earlier = {} if before is None else ranks(before)
    moved = sum(1 for row in board.rows if earlier and earlier.get(row.team_id) != row.place.rank)
    tiered = any(row.place.tier is not None for row in board.rows)
    first, last, decimals = _span(board)
    html = templates().get_template("board_table.html").render(
        board=board, part=board.part, track=board.track, rules=rules, before=before, moved=moved, earlier=earlier,
        public={} if public is None else ranks(public), first=first, last=last, decimals=decimals, tiered=tiered,
        confidence=CONFIDENCE,
    )  # fmt: skip
    return Table(boards, Markup(html), moved, tiered)  # noqa: S704  # the template escapes


def ranks(board: Board) -> dict[int, int | None]:
    """Team's number -> its rank."""
    return {row.team_id: row.place.rank for row in board.rows}


def _span(board: Board) -> tuple[float, float, int]:
    """What the bars of the board reach over, all scores and intervals, to round numbers; and the decimals of those."""
    places = [row.place for row in board.rows if not row.held_back]
    ends = [end for each in places for end in (each.score, each.low, each.high) if end is not None]
    if not ends:
        return 0.0, 1.0, 0
    first, last = min(ends), max(ends)
    step = 10.0 ** math.floor(math.log10(last - first)) if last > first else 0.1
    # What is rounded first is not moved by the last bit of a division.
    first, last = (step * to(round(end / step, 6)) for to, end in ((math.floor, first), (math.ceil, last)))
    return first, max(last, first + step), max(0, round(-math.log10(step)))
