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
    "bytes", "bytes_per_pixel", "duration_s", "fps", "frames", "width", "height", "aspect", "rate", "channels",
    "name_length", "name_digits",
)  # fmt: skip
NAMES = ("codec", "sampling", "name_prefix", "name_pattern")

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


def measure(rows: pl.DataFrame) -> pl.DataFrame:
    """The AUC of each feature for each kind of media, the largest first.

    Args:
        rows: as ``files.look`` gives them. Files with a fault or without a label are left out.

    Returns:
        Columns media, feature, auc (folded, [0.5, 1]), low, high (of the folded AUC; low may lie below 0.5), n_real and
        n_fake (files), real and fake (what is usual in either class: the median of a number, the most frequent name),
        finding. Features that are the same in all files are left out.
    """
    usable = _with_features(rows.filter(pl.col("label").is_not_null() & pl.col("fault").is_null()))
    tried = []
    for (media,), files in sorted(usable.group_by("media"), key=lambda pair: str(pair[0])):
        for feature in (*NUMBERS, *NAMES):
            known = files.filter(pl.col(feature).is_not_null())
            if known[feature].n_unique() > 1 and known["label"].n_unique() > 1:
                tried.append((media, feature, known))
    deviations = NormalDist().inv_cdf(1 - LEVEL / (2 * max(len(tried), 1)))
    measured = [_measure_one(str(media), feature, known, deviations) for media, feature, known in tried]
    return pl.DataFrame(measured, schema=_SCHEMA).sort("media", "auc", "feature", descending=[False, True, False])


def _measure_one(media: str, feature: str, files: pl.DataFrame, deviations: float) -> dict[str, object]:
    labels = files["label"].to_numpy()
    if feature in NAMES:
        auc = roc_auc(labels, _shares_of_fakes(files, feature))
        folded = max(auc, 0.5)  # The shares have a direction: below 0.5 they tell nothing.
    else:
        auc = roc_auc(labels, files[feature].cast(pl.Float64).to_numpy())
        folded = max(auc, 1 - auc)
    clusters = files.group_by("label").agg(n=pl.col("cluster").n_unique())
    sources = dict(clusters.iter_rows())
    low, high = newcombe(folded, sources[0], sources[1], deviations)
    counts = Counter(labels.tolist())
    usual = {name: _usual(files.filter(label=label)[feature]) for label, name in enumerate(("real", "fake"))}
    return {
        "media": media, "feature": feature, "auc": folded, "low": low, "high": high,
        "n_real": counts[0], "n_fake": counts[1], **usual, "finding": low > 0.5 and folded >= LARGE,
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
    """Add the columns of ``NUMBERS`` and ``NAMES`` that ``files.look`` does not give, and ``cluster``."""
    pixels = pl.col("width") * pl.col("height") * pl.col("frames").fill_null(1)
    stem = pl.col("path").str.extract(r"([^/]*?)(?:\.[^./]*)?$").str.to_lowercase()
    source = pl.col("source_id") if "source_id" in rows.columns else pl.lit(None, pl.String)
    dataset = pl.col("dataset") if "dataset" in rows.columns else pl.lit("")
    return rows.with_columns(
        bytes_per_pixel=pl.when(pixels > 0).then(pl.col("bytes") / pixels),
        aspect=pl.when(pl.col("height") > 0).then(pl.col("width") / pl.col("height")),
        cluster=pl.concat_str(dataset, pl.lit("\0"), pl.coalesce(source, "id")),
        name_length=stem.str.len_chars(),
        name_digits=stem.str.count_matches(r"\d"),
        name_prefix=stem.str.extract(r"^(\D{0,8})"),
        name_pattern=stem.map_elements(_pattern, return_dtype=pl.String),
    )


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
    """The features of ``measure`` that are findings, in sentences."""
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
        ("name_length", "name_digits", "name_prefix", "name_pattern"),
        "name files at random before a detector, or an entrant, can see the names",
    ),
    **dict.fromkeys(
        ("bytes", "bytes_per_pixel", "codec", "sampling"), "encode both classes again, by one encoder with one quality"
    ),
    **dict.fromkeys(("width", "height", "aspect"), "scale or crop both classes to one size"),
    **dict.fromkeys(("rate", "channels"), "bring the sound of both classes to one rate and number of channels"),
    **dict.fromkeys(("duration_s", "frames", "fps"), "cut both classes to one length, at one frame rate"),
}
