"""Each file looked at once: is it there, can it be decoded, and what does its surface say."""

from __future__ import annotations

import os
from collections.abc import Callable

import polars as pl

from unmask.datasets.audit.findings import Finding, finding
from unmask.media import image
from unmask.media.video import VideoReader
from unmask.tables.errors import MediaError
from unmask.tables.manifest import media_path

#: Columns that ``look`` adds, null where unknown. bytes: file size; width, height: pixels; frames: count.
FACTS = {
    "bytes": pl.Int64,
    "width": pl.Int64,
    "height": pl.Int64,
    "frames": pl.Int64,
    "duration_s": pl.Float64,
    "fps": pl.Float64,
    "codec": pl.String,
    "fault": pl.String,
}
Facts = dict[str, int | float | str | None]


def look(rows: pl.DataFrame, step: Callable[[], None]) -> pl.DataFrame:
    """Add ``FACTS`` to the rows of a manifest, as ``read_manifest`` gives them.

    Args:
        rows: manifest rows; their own ``duration_s`` and ``fps`` give way to what the files say.
        step: called after each file.
    """
    facts = []
    for row in rows.select("root", "path", "media").iter_rows(named=True):
        facts.append(_look_at(str(media_path(row)), row["media"]))
        step()
    return rows.drop(FACTS, strict=False).hstack(pl.DataFrame(facts, schema=FACTS))


def _look_at(path: str, media: str) -> Facts:
    try:
        size = os.stat(path).st_size  # noqa: PTH116  # called once for each file
    except OSError:
        return {"fault": "missing"}
    if size == 0:
        return {"bytes": 0, "fault": "empty"}
    facts: Facts = {"bytes": size}
    try:
        if media == "image":
            picture = image.probe(path)
            facts |= {"width": picture.width, "height": picture.height, "codec": picture.format}
        elif media == "video":
            clip = VideoReader(path).info
            facts |= {"width": clip.width, "height": clip.height, "codec": clip.codec, "frames": clip.frames}
            facts |= {"duration_s": clip.duration_s, "fps": clip.fps}
    except MediaError as error:
        facts["fault"] = error.what
    return facts


#: The other remedy for files that cannot be used.
_LEAVE_OUT = "take them out of the folder and index it again"


def _files(count: int) -> str:
    return "1 file is" if count == 1 else f"{count:,} files are"


def find_faulty(rows: pl.DataFrame) -> list[Finding]:
    """Findings about files that are missing, empty or cannot be decoded; ``rows`` as ``look`` gives them."""
    findings = []
    for fault, kind, what, next_step in (
        ("missing", "missing_file", "not there", "give --root if the dataset has moved; else index it again"),
        ("empty", "empty_file", "empty", f"download them again, or {_LEAVE_OUT}"),
    ):
        paths = rows.filter(pl.col("fault") == fault)["path"].to_list()
        if paths:
            findings.append(finding(kind, f"{_files(len(paths))} {what}", paths, next_step))
    broken = rows.filter(pl.col("fault").is_not_null() & ~pl.col("fault").is_in(["missing", "empty"]))
    if broken.height:
        places = [f"{path} ({fault})" for path, fault in broken.select("path", "fault").iter_rows()]
        findings.append(
            finding(
                "unreadable",
                f"{_files(broken.height)} damaged or not what the ending says",
                places,
                f"download or make them again, or {_LEAVE_OUT}",
            )
        )
    return findings
