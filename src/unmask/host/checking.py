"""The check of files that strangers sent, in processes of its own: what a file does there, it does to itself alone.

A file of some kilobytes can make a reader abort, or unpack to more than the machine has. Such a file is refused like
any other that cannot be read.
"""

from __future__ import annotations

import resource
import threading
from collections.abc import Sequence
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import suppress
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from pebble import ProcessExpired, ProcessPool

from unmask.tables.errors import UnmaskError

#: So many files are checked at a time.
AT_ONCE = 2
#: Seconds for one file: a million rows take one or two. A reader that ran out of memory may hang.
_SECONDS = 30.0
#: Bytes that a process may map: what its libraries take, and so many times the longest file that may be sent.
_BASE, _TIMES = 3 * 1024**3, 20
#: Files after which a process makes room for a new one.
_FILES = 500
_REMEDY = "write it again as a plain CSV with id and score, one row for each id"
_making = threading.Lock()


def check(path: Path, ids: Sequence[str], megabytes: int) -> int:
    """The number of rows of a submission that answers each id once. Labels are not looked at.

    Args:
        path: the file.
        ids: all that must be answered.
        megabytes: of the longest file that may be sent: a process may map some gigabytes, and ``_TIMES`` as much.

    Raises:
        TableError: with every fault of the file.
        UnmaskError: it cannot be read, takes too long, or more memory than a submission may need.
    """
    most = _BASE + _TIMES * megabytes * 10**6
    try:
        rows: int = _working_pool().schedule(_rows, args=[path, ids, most], timeout=_SECONDS).result()
    except TookTooLong as error:
        raise UnmaskError(f"reading the file took longer than {_SECONDS:g} s", next_step=_REMEDY) from error
    except (ProcessExpired, MemoryError) as error:
        what = "the file cannot be read: it is damaged, or needs more memory than a submission may"
        raise UnmaskError(what, next_step=_REMEDY) from error
    return rows


def _working_pool() -> ProcessPool:
    with _making:
        if not _pool().active:
            _pool.cache_clear()
        return _pool()


@lru_cache(maxsize=1)
def _pool() -> ProcessPool:
    return ProcessPool(max_workers=AT_ONCE, max_tasks=_FILES, context=get_context("spawn"), initializer=_prepare)


def _prepare() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # where the machine itself runs out of memory, this is the process to end
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _rows(path: Path, ids: Sequence[str], most: int) -> int:
    from unmask.tables.predictions import read_predictions
    from unmask.tables.reading import read_table

    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))
    # Twice the rows are enough to tell what is wrong with them.
    table = read_table(path, most_rows=2 * len(ids) + 1000)
    return read_predictions(table, expected_ids=ids, complete=True).height
