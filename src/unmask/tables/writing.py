"""Writing tables so that a reader never sees half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from unmask.tables.errors import UnmaskError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends well, and vanishes when it does not."""
    with hidden_beside(path) as temporary:
        yield temporary
        temporary.replace(path)


@contextmanager
def hidden_beside(path: str | Path) -> Iterator[Path]:
    """A temporary path in the folder of ``path``, which is made if need be; it vanishes when the block ends."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix="".join(path.suffixes))
    os.close(handle)
    temporary = Path(name)
    try:
        temporary.chmod(0o666 & ~_umask())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_table(frame: pl.DataFrame, path: str | Path) -> None:
    """Write ``frame`` as CSV or Parquet, by the ending of ``path``; the file appears whole or not at all.

    Raises:
        UnmaskError: another ending.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in (".csv", ".parquet"):
        raise UnmaskError(
            f"cannot write a table to {path.name}", where=path, next_step="give a name that ends in .csv or .parquet"
        )
    with replacing(path) as temporary:
        if ending == ".csv":
            frame.write_csv(temporary)
        else:
            frame.write_parquet(temporary)


def write_text(text: str, path: str | Path) -> None:
    """Write ``text`` as UTF-8; the file appears whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
