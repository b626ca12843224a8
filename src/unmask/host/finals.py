"""The end of a challenge: final picks, the close, and what is published then."""

from __future__ import annotations

import base64
import json
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from unmask.challenge.definition import Definition
from unmask.host.accounts import Account
from unmask.host.boards import make_board
from unmask.host.events import log
from unmask.host.intake import CLOSED
from unmask.host.records import FAILED, QUEUED, RUNNING, Fact, Snapshot, Submission
from unmask.host.refusals import RefusedError
from unmask.host.scoring import PARTS, current, is_complete

_KEY = "signing key"


def is_closed(session: Session) -> bool:
    """Whether the challenge is closed: from then on private numbers are shown."""
    return session.get(Fact, CLOSED) is not None


def pick(
    session: Session, definition: Definition, account: Account, submission_id: int, at: datetime, *, picked: bool
) -> Submission:
    """Make one of a team's submissions a final pick, or take that back.

    Args:
        session: a writing one.
        definition: the challenge's.
        account: of the team.
        submission_id: of one of the team's.
        at: when.
        picked: whether it shall be one.

    Raises:
        RefusedError: the challenge is closed, the submission is not the team's, has failed, or the team has picked all.
    """
    submission = session.get(Submission, submission_id)
    if submission is None or submission.team_id != account.team_id:
        raise RefusedError(404, "no_submission", f"the team has no submission {submission_id}", "look at its list")
    last = definition.phases[-1] if definition.phases else None
    if is_closed(session) or (last is not None and at >= last.closes):
        raise RefusedError(403, "closed", "final picks are frozen", "look at the board")
    if picked and submission.state == FAILED:
        raise RefusedError(409, "failed", f"submission {submission_id} was not scored", "pick another one")
    if picked and submission.picked is None:
        chosen = select(func.count()).select_from(Submission).where(
            Submission.team_id == account.team_id, Submission.track == submission.track,
            Submission.picked.is_not(None),
        )  # fmt: skip
        if (session.scalar(chosen) or 0) >= definition.finals:
            what = f"the team has made its {definition.finals} final pick{'' if definition.finals == 1 else 's'}"
            raise RefusedError(409, "all_picked", what, "take one of them back first")
    if picked != (submission.picked is not None):
        submission.picked = at if picked else None
        log(session, at, account.actor, "picked" if picked else "took back", f"submission {submission_id}")
    return submission


def close(session: Session, at: datetime, actor: str) -> None:
    """End the challenge: nothing comes in any more, picks are frozen, private numbers may be shown.

    Args:
        session: a writing one.
        at: when.
        actor: who.

    Raises:
        RefusedError: it is closed already, or a submission waits to be scored.
    """
    if is_closed(session):
        raise RefusedError(409, "closed", "the challenge is closed already", "look at the final board")
    left = select(func.count()).select_from(Submission).where(Submission.state.in_((QUEUED, RUNNING)))
    if count := session.scalar(left):
        what = f"{count} submission{' waits' if count == 1 else 's wait'} to be scored"
        raise RefusedError(409, "not_scored", what, "wait until all are scored, then close")
    session.add(Fact(name=CLOSED, value=at.isoformat()))
    log(session, at, actor, "closed the challenge", "challenge")


def publish(session: Session, at: datetime, actor: str, definition: Definition) -> Snapshot | None:
    """Keep all boards of the scoring that holds as they are now, signed.

    None where the challenge is not closed, or files wait to be scored: boards are published when they are final.

    Args:
        session: a writing one.
        at: when.
        actor: who.
        definition: the challenge's.
    """
    scoring = current(session)
    if not is_closed(session) or scoring is None or not is_complete(session, scoring):
        return None
    tracks = definition.tracks or ("",)
    boards = [make_board(session, definition, scoring, part, track) for part in PARTS for track in tracks]
    told = {
        "challenge": definition.name, "at": at.isoformat(), "answers_sha256": scoring.answers_sha256,
        "boards": [board.as_dict(definition.show) for board in boards],
    }  # fmt: skip
    content = json.dumps(told, sort_keys=True, ensure_ascii=False, allow_nan=False)
    signature = base64.b64encode(_key(session).sign(content.encode())).decode()
    snapshot = Snapshot(scoring_id=scoring.id, made=at, content=content, signature=signature)
    session.add(snapshot)
    session.flush()
    log(session, at, actor, "published", f"snapshot {snapshot.id}", signature=signature)
    return snapshot


def public_key(session: Session) -> str:
    """What snapshots are checked with: Ed25519, base64."""
    return base64.b64encode(_key(session).public_key().public_bytes_raw()).decode()


def make_key(session: Session) -> None:
    """Draw the key that snapshots are signed with, where there is none, in a writing transaction."""
    if session.get(Fact, _KEY) is None:
        drawn = Ed25519PrivateKey.generate().private_bytes_raw()
        session.add(Fact(name=_KEY, value=base64.b64encode(drawn).decode()))


def _key(session: Session) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(session.get_one(Fact, _KEY).value))
