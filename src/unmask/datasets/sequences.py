"""Folders of pictures that are the frames of one video: found below a folder, in a tar archive, or by a foreign path.

The frames of a video are one row of the manifest: ``path`` is the folder that directly holds them. Of each folder the
names are listed once at most, and no picture is opened.
"""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from lzma import LZMAError
from pathlib import Path

from unmask.datasets.files import HIDDEN, LOOP, NOT_MEDIA, bare, leads_back, media_of, reason_to_skip, relative
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError

NOT_PICTURES = "videos and sound where pictures are looked for, left out"
NO_PICTURES = "folders without pictures, left out"
DAMAGED = "archives that cannot be read to their end, left out: download them again"
BAD_MEMBERS = "archives with paths that lead out of them, which were left out"

#: Endings of the archives that are looked into.
ARCHIVES = (".tar.gz", ".tgz", ".tar")

_BLOCK = 512


def is_picture(name: str) -> bool:
    """Whether a file of this name is a frame: a visible picture by its ending."""
    return media_of(name) == "image" and reason_to_skip(name) is None


def holds_pictures(folder: Path) -> bool:
    """Whether ``folder`` directly holds a picture; it is listed up to the first."""
    if not folder.is_dir():
        return False
    with os.scandir(folder) as entries:
        return any(is_picture(entry.name) and entry.is_file() for entry in entries)


def picture_folders(
    folder: Path, root: Path, report: Report, *, without: Collection[str] = (), known: Collection[str] = ()
) -> Iterator[tuple[str, list[str]]]:
    """Every folder at or below ``folder`` that directly holds pictures, in the order of their paths.

    Args:
        folder: the root or a folder below it.
        root: what paths are relative to.
        report: told of folders that hold nothing, and of what is left out.
        without: names of folders that are not looked into, as ``bare`` writes them.
        known: names of files that the caller has a use for.

    Yields:
        (path relative to ``root`` in POSIX form, names of the pictures in it, in no order).
    """
    prefix = relative(folder, root)
    pictures, below, others = [], [], 0
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            skip = reason_to_skip(name)
            if skip:
                report.add_odd(skip, prefix + name)
                others += skip != HIDDEN
            elif entry.is_dir():
                below.append(name)
            elif media_of(name) == "image":
                pictures.append(name)
            else:
                others += 1
                if name not in known:
                    report.add_odd(NOT_MEDIA if media_of(name) is None else NOT_PICTURES, prefix + name)
    if pictures:
        yield prefix.rstrip("/") or ".", pictures
    elif not below and not others:
        report.add_odd(NO_PICTURES, prefix.rstrip("/"))
    for name in sorted(below):
        if bare(name) in without:
            continue
        if leads_back(folder / name):
            report.add_odd(LOOP, prefix + name)
            continue
        yield from picture_folders(folder / name, root, report, without=without, known=known)


def archives(folder: Path) -> list[str]:
    """The names of the tar archives directly in ``folder``, sorted."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name.lower().endswith(ARCHIVES) and entry.is_file()]
    return sorted(name for name in names if reason_to_skip(name) is None)


def archived_folders(archive: Path, root: Path, report: Report) -> dict[str, int]:
    """The folders in a tar archive that directly hold pictures.

    The names of a tar archive stand between its files, so one pass over it is needed. It skips from name to name where
    the archive is not compressed, and unpacks it where it is.

    Args:
        archive: packed or not, whatever its ending says.
        root: what paths are relative to.
        report: told of an archive that is damaged, of which nothing is taken: its last sequence may be torn.

    Returns:
        Path of each folder in the archive, in POSIX form -> number of its pictures.
    """
    where = archive.relative_to(root).as_posix()
    counts: dict[str, int] = {}
    try:
        with tarfile.open(archive) as members:
            outside = _count_pictures(members, counts)
            # tarfile takes any header that it cannot read for the end, but a whole archive ends in blocks of zeros.
            members.fileobj.seek(members.offset)  # type: ignore[union-attr]
            whole = members.fileobj.read(_BLOCK) == bytes(_BLOCK)  # type: ignore[union-attr]
    except (tarfile.TarError, OSError, EOFError, ValueError, OverflowError, zlib.error, LZMAError):
        outside, whole = False, False
    if outside:
        report.add_odd(BAD_MEMBERS, where)
    if not whole:
        report.add_odd(DAMAGED, where)
        return {}
    return counts


def _count_pictures(members: tarfile.TarFile, counts: dict[str, int]) -> bool:
    """Count the pictures of each folder; whether there are members that lead out of the archive."""
    outside = False
    for member in members:
        parts = [part for part in member.name.split("/") if part not in ("", ".")]
        if ".." in parts or member.name.startswith("/"):
            outside = True
        elif member.isfile() and media_of(member.name) == "image" and not any(map(reason_to_skip, parts)):
            folder = "/".join(parts[:-1]) or "."
            counts[folder] = counts.get(folder, 0) + 1
    return outside


class Below:
    """Finds what lists with a foreign prefix name: below the root, ``D:\\old\\c23\\frames\\000`` is ``c23/frames/000``.

    Folders may be spelt otherwise than in the list, in case, spaces, underscores and dashes. A name is only ever looked
    for among those that lie in a folder, so ``..`` and absolute paths lead nowhere.

    Args:
        root: where to look.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._inside: dict[str, dict[str, list[str]]] = {}
        self._homes: dict[tuple[str, ...], str | None] = {}

    def find(self, parts: Sequence[str]) -> str | None:
        """The folder that the parts of a path name, relative to the root; None where it is not there.

        The folder that should hold it is found first, by the longest end of its path that exists; the root itself is
        the shortest.

        Raises:
            DatasetError: two folders differ only in how they are spelt.
        """
        above = tuple(parts[:-1])
        if above not in self._homes:
            ends = (self._walk(above[start:]) for start in range(len(above) + 1))
            self._homes[above] = next((home for home in ends if home is not None), None)
        home = self._homes[above]
        return None if home is None else self._step(home, parts[-1])

    def _walk(self, parts: Sequence[str]) -> str | None:
        here: str | None = ""
        for part in parts:
            here = self._step(here, part) if here is not None else None
        return here

    def _step(self, folder: str, name: str) -> str | None:
        if folder not in self._inside:
            inside: dict[str, list[str]] = {}
            with os.scandir(self.root / folder) as entries:
                for entry in entries:
                    if reason_to_skip(entry.name) is None and entry.is_dir():
                        inside.setdefault(bare(entry.name), []).append(entry.name)
            self._inside[folder] = inside
        found = self._inside[folder].get(bare(name), [])
        if len(found) > 1 and name not in found:
            raise DatasetError(
                f"two folders may be meant by {name}: {found[0]} and {found[1]}",
                where=self.root / folder,
                next_step="rename one",
            )
        if not found:
            return None
        return f"{folder}/{name if name in found else found[0]}".lstrip("/")
