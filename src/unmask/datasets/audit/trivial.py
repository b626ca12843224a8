"""How well the surface of a file alone tells real from fake: a detector may learn it, a challenge may be won by it.

For each feature the AUC over all labelled rows of one kind of media is taken, folded (max(a, 1 - a)) because either
direction gives the class away. Features that are names rather than numbers (codec, the letters a file name begins with,
its pattern) become numbers first: the share of fakes among the files of the same name in the other folds, so that a
name of its own for each file tells nothing.

A feature is a finding if it is both sure and large:

* sure: the interval of its AUC is clear of 0.5. The interval is Newcombe's method 5 (Statistics in Medicine 25, 2006,
  559-573), which keeps a width where all of a few files are told apart. Its level is 95 % for all features together
  (Bonferroni), and files of one source count once, since five forgeries of one video are not five observations.
* large: the folded AUC is at least 0.65, about what a first, weak detector reaches on data that it was not made for.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import polars as pl

from unmask.datasets.audit.findings import Finding, finding
from unmask.scoring.metrics import roc_auc

#: A folded AUC below this is no finding, however sure.
LARGE = 0.65
#: Chance of one false finding or more in an audit of data without any tell.
LEVEL = 0.05

NUMBERS = (
    "bytes", "bytes_per_pixel", "bit_rate", "duration_s", "fps", "frames", "width", "height", "pixels", "aspect",
    "rate", "channels", "name_length", "name_digits",
)  # fmt: skip
NAMES = ("codec", "ending", "sampling", "name_prefix", "name_pattern")
#: Where a name stands in the list of all: of a collection, its folders' order; of a challenge, what entrants see.
ORDER = "name_order"

_FOLDS = 5
_SCHEMA = {
    "media": pl.String,
    "feature": pl.String,
    "auc": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n_real": pl.Int64,
    "n_fake": pl.Int64,
    "real": pl.String,
    "fake": pl.String,
    "finding": pl.Boolean,
}  # fmt: skip


@dataclass(frozen=True)
class Tried:
    """One feature of one kind of media, as a score.

    Attributes:
        media: "video", "image" or "audio".
        feature: one of ``NUMBERS`` or ``NAMES``.
        rows: the files that have it: columns label, cluster (files of one count as one observation) and score (Float64:
            the number itself, or the share of fakes among other files of the same name).
        real: what is usual in reals: the median of a number, the most frequent name.
        fake: the same of fakes.
    """

    media: str
    feature: str
    rows: pl.DataFrame
    real: str
    fake: str

    @property
    def one_way(self) -> bool:
        """Whether a high score can mean fakes alone: shares of fakes that are below 0.5 tell nothing."""
        return self.feature in NAMES


def try_all(rows: pl.DataFrame, numbers: Sequence[str] = NUMBERS) -> list[Tried]:
    """Each feature of each kind of media as a score.

    Args:
        rows: as ``files.look`` or ``files.glance`` gives them; ``name``, where it is a column, is the name that is
            looked at instead of ``path``, and ``cluster`` what counts once instead of the source. Files with a fault or
            without a label are left out.
        numbers: beside ``NAMES``: ``NUMBERS``, and ``ORDER`` where the order in which files are listed is their own.

    Returns:
        Features that are the same in all files, or known of one class only, are left out.
    """
    usable = _with_features(rows.filter(pl.col("label").is_not_null() & pl.col("fault").is_null()))
    tried = []
    for (media,), files in sorted(usable.group_by("media", maintain_order=True), key=lambda pair: str(pair[0])):
        for feature in (*numbers, *NAMES):
            known = files.filter(pl.col(feature).is_not_null())
            if known[feature].n_unique() > 1 and known["label"].n_unique() > 1:
                tried.append(_try(str(media), feature, known))
    return tried


def _try(media: str, feature: str, files: pl.DataFrame) -> Tried:
    score = pl.Series(_shares_of_fakes(files, feature)) if feature in NAMES else files[feature].cast(pl.Float64)
    real, fake = (_usual(files.filter(label=label)[feature]) for label in (0, 1))
    return Tried(media, feature, files.select("label", "cluster", score=score), real, fake)


def measure(rows: pl.DataFrame) -> pl.DataFrame:
    """The AUC of each feature for each kind of media, the largest first.

    Args:
        rows: as ``files.look`` gives them. Files with a fault or without a label are left out.

    Returns:
        Columns media, feature, auc (folded, [0.5, 1]), low, high (of the folded AUC; low may lie below 0.5), n_real and
        n_fake (files), real and fake (what is usual in either class: the median of a number, the most frequent name),
        finding. Features that are the same in all files are left out.
    """
    tried = try_all(rows)
    deviations = NormalDist().inv_cdf(1 - LEVEL / (2 * max(len(tried), 1)))
    measured = [_measure_one(each, deviations) for each in tried]
    return pl.DataFrame(measured, schema=_SCHEMA).sort("media", "auc", "feature", descending=[False, True, False])


def _measure_one(tried: Tried, deviations: float) -> dict[str, object]:
    auc = roc_auc(tried.rows["label"].to_numpy(), tried.rows["score"].to_numpy())
    folded = max(auc, 0.5 if tried.one_way else 1 - auc)
    clusters = tried.rows.group_by("label").agg(n=pl.col("cluster").n_unique())
    sources = dict(clusters.iter_rows())
    low, high = newcombe(folded, sources[0], sources[1], deviations)
    n_real, n_fake = (tried.rows.filter(label=label).height for label in (0, 1))
    return {
        "media": tried.media, "feature": tried.feature, "auc": folded, "low": low, "high": high, "n_real": n_real,
        "n_fake": n_fake, "real": tried.real, "fake": tried.fake, "finding": low > 0.5 and folded >= LARGE,
    }  # fmt: skip


def _usual(values: pl.Series) -> str:
    """The median of numbers, or the most frequent name and its share: "'a_0' (98%)"."""
    if values.dtype == pl.String:
        name, count = Counter(values.to_list()).most_common(1)[0]
        return f"{name!r} ({count / len(values):.0%})"
    median = float(np.median(values.to_numpy()))
    return f"{median:,.0f}" if median >= 1000 else f"{median:.4g}"


def newcombe(auc: float, n_real: int, n_fake: int, deviations: float) -> tuple[float, float]:
    """Interval of an AUC by Newcombe's method 5: where the AUC lies ``deviations`` standard errors from the truth.

    With a correction for continuity, half a pair, without which three files of either class could be a finding.

    Args:
        auc: [0, 1].
        n_real: independent reals, at least 1.
        n_fake: independent fakes, at least 1.
        deviations: half the width in standard errors, such as 1.96 for 95 %.
    """
    half_a_pair = 0.5 / (n_real * n_fake)

    def error(true: float) -> float:
        pairs = (n_real + n_fake) / 2 - 1
        spread = 1 + pairs * ((1 - true) / (2 - true) + true / (1 + true))
        return deviations * math.sqrt(true * (1 - true) * spread / (n_real * n_fake))

    def solve(inside: float, outside: float) -> float:
        for _ in range(60):
            middle = (inside + outside) / 2
            if abs(auc - middle) - half_a_pair <= error(middle):
                inside = middle
            else:
                outside = middle
        return inside

    return solve(auc, 0.0), solve(auc, 1.0)


def _with_features(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the features that ``files.look`` does not give, and ``cluster`` where it is not given."""
    pixels = pl.col("width") * pl.col("height")
    in_all = pixels * pl.col("frames").fill_null(1)
    name = (pl.col("name") if "name" in rows.columns else pl.col("path")).str.to_lowercase()
    stem = name.str.extract(r"([^/]*?)(?:\.[^./]*)?$")
    source = pl.col("source_id") if "source_id" in rows.columns else pl.lit(None, pl.String)
    dataset = pl.col("dataset") if "dataset" in rows.columns else pl.lit("")
    cluster = pl.concat_str(dataset, pl.lit("\0"), pl.coalesce(source, "id"))
    return rows.with_columns(
        bytes_per_pixel=pl.when(in_all > 0).then(pl.col("bytes") / in_all),
        bit_rate=pl.when(pl.col("duration_s") > 0).then(8 * pl.col("bytes") / pl.col("duration_s")),
        pixels=pixels,
        aspect=pl.when(pl.col("height") > 0).then(pl.col("width") / pl.col("height")),
        ending=pl.col("path").str.extract(r"\.([^./]*)$").str.to_lowercase().fill_null(""),
        cluster=pl.col("cluster") if "cluster" in rows.columns else cluster,
        name_length=stem.str.len_chars(),
        name_digits=stem.str.count_matches(r"\d"),
        name_order=_in_order(name),
        name_prefix=stem.str.extract(r"^(\D{0,8})"),
        name_pattern=stem.map_elements(_pattern, return_dtype=pl.String),
    )


