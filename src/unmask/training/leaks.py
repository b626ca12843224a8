"""Splits that share a person or a source, so that a validation or a test would flatter."""

from __future__ import annotations

import polars as pl

from unmask.tables.errors import ConfigError
from unmask.tables.reading import shown

_COLUMNS = {"source_id": "sources", "subject_id": "people"}


def leaks(manifest: pl.DataFrame) -> list[str]:
    """A sentence for each column and each split that shares values of it with training.

    Args:
        manifest: as ``read_manifest`` gives it; what it does not say of people and sources cannot be found.
    """
    found = []
    for column, what in _COLUMNS.items():
        if column not in manifest.columns:
            continue
        named = [name for name in ("dataset", column) if name in manifest.columns]  # two datasets may each have an id1
        of = {
            split: set(manifest.filter((pl.col("split") == split) & pl.col(column).is_not_null())[named].rows())
            for split in ("train", "validation", "test")
        }
        for other in ("validation", "test"):
            if shared := sorted({names[-1] for names in of["train"] & of[other]}):
                found.append(f"train and {other} share {len(shared):,} {what} ({column}), such as {shown(shared[0])}")
    return found


def check_leaks(manifest: pl.DataFrame, *, allow: bool) -> tuple[str, ...]:
    """Refuse splits that leak.

    Args:
        manifest: see ``leaks``.
        allow: give the sentences that every result must bear instead.

    Raises:
        ConfigError: splits leak, and that is not allowed.
    """
    found = leaks(manifest)
    if found and not allow:
        raise ConfigError(
            "\n  ".join(["the splits leak, so that scores would flatter:", *found]),
            next_step="put all files of a person and of a source into one split (unmask audit says more), or give "
            "allow_leaks=true: every result then says so",
        )
    return tuple(f"The splits leak: {each}. The numbers flatter." for each in found)
