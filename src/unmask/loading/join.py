"""Several manifests with their face stores, used as one body of data; reals that repeat are kept once."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl

from unmask.faces.store import FaceStore
from unmask.tables.errors import ConfigError
from unmask.tables.manifest import SPLITS, media_path, read_manifest

#: Columns whose cells are names that another dataset may use for something else.
_NAMES = ("source_id", "subject_id", "donor_id")


def join(
    manifests: Mapping[str, str | Path],
    stores: Mapping[str, str | Path] | None,
    use: Mapping[str, Collection[str]] | None = None,
) -> tuple[pl.DataFrame, FaceStore | None]:
    """One manifest and one store out of several of each.

    Args:
        manifests: name -> path.
        stores: the same names -> the faces of that manifest's files; None where sound alone is wanted.
        use: name -> the splits that are taken of it; all of those that are not named here.

    Returns:
        The manifest, as ``read_manifest`` gives it, with the column ``manifest``, and its faces. Ids, sources, people
        and donors are ``<name>:<what it was>``, since two datasets may call different things alike. A real file that
        stands in several manifests (the same path, or the same id and the same bytes) is a row of the first alone;
        manifests that share one also share their names for sources and people.

    Raises:
        ConfigError: names that do not fit each other; or a real that repeats stands in two splits, so that a score
            would flatter.
        StoreError: the stores' crops were made in different ways.
        UnmaskError: a table or a store is missing or damaged.
    """
    _check_names(manifests, manifests if stores is None else stores, use or {})
    parts = []
    for name, path in manifests.items():
        rows = read_manifest(path)
        rows = rows.filter(pl.col("split").is_in(list((use or {}).get(name, SPLITS))))
        parts.append(rows.with_columns(manifest=pl.lit(name), own_id=pl.col("id")))
    rows, spaces = _without_repeats(pl.concat(parts, how="diagonal_relaxed"))
    rows = rows.with_columns(
        id=pl.concat_str("manifest", pl.lit(":"), "own_id"), space=pl.col("manifest").replace(spaces)
    )
    named = [pl.concat_str("space", pl.lit(":"), name).alias(name) for name in _NAMES if name in rows.columns]
    rows = rows.with_columns(named).drop("own_id", "space")
    if stores is None:
        return rows, None
    return rows, FaceStore.joined({f"{name}:": FaceStore(stores[name]) for name in manifests})


def _check_names(
    manifests: Mapping[str, str | Path], stores: Mapping[str, str | Path], use: Mapping[str, Collection[str]]
) -> None:
    faults = [f"store has no {name!r}, which manifest has" for name in manifests if name not in stores]
    faults += [f"manifest has no {name!r}, which store has" for name in stores if name not in manifests]
    faults += [f"manifest has no {name!r}, which use has" for name in use if name not in manifests]
    faults += [
        f"use.{name} has {split!r}, which is no split: there are {', '.join(SPLITS)}"
        for name, splits in use.items()
        for split in splits
        if split not in SPLITS
    ]
    if faults:
        raise ConfigError(
            "\n  ".join(["manifests and stores do not fit each other:", *faults]),
            next_step="give manifest and store the same names: 'manifest={ff: ff.parquet}' 'store={ff: faces}'",
        )


def _without_repeats(rows: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """The rows without the reals that stood before, and for each manifest the one whose names of people it shares."""
    first: dict[object, tuple[str, str]] = {}
    spaces = {name: name for name in rows["manifest"].unique().to_list()}
    kept: list[bool] = []
    torn: list[str] = []
    reals = rows.filter(pl.col("label") == 0)
    shared = set(reals.filter(pl.col("own_id").is_duplicated())["own_id"].to_list())
    for row in rows.select("root", "path", "label", "own_id", "manifest", "split").iter_rows(named=True):
        known = None
        if row["label"] == 0:
            path = media_path(row)
            keys: list[object] = [path, *([(row["own_id"], _content(path))] if row["own_id"] in shared else [])]
            known = next((first[key] for key in keys if key in first and first[key][0] != row["manifest"]), None)
            if known is None:
                first |= dict.fromkeys(keys, (row["manifest"], row["split"]))
        kept.append(known is None)
        if known is not None:
            spaces[row["manifest"]] = spaces[known[0]]
            if known[1] != row["split"]:
                torn.append(f"{row['own_id']}: {known[1]} of {known[0]}, {row['split']} of {row['manifest']}")
    if torn:
        shown = torn[:5] + ([f"... and {len(torn) - 5:,} more"] if torn[5:] else [])
        raise ConfigError(
            "\n  ".join([f"{len(torn):,} real files stand in two splits, so a score would flatter:", *shown]),
            next_step="leave splits of one manifest out, such as with 'use={NAME: [test]}', or index one of them with "
            "the other's split",
        )
    return rows.filter(pl.Series(kept)), spaces


def _content(path: Path) -> object:
    """What tells whether two files are one: their bytes; the path where there are none to read."""
    if not path.is_file():
        return path
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
