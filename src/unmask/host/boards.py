"""Boards: which teams stand where, on one part and track, in one scoring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from unmask.challenge.definition import Definition
from unmask.challenge.ladder import climb
from unmask.challenge.places import Place, place
from unmask.host.records import Score, Scoring, Submission, Team
from unmask.host.scoring import PRIVATE, PUBLIC, as_scored, mark_of, start_of
from unmask.scoring.metrics import METRICS

#: What of an entry is null where ``Definition.show`` leaves something out.
_HIDDEN = {
    "score": ("score", "ties", "trend"),
    "interval": ("low", "high"),
    "rank_interval": ("rank_low", "rank_high"),
    "tier": ("tier",),
}
#: Of a team's earlier scores, so many make its trend.
_TREND = 50


@dataclass(frozen=True)
class Row:
    """One team on a board.

    Attributes:
        team: its name.
        team_id: its number.
        submission_id: whose score stands here.
        place: rank, score, intervals, tier; see ``Place``.
        entries: how many of the team's submissions were scored.
        last: when the last of them was received.
        held_back: whether nothing that the team sent was better than chance: it stands with what says nothing.
        trend: the scores that the team's submissions showed, in order, rounded; None where there was none.
    """

    team: str
    team_id: int
    submission_id: int
    place: Place
    entries: int
    last: datetime
    held_back: bool = False
    trend: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Board:
    """All teams, the first first.

    Attributes:
        part: public or private.
        track: "" where the challenge has none.
        scoring_id: by which scoring.
        rows: by rank; those without a score last.
        waiting: submissions that this scoring has not scored yet.
    """

    part: str
    track: str
    scoring_id: int
    rows: list[Row] = field(default_factory=list)
    waiting: int = 0

    def as_dict(self, show: Sequence[str]) -> dict[str, object]:
        """As JSON tells it.

        Args:
            show: ``Definition.show``: what is not in it is null.
        """
        hidden = {name for what, names in _HIDDEN.items() if what not in show for name in names}
        entries = [
            {
                "team": row.team, "entries": row.entries, "last": row.last.isoformat(), "held_back": row.held_back,
                "trend": list(row.trend), **asdict(row.place),
            }
            | dict.fromkeys(hidden)
            for row in self.rows
        ]  # fmt: skip
        return {
            "part": self.part, "track": self.track, "scoring": self.scoring_id, "waiting": self.waiting,
            "entries": entries,
        }  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """One scored submission, and what its team is shown.

    Attributes:
        submission: which.
        score: its own marks on the part.
        shows: the score that is shown in its place: its own, but where the Ladder holds it back; None where nothing the
            team sent has been better than chance.
    """

    submission: Submission
    score: Score
    shows: Score | None


def shown_scores(
    session: Session, definition: Definition, scoring: Scoring, part: str, *, team_id: int | None = None
) -> list[Shown]:
    """All scored submissions of teams that are not disqualified, by team and track, in the order they were received.

    Args:
        session: any.
        definition: the challenge's.
        scoring: by which scoring.
        part: public or private. The Ladder holds nothing back on the private one.
        team_id: of one team alone, disqualified or not.
    """
    query = (
        select(Submission, Score)
        .join(Score, Score.submission_id == Submission.id)
        .join(Team, Team.id == Submission.team_id)
        .where(Score.scoring_id == scoring.id, Score.part == part)
        .order_by(Submission.team_id, Submission.track, Submission.id)
    )
    query = query.where(Team.disqualified.is_(None) if team_id is None else Submission.team_id == team_id)
    pairs = [(submission, score) for submission, score in session.execute(query)]
    if not definition.ladder or part != PUBLIC:
        return [Shown(submission, score, score) for submission, score in pairs]
    definition = as_scored(definition, scoring)
    found: list[Shown] = []
    for _, group in groupby(pairs, key=lambda pair: (pair[0].team_id, pair[0].track)):
        own = list(group)
        shows = climb([mark_of(score) for _, score in own], METRICS[definition.metric], start_of(scoring))
        found += [
            Shown(submission, score, None if number is None else own[number][1])
            for (submission, score), number in zip(own, shows, strict=True)
        ]
    return found


def make_board(session: Session, definition: Definition, scoring: Scoring, part: str, track: str) -> Board:
    """The board of one part and track.

    On the public part a team stands with the best score that it was shown; on the private part with the best of its
    final picks, or of its best public one where it picked none.

    Args:
        session: any.
        definition: the challenge's.
        scoring: which.
        part: public or private.
        track: "" where the challenge has none.
    """
    definition = as_scored(definition, scoring)
    by_team: dict[int, list[Shown]] = defaultdict(list)
    for shown in shown_scores(session, definition, scoring, part):
        if shown.submission.track == track:
            by_team[shown.submission.team_id].append(shown)
    chosen = {team_id: _best(own, definition) for team_id, own in by_team.items()}
    if part == PRIVATE:
        public = {s.submission.id: s for s in shown_scores(session, definition, scoring, PUBLIC)}
        chosen = {team_id: _best(_finals(own, public, definition), definition) for team_id, own in by_team.items()}
    marks = [start_of(scoring) if best.shows is None else mark_of(best.shows) for best in chosen.values()]
    places = place(marks, definition, scoring.fewest[part]) if marks else []
    rows = [
        Row(
            best.submission.team.name, team_id, best.submission.id, found, len(by_team[team_id]),
            by_team[team_id][-1].submission.received,
            best.shows is None,
            tuple(_rounded(each.shows, definition) for each in by_team[team_id][-_TREND:]),
        )
        for (team_id, best), found in zip(chosen.items(), places, strict=True)
    ]  # fmt: skip
    rows.sort(key=lambda row: (row.place.rank is None, row.place.rank or 0, row.team))
    waiting = select(Submission.id).where(Submission.state.in_(("queued", "running")), Submission.track == track)
    return Board(part, track, scoring.id, rows, len(session.scalars(waiting).all()))


def _finals(own: Sequence[Shown], public: dict[int, Shown], definition: Definition) -> list[Shown]:
    """What counts of a team's submissions at the end."""
    picked = [each for each in own if each.submission.picked is not None]
    if picked:
        return picked
    best = _best([public[each.submission.id] for each in own if each.submission.id in public], definition)
    return [each for each in own if each.submission.id == best.submission.id]


def _best(own: Sequence[Shown], definition: Definition) -> Shown:
    """The one with the best shown numbers, rounded; the earliest of equal ones."""
    signs = [1.0 if metric.direction == "lower" else -1.0 for metric in definition.metrics]

    def key(each: Shown) -> tuple[float, ...]:
        return tuple(
            float("inf") if value is None else sign * round(value, definition.digits)
            for sign, value in zip(signs, each.shows.values if each.shows else [None] * len(signs), strict=True)
        )

    return min(own, key=key)


def _rounded(score: Score | None, definition: Definition) -> float | None:
    return None if score is None or score.values[0] is None else round(score.values[0], definition.digits)
