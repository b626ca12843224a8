"""What every request needs: the host, who is asking, and boards that are not made anew for each reader."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from unmask.host.accounts import Account, authenticate, by_id
from unmask.host.boards import Board, make_board
from unmask.host.events import changes
from unmask.host.finals import is_closed
from unmask.host.intake import Intake
from unmask.host.place import Host
from unmask.host.queue import Queue
from unmask.host.records import Scoring
from unmask.host.refusals import RefusedError
from unmask.host.scoring import PRIVATE, current
from unmask.host.web.csrf import HEADER, require_proof

#: Seconds for which a board is shown though something has changed: in a rush it is not made anew for each reader.
_AGE = 2.0


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

    @property
    def intake(self) -> Intake:
        """Where submissions come in."""
        host = self.host
        return Intake(host.challenge, host.database, host.files, host.now, self.queue.enqueue)

    def board(self, session: Session, part: str, track: str, scoring_id: int | None, account: Account | None) -> Board:
        """A board, as whoever asks may see it.

        Raises:
            RefusedError: it is not theirs to see yet, or there is none.
        """
        definition = self.host.challenge.definition
        if track not in (definition.tracks or ("",)):
            raise RefusedError(404, "no_track", "the challenge has no such track", "look at its tracks")
        if part == PRIVATE and not is_closed(session) and not (account and account.organizes):
            raise RefusedError(403, "not_yet", "private scores are shown when the challenge is closed", "wait for that")
        scoring = current(session) if scoring_id is None else session.get(Scoring, scoring_id)
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
        token_id = request.session.get("token")
        account = by_id(session, token_id) if isinstance(token_id, int) else None
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
