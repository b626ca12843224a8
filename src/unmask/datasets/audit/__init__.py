"""Can a number on this data be trusted? Looks for unusable files, splits that leak and surfaces that tell the label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from unmask.datasets.audit import files, leaks, trivial, twins
from unmask.datasets.audit.findings import Audit, Finding
from unmask.datasets.splits import balance
from unmask.tables.manifest import read_manifest

__all__ = ["Audit", "Finding", "audit"]


def audit(
    manifests: Sequence[str | Path],
    *,
    root: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Audit:
    """Audit one manifest, or several as if their splits were used together. Every file is opened.

    Args:
        manifests: paths.
        root: the dataset's folder, where it has moved since; the same for all manifests.
        progress: called with (files done, files in all) as files are opened; pictures are opened twice.

    Returns:
        The findings and the numbers behind them.

    Raises:
        TableError: a manifest breaks its schema.
        UnmaskError: a manifest is missing.
    """
    rows = pl.concat([read_manifest(path, root=root) for path in manifests], how="diagonal_relaxed")
    total = rows.height + rows.filter(pl.col("media") == "image").height
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    rows = files.look(rows, step)
    counts = balance(rows)
    measured = trivial.measure(rows)
    findings = [
        *files.find_faulty(rows),
        *leaks.find_one_class(counts),
        *leaks.find_shared(rows),
        *twins.find_same_bytes(rows),
        *twins.find_near_duplicates(rows, step),
        *trivial.find_trivial(measured),
    ]
    return Audit(findings, counts, measured, _notes(rows))


def _notes(rows: pl.DataFrame) -> list[str]:
    notes = []
    sounds = rows.filter(pl.col("media") == "audio").height
    if sounds:
        notes.append(f"{sounds} sound files were not decoded: only their presence, size, bytes and names were checked")
    videos = rows.filter((pl.col("media") == "video") & pl.col("fault").is_null()).height
    if videos:
        notes.append(
            f"{videos} videos were not compared by their looks: between splits only copies to the byte are found"
        )
    for column, plural in (("source_id", "sources"), ("subject_id", "subjects")):
        if column not in rows.columns or rows[column].null_count() == rows.height:
            notes.append(
                f"{plural} are not known, so whether splits share them was not checked: the manifest has no {column}"
            )
    return notes
