"""Taking a submission in: checked at once against the ids, never against the labels; then kept, counted and queued."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from unmask.challenge.definition import Definition
from unmask.challenge.folder import Challenge
from unmask.host.accounts import Account
from unmask.host.checking import check
from unmask.host.database import Database
from unmask.host.events import log
from unmask.host.files import Files, Received
from unmask.host.quota import day_of, quota
from unmask.host.records import FAILED, QUEUED, Fact, Refusal, Submission, Team
from unmask.host.refusals import RefusedError
from unmask.scoring.comparison.names import printable
from unmask.tables.errors import TableError, UnmaskError

#: The fact that says when the challenge was closed.
CLOSED = "closed"
_PIECE = 2**20
#: Faults of a refused file that are kept and told.
_LISTED = 200


@dataclass(frozen=True)
class Intake:
    """Where submissions come in.

    Attributes:
        challenge: what they are checked against.
        database: where they are counted.
        files: where they are kept.
        enqueue: tells the workers of a submission; what it fails to tell them, they find by themselves.
    """

    challenge: Challenge
    database: Database
    files: Files
    enqueue: Callable[[int], None]

    def submit(self, account: Account, stream: BinaryIO, name: str, track: str, at: datetime) -> Submission:
        """Take a file in.

        Args:
            account: a team's member.
            stream: the file's bytes.
            name: as its sender calls it.
            track: one of the challenge's; "" where it has none.
            at: when its last byte arrived: that moment decides on phase and day.

        Raises:
            RefusedError: nothing is open to the team, or the file is refused, with all its faults; that costs none.
        """
        if account.team_id is None:
            raise RefusedError(403, "no_team", "an organizer's token cannot submit", "make a team and use its token")
        refuse_other_tracks(self.challenge.definition, track)
        with self.database.reading() as session:
            self._refuse_if_closed(session, account.team_id, at)
        megabytes = self.challenge.definition.limits.megabytes
        try:
            with self.files.receive(stream, name, megabytes * 10**6) as received:
                _refuse_if_long(received, megabytes * 10**6)
                rows = check(received.path, self.challenge.ids, megabytes)
                return self._accept(account, received, _told(name), track, rows, at)
        except RefusedError:
            raise
        except TableError as error:
            problems = error.told(_LISTED)
            self._note(account, name, problems, at)
            count = f"{len(error.problems):,} problem{'' if len(error.problems) == 1 else 's'}"
            remedy = "mend what is listed and send it again: it cost no submission"
            raise RefusedError(422, "refused", f"the file has {count}", remedy, problems) from error
        except UnmaskError as error:
            self._note(account, name, [error.what], at)
            raise RefusedError(422, "refused", error.what, f"{error.next_step}: it cost no submission") from error

    def _accept(
        self, account: Account, received: Received, name: str, track: str, rows: int, at: datetime
    ) -> Submission:
        with self.database.writing() as session:
            # Once more, now that nobody else can write.
            self._refuse_if_closed(session, account.team_id or 0, at)
            same = select(Submission).where(
                Submission.team_id == account.team_id, Submission.track == track, Submission.sha256 == received.sha256
            )
            submission = session.scalar(same)
            if submission is None:
                submission = Submission(
                    team_id=account.team_id, track=track, stored=self.files.keep(received), sha256=received.sha256,
                    size=received.size, rows=rows, claims=0,
                )  # fmt: skip
                session.add(submission)
            elif submission.state != FAILED:
                what = f"the team has sent this very file before, as submission {submission.id}"
                raise RefusedError(409, "sent_before", what, "look at its score, or send another file")
            # One that failed is tried again.
            submission.member, submission.file_name, submission.received = account.member, name, at
            submission.day, submission.state, submission.losses, submission.error = day_of(at), QUEUED, 0, None
            session.flush()
            log(
                session, at, account.actor, "submitted", f"submission {submission.id}", sha256=received.sha256,
                track=track,
            )  # fmt: skip
        self.enqueue(submission.id)
        return submission

    def _refuse_if_closed(self, session: Session, team_id: int, at: datetime) -> None:
        definition = self.challenge.definition
        if session.get(Fact, CLOSED) is not None:
            raise RefusedError(403, "closed", "the challenge is closed", "look at the final board")
        if definition.phases and definition.phase(at) is None:
            coming = next((phase for phase in definition.phases if at < phase.opens), None)
            told = "look at the board" if coming is None else f"wait until {coming.opens:%Y-%m-%d %H:%M} UTC"
            raise RefusedError(403, "no_phase", "no phase is open", told)
        team = session.get_one(Team, team_id)
        if team.disqualified is not None:
            what = f"the team is disqualified: {team.disqualified_for}"
            raise RefusedError(403, "disqualified", what, "write to the organizer")
        quota(session, team_id, definition.limits, at).refuse_if_used_up()

    def _note(self, account: Account, name: str, problems: list[str], at: datetime) -> None:
        with self.database.writing() as session:
            # Once more: where more came at a time than may fail, the rest is not told what is wrong with it.
            quota(session, account.team_id or 0, self.challenge.definition.limits, at).refuse_if_failing()
            session.add(
                Refusal(
                    team_id=account.team_id, member=account.member, file_name=_told(name), received=at,
                    day=day_of(at), problems=problems,
                )
            )  # fmt: skip


def refuse_other_tracks(definition: Definition, track: str) -> None:
    """Raise RefusedError where a challenge has no such track."""
    if track not in (definition.tracks or ("",)):
        told = f"give one of {', '.join(definition.tracks)}" if definition.tracks else "leave the track out"
        raise RefusedError(422, "no_track", "the challenge has no such track", told)


def _refuse_if_long(received: Received, most: int) -> None:
    """Raise UnmaskError where a packed file unpacks to more than may be sent unpacked."""
    if not received.path.name.endswith(".gz"):
        return
    size = 0
    try:
        with gzip.open(received.path) as stream:
            while piece := stream.read(_PIECE):
                size += len(piece)
                if size > most:
                    what = f"the file unpacks to more than {most // 10**6:,} MB"
                    raise UnmaskError(what, next_step="send id and score alone")
    except (OSError, EOFError, zlib.error):
        return  # the reader tells what is wrong with it


def _told(name: str) -> str:
    """A file's name as it is kept: without folders, and without signs that no page should carry."""
    return printable(name.replace("\\", "/").rpartition("/")[2])[:200]
