"""Files that are the same to the byte, in two splits, under two labels or in two manifests; and ids that are not."""

from __future__ import annotations

import polars as pl

from unmask.datasets.audit.findings import Finding, files_are, finding


def find_same_bytes(rows: pl.DataFrame, several: str = "more than one split") -> tuple[list[Finding], list[str]]:
    """Files with the same bytes in two splits, with two labels, or in two manifests.

    Args:
        rows: as ``files.look`` gives them.
        several: what files in two splits are said to be in.

    Returns:
        The findings, and a note of the reals that stand in one split of several manifests, by one id or one path: that
        is no fault, since ``unmask.loading.join`` keeps one of them.
    """
    across, contradictory, twice, reals = [], [], [], 0
    hashed = rows.drop_nulls("digest").with_columns(file=pl.concat_str("root", pl.lit("/"), "path"))
    for _, group in hashed.group_by("digest", maintain_order=True):
        splits, labels = group["split"].unique(), set(group["label"])
        places = " = ".join(f"{place} ({split})" for place, split in group.select("place", "split").iter_rows())
        if len(splits) > 1:
            across.append(places)
        if {0, 1} <= labels:
            contradictory.append(places)
        if len(splits) == 1 and group["manifest"].n_unique() > 1 and not {0, 1} <= labels:
            if labels == {0} and (group["id"].n_unique() == 1 or group["file"].n_unique() == 1):
                reals += 1
            else:
                twice.append(places)
    notes = [f"{reals:,} reals stand in several manifests, in one split: kept once when all are used"] if reals else []
    findings = [
        finding(kind, f"{files_are(len(places))} {what}", sorted(places), next_step)
        for kind, places, what, next_step in (
            ("same_bytes", across, f"in {several}, byte for byte", "keep one copy of each, and index again"),
            (
                "same_bytes", twice, "in more than one manifest, byte for byte, and would count twice",
                "take them out of all manifests but one",
            ),
            (
                "contradictory_labels", contradictory, "called real and fake, with the same bytes",
                "find out which label is true, and take the other copy away",
            ),
        )
        if places
    ]  # fmt: skip
    return findings, notes


def find_other_files(rows: pl.DataFrame) -> list[Finding]:
    """Ids that stand in one split of two manifests, for files with other bytes.

    Args:
        rows: as ``files.look`` gives them; it hashes files of one size in several manifests.
    """
    ids = rows.filter(pl.col("fault").is_null()).group_by("dataset", "id", "split", maintain_order=True)
    groups = ids.agg("place", manifests=pl.col("manifest").n_unique(), copies=_same(pl.col("digest")))
    other = groups.filter((pl.col("manifests") > 1) & ~pl.col("copies"))
    if other.is_empty():
        return []
    places = [f"{name}: {' and '.join(those)}" for name, those in other.select("id", "place").iter_rows()]
    what = f"{len(places):,} ids of one dataset stand in several manifests for different files"
    next_step = "index one of them again under another dataset's name, or leave it out"
    return [finding("shared_id", what, places, next_step)]


def _same(digest: pl.Expr) -> pl.Expr:
    return (digest.n_unique() == 1) & (digest.null_count() == 0)
