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
from pebble import ProcessExpired, ProcessPool
from sqlalchemy.exc import OperationalError

from unmask.challenge.folder import Challenge, open_challenge
from unmask.host.files import Files
from unmask.host.place import PARENT, Host
from unmask.host.queue import Queue
from unmask.host.scoring import LEASE, Claim, Outcome, claim, compute, finish, give_up, release, renew, waiting
from unmask.tables.errors import UnmaskError

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
#: Seconds between two looks for submissions that the queue has lost.
_LOOK = 2.0
#: Seconds between two tries where the database is away.
_AGAIN = 1.0


class Worker:
    """Scores one submission at a time.

    Args:
        host: whose.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._pool = ProcessPool(max_workers=1, max_tasks=1000, context=get_context("spawn"))
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
        held = self._persist(lambda: claim(host.database, host.challenge.definition, submission_id, host.now()))
        if held is None:
            return
        with self._kept(held):
            why = None
            try:
                found = self._computed(held)
            except TookTooLong:
                minutes = host.challenge.definition.limits.minutes
                why = f"scoring took longer than {minutes} minute{'' if minutes == 1 else 's'} and was ended"
            except ProcessExpired:
                _log.warning("the process that scored submission %d died", submission_id)
                self._persist(lambda: release(host.database, held, host.now()))
                return
            except Exception as error:
                _log.exception("submission %d", submission_id)
                why = error.what if isinstance(error, UnmaskError) else f"{type(error).__name__}: {error}"
            if why is None:
                self._persist(lambda: finish(host.database, held, found, host.now()))
            else:
                told = why
                self._persist(lambda: give_up(host.database, held, told, host.now()))

    def _computed(self, held: Claim) -> Outcome:
        host = self._host
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
        parent = os.environ.get(PARENT)
        while not self._ending.wait(_LOOK):
            if parent is not None and os.getppid() != int(parent):
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


def _in_process(folder: Path, kept: Path, held: Claim) -> Outcome:
    challenge = _challenge(folder, held.answers_sha256, held.scoring_id)
    return compute(challenge, Files(kept / "files"), held.stored)


@lru_cache(maxsize=1)
def _challenge(folder: Path, answers_sha256: str, scoring_id: int) -> Challenge:
    """The challenge as its files stand; read again for another scoring, of which the definition may be another."""
    challenge = open_challenge(folder)
    if challenge.definition.sha256 != answers_sha256:
        raise UnmaskError("the answer key has changed since this scoring began", next_step="begin another scoring")
    return challenge
