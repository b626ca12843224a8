"""Work on many files in processes of their own: one that crashes or hangs a decoder costs one file, never the run."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

T = TypeVar("T")

#: Files that are handed out ahead, for each process: enough to keep all busy while one file takes long.
_AHEAD = 32


@dataclass(frozen=True)
class Lost:
    """What became of a file whose work did not come back.

    Attributes:
        reason: ``decoder_crashed`` or ``took_too_long``.
    """

    reason: str


def in_order(
    work: Callable[..., T], files: Sequence[Sequence[Any]], *, workers: int | None, time_limit_s: float
) -> Iterator[T | Lost]:
    """Do some work on each file, and give the results in the files' order, on any number of processes.

    Args:
        work: a function of a module; what it raises is raised here.
        files: its arguments for each file.
        workers: processes; None for one a processor.
        time_limit_s: seconds after which a file is given up.

    Raises:
        KeyboardInterrupt: a process was asked to end (SIGTERM), as clusters ask all processes of a job.
    """
    if not files:
        return
    count = min(workers or os.cpu_count() or 1, len(files))
    pool = ProcessPool(max_workers=count, context=get_context("spawn"))
    waiting = iter(files)
    handed_out: deque[Future[T]] = deque()

    def hand_out(number: int) -> None:
        for arguments in islice(waiting, number):
            handed_out.append(pool.schedule(work, args=list(arguments), timeout=time_limit_s))

    try:
        hand_out(count * _AHEAD)
        while handed_out:
            try:
                found: T | Lost = handed_out.popleft().result()
            except ProcessExpired as expired:
                if expired.exitcode == signal.SIGTERM:  # no decoder's doing: all processes are told to end
                    raise KeyboardInterrupt from expired
                found = Lost("decoder_crashed")
            except FutureTimeoutError:
                found = Lost("took_too_long")
            hand_out(1)
            yield found
    finally:
        # Whatever ended the loop, nobody waits any more for files that are not done.
        pool.stop()
        pool.join()
