"""The task queue, which wakes workers up. What waits is told by the database: an emptied queue is filled from it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from huey import Huey, RedisHuey, SqliteHuey

from unmask.tables.errors import UnmaskError

_log = logging.getLogger(__name__)


class Queue:
    """Submissions that are to be scored.

    Args:
        url: ``sqlite:///FILE`` or ``redis://HOST:PORT/NUMBER``.
        score: what a worker does with the number of a submission.

    Raises:
        UnmaskError: no such kind of queue.
    """

    def __init__(self, url: str, score: Callable[[int], None]) -> None:
        kind = urlsplit(url).scheme
        if kind == "sqlite":
            path = Path(url.removeprefix("sqlite:///"))
            path.parent.mkdir(parents=True, exist_ok=True)
            self.huey: Huey = SqliteHuey("unmask", filename=str(path), results=False, fsync=True)
        elif kind in ("redis", "rediss"):
            self.huey = RedisHuey("unmask", url=url, results=False)
        else:
            raise UnmaskError(
                f"the queue {url} cannot be used", next_step="give sqlite:///FILE or redis://HOST:PORT/NUMBER"
            )

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
