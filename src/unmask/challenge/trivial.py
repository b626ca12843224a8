"""What a challenge's score would be of an entrant who looks at one trivial feature alone, such as the size of files.

The AUC of each feature is taken against the answer key, above 0.5 where larger values are fakes, with an interval from
the bootstrap of the key's clusters. A feature tells the label if it is both sure and far:

* sure: 0.5 lies outside of the interval, whose level is 95 % for all features together (Bonferroni). Of a feature with
  a direction of its own (``Feature.one_way``) the interval must lie above 0.5.
* far: the AUC is 0.1 or more away from 0.5. Who knows such a feature beside a detector of AUC 0.80, which it is
  independent of, gains 0.01 (of normal scores: 0.810), as much as places of a board often differ by. At 0.05 it would
  be 0.0025.

Where a class has fewer than ten clusters nothing is told: of so few, some feature often parts all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from unmask.scoring.intervals import Resampling, bootstrap, percentile_interval
from unmask.scoring.metrics import METRICS, Settings
from unmask.scoring.sample import Sample
from unmask.tables.answers import FEWEST_PEOPLE

#: An AUC nearer to 0.5 than this is of little use to an entrant.
FAR = 0.1
#: Chance of one false warning or more where no feature tells anything.
LEVEL = 0.05
#: The intervals lie far out, where a thousand replicates would leave but one or two beyond.
REPLICATES = 4000
TELLS, LEANS, FINE, TOO_FEW = "tells the label", "leans", "fine", "too few clusters"

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
    "verdict": pl.String,
    "finding": pl.Boolean,
}  # fmt: skip


class Feature(Protocol):
    """One feature of one kind of media, as a score.

    Attributes:
        media: "video", "image" or "audio".
        feature: its name.
        rows: the files that have it: columns label, cluster and score (Float64, finite).
        real: what is usual in reals.
        fake: what is usual in fakes.
        one_way: whether only a high score can mean fake.
    """

    @property
    def media(self) -> str: ...  # noqa: D102
    @property
    def feature(self) -> str: ...  # noqa: D102
    @property
    def rows(self) -> pl.DataFrame: ...  # noqa: D102
    @property
    def real(self) -> str: ...  # noqa: D102
    @property
    def fake(self) -> str: ...  # noqa: D102
    @property
    def one_way(self) -> bool: ...  # noqa: D102


def judge(features: Sequence[Feature], *, seed: int = 0) -> pl.DataFrame:
    """The AUC of each feature, those that are farthest from 0.5 first.

    Args:
        features: with both classes each.
        seed: of the bootstrap.

    Returns:
        Columns media, feature, auc, low, high (null where nothing can be drawn anew), n_real, n_fake (files), real and
        fake (what is usual), verdict (``TELLS``, ``LEANS``: sure but not far, ``FINE``, ``TOO_FEW``) and finding
        (whether it tells).
    """
    level = LEVEL / max(len(features), 1)
    of_rows: list[list[Feature]] = []
    for feature in features:
        alike = (group for group in of_rows if group[0].rows.drop("score").equals(feature.rows.drop("score")))
        same = next(alike, None)
        if same is None:
            of_rows.append([feature])
        else:
            same.append(feature)
    judged = pl.DataFrame([row for group in of_rows for row in _judge(group, level, seed)], schema=_SCHEMA)
    return judged.sort("finding", (pl.col("auc") - 0.5).abs(), descending=True, maintain_order=True)


def _judge(features: Sequence[Feature], level: float, seed: int) -> list[dict[str, object]]:
    """Features of the same rows, which are drawn once for all of them."""
    auc, settings = METRICS["roc_auc"], Settings()
    labels, clusters = features[0].rows["label"].to_numpy(), features[0].rows["cluster"]
    samples = [Sample.of(labels, feature.rows["score"].to_numpy()) for feature in features]
    resampling = Resampling.of(labels, clusters, replicates=REPLICATES, seed=seed)
    intervals: list[tuple[float, float] | None] = [None] * len(features)
    if resampling.varies:
        drawn = bootstrap([auc], [sample.ordering for sample in samples], resampling, settings)[:, 0]
        intervals = [percentile_interval(each, 1.0 - level, resampling.fewest) for each in drawn]
    n_real, n_fake = (int((labels == label).sum()) for label in (0, 1))
    rows: list[dict[str, object]] = []
    for feature, sample, interval in zip(features, samples, intervals, strict=True):
        value = auc.value(sample, settings)
        verdict = _verdict(feature, value, interval)
        low, high = interval or (None, None)
        rows.append({
            "media": feature.media, "feature": feature.feature, "auc": value, "low": low, "high": high,
            "n_real": n_real, "n_fake": n_fake, "real": feature.real, "fake": feature.fake, "verdict": verdict,
            "finding": verdict == TELLS,
        })  # fmt: skip
    return rows


def _verdict(feature: Feature, auc: float, interval: tuple[float, float] | None) -> str:
    clusters = feature.rows.group_by("label").agg(pl.col("cluster").n_unique())["cluster"]
    if interval is None or min(clusters) < FEWEST_PEOPLE:
        return TOO_FEW
    low, high = interval
    if low <= 0.5 <= high or (feature.one_way and high < 0.5):
        return FINE
    return TELLS if abs(auc - 0.5) >= FAR else LEANS
