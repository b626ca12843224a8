"""What the API takes and gives, as OpenAPI tells it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from unmask.host.boards import Shown
from unmask.host.quota import Quota
from unmask.host.records import QUEUED, RUNNING, Event, Invitation, Submission, Team, Token

#: Of every name.
_NAME = "1 to 60 visible characters."


class ErrorBody(BaseModel):
    """What went wrong, and what to do."""

    code: str = Field(description="A short name that programs can tell it by.")
    what: str
    next_step: str
    problems: list[str] = Field(description="All faults of a file or a request, one a line.")


class ErrorShape(BaseModel):
    """The one shape of every error."""

    error: ErrorBody


class SubmissionOut(BaseModel):
    """One of a team's submissions."""

    id: int
    track: str
    file_name: str
    rows: int
    received: datetime
    member: str
    state: str = Field(description="queued, running, scored or failed.")
    error: str | None = Field(description="Why it failed; it cost no submission.")
    public_score: float | None = Field(
        description="As the board shows it; where the Ladder is on, it may be an earlier one's."
    )
    shown_of: int | None = Field(description="The submission whose score that is.")
    picked: bool
    paused: bool = Field(description="Whether it waits for the organizer, who changes the challenge.")

    @classmethod
    def of(cls, submission: Submission, shown: Shown | None, digits: int, *, paused: bool) -> SubmissionOut:
        """What a team may know of its submission."""
        shows = None if shown is None else shown.shows
        value = None if shows is None else shows.values[0]
        return cls(
            id=submission.id, track=submission.track, file_name=submission.file_name, rows=submission.rows,
            received=submission.received, member=submission.member, state=submission.state, error=submission.error,
            public_score=None if value is None else round(value, digits),
            shown_of=None if shows is None else shows.submission_id, picked=submission.picked is not None,
            paused=paused and submission.state in (QUEUED, RUNNING),
        )  # fmt: skip


class QuotaOut(BaseModel):
    """What is left to a team."""

    today: int
    total: int | None
    failures: int
    resets: datetime

    @classmethod
    def of(cls, quota: Quota) -> QuotaOut:
        """The same, as JSON."""
        return cls(today=quota.today, total=quota.total, failures=quota.failures, resets=quota.resets)


class MeOut(BaseModel):
    """Who is asking."""

    member: str
    role: str
    team: str | None
    quota: QuotaOut | None


class SecretOut(BaseModel):
    """A secret that is told this once."""

    token: str


class TeamOut(BaseModel):
    """A team, for organizers."""

    id: int
    name: str
    made: datetime
    disqualified_for: str | None
    submissions: int

    @classmethod
    def of(cls, team: Team, submissions: int) -> TeamOut:
        """The same, as JSON."""
        return cls(
            id=team.id, name=team.name, made=team.made, disqualified_for=team.disqualified_for, submissions=submissions
        )


class TokenOut(BaseModel):
    """A token, for organizers: never the secret itself."""

    id: int
    hint: str
    member: str
    role: str
    team_id: int | None
    made: datetime
    revoked: datetime | None

    @classmethod
    def of(cls, token: Token) -> TokenOut:
        """The same, as JSON."""
        return cls(
            id=token.id, hint=token.hint, member=token.member, role=token.role, team_id=token.team_id,
            made=token.made, revoked=token.revoked,
        )  # fmt: skip


class InvitationOut(BaseModel):
    """An invitation, for organizers: never the secret itself."""

    id: int
    team: str | None = Field(description="Which it lets its bearer join; none where it is to make a new one.")
    made: datetime
    expires: datetime

    @classmethod
    def of(cls, invitation: Invitation) -> InvitationOut:
        """The same, as JSON."""
        team = invitation.team.name if invitation.team else None
        return cls(id=invitation.id, team=team, made=invitation.made, expires=invitation.expires)


class EventOut(BaseModel):
    """A line of the audit log."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    sha256: str

    @classmethod
    def of(cls, event: Event) -> EventOut:
        """The same, as JSON."""
        return cls(
            id=event.id, at=event.at, actor=event.actor, action=event.action, subject=event.subject,
            detail=event.detail, sha256=event.sha256,
        )  # fmt: skip


class RegisterIn(BaseModel):
    """Somebody who wants to take part."""

    member: str = Field(max_length=200, description=_NAME)
    team: str = Field("", max_length=200, description="Name of the new team; not needed to join one.")
    invitation: str | None = Field(None, max_length=200)


class TeamIn(BaseModel):
    """A team to make."""

    name: str = Field(max_length=200, description=_NAME)
    member: str = Field(max_length=200, description="Its first member, who gets the token.")


class TokenIn(BaseModel):
    """A token to make."""

    member: str = Field(max_length=200)
    team_id: int | None = Field(None, ge=1, le=2**31 - 1, description="None for an organizer.")


class InvitationIn(BaseModel):
    """An invitation to make."""

    team_id: int | None = Field(None, ge=1, le=2**31 - 1, description="None to let its bearer make a team.")


class ReasonIn(BaseModel):
    """Why something is done, in words that teams will read."""

    reason: str = Field(min_length=1, max_length=2000)


class PickIn(BaseModel):
    """Whether a submission shall be a final pick."""

    picked: bool
