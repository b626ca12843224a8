"""All files looked at: are they there, can they be decoded, and what do their surfaces say.

Decoders are imported where they are used, so that what needs none of them works without them.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import polars as pl

from unmask.datasets.audit.findings import Finding, files_are, finding
from unmask.datasets.audit.surface import Facts, surface
from unmask.tables.manifest import media_path

#: Columns that ``look`` adds, null where unknown.
FACTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "bytes": pl.Int64,  # of a sequence: of all its pictures
    "width": pl.Int64,  # pixels; of a sequence: of its first picture
    "height": pl.Int64,
    "frames": pl.Int64,  # that are there, whatever the header says
    "duration_s": pl.Float64,
    "fps": pl.Float64,
    "codec": pl.String,
    "sampling": pl.String,  # how colours, or samples of sound, are stored
    "rate": pl.Int64,  # of the sound, samples a second
    "channels": pl.Int64,  # of the sound; 0 in a video without any
    "hashes": pl.List(pl.UInt64),  # of a picture, or of a first, a middle and a last frame; null for a flat one
    "digest": pl.String,  # SHA-256, where another file might have the same bytes
    "fault": pl.String,  # a key of _FAULTS
    "detail": pl.String,  # the fault in words
}

#: Seconds after which a file is given up.
TIME_LIMIT_S = 300

_LOST = {
    "decoder_crashed": "reading it ended the process that did",
    "took_too_long": f"reading it took more than {TIME_LIMIT_S} seconds",
}


def look(rows: pl.DataFrame, step: Callable[[], None], *, workers: int | None = None) -> pl.DataFrame:
    """Add ``FACTS`` to the rows of a manifest, as ``read_manifest`` gives them; each file is opened once.

    Args:
        rows: manifest rows; their own ``duration_s`` and ``fps`` give way to what the files say.
        step: called after each file.
        workers: processes that look; one a processor by default.
    """
    from unmask.datasets.audit.look import look_at
    from unmask.media.workers import Lost, in_order

    facts: list[Facts] = []
    for found in in_order(look_at, _files_of(rows), workers=workers, time_limit_s=TIME_LIMIT_S):
        facts.append(found if not isinstance(found, Lost) else {"fault": "unreadable", "detail": _LOST[found.reason]})
        step()
    return _with(rows, facts)


def glance(rows: pl.DataFrame, step: Callable[[], None]) -> pl.DataFrame:
    """As ``look``, without a decoder: ``bytes``, ``digest``, ``fault`` and ``detail`` alone.

    Of a folder of pictures nothing is known, not even whether it is there.

    Args:
        rows: manifest rows.
        step: called after each file.
    """
    facts = []
    for path, media, digest in _files_of(rows):
        facts.append(_glance_at(Path(path), media, digest))
        step()
    return _with(rows, facts)


def _glance_at(path: Path, media: str, digest: bool) -> Facts:
    try:
        # A folder, which may lie in an archive: to find its pictures is not for here.
        if media == "video" and (path.is_dir() or (not path.exists() and any(up.is_file() for up in path.parents))):
            return {}
        return surface(path, digest)
    except OSError as error:
        return {"fault": "unreadable", "detail": error.strerror or type(error).__name__}


def _files_of(rows: pl.DataFrame) -> list[tuple[str, str, bool]]:
    """Of each row the path, the media, and whether its bytes are to be hashed."""
    files = [(str(media_path(row)), str(row["media"])) for row in rows.select("root", "path", "media").to_dicts()]
    groups = rows.select(pl.struct("split", "label", "manifest").rank("dense")).to_series()
    suspects = _of_one_size([path for path, _ in files], groups)
    return [(path, media, path in suspects) for path, media in files]


def _with(rows: pl.DataFrame, facts: list[Facts]) -> pl.DataFrame:
    return rows.drop(FACTS, strict=False).hstack(pl.DataFrame(facts, schema=FACTS))


def _of_one_size(paths: Iterable[str], groups: Iterable[int]) -> set[str]:
    """The files that have as many bytes as one of another group has: only they can be copies of each other."""
    sizes: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for path, group in zip(paths, groups, strict=True):
        with suppress(OSError):  # what is wrong with it is told by whoever opens it
            sizes[os.stat(path).st_size].append((path, group))  # noqa: PTH116  # called once for each file
    return {path for alike in sizes.values() if len({group for _, group in alike}) > 1 for path, _ in alike}


#: The other remedy for files that cannot be used.
_LEAVE_OUT = "take them out of the folder and index it again"

#: Fault -> kind of finding, what is said of the files, what to do.
_FAULTS = {
    "missing": ("missing_file", "not there", "give --root if the dataset has moved; else index it again"),
    "empty": ("empty_file", "empty", f"download them again, or {_LEAVE_OUT}"),
    "unreadable": (
        "unreadable",
        "damaged or not what the ending says",
        f"download or make them again, or {_LEAVE_OUT}",
    ),
    "incomplete": ("incomplete", "not whole", f"download or make them again, or {_LEAVE_OUT}"),
}


def tell_sounds(rows: pl.DataFrame) -> list[str]:
    """Notes of what was not looked at in sounds; ``rows`` as ``look`` gives them."""
    from unmask.datasets.audit.look import SHORT_S

    sounds = rows.filter((pl.col("media") == "audio") & pl.col("fault").is_null())
    if sounds.is_empty():
        return []
    notes = [f"{sounds.height:,} sound files were not compared by how they sound: only copies to the byte are found"]
    long = sounds.filter(pl.col("duration_s") > SHORT_S).height
    if long:
        notes.append(f"{long:,} sound files of more than {SHORT_S} seconds were decoded at their beginning only")
    return notes


def find_faulty(rows: pl.DataFrame) -> list[Finding]:
    """Findings about files that are not there, not whole or cannot be decoded; ``rows`` as ``look`` gives them."""
    findings = []
    for fault, (kind, what, next_step) in _FAULTS.items():
        found = rows.filter(pl.col("fault") == fault)
        named = fault in ("unreadable", "incomplete")
        places = [
            f"{place} ({detail})" if named else place for place, detail in found.select("place", "detail").iter_rows()
        ]
        if places:
            findings.append(finding(kind, f"{files_are(len(places))} {what}", places, next_step))
    return findings
