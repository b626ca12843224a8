"""The task queue, which wakes workers up. What waits is told by the database: an emptied queue is filled from it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from huey import Huey, RedisHuey, SqliteHuey

from unmask.tables.errors import UnmaskError

_log = logging.getLogger(__name__)
_FILE = "sqlite:///"
_KINDS = f"{_FILE}FILE or redis://HOST:PORT/NUMBER"


class Queue:
    """Submissions that are to be scored.

    Args:
        url: ``sqlite:///FILE`` or ``redis://HOST:PORT/NUMBER``.
        score: what a worker does with the number of a submission.

    Raises:
        UnmaskError: the address cannot be read, is of another kind of queue, or the file is no queue.
    """

    def __init__(self, url: str, score: Callable[[int], None]) -> None:
        try:
            self.huey = _open(url)
        except ValueError as error:
            # Not told: the address itself, which may hold a password.
            raise UnmaskError("the queue's address cannot be used", next_step=f"give {_KINDS}") from error
        except sqlite3.DatabaseError as error:
            raise UnmaskError(
                f"the queue's file cannot be used: {error}", where=url.removeprefix(_FILE),
                next_step="give another file, or take this one away: it is made anew",
            ) from error  # fmt: skip

        def wake(submission_id: int) -> None:  # huey knows a task by where it is defined: here, for every process
            score(submission_id)

        self._task: Any = self.huey.task()(wake)

    def enqueue(self, submission_id: int) -> None:
        """Wake a worker up. Where that fails, the submission waits until a worker looks into the database."""
        try:
            self._task(submission_id)
        except Exception:  # Redis may be down in many ways; nothing is lost
            _log.exception("submission %d could not be queued; it will be found", submission_id)

    def is_empty(self) -> bool:
        """Whether nobody waits to be woken."""
        return bool(self.huey.pending_count() == 0)


def _open(url: str) -> Huey:
    """The queue at an address; ValueError where it is of no kind that can be used."""
    if url.startswith(_FILE):
        path = Path(url.removeprefix(_FILE))
        if path.name in ("", ":memory:"):
            raise ValueError("a queue that other processes cannot see")
        path.parent.mkdir(parents=True, exist_ok=True)
        return SqliteHuey("unmask", filename=str(path), results=False, fsync=True)
    if urlsplit(url).scheme not in ("redis", "rediss"):
        raise ValueError("no such kind of queue")
    return RedisHuey("unmask", url=url, results=False)
