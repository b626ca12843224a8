"""Where a challenge stands in time: before, in, between or after its phases, or closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from unmask.challenge.definition import Definition, Phase
from unmask.host.intake import CLOSED
from unmask.host.records import Fact


@dataclass(frozen=True)
class Calendar:
    """A challenge at one time.

    Attributes:
        closed: when the organizer closed it; None where that is to come.
        open: the phase that is open.
        coming: the next phase.
        last: the last phase; None where there are none.
    """

    closed: datetime | None
    open: Phase | None
    coming: Phase | None
    last: Phase | None

    @property
    def takes_files(self) -> bool:
        """Whether teams may send files."""
        return self.closed is None and (self.open is not None or self.last is None)


def calendar(session: Session, definition: Definition, now: datetime) -> Calendar:
    """Where the challenge stands at ``now``."""
    closed, phases = session.get(Fact, CLOSED), definition.phases
    return Calendar(
        None if closed is None else datetime.fromisoformat(closed.value),
        definition.phase(now),
        next((phase for phase in phases if now < phase.opens), None),
        phases[-1] if phases else None,
    )
