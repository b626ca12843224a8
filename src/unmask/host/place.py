"""Where a challenge is hosted: its folder, its database, its files and its queue."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from unmask.challenge.definition import DEFINITION
from unmask.challenge.folder import SAMPLE, Challenge
from unmask.challenge.review import check_challenge
from unmask.host.accounts import make_token
from unmask.host.database import Database
from unmask.host.files import Files
from unmask.host.finals import make_key
from unmask.host.records import ORGANIZER, Fact, Token
from unmask.host.scoring import begin, current, is_of
from unmask.tables.errors import UnmaskError

_log = logging.getLogger(__name__)
#: In the challenge's folder.
_KEPT = "host"
#: Variables of the environment by which processes that are started here know their host; the second and the third hold
#: where a command is given nothing else.
FOLDER, DATABASE, QUEUE, HTTPS = "UNMASK_FOLDER", "UNMASK_DATABASE", "UNMASK_QUEUE", "UNMASK_HTTPS"
#: The process without which a worker ends.
PARENT = "UNMASK_PARENT"
_SECRET = "secret"  # noqa: S105  # the name of a fact


def _now() -> datetime:
    return datetime.now(UTC)


class Host:
    """A challenge that is being hosted.

    Args:
        challenge: which.
        database: where everything is kept that happens.
        queue_url: of the queue.
        now: the time.

    Attributes:
        database: see above.
        queue_url: see above.
        now: see above.
        folder: where files are kept: in the challenge's.
        files: what teams sent.
        fault: why the challenge's files cannot be used as they are now; None where they can. See ``challenge``.
    """

    def __init__(
        self, challenge: Challenge, database: Database, queue_url: str, now: Callable[[], datetime] = _now
    ) -> None:
        self.database, self.queue_url, self.now = database, queue_url, now
        self.folder = challenge.folder.resolve() / _KEPT
        self.files = Files(self.folder / "files")
        self.fault: str | None = None
        self._challenge, self._stamp = challenge, _stamp(challenge)

    @property
    def challenge(self) -> Challenge:
        """The challenge as its files state it now; as they stated it last, while ``fault`` says they cannot be used."""
        stamp = _stamp(self._challenge)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._challenge, self.fault = check_challenge(self._challenge.folder), None
            except (UnmaskError, OSError) as error:
                self.fault = str(error)
                _log.error("the changed challenge cannot be used; nothing is scored until it can: %s", error)
        return self._challenge

    def is_paused(self, session: Session) -> bool:
        """Whether scoring waits for the organizer: files are being changed, or all must be scored again."""
        definition, scoring = self.challenge.definition, current(session)
        return self.fault is not None or scoring is None or not is_of(scoring, definition)

    def secret(self) -> str:
        """What browser sessions are signed with."""
        with self.database.reading() as session:
            return session.get_one(Fact, _SECRET).value


def _stamp(challenge: Challenge) -> list[tuple[int, int] | None]:
    """What changes with a file that says what is asked, or how it is scored."""
    found: list[tuple[int, int] | None] = []
    for path in (challenge.folder / DEFINITION, challenge.answers, challenge.folder / SAMPLE):
        try:
            told = path.stat()
            found.append((told.st_mtime_ns, told.st_size))
        except OSError:
            found.append(None)
    return found


def open_host(folder: str | Path, *, database: str | None = None, queue: str | None = None) -> Host:
    """The host of the challenge in ``folder``; of what it needs, its folder alone is made.

    Args:
        folder: the challenge's, or its ``challenge.yaml``.
        database: URL; SQLite in the challenge's folder by default.
        queue: URL; an embedded one in the challenge's folder by default.

    Raises:
        UnmaskError: the challenge, the database or the queue cannot be used.
    """
    folder = Path(folder)
    challenge = check_challenge(folder.parent if folder.is_file() else folder)
    kept = challenge.folder.resolve() / _KEPT
    kept.mkdir(exist_ok=True)
    url = database or os.environ.get(DATABASE) or f"sqlite:///{kept / 'challenge.db'}"
    wakes = queue or os.environ.get(QUEUE) or f"sqlite:///{kept / 'queue.db'}"
    return Host(challenge, Database(url), wakes)


def set_up(host: Host, *, rescore: str | None = None) -> str | None:
    """Make or bring up to date what the host needs; the first organizer's token, where there was none.

    Args:
        host: which.
        rescore: begin another scoring, for this reason.

    Raises:
        UnmaskError: the answer key, or what decides numbers, has changed since the last scoring began.
    """
    try:
        host.database.migrate()
    except OperationalError as error:
        raise UnmaskError(
            f"the database cannot be reached, or cannot be written: {error.orig}",
            where=host.database.engine.url.render_as_string(hide_password=True),
            next_step="start it, or give this user the right to write it",
        ) from error
    at, definition = host.now(), host.challenge.definition
    with host.database.writing() as session:
        if session.get(Fact, _SECRET) is None:
            session.add(Fact(name=_SECRET, value=secrets.token_urlsafe(32)))
        make_key(session)
        token = None
        if session.query(Token.id).where(Token.role == ORGANIZER).first() is None:
            token = make_token(session, at, "unmask", "organizer", None)
        scoring = current(session)
        if scoring is None or rescore is not None:
            begin(session, at, host.challenge, "unmask" if scoring is None else "organizer", rescore or "the first")
        elif not is_of(scoring, definition):
            raise UnmaskError(
                "the answer key, or how numbers are made, is not what the board was scored with",
                where=host.challenge.folder / "challenge.yaml",
                next_step="undo the change, or score everything again: --rescore 'why it was changed'",
            )
    return token
