"""What the database holds. Times are UTC; what is a secret is held as a digest only."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

#: States of a submission. From queued to running and on to scored or failed; back to queued where a worker was lost.
QUEUED, RUNNING, SCORED, FAILED = "queued", "running", "scored", "failed"
#: What a token may do.
MEMBER, ORGANIZER = "member", "organizer"


class Moment(TypeDecorator[datetime]):
    """A time in UTC: SQLite keeps none of its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """As the database keeps it."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """With its zone."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map: ClassVar = {
        datetime: Moment, str: String(200), bytes: LargeBinary, dict[str, Any]: JSON, list[Any]: JSON,
    }  # fmt: skip


class Team(Base):
    """A team; its key is its name without differences that people overlook."""

    __tablename__ = "teams"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    made: Mapped[datetime]
    disqualified: Mapped[datetime | None]
    disqualified_for: Mapped[str | None] = mapped_column(Text)


class Token(Base):
    """What a member of a team, or an organizer, signs in with.

    ``signed_out`` counts how often: a browser's session holds for the number that it was begun with.
    """

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"), index=True)
    role: Mapped[str]
    member: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)
    hint: Mapped[str]
    made: Mapped[datetime]
    revoked: Mapped[datetime | None]
    signed_out: Mapped[int] = mapped_column(default=0)

    team: Mapped[Team | None] = relationship(lazy="joined")


class Invitation(Base):
    """Lets its bearer make a team, or join one; once, and until it is revoked."""

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))
    digest: Mapped[str] = mapped_column(unique=True)
    made: Mapped[datetime]
    expires: Mapped[datetime]
    used: Mapped[datetime | None]
    revoked: Mapped[datetime | None]

    team: Mapped[Team | None] = relationship(lazy="joined")


class Submission(Base):
    """A file that was accepted: checked against the ids, and counted on the day it arrived.

    ``ranks`` are those by which near copies are found, as ``unmask.host.lookalikes`` packs them, once it is scored.
    """

    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("team_id", "track", "sha256", name="one_of_each_file"),
        Index("of_a_day", "team_id", "day"),
        Index("by_state", "state", "lease"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    member: Mapped[str]
    track: Mapped[str]
    file_name: Mapped[str]
    stored: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]
    rows: Mapped[int]
    received: Mapped[datetime]
    day: Mapped[date]
    state: Mapped[str]
    claims: Mapped[int]
    losses: Mapped[int]
    lease: Mapped[datetime | None]
    finished: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)
    picked: Mapped[datetime | None]
    ranks: Mapped[bytes | None] = mapped_column(deferred=True)

    team: Mapped[Team] = relationship(lazy="joined")


class Refusal(Base):
    """A file that was refused: it counts towards the day's failures, and nothing else of it is kept."""

    __tablename__ = "refusals"
    __table_args__ = (Index("refused_of_a_day", "team_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    member: Mapped[str]
    file_name: Mapped[str]
    received: Mapped[datetime]
    day: Mapped[date]
    problems: Mapped[list[Any]]


class Scoring(Base):
    """One way of scoring everything: an answer key, a definition and a version of the scorer. The last one holds.

    What boards need of the key is kept here, so that old ones stay readable: on how many clusters intervals rest, for
    each part, and the marks of a submission that says nothing, on the public one.
    """

    __tablename__ = "scorings"

    id: Mapped[int] = mapped_column(primary_key=True)
    answers_sha256: Mapped[str]
    protocol: Mapped[dict[str, Any]]
    version: Mapped[str]
    made: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text)
    fewest: Mapped[dict[str, Any]]
    start_values: Mapped[list[Any]]
    start_replicates: Mapped[bytes] = mapped_column(deferred=True)


class Score(Base):
    """What one submission got for one part in one scoring. Never changed once written."""

    __tablename__ = "scores"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    scoring_id: Mapped[int] = mapped_column(ForeignKey("scorings.id"), primary_key=True)
    part: Mapped[str] = mapped_column(primary_key=True)
    values: Mapped[list[Any]]
    reason: Mapped[str | None] = mapped_column(Text)
    replicates: Mapped[bytes] = mapped_column(deferred=True)


class Event(Base):
    """One line of the audit log. Each carries the hash of the one before, so that none can be changed unseen."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]]
    sha256: Mapped[str]


class Snapshot(Base):
    """A board as it was published, signed."""

    __tablename__ = "snapshots"

    id: Mapped[int] = mapped_column(primary_key=True)
    scoring_id: Mapped[int] = mapped_column(ForeignKey("scorings.id"))
    made: Mapped[datetime]
    content: Mapped[str] = mapped_column(Text)
    signature: Mapped[str]


class Fact(Base):
    """A few things that there are once: when the challenge was closed, the key that snapshots are signed with."""

    __tablename__ = "facts"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Text)
