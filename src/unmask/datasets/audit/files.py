"""All files looked at: are they there, can they be decoded, and what do their surfaces say."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress

import polars as pl

from unmask.datasets.audit.findings import Finding, finding
from unmask.datasets.audit.look import Facts, look_at
from unmask.media.workers import Lost, in_order
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
    files = [(str(media_path(row)), str(row["media"])) for row in rows.select("root", "path", "media").to_dicts()]
    groups = rows.select(pl.struct("split", "label", "manifest").rank("dense")).to_series()
    suspects = _of_one_size([path for path, _ in files], groups)
    arguments = [(path, media, path in suspects) for path, media in files]
    facts: list[Facts] = []
    for found in in_order(look_at, arguments, workers=workers, time_limit_s=TIME_LIMIT_S):
        facts.append(found if not isinstance(found, Lost) else {"fault": "unreadable", "detail": _LOST[found.reason]})
        step()
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


def _files(count: int) -> str:
    return "1 file is" if count == 1 else f"{count:,} files are"


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
            findings.append(finding(kind, f"{_files(len(places))} {what}", places, next_step))
    return findings
