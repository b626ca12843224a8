"""Which files are media, told by their ending; which files lie below a folder."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

#: Ending, in lower case, to the manifest's ``media``.
KINDS = {
    **dict.fromkeys((".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"), "video"),
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"), "image"),
    **dict.fromkeys((".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac"), "audio"),
}


def media_kind(path: str | PurePath) -> str | None:
    """Give "video", "image" or "audio"; None for any other file and for hidden ones."""
    name = PurePath(path).name
    return None if name.startswith(".") else KINDS.get(PurePath(name).suffix.lower())


def count_endings(paths: Iterable[str | PurePath]) -> str:
    """The endings of files with how many have each, the most frequent first: ".heic 12, .txt 3, no ending 1"."""
    counted = Counter(PurePath(path).suffix.lower() or "no ending" for path in paths)
    ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{ending} {count:,}" for ending, count in ordered)


def files_below(folder: Path) -> Iterator[Path]:
    """Every file in ``folder`` and below it, hidden ones as well, in no order; links to folders are followed.

    Raises:
        OSError: a folder cannot be read: what lies in it must not vanish.
    """

    def refuse(error: OSError) -> None:
        raise error

    for here, names, files in os.walk(folder, onerror=refuse, followlinks=True):
        names[:] = [name for name in names if not _leads_back(Path(here, name))]
        yield from (Path(here, name) for name in files)


def _leads_back(folder: Path) -> bool:
    """Whether a folder is a link to one that it lies in: walking into it would never end."""
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())
