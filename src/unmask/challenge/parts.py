"""Public, private and ignored parts: whole clusters, each part with its share of every class and method."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl

from unmask.tables.errors import ChallengeError


def split_parts(key: pl.DataFrame, public: float, seed: int, *, ignored: float = 0.0) -> pl.Series:
    """Which part each row belongs to.

    Args:
        key: answer key: columns label, cluster, and method if there is one; (N,) rows.
        public: share of the rows that is public, above 0.
        seed: of the order in which clusters are taken.
        ignored: share of the rows that teams must answer and that count for nothing, from 0; below 1 with ``public``.

    Returns:
        (N,) String: "public", "private" or "ignored"; no cluster is in two of them.

    Raises:
        ChallengeError: the public or the private part would lack fakes or reals.
    """
    out = _chosen(key, ignored, seed) if ignored else pl.repeat(False, key.height, eager=True)
    public_too = pl.repeat(False, key.height, eager=True)
    public_too = public_too.scatter((~out).arg_true(), _chosen(key.filter(~out), public / (1.0 - ignored), seed))
    named = pl.when(out).then(pl.lit("ignored")).when(public_too).then(pl.lit("public")).otherwise(pl.lit("private"))
    usage = pl.select(usage=named).to_series()
    lacking = missing_classes(key.with_columns(usage=usage))
    if lacking:
        raise ChallengeError(
            f"the rows cannot be split into a public and a private part: {'; '.join(lacking)}",
            next_step="give a manifest with more clusters (column source_id), or another --public",
        )
    return usage


def _chosen(key: pl.DataFrame, share: float, seed: int) -> pl.Series:
    """Which rows make up a share of them: (N,) Boolean; whole clusters.

    Clusters are taken in a drawn order, large ones first, and each goes to the side that brings the share of every kind
    of row nearer to ``share``. A kind is a class, and a class with a method where the key has methods.
    """
    kinds = _kinds(key)
    contents: dict[str, Counter[str]] = {}
    for cluster, of_row in zip(key["cluster"].to_list(), kinds, strict=True):
        contents.setdefault(cluster, Counter()).update(of_row)
    names = sorted(contents)
    drawn = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    drawn.sort(key=lambda name: -contents[name].total())
    seen: Counter[str] = Counter()
    chosen: Counter[str] = Counter()
    side: dict[str, bool] = {}
    for name in drawn:
        seen.update(contents[name])
        # Squared distance from the wanted count of each kind, with the cluster and without it.
        gain = sum(
            (chosen[kind] - share * seen[kind]) ** 2 - (chosen[kind] + count - share * seen[kind]) ** 2
            for kind, count in contents[name].items()
        )
        side[name] = gain > 0
        if gain > 0:
            chosen.update(contents[name])
    return key["cluster"].replace_strict(side, return_dtype=pl.Boolean)


def _kinds(key: pl.DataFrame) -> list[list[str]]:
    """What each row counts as: its class, and its class with its method."""
    methods = key["method"].to_list() if "method" in key.columns else [None] * key.height
    return [[str(label), f"{label} {method}"] for label, method in zip(key["label"].to_list(), methods, strict=True)]


def missing_classes(key: pl.DataFrame) -> list[str]:
    """What the public and the private part lack, in words; empty where both have fakes and reals."""
    return [
        f"the {part} part has no {name}"
        for part in ("public", "private")
        for label, name in ((1, "fake"), (0, "real"))
        if key.filter((pl.col("usage") == part) & (pl.col("label") == label)).is_empty()
    ]


def torn_clusters(key: pl.DataFrame) -> list[str]:
    """Clusters that have rows in both parts."""
    counted = key.filter(pl.col("usage") != "ignored")
    sides = counted.group_by("cluster").agg(pl.col("usage").n_unique())
    return sorted(sides.filter(pl.col("usage") > 1)["cluster"].to_list())
