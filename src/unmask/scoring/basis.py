"""What intervals rest on: how many people, sources, clusters or single files a bootstrap draws."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

#: What a cluster can be, and the column whose cell it then is. Where two fit, the first counts: a real's source is
#: often the real itself.
KINDS = {"person": "subject_id", "source": "source_id", "file": "id"}


@dataclass(frozen=True)
class Basis:
    """What the intervals of some rows rest on.

    Attributes:
        clusters: kind of cluster to the number of them: "person" (they are the cells of ``subject_id``), "source" (of
            ``source_id``), "file" (each id by itself), or "cluster" (whatever else the key's column ``cluster`` names).
        people: how many people the rows show; None where the key has no ``subject_id``.
        fewest: how many clusters the fakes have, or the reals, whichever is less; how many people where these are
            fewer still. 0 where a class is missing.
    """

    clusters: dict[str, int]
    people: int | None
    fewest: int

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Basis:
        """The basis of ``rows``: columns id, label, cluster, and subject_id and source_id where they are known."""
        names = [name for name in KINDS.values() if name not in rows.columns]
        rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in names)
        fits = [pl.col("cluster").eq_missing(pl.col(column)).any() for column in KINDS.values()]
        kinds = (pl.when(fit).then(pl.lit(kind)) for fit, kind in zip(fits, KINDS, strict=True))
        kind = pl.coalesce(*kinds, pl.lit("cluster"))
        counts = dict(rows.group_by("cluster").agg(kind=kind)["kind"].value_counts().iter_rows())
        people = rows["subject_id"].drop_nulls().n_unique()
        independent = rows.group_by("label").agg(
            pl.min_horizontal(pl.col("cluster").n_unique(), pl.coalesce("subject_id", "cluster").n_unique())
        )
        fewest = min(independent.to_series(1)) if independent.height == 2 else 0
        return cls({kind: counts[kind] for kind in (*KINDS, "cluster") if kind in counts}, people or None, fewest)

    def __str__(self) -> str:
        """In words: "37 people", "70 sources, which show 1 person"."""
        told = " and ".join(_counted(count, kind) for kind, count in self.clusters.items())
        if self.people is None or "person" in self.clusters:
            return told
        return f"{told}, which show {_counted(self.people, 'person')}"


def _counted(count: int, kind: str) -> str:
    many = "people" if kind == "person" else f"{kind}s"
    return f"{count:,} {kind if count == 1 else many}"
