"""Files that teams sent, by their hash. One that is there is whole: it is written elsewhere, flushed, then named."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from unmask.tables.errors import UnmaskError
from unmask.tables.writing import hidden_beside

_PIECE = 2**20
ENDINGS = (".csv.gz", ".csv", ".parquet")


@dataclass(frozen=True)
class Received:
    """A file that has arrived and has no name yet.

    Attributes:
        path: where it is; gone when the block of ``Files.receive`` ends, unless it was kept.
        sha256: of its bytes.
        size: in bytes.
    """

    path: Path
    sha256: str
    size: int


class Files:
    """A folder of files named after their hash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def receive(self, stream: BinaryIO, name: str, most: int) -> Iterator[Received]:
        """Take a file in.

        Args:
            stream: its bytes.
            name: as its sender calls it: the ending says what it is, the rest is not used.
            most: bytes.

        Raises:
            UnmaskError: another ending, or more bytes.
        """
        ending = next((each for each in ENDINGS if name.lower().endswith(each)), None)
        if ending is None:
            raise UnmaskError("the file's name does not end in .csv, .csv.gz or .parquet", next_step="rename it")
        digest, size = hashlib.sha256(), 0
        with hidden_beside(self._folder / f"received{ending}") as path:
            with path.open("wb") as target:
                while piece := stream.read(_PIECE):
                    size += len(piece)
                    if size > most:
                        what = f"the file has more than {most // 10**6:,} MB"
                        raise UnmaskError(what, next_step="send id and score alone, or compress it to .csv.gz")
                    digest.update(piece)
                    target.write(piece)
                target.flush()
                os.fsync(target.fileno())
            yield Received(path, digest.hexdigest(), size)

    def keep(self, received: Received) -> str:
        """Give a received file its name, by which ``path`` finds it; the same bytes are kept once."""
        ending = next(each for each in ENDINGS if received.path.name.endswith(each))
        name = f"{received.sha256}{ending}"
        received.path.replace(self._folder / name)
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)  # or the name might be lost with the power
        finally:
            os.close(handle)
        return name

    def path(self, stored: str) -> Path:
        """Where a kept file lies."""
        return self._folder / stored
