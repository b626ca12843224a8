"""The audit log: all that changes a result, in order, each line with the hash of the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from unmask.host.records import Event, Fact

#: The fact that counts changes: whoever has a board of this number has the latest.
_CHANGES = "changes"
_START = "0" * 64


def log(session: Session, at: datetime, actor: str, action: str, subject: str, **detail: Any) -> None:
    """Add a line, in a writing transaction, and count the change.

    Args:
        session: in which the change itself is made.
        at: when.
        actor: who: a team's member, an organizer, or "unmask".
        action: a verb such as "submitted".
        subject: what was changed, such as "submission 12".
        detail: whatever tells more; plain values.
    """
    last = session.scalar(select(Event.sha256).order_by(Event.id.desc()).limit(1)) or _START
    event = Event(at=at, actor=actor, action=action, subject=subject, detail=detail, sha256="")
    event.sha256 = _hash(last, event)
    session.add(event)
    fact = session.get(Fact, _CHANGES)
    if fact is None:
        session.add(Fact(name=_CHANGES, value="1"))
    else:
        fact.value = str(int(fact.value) + 1)
    session.flush()


def changes(session: Session) -> int:
    """How many changes there have been."""
    return int(session.scalar(select(Fact.value).where(Fact.name == _CHANGES)) or 0)


def broken_at(events: Iterable[Event]) -> int | None:
    """Number of the first line that does not follow from the one before; None where all do.

    Args:
        events: all of them, in order.
    """
    last = _START
    for event in events:
        if event.sha256 != _hash(last, event):
            return event.id
        last = event.sha256
    return None


def _hash(last: str, event: Event) -> str:
    told = [last, event.at.isoformat(), event.actor, event.action, event.subject, event.detail]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