def _in_order(name: pl.Expr) -> pl.Expr:
    """Places of names among each other, numbers in them as numbers: their digits are filled up to 20."""
    filled = name.str.replace_all(r"(\d+)", "00000000000000000000$1")
    return filled.str.replace_all(r"\d*(\d{20})", "$1").rank()


def _pattern(stem: str) -> str:
    """The kinds of characters in a name, runs taken together: "071_054" is "0_0", "id0_0001" is "a0_0"."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", stem))


def _shares_of_fakes(files: pl.DataFrame, feature: str) -> np.ndarray:
    """For each file, the share of fakes among the files of the same name in the other folds.

    A source lies in one fold whole. One file with the overall share is added to each name, so that a name that
    the other folds do not have comes out at that share.
    """
    folds = [zlib.crc32(cluster.encode()) % _FOLDS for cluster in files["cluster"]]
    names, labels = files[feature].to_list(), files["label"].to_list()
    counts = Counter(zip(names, labels, strict=True))
    own = Counter(zip(folds, names, labels, strict=True))
    totals = Counter(labels)
    prior = totals[1] / (totals[0] + totals[1])
    shares = []
    for fold, name in zip(folds, names, strict=True):
        real, fake = (counts[name, label] - own[fold, name, label] for label in (0, 1))
        shares.append((fake + prior) / (real + fake + 1))
    return np.array(shares)


def find_trivial(measured: pl.DataFrame) -> list[Finding]:
    """The features that are findings, in sentences.

    Args:
        measured: as ``measure`` gives them.
    """
    return [
        finding(
            "trivial_feature",
            f"{row['feature']} alone tells real from fake in {_PLURAL[row['media']]}: AUC {row['auc']:.2f} "
            f"[{row['low']:.2f}, {row['high']:.2f}]",
            [f"{row['feature']}: {row['real']} in reals, {row['fake']} in fakes"],
            _REMEDIES[row["feature"]],
        )
        for row in measured.filter("finding").iter_rows(named=True)
    ]


_PLURAL = {"image": "images", "video": "videos", "audio": "sound files"}

_REMEDIES = {
    **dict.fromkeys(
        ("name_length", "name_digits", ORDER, "name_prefix", "name_pattern"),
        "name files at random before a detector, or an entrant, can see the names",
    ),
    **dict.fromkeys(
        ("bytes", "bytes_per_pixel", "bit_rate", "codec", "ending", "sampling"),
        "encode both classes again, by one encoder with one quality",
    ),
    **dict.fromkeys(("width", "height", "pixels", "aspect"), "scale or crop both classes to one size"),
    **dict.fromkeys(("rate", "channels"), "bring the sound of both classes to one rate and number of channels"),
    **dict.fromkeys(("duration_s", "frames", "fps"), "cut both classes to one length, at one frame rate"),
}
