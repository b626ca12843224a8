"""Files of different splits that are the same, to the byte or to the eye."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl

from unmask.datasets.audit.findings import Finding, finding
from unmask.datasets.splits import dealt_one_by_one
from unmask.media.image import read_image
from unmask.tables.manifest import SPLITS, media_path

#: Pictures whose 64-bit perceptual hashes differ in at most this many bits are called near duplicates.
NEAR = 4
#: Pictures of one split that are compared with the other split at a time: bounds the memory.
_CHUNK = 2048


def find_same_bytes(rows: pl.DataFrame) -> list[Finding]:
    """Files with the same bytes in two splits, or with two labels. Only files of one size are read and hashed.

    Args:
        rows: as ``files.look`` gives them.
    """
    there = rows.filter(pl.col("bytes") > 0)
    suspects = there.filter(pl.max_horizontal(pl.col("split", "label").n_unique().over("bytes")) > 1)
    same: dict[bytes, list[dict[str, object]]] = defaultdict(list)
    for row in suspects.iter_rows(named=True):
        same[_hash(media_path(row))].append(row)
    across, contradictory = [], []
    for group in same.values():
        places = " = ".join(f"{row['path']} ({row['split']})" for row in group)
        if len({row["split"] for row in group}) > 1:
            across.append(places)
        if {0, 1} <= {row["label"] for row in group}:
            contradictory.append(places)
    findings = []
    if across:
        what = f"{len(across)} files lie in more than one split, byte for byte"
        findings.append(finding("same_bytes", what, sorted(across), "keep one copy of each, and index again"))
    if contradictory:
        what = f"{len(contradictory)} files are called real and fake, with the same bytes"
        findings.append(
            finding(
                "contradictory_labels",
                what,
                sorted(contradictory),
                "find out which label is true, and take the other copy away",
            )
        )
    return findings


def _hash(path: Path) -> bytes:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def find_near_duplicates(rows: pl.DataFrame, step: Callable[[], None]) -> list[Finding]:
    """Pictures that look alike, by pHash, in two splits; byte-identical ones included.

    Args:
        rows: as ``files.look`` gives them; only pictures without a fault are read.
        step: called after each of them.
    """
    hashes: dict[str, list[np.ndarray]] = defaultdict(list)
    paths: dict[str, list[str]] = defaultdict(list)
    for row in rows.filter((pl.col("media") == "image") & pl.col("fault").is_null()).iter_rows(named=True):
        step()
        hashes[row["split"]].append(_perceptual_hash(media_path(row)))
        paths[row["split"]].append(row["path"])
    findings = []
    for one, other in combinations([split for split in SPLITS if split in paths], 2):
        pairs = _near_pairs(np.stack(hashes[one]), np.stack(hashes[other]))
        if pairs:
            places = [f"{paths[one][first]} ~ {paths[other][second]}" for first, second in pairs]
            alike = len({second for _, second in pairs})
            what = f"{alike:,} pictures of {other} look like one of {one}, in {len(pairs):,} pairs"
            findings.append(finding("near_duplicate", what, places, _remedy(rows)))
    return findings


def _remedy(rows: pl.DataFrame) -> str:
    """How to keep look-alikes together, by what the split was drawn from."""
    rules: list[str] = rows["split_rule"].drop_nulls().unique().to_list() if "split_rule" in rows.columns else []
    if any(dealt_one_by_one(rule) for rule in rules):
        return (
            "the split was drawn file by file: index again with --subject-from folder, if each person has a folder "
            "(real/<person>/..., fake/<person>/...); else with a metadata.csv that has a column subject_id or source_id"
        )
    return (
        "look at the pairs: what shows one scene or one person belongs into one split, so move it there, or give it "
        "one subject_id or source_id and index again"
    )


def _perceptual_hash(path: Path) -> np.ndarray:
    """(64,) float32 of -1 and 1, so that a dot product counts the bits that agree."""
    import imagehash
    from PIL import Image

    return np.where(imagehash.phash(Image.fromarray(read_image(path))).hash.ravel(), 1, -1).astype(np.float32)


def _near_pairs(ones: np.ndarray, others: np.ndarray) -> list[tuple[int, int]]:
    """Indices of rows that differ in at most ``NEAR`` bits; (n, 64) and (m, 64)."""
    least = ones.shape[1] - 2 * NEAR
    pairs = []
    for start in range(0, len(ones), _CHUNK):
        first, second = np.nonzero(ones[start : start + _CHUNK] @ others.T >= least)
        pairs += list(zip((first + start).tolist(), second.tolist(), strict=True))
    return pairs
