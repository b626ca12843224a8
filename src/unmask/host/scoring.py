"""Scoring one submission: claimed by one worker at a time, finished once, whatever happens to workers in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from unmask import __version__
from unmask.challenge.definition import Definition
from unmask.challenge.folder import Challenge
from unmask.challenge.marks import Mark, Marker
from unmask.challenge.submission import read_submission
from unmask.host.database import Database
from unmask.host.events import log
from unmask.host.files import Files
from unmask.host.lookalikes import packed_ranks
from unmask.host.records import FAILED, QUEUED, RUNNING, SCORED, Fact, Score, Scoring, Submission

#: A worker that has not been heard of for so long is lost, and its submission another's.
LEASE = timedelta(seconds=20)
#: So often may a submission's worker be lost, before the submission is taken to be the cause.
LOSSES = 3
PUBLIC, PRIVATE = "public", "private"
PARTS = (PUBLIC, PRIVATE)
#: What of a definition decides numbers.
_DECIDING = ("metric", "tie_breakers", "clip", "threshold", "prevalence", "budget", "seed", "replicates")
_UNMASK = "unmask"
#: The fact that names the scoring that stands.
_STANDING = "standing"
#: Raised where the same file would get other numbers than before: then all must be scored again.
SCORER = 1


@dataclass(frozen=True)
class Claim:
    """One worker's right to score one submission.

    Attributes:
        submission_id: of the submission.
        number: how often the submission was claimed: only the last claim holds.
        stored: its file.
        scoring_id: by which it is scored.
        answers_sha256: of the key of that scoring.
    """

    submission_id: int
    number: int
    stored: str
    scoring_id: int
    answers_sha256: str


@dataclass(frozen=True)
class Outcome:
    """What scoring one file gives.

    Attributes:
        marks: for each part.
        ranks: of its scores, as near copies are found by.
    """

    marks: Mapping[str, Mark]
    ranks: bytes


def protocol(definition: Definition) -> dict[str, Any]:
    """What decides numbers, as JSON keeps it."""
    said = asdict(definition)
    numbers = {name: list(said[name]) if isinstance(said[name], tuple) else said[name] for name in _DECIDING}
    return numbers | {"scorer": SCORER}


def is_of(scoring: Scoring, definition: Definition) -> bool:
    """Whether a scoring uses this answer key, and makes numbers in this way."""
    return scoring.answers_sha256 == definition.sha256 and scoring.protocol == protocol(definition)


def as_scored(definition: Definition, scoring: Scoring) -> Definition:
    """The definition with what decided the numbers of a scoring, which may be an old one."""
    said: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in scoring.protocol.items()
        if name in _DECIDING
    }
    return replace(definition, sha256=scoring.answers_sha256, **said)


def current(session: Session) -> Scoring | None:
    """The scoring that holds."""
    return session.scalar(select(Scoring).order_by(Scoring.id.desc()).limit(1))


def standing(session: Session) -> Scoring | None:
    """The scoring whose boards are shown: the last one by which everything was scored that was there when it began."""
    found = session.get(Fact, _STANDING)
    return None if found is None else session.get(Scoring, int(found.value))


def is_complete(session: Session, scoring: Scoring) -> bool:
    """Whether nothing that was there when the scoring that holds began still waits to be scored by it."""
    left = select(Submission.id).where(Submission.state.in_((QUEUED, RUNNING)), Submission.received <= scoring.made)
    return session.scalar(left.limit(1)) is None


def conclude(session: Session) -> bool:
    """Let the scoring that holds stand where it is complete, in a writing transaction; whether it did not before."""
    scoring, before = current(session), standing(session)
    if scoring is None or scoring is before or not is_complete(session, scoring):
        return False
    session.merge(Fact(name=_STANDING, value=str(scoring.id)))
    return True


def begin(session: Session, at: datetime, challenge: Challenge, actor: str, reason: str) -> Scoring:
    """A new scoring, which holds from now on: everything is queued again; what earlier ones gave stays.

    Args:
        session: a writing one.
        at: when.
        challenge: whose key and definition are used.
        actor: who wants it.
        reason: why, in words that teams will read.
    """
    definition = challenge.definition
    markers = {part: Marker(challenge, part) for part in PARTS}
    start = markers[PUBLIC].uninformed()
    scoring = Scoring(
        answers_sha256=definition.sha256, protocol=protocol(definition), version=__version__, made=at, reason=reason,
        fewest={part: marker.fewest for part, marker in markers.items()}, start_values=list(start.values),
        start_replicates=_packed(start),
    )  # fmt: skip
    session.add(scoring)
    session.flush()
    session.execute(update(Submission).values(state=QUEUED, losses=0, lease=None, error=None))
    log(
        session, at, actor, "began scoring", f"scoring {scoring.id}", reason=reason, answers_sha256=definition.sha256,
        version=__version__,
    )  # fmt: skip
    conclude(session)
    return scoring


def claim(database: Database, definition: Definition, submission_id: int, at: datetime) -> Claim | None:
    """Take a submission that waits, or whose worker is lost.

    None where another has it, or has done it; or where the challenge's files are not those of the scoring that holds.
    """
    with database.writing() as session:
        submission, scoring = session.get(Submission, submission_id), current(session)
        if submission is None or scoring is None or not is_of(scoring, definition) or not _is_free(submission, at):
            return None
        submission.losses += submission.state == RUNNING
        if submission.losses >= LOSSES:
            why = f"scoring it broke off {LOSSES} times: it may need too much memory; the server's log says more"
            _fail(session, submission, at, why)
            return None
        submission.state, submission.lease = RUNNING, at + LEASE
        submission.claims += 1
        return Claim(submission.id, submission.claims, submission.stored, scoring.id, scoring.answers_sha256)


def _is_free(submission: Submission, at: datetime) -> bool:
    if submission.state == QUEUED:
        return True
    return submission.state == RUNNING and submission.lease is not None and submission.lease <= at


def waiting(session: Session, at: datetime) -> list[int]:
    """Submissions that nobody scores: queued, or left by a lost worker."""
    free = or_(Submission.state == QUEUED, (Submission.state == RUNNING) & (Submission.lease <= at))
    return list(session.scalars(select(Submission.id).where(free).order_by(Submission.id)))


def renew(database: Database, held: Claim, at: datetime) -> None:
    """Tell that the worker is still there."""
    with database.writing() as session:
        session.execute(update(Submission).where(_holds(held)).values(lease=at + LEASE))


def compute(challenge: Challenge, files: Files, stored: str) -> Outcome:
    """What a kept file is worth, for each part: the only place where submissions meet labels."""
    answers = read_submission(files.path(stored), challenge.ids)
    marks = {part: Marker(challenge, part).mark(answers) for part in PARTS}
    return Outcome(marks, packed_ranks(answers["score"]))


def finish(database: Database, held: Claim, found: Outcome, at: datetime) -> bool:
    """Keep what came out, once: whether the claim still held."""
    with database.writing() as session:
        submission = session.scalar(select(Submission).where(_holds(held)))
        scoring = current(session)
        if submission is None or scoring is None or scoring.id != held.scoring_id:
            return False
        for part, mark in found.marks.items():
            session.add(
                Score(
                    submission_id=submission.id, scoring_id=held.scoring_id, part=part, values=list(mark.values),
                    reason=mark.reason, replicates=_packed(mark),
                )
            )  # fmt: skip
        submission.state, submission.lease, submission.finished = SCORED, None, at
        submission.ranks = found.ranks
        log(session, at, _UNMASK, "scored", f"submission {submission.id}", scoring=held.scoring_id)
        return True


def put_back(database: Database, held: Claim) -> None:
    """Give a submission back that could not be scored for no fault of its own: it waits again."""
    with database.writing() as session:
        session.execute(update(Submission).where(_holds(held)).values(state=QUEUED, lease=None))


def release(database: Database, held: Claim, at: datetime) -> None:
    """Give a submission back whose scoring broke off: as if its worker had been lost."""
    with database.writing() as session:
        session.execute(update(Submission).where(_holds(held)).values(lease=at))


def give_up(database: Database, held: Claim, why: str, at: datetime) -> None:
    """Note that the run failed, where the claim still holds."""
    with database.writing() as session:
        submission = session.scalar(select(Submission).where(_holds(held)))
        if submission is not None:
            _fail(session, submission, at, why)


def mark_of(score: Score) -> Mark:
    """What was kept, as it was computed."""
    return _unpacked(score.values, score.reason, score.replicates)


def start_of(scoring: Scoring) -> Mark:
    """The public marks of a submission that says nothing."""
    return _unpacked(scoring.start_values, None, scoring.start_replicates)


def _packed(mark: Mark) -> bytes:
    return mark.replicates.astype("<f8").tobytes()


def _unpacked(values: list[Any], reason: str | None, replicates: bytes) -> Mark:
    return Mark(tuple(values), reason, np.frombuffer(replicates, dtype="<f8").reshape(len(values), -1))


def _fail(session: Session, submission: Submission, at: datetime, why: str) -> None:
    submission.state, submission.lease, submission.finished, submission.error = FAILED, None, at, why
    log(session, at, _UNMASK, "gave up", f"submission {submission.id}", why=why)


def _holds(held: Claim) -> Any:  # a condition of SQLAlchemy's
    return (Submission.id == held.submission_id) & (Submission.state == RUNNING) & (Submission.claims == held.number)
