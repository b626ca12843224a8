"""What every request needs: the host, who is asking, and boards that are not made anew for each reader."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Annotated, cast

import anyio
import anyio.to_thread
from fastapi import Depends, Request, UploadFile
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from unmask.host.accounts import Account, authenticate, by_session
from unmask.host.boards import Board, make_board
from unmask.host.events import changes
from unmask.host.finals import is_closed
from unmask.host.intake import Intake, refuse_other_tracks
from unmask.host.place import Host
from unmask.host.queue import Queue
from unmask.host.records import Scoring, Submission
from unmask.host.refusals import RefusedError
from unmask.host.scoring import PRIVATE, standing
from unmask.host.web.csrf import HEADER, require_proof

#: Seconds for which a board is shown though something has changed: in a rush it is not made anew for each reader.
_AGE = 2.0
#: Key of a browser's session under which it is kept who is signed in.
SIGNED_IN = "token"
#: Files that are taken in at a time.
_UPLOADS = 8


@dataclass(frozen=True)
class _Made:
    board: Board
    changes: int
    at: float


class State:
    """One web process's view of a host."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.queue = Queue(host.queue_url, _only_workers_score)
        self._boards: dict[tuple[int, str, str], _Made] = {}
        self._lock = threading.Lock()
        self._uploads = anyio.CapacityLimiter(_UPLOADS)
        self._turns: dict[int | None, anyio.Lock] = {}

    async def submit(self, request: Request, account: Account, file: UploadFile, track: str) -> Submission:
        """Take a file in, of which the last byte has just arrived.

        A team's files are checked one after the other, and no file waits in a thread that pages are made in.

        Raises:
            RefusedError: nothing is open to the team, or the file is refused, with all its faults.
        """
        at = self.host.now()
        if len((await request.form()).getlist("file")) > 1:
            raise RefusedError(422, "many_files", "there is more than one file", "send one file at a time")

        def take_in() -> Submission:
            host = self.host
            intake = Intake(host.challenge, host.database, host.files, self.queue.enqueue)
            return intake.submit(account, file.file, file.filename or "", track, at)

        async with self._turns.setdefault(account.team_id, anyio.Lock()):
            return await anyio.to_thread.run_sync(take_in, limiter=self._uploads)

    def paused(self, session: Session) -> bool:
        """Whether scoring waits for the organizer."""
        return self.host.is_paused(session)

    def board(self, session: Session, part: str, track: str, scoring_id: int | None, account: Account | None) -> Board:
        """A board, as whoever asks may see it.

        Raises:
            RefusedError: it is not theirs to see yet, or there is none.
        """
        refuse_other_tracks(self.host.challenge.definition, track)
        if part == PRIVATE and not is_closed(session) and not (account and account.organizes):
            raise RefusedError(403, "not_yet", "private scores are shown when the challenge is closed", "wait for that")
        scoring = standing(session) if scoring_id is None else session.get(Scoring, scoring_id)
        if scoring is None:
            raise RefusedError(404, "no_scoring", "there is no such scoring", "leave it out for the one that holds")
        key = (scoring.id, part, track)
        made = self._boards.get(key)
        # One reader makes it. The others take the one before meanwhile; where there is none yet, they wait.
        old = made is None or (time.monotonic() - made.at > _AGE and made.changes != changes(session))
        if old and self._lock.acquire(blocking=made is None):
            try:
                made = self._remade(session, scoring, key)
            finally:
                self._lock.release()
        return cast(_Made, made).board

    def _remade(self, session: Session, scoring: Scoring, key: tuple[int, str, str]) -> _Made:
        """A board as it is now, unless another reader has just made it."""
        made, now = self._boards.get(key), changes(session)
        if made is None or made.changes != now:
            _, part, track = key
            board = make_board(session, self.host.challenge.definition, scoring, part, track)
            made = self._boards[key] = _Made(board, now, time.monotonic())
        return made


def _only_workers_score(submission_id: int) -> None:
    raise NotImplementedError(f"submission {submission_id} is a worker's to score")


def is_known(request: Request, state: State) -> bool:
    """Whether a token or a browser's session that holds comes with a request; its body is not read for that."""
    secret = request.headers.get("authorization", "").partition(" ")[2].strip()
    with state.host.database.reading() as session:
        if secret:
            return authenticate(session, secret) is not None
        return by_session(session, request.session.get(SIGNED_IN)) is not None


def _state(request: Request) -> State:
    found: State = request.app.state.unmask
    return found


StateOf = Annotated[State, Depends(_state)]
_bearer = HTTPBearer(auto_error=False, description="A team's or an organizer's token.")


def _account(
    request: Request, state: StateOf, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Account | None:
    """Who is asking: by token, or by a browser's session, which must prove that our own page asks for a change."""
    with state.host.database.reading() as session:
        if given is not None:
            account = authenticate(session, given.credentials)
            if account is None:
                raise RefusedError(401, "bad_token", "the token is unknown or was revoked", "use another token")
            return account
        account = by_session(session, request.session.get(SIGNED_IN))
    if account is not None and request.method not in ("GET", "HEAD"):
        require_proof(request, request.headers.get(HEADER, ""))
    return account


AnyAccount = Annotated[Account | None, Depends(_account)]


def _member(account: AnyAccount) -> Account:
    if account is None:
        raise RefusedError(401, "no_token", "nobody is signed in", "give a token: Authorization: Bearer um_...")
    return account


Member = Annotated[Account, Depends(_member)]


def _organizer(account: Member) -> Account:
    if not account.organizes:
        raise RefusedError(403, "not_organizer", "only an organizer may do that", "use an organizer's token")
    return account


Organizer = Annotated[Account, Depends(_organizer)]
