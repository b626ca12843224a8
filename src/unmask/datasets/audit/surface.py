"""What can be said of a file without a decoder: is it there, how many bytes has it, and which."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from unmask.tables.hashing import sha256

#: Each key of ``files.FACTS`` -> what was found; those that are not there are not known.
Facts = dict[str, int | float | str | list[int | None] | None]


def surface(path: Path, digest: bool) -> Facts:
    """Size and hash of a file, and its fault if it is not there, empty or no file.

    Args:
        path: a file; a folder is none.
        digest: whether to hash its bytes.

    Raises:
        OSError: it is there and cannot be read.
    """
    try:
        found = os.stat(path)  # noqa: PTH116  # called once for each file
    except (FileNotFoundError, NotADirectoryError):
        return {"fault": "missing"}
    if not stat.S_ISREG(found.st_mode):  # reading from a pipe would never end
        return {"fault": "unreadable", "detail": "it is no file"}
    if found.st_size == 0:
        return {"bytes": 0, "fault": "empty"}
    return {"bytes": found.st_size, "digest": sha256(path)} if digest else {"bytes": found.st_size}
