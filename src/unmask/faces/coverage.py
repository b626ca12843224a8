"""Which files of a manifest have a face in a store, by label, split and method.

A detector of faces that finds fewer in fakes than in reals tells the label before any detector of fakes has looked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import NormalDist

import polars as pl

from unmask.tables.errors import StoreError

_CONFIDENCE = 0.95
#: Shares of fakes and of reals without a face that are no further apart are not warned of: which files have none then
#: tells the label with an AUC of 0.505 at most.
_GAP = 0.01
_LABEL = pl.col("label").replace_strict({0: "real", 1: "fake"}, default="without a label", return_dtype=pl.String)


@dataclass(frozen=True)
class Group:
    """Files of a manifest that share a label, a split or a method.

    Attributes:
        name: what they share.
        files: how many of them the store holds.
        without: those of them without a crop, for whatever reason.
        reasons: reason -> how many of those.
        not_prepared: further files of the manifest that the store does not hold; they count nowhere else.
        low, high: 95 % interval of ``share``, by Wilson's score; None where there is no file. It takes files to be
            independent; fakes that were made from one video are not, so it is rather too narrow.
    """

    name: str
    files: int
    without: int
    reasons: Mapping[str, int]
    not_prepared: int
    low: float | None
    high: float | None

    @property
    def share(self) -> float | None:
        """Files without a crop, of those that the store holds, 0 to 1; None where it holds none."""
        return self.without / self.files if self.files else None

    def to_dict(self) -> dict[str, object]:
        """As it stands in ``faces.json``."""
        return {"share": self.share, **asdict(self)}


@dataclass(frozen=True)
class Coverage:
    """Which files of a manifest have a face in the store.

    Attributes:
        files: videos and pictures in the manifest.
        not_prepared: those of them that the store does not hold.
        unknown: files of the store that are not in the manifest.
        groups: "label", "split" and, if the manifest has it, "method" -> groups, the one with the largest share of
            files without a crop first.
    """

    files: int
    not_prepared: int
    unknown: int
    groups: Mapping[str, tuple[Group, ...]]

    @property
    def warning(self) -> str | None:
        """That faces are found more often in one class than in the other; None where that may be chance, or is little.

        It is said where the 95 % intervals of the two shares are apart and the shares by more than a hundredth.
        """
        named = {group.name: group for group in self.groups["label"]}
        real, fake = named.get("real"), named.get("fake")
        if real is None or fake is None or real.share is None or fake.share is None:
            return None
        apart = max(real.low or 0.0, fake.low or 0.0) > min(real.high or 0.0, fake.high or 0.0)
        if not apart or abs(real.share - fake.share) <= _GAP:
            return None
        shares = f"{100 * fake.share:.1f} % of the fakes and {100 * real.share:.1f} % of the reals have no face"
        return f"{shares}: whether one was found tells something of the label"

    def to_dict(self) -> dict[str, object]:
        """As it stands in ``faces.json``."""
        groups = {column: [group.to_dict() for group in groups] for column, groups in self.groups.items()}
        return {**asdict(self), "groups": groups, "warning": self.warning}


def cover(files: pl.DataFrame, manifest: pl.DataFrame, *, where: Path) -> Coverage:
    """Which of a manifest's files have a face.

    Args:
        files: as ``stats.files_of`` gives them.
        manifest: as ``read_manifest`` gives it; sound files count for nothing.
        where: the store, for the message.

    Raises:
        StoreError: not one of the manifest's files is in the store.
    """
    seen = manifest.filter(pl.col("media") != "audio")
    rows = seen.join(files.select("id", "crops", "reason"), on="id", how="left")
    if rows["crops"].null_count() == rows.height:
        raise StoreError(
            "the face store holds none of the manifest's files",
            where=where,
            next_step="give the manifest that the store was prepared from",
        )
    names = {"label": _LABEL, "split": pl.col("split")}
    if "method" in rows.columns:
        unnamed = pl.when(pl.col("label") == 1).then(pl.lit("fake, method not stated")).otherwise(_LABEL)
        names["method"] = pl.coalesce(pl.col("method").cast(pl.String), unnamed)
    groups = {column: _groups(rows, name) for column, name in names.items()}
    unknown = files.join(seen, on="id", how="anti").height
    return Coverage(rows.height, rows["crops"].null_count(), unknown, groups)


def _groups(rows: pl.DataFrame, name: pl.Expr) -> tuple[Group, ...]:
    found = [_group(key, part) for (key,), part in rows.group_by(name.alias("group"))]
    return tuple(sorted(found, key=lambda group: (1.0 if group.share is None else -group.share, group.name)))


def _group(name: object, rows: pl.DataFrame) -> Group:
    held = rows.drop_nulls("crops")
    bare = held.filter(pl.col("crops") == 0)
    low, high = wilson(bare.height, held.height) if held.height else (None, None)
    return Group(str(name), held.height, bare.height, count_reasons(bare), rows.height - held.height, low, high)


def count_reasons(bare: pl.DataFrame) -> dict[str, int]:
    """How many files without a crop have each ``reason``, the most frequent first."""
    return dict(bare["reason"].value_counts().sort("count", "reason", descending=[True, False]).iter_rows())


def wilson(count: int, total: int, *, confidence: float = _CONFIDENCE) -> tuple[float, float]:
    """The interval of a share, ``count`` of ``total``, both ends in [0, 1].

    Source: Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927. It keeps a
    width where the share is 0 or 1.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = count / total, z * z / total
    middle = (share + weight / 2) / (1 + weight)
    reach = z / (1 + weight) * (share * (1 - share) / total + weight / (4 * total)) ** 0.5
    return max(middle - reach, 0.0), min(middle + reach, 1.0)
