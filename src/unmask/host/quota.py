"""How many files a team may still send. Days begin at midnight UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from unmask.challenge.definition import Limits
from unmask.host.records import FAILED, Refusal, Submission
from unmask.host.refusals import RefusedError


@dataclass(frozen=True)
class Quota:
    """What is left to a team.

    Attributes:
        today: submissions that are accepted before the day ends.
        total: submissions that are accepted at all; None for any number.
        failures: refused or failed files before the day ends.
        resets: when the next day begins.
    """

    today: int
    total: int | None
    failures: int
    resets: datetime

    def refuse_if_used_up(self) -> None:
        """Raise RefusedError where nothing is left."""
        if self.total is not None and self.total <= 0:
            what = "the team has used all submissions that it had for the whole challenge"
            raise RefusedError(429, "total_limit", what, "pick your final submissions among those that you have made")
        when = self.resets.strftime("%Y-%m-%d %H:%M UTC")
        if self.today <= 0:
            what = "the team has used all submissions of today"
            raise RefusedError(429, "daily_limit", what, f"send the file again after {when}")
        self.refuse_if_failing()

    def refuse_if_failing(self) -> None:
        """Raise RefusedError where too many files were refused or failed."""
        if self.failures <= 0:
            when = self.resets.strftime("%Y-%m-%d %H:%M UTC")
            what = "too many files of the team were refused or failed today"
            raise RefusedError(
                429, "failure_limit", what, f"check files by 'unmask challenge check'; wait until {when}"
            )


def day_of(at: datetime) -> date:
    """The day, in UTC, on which something counts."""
    return at.astimezone(UTC).date()


def quota(session: Session, team_id: int, limits: Limits, at: datetime) -> Quota:
    """What is left to a team at ``at``. A failed run counts as a failure and as nothing else."""
    day = day_of(at)
    kept = select(func.count()).select_from(Submission).where(Submission.team_id == team_id, Submission.state != FAILED)
    failed = select(func.count()).select_from(Submission).where(
        Submission.team_id == team_id, Submission.state == FAILED, Submission.day == day
    )  # fmt: skip
    refused = select(func.count()).select_from(Refusal).where(Refusal.team_id == team_id, Refusal.day == day)

    def count(query: object) -> int:
        return int(session.scalar(query) or 0)  # type: ignore[call-overload]  # any of the three above

    return Quota(
        today=max(limits.daily - count(kept.where(Submission.day == day)), 0),
        total=None if limits.total is None else max(limits.total - count(kept), 0),
        failures=max(limits.failures - count(failed) - count(refused), 0),
        resets=datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC),
    )
