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
        findings.append(finding("same_bytes", what, sorted(across), "keep each in one split"))
    if contradictory:
        what = f"{len(contradictory)} files are called real and fake, with the same bytes"
        findings.append(finding("contradictory_labels", what, sorted(contradictory), "find out which label is true"))
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
            what = f"{len({second for _, second in pairs})} pictures of {other} look like one of {one}"
            findings.append(
                finding(
                    "near_duplicate", what, places, "keep frames of one scene in one split: split by video or person"
                )
            )
    return findings


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
