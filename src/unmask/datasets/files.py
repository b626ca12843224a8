"""Looking into folders: lenient names, media files by ending, and what to leave aside."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from unmask.datasets.report import Report
from unmask.media.kinds import KINDS
from unmask.tables.errors import DatasetError
from unmask.tables.reading import shown

HIDDEN = "hidden or system files, left out"
EMPTY = "files of zero bytes, indexed all the same"
NOT_MEDIA = "files that are not video, picture or sound, left out"
UNWRITABLE = "names with characters that no table can carry, left out: rename them"
OTHERS = "folders that are no part of the dataset, left out"
LOOP = "links that lead back to a folder above, not followed"

_SYSTEM = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
_BETWEEN = re.compile(r"[\s_\-]+")


def bare(name: str) -> str:
    """A name without case, spaces, underscores and dashes: mirrors of a dataset differ in these."""
    return _BETWEEN.sub("", name).casefold()


def media_of(name: str) -> str | None:
    """Tell by the ending of a file name whether it is "video", "image" or "audio"; None for anything else."""
    return KINDS.get(os.path.splitext(name)[1].lower())  # noqa: PTH122  # called once for each file


def folders(folder: Path) -> list[str]:
    """The names of the visible folders in ``folder``, sorted."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if reason_to_skip(entry.name) is None and entry.is_dir())


def find_folder(folder: Path, name: str) -> Path | None:
    """The folder in ``folder`` whose name is ``name`` but for case, spaces, underscores and dashes.

    Args:
        folder: where to look; it need not exist.
        name: one name, or several with "/" between them for a folder further below.

    Raises:
        DatasetError: there are two.
    """
    name, _, below = name.partition("/")
    if not folder.is_dir():
        return None
    found = [each for each in folders(folder) if bare(each) == bare(name)]
    if len(found) > 1:
        raise DatasetError(
            f"two folders may be meant by {name}: {found[0]} and {found[1]}", where=folder, next_step="rename one"
        )
    if found and below:
        return find_folder(folder / found[0], below)
    return folder / found[0] if found else None


def tell_others(folder: Path | None, known: Iterable[str], root: Path, report: Report) -> None:
    """Tell ``report`` of the folders in ``folder`` that are none of ``known``, however these are spelt."""
    names = {bare(name) for name in known}
    if folder:
        prefix = relative(folder, root)
        for name in (name for name in folders(folder) if bare(name) not in names):
            report.add_odd(OTHERS, prefix + name)


def find_file(places: Iterable[Path], name: str) -> Path | None:
    """The file called ``name``, in any case, in the first of the folders ``places`` that has it; some may not exist."""
    for place in places:
        if not place.is_dir():
            continue
        with os.scandir(place) as entries:
            found = sorted(entry.name for entry in entries if entry.name.casefold() == name.casefold())
        if found and (place / found[0]).is_file():
            return place / found[0]
    return None


def media_files(
    folder: Path, root: Path, report: Report, *, known: Collection[str] = ()
) -> Iterator[tuple[str, str, str]]:
    """The media files directly in ``folder``, in no order.

    Args:
        folder: the root or a folder below it.
        root: what paths are relative to.
        report: told of what is left out, but for the files called ``known``, which the caller has read.
        known: names in lower case.

    Yields:
        (name, path relative to ``root`` in POSIX form, media).
    """
    prefix = relative(folder, root)
    with os.scandir(folder) as entries:
        for entry in entries:
            name, path = entry.name, prefix + entry.name
            skip = reason_to_skip(name)
            if skip:
                report.add_odd(skip, path)
            if skip or name.casefold() in known or entry.is_dir():
                continue
            media = media_of(name)
            if media is None:
                report.add_odd(NOT_MEDIA, path)
                continue
            if _is_empty(entry):
                report.add_odd(EMPTY, path)
            yield name, path, media


def clip_files(name: str, root: Path, report: Report) -> Iterator[tuple[str, str, str]]:
    """The media files in the folder ``name`` of ``root`` and in ``videos`` below it, where other tools want them.

    It is looked for as ``find_folder`` does, and need not exist; otherwise as ``media_files``.
    """
    for folder in (find_folder(root, name), find_folder(root, f"{name}/videos")):
        if folder:
            yield from media_files(folder, root, report)


def media_below(folder: Path, root: Path, report: Report) -> Iterator[tuple[str, str, str]]:
    """The media files in ``folder`` and in all folders below it; otherwise as ``media_files``."""
    yield from media_files(folder, root, report)
    for name in folders(folder):
        below = folder / name
        if leads_back(below):
            report.add_odd(LOOP, relative(below, root).rstrip("/"))
            continue
        yield from media_below(below, root, report)


def leads_back(folder: Path) -> bool:
    """Whether a folder is a link to one that it lies in: walking into it would never end."""
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())


def relative(folder: Path, root: Path) -> str:
    """What stands before a file name in ``folder`` in a path relative to ``root``: "" or "some/folder/"."""
    path = folder.relative_to(root).as_posix()
    return "" if path == "." else path + "/"


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        DatasetError: it is not JSON, or a name stands twice in one object, so that the first would be lost.
    """

    def refuse_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        entries = dict(pairs)
        if len(entries) < len(pairs):
            name = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
            raise DatasetError(f"{shown(name)} stands twice", where=path, next_step="download it again, unchanged")
        return entries

    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=refuse_repeated)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"not a JSON file ({error})", where=path, next_step="download it again") from error


def read_lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a text file that are not blank, each after its number from 1, without the blanks around it.

    Raises:
        DatasetError: it is not text.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except ValueError as error:
        raise DatasetError(f"not a text file ({error})", where=path, next_step="download it again") from error
    return [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]


def reason_to_skip(name: str) -> str | None:
    """Why a file or folder of this name is left out, as the report says it; None where it is not."""
    if name.startswith(".") or name.casefold() in _SYSTEM:
        return HIDDEN
    if name.isascii() and name.isprintable() and "\\" not in name:
        return None
    if "\\" in name or any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in name):
        return UNWRITABLE
    return None


def _is_empty(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.stat().st_size == 0
    except OSError:  # a link to nowhere: the audit tells
        return False
