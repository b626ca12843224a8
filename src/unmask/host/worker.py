"""A worker: takes submissions from the queue, scores each in a process that can be ended, and keeps what came out."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from huey.consumer import Consumer
from pebble import ProcessPool
from sqlalchemy.exc import OperationalError

from unmask.challenge.folder import Challenge, open_challenge
from unmask.host.files import Files
from unmask.host.finals import publish
from unmask.host.parent import parent_is_gone
from unmask.host.place import Host
from unmask.host.queue import Queue
from unmask.host.scoring import (
    LEASE,
    Claim,
    Outcome,
    claim,
    compute,
    conclude,
    current,
    finish,
    give_up,
    put_back,
    release,
    renew,
    standing,
    waiting,
)
from unmask.tables.errors import TableError, UnmaskError

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
#: Seconds between two looks for submissions that the queue has lost.
_LOOK = 2.0
#: Seconds between two tries where the database is away.
_AGAIN = 1.0
#: Faults that are told of a file that does not answer the challenge any more.
_LISTED = 20


class Worker:
    """Scores one submission at a time.

    Args:
        host: whose.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._pool = _new_pool()
        self.queue = Queue(host.queue_url, self.score)
        self._ending = threading.Event()

    def run(self) -> None:
        """Work until a signal ends the process."""
        looking = threading.Thread(target=self._look, daemon=True)
        looking.start()
        try:
            Consumer(self.queue.huey, workers=1, periodic=False, max_delay=1.0, check_worker_health=True).run()
        finally:
            self.end()

    def end(self) -> None:
        """End what runs beside."""
        self._ending.set()
        self._pool.stop()
        self._pool.join()

    def score(self, submission_id: int) -> None:
        """Score one submission, unless another worker has it or it is done."""
        host = self._host
        definition = host.challenge.definition
        held = None
        if host.fault is None:
            held = self._persist(lambda: claim(host.database, definition, submission_id, host.now()))
        if held is None:
            return
        with self._kept(held):
            self._persist(self._outcome(held))
        self._persist(self._conclude)

    def _conclude(self) -> None:
        """Show the boards of another scoring when it is complete; publish them, where the challenge is closed."""
        host = self._host
        with host.database.reading() as session:
            if standing(session) is current(session):
                return
        with host.database.writing() as session:
            if conclude(session):
                publish(session, host.now(), "unmask", host.challenge.definition)

    def _outcome(self, held: Claim) -> Callable[[], object]:
        """Score, and what is to be kept of it, whether it went well or not."""
        host = self._host
        try:
            found = self._computed(held)
        except TookTooLong:
            minutes = host.challenge.definition.limits.minutes
            why = f"scoring took longer than {minutes} minute{'' if minutes == 1 else 's'} and was ended"
            return lambda: give_up(host.database, held, why, host.now())
        except _NotReadyError as error:
            _log.warning("submission %d waits: %s", held.submission_id, error)
            return lambda: put_back(host.database, held)
        except UnmaskError as error:
            told = "; ".join(error.told(_LISTED)) if isinstance(error, TableError) else error.what
            return lambda: give_up(host.database, held, told, host.now())
        except Exception:  # a process that died, or a fault of ours: not to be told to teams in its own words
            _log.exception("scoring submission %d broke off", held.submission_id)
            return lambda: release(host.database, held, host.now())
        return lambda: finish(host.database, held, found, host.now())

    def _computed(self, held: Claim) -> Outcome:
        host = self._host
        if not self._pool.active:
            self._pool = _new_pool()
        seconds = 60.0 * host.challenge.definition.limits.minutes
        found: Outcome = self._pool.schedule(
            _in_process, args=[host.challenge.folder, host.folder, held], timeout=seconds
        ).result()
        return found

    @contextmanager
    def _kept(self, held: Claim) -> Iterator[None]:
        """Tell the database now and then that the worker is still there."""
        done = threading.Event()

        def tell() -> None:
            while not done.wait(LEASE.total_seconds() / 4):
                try:
                    renew(self._host.database, held, self._host.now())
                except OperationalError:
                    _log.warning("the database is away")

        telling = threading.Thread(target=tell, daemon=True)
        telling.start()
        try:
            yield
        finally:
            done.set()
            telling.join()

    def _persist(self, act: Callable[[], _T]) -> _T:
        """Do something with the database, again and again while it is away."""
        while True:
            try:
                return act()
            except OperationalError:
                _log.warning("the database is away; trying again")
                if self._ending.wait(_AGAIN):
                    raise

    def _look(self) -> None:
        """Queue what waits and is in no queue: its worker or the queue itself was lost."""
        while not self._ending.wait(_LOOK):
            if parent_is_gone():
                os.kill(os.getpid(), signal.SIGTERM)
                return
            try:
                if self.queue.is_empty():
                    with self._host.database.reading() as session:
                        found = waiting(session, self._host.now())
                    for submission_id in found:
                        self.queue.enqueue(submission_id)
            except Exception:  # the database or Redis may be away; the next look finds what this one did not
                _log.warning("nothing could be looked for", exc_info=True)
                time.sleep(_AGAIN)


class _NotReadyError(Exception):
    """The challenge cannot be opened as it is."""


def _new_pool() -> ProcessPool:
    return ProcessPool(max_workers=1, max_tasks=1000, context=get_context("spawn"))


def _in_process(folder: Path, kept: Path, held: Claim) -> Outcome:
    try:
        challenge = _challenge(folder, held.answers_sha256, held.scoring_id)
    except (UnmaskError, OSError) as error:
        raise _NotReadyError(str(error)) from error
    return compute(challenge, Files(kept / "files"), held.stored)


@lru_cache(maxsize=1)
def _challenge(folder: Path, answers_sha256: str, scoring_id: int) -> Challenge:
    """The challenge as its files stand; read again for another scoring, of which the definition may be another."""
    challenge = open_challenge(folder)
    if challenge.definition.sha256 != answers_sha256:
        raise UnmaskError("the answer key has changed since this scoring began", next_step="begin another scoring")
    return challenge
