"""A folder of pictures that are the frames of one video, on the disk or in a tar archive.

The frames' order is that of their names, numbers in them taken as numbers: ``frame_9.png`` stands before
``frame_10.png``. A path may run through an archive as if it were a folder: ``real_train/1.tar.gz/1/real/131``. Of a
compressed archive everything before a wanted picture has to be unpacked: what is read often is better unpacked once.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from lzma import LZMAError
from pathlib import Path, PurePosixPath

from unmask.media.frame import Frame, evenly_spaced
from unmask.media.image import decode_image
from unmask.media.kinds import media_kind
from unmask.tables.errors import MediaError

#: Bytes that are read of one picture in an archive: a bomb is cut short, and then refused as damaged.
MAX_BYTES = 200_000_000

#: Endings of the archives that a path may run through.
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

_DIGITS = re.compile(r"(\d+)", re.ASCII)


def is_sequence(path: str | Path) -> bool:
    """Whether a path is that of a folder, or leads into an archive."""
    path = Path(path)
    with suppress(OSError):  # what is wrong with it is told by whoever opens it
        return path.is_dir() or archive_of(path) is not None
    return False


def archive_of(path: Path) -> tuple[Path, str] | None:
    """The archive that a path runs through, and the folder in it; None where there is none."""
    for above in path.parents:
        if above.name.lower().endswith(ARCHIVES) and above.is_file():
            return above, path.relative_to(above).as_posix()
    return None


class SequenceReader:
    """The frames of one sequence; they have no times, since nothing tells their rate.

    Args:
        path: a folder, or one in an archive.

    Attributes:
        names: of its pictures, in order.
        sizes: of the pictures' files, in bytes, in the same order.

    Raises:
        MediaError: it is not there (``missing``), the archive is damaged (``unreadable``), or there is no picture in it
            (``no_frames``).
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._archive = archive_of(self.path)
        if self._archive is None and not self.path.is_dir():
            raise _faulty(self.path, "there is no such folder", "missing")
        found = _listed(self._archive[0]).get(self._archive[1], {}) if self._archive else _files(self.path)
        if self._archive and not found:
            raise _faulty(self.path, "the archive has no such folder", "missing")
        self.names = sorted((name for name in found if media_kind(name) == "image"), key=_in_order)
        if not self.names:
            raise _faulty(self.path, "there is no picture in the folder", "no_frames")
        self.sizes = [found[name] for name in self.names]

    def __len__(self) -> int:
        """Number of pictures."""
        return len(self.names)

    def frames(self, indices: Sequence[int]) -> list[Frame]:
        """Frames by index; negative ones count from the end.

        Raises:
            MediaError: a picture cannot be read: which one is said.
            IndexError: there is no such frame.
        """
        wanted = [range(len(self))[index] for index in indices]
        files = zip(wanted, self.pictures(wanted), strict=True)
        return [Frame(place, None, decode_image(data, self.path / self.names[place])) for place, data in files]

    def pictures(self, indices: Sequence[int]) -> list[bytes]:
        """Files of pictures by index, as they are, not decoded.

        Raises:
            MediaError: a file cannot be read.
            IndexError: there is no such picture.
        """
        names = [self.names[index] for index in indices]
        if self._archive is None:
            return [_read(self.path / name) for name in names]
        archive, folder = self._archive
        found = dict(_unpacked(archive, folder, set(names)))
        return [found[name] for name in names]

    def evenly_spaced(self, count: int, run: int = 1) -> list[Frame]:
        """``count`` frames spread over the whole sequence, ``run`` in a row; all of them, if it has fewer."""
        return self.frames(evenly_spaced(len(self), count, run))


def _files(folder: Path) -> dict[str, int]:
    """Name -> bytes of the files directly in a folder."""
    try:
        return {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    except OSError as error:
        raise _faulty(folder, error.strerror or "it cannot be listed", "unreadable") from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError as error:
        raise _faulty(path, error.strerror or "it cannot be opened", "unreadable") from error


def _in_order(name: str) -> list[tuple[int, str]]:
    """Numbers as numbers, and before words."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(name) if part]


@lru_cache(maxsize=4)
def _listed(archive: Path) -> dict[str, dict[str, int]]:
    """Folder -> names of the files directly in it -> their bytes."""
    found: dict[str, dict[str, int]] = {}
    with _opened(archive) as members:
        for member in members:
            if member.isfile():
                path = PurePosixPath(member.name)
                found.setdefault(path.parent.as_posix(), {})[path.name] = member.size
    return found


def _unpacked(archive: Path, folder: str, names: set[str]) -> Iterator[tuple[str, bytes]]:
    left = set(names)
    with _opened(archive) as members:
        for member in members:
            path = PurePosixPath(member.name)
            if member.isfile() and path.name in left and path.parent.as_posix() == folder:
                left.remove(path.name)
                data = members.extractfile(member)
                yield path.name, data.read(MAX_BYTES) if data else b""
            if not left:
                return


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive) as members:
            yield members
    except (tarfile.TarError, OSError, EOFError, zlib.error, LZMAError) as error:
        raise _faulty(archive, f"the archive is damaged: {error}", "unreadable") from error


def _faulty(path: Path, what: str, reason: str) -> MediaError:
    return MediaError(
        f"the sequence of frames cannot be read ({what})",
        reason=reason,
        where=path,
        next_step="check the path, or unpack the archive again",
    )
