"""What systems and teams are called: after their files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from unmask.tables.errors import UnmaskError

_ENDINGS = (".csv.gz", ".csv", ".parquet")


def printable(name: str) -> str:
    """``name`` with every sign that does not print escaped."""
    # A name that is not UTF-8 comes with lone surrogates, which no file could hold.
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text)


def stem(path: Path) -> str:
    """The file's name without a table's ending, with every sign that does not print escaped."""
    name = printable(path.name)
    ending = next((ending for ending in _ENDINGS if name.lower().endswith(ending)), "")
    return name[: len(name) - len(ending)]


def unique_names(paths: Sequence[Path]) -> list[str]:
    """A name for each file that no other has: its stem, and as many of its folders as it takes.

    ``one/predictions.csv`` and ``two/predictions.csv`` are "one/predictions" and "two/predictions". Files of one folder
    that differ in their endings alone keep them.

    Raises:
        UnmaskError: a file is given twice.
    """
    # Without ".." and the like, but not led by links: a link has the name that somebody gave it.
    paths = [Path(os.path.normpath(path.absolute())) for path in paths]
    for path, count in Counter(paths).items():
        if count > 1:
            what = f"{printable(path.name)} is given {count} times"
            raise UnmaskError(what, where=path, next_step="give each system's file once")
    stems = [(*map(printable, path.parts[:-1]), stem(path)) for path in paths]
    repeated = Counter(stems)
    ways = [
        (*way[:-1], printable(path.name)) if repeated[way] > 1 else way for path, way in zip(paths, stems, strict=True)
    ]
    names = []
    for way in ways:
        others = Counter(other[-depth:] for other in ways for depth in range(1, len(other) + 1))
        names.append(next("/".join(way[-depth:]) for depth in range(1, len(way) + 1) if others[way[-depth:]] == 1))
    return names
