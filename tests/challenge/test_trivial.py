"""What one trivial feature alone would score, against the bootstrap written out and against scikit-learn."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from unmask.challenge.trivial import FAR, FINE, LEANS, TELLS, TOO_FEW, judge
from unmask.scoring.intervals import tails


@dataclass(frozen=True)
class Made:
    """A feature with drawn scores."""

    rows: pl.DataFrame
    feature: str = "bytes"
    media: str = "video"
    real: str = "1"
    fake: str = "2"
    one_way: bool = False


def make(scores, labels, per_cluster=1, **options):
    clusters = [f"c{number // per_cluster}" for number in range(len(labels))]
    return Made(pl.DataFrame({"label": labels, "cluster": clusters, "score": scores}), **options)


def drawn(shift, count=200, seed=0, per_cluster=1, **options):
    labels = np.arange(count) % 2
    return make(np.random.default_rng(seed).normal(0, 1, count) + shift * labels, labels, per_cluster, **options)


def the_one(feature):
    return judge([feature]).row(0, named=True)


@pytest.mark.parametrize("shift", [0.0, 0.8, -0.8])
def test_auc_and_interval(shift):
    made = drawn(shift, count=240, per_cluster=4)
    row = the_one(made)
    labels, scores = made.rows["label"].to_numpy(), made.rows["score"].to_numpy()
    assert row["auc"] == pytest.approx(roc_auc_score(labels, scores))
    random, members = np.random.default_rng(9), np.arange(240).reshape(60, 4)
    aucs = []
    for _ in range(2000):
        rows = members[random.integers(0, 60, 60)].ravel()
        aucs.append(roc_auc_score(labels[rows], scores[rows]))
    assert (row["low"], row["high"]) == pytest.approx(np.percentile(aucs, tails(0.95, 60)), abs=0.012)


def test_features_of_some_rows_are_judged_as_they_would_be_alone():
    known, some = drawn(0.5, per_cluster=2, feature="size"), drawn(0.7, count=100, seed=1, feature="rate")
    together = judge([known, some, drawn(0.1, per_cluster=2, seed=2, feature="name")])
    alone = [judge([each, each, each]).row(0, named=True) for each in (known, some)]
    for row in alone:
        assert together.row(by_predicate=pl.col("feature") == row["feature"], named=True) == row


def test_more_features_make_wider_intervals():
    one = the_one(drawn(0.5))
    many = judge([drawn(0.5), *(drawn(0, seed=seed) for seed in range(1, 10))]).row(0, named=True)
    assert many["auc"] == one["auc"]
    assert many["high"] - many["low"] > 1.2 * (one["high"] - one["low"])


def test_either_direction_tells_and_small_or_unsure_differences_do_not():
    assert [the_one(drawn(shift))["verdict"] for shift in (1.0, -1.0, 0.0)] == [TELLS, TELLS, FINE]
    small = the_one(drawn(0.2, count=4000))
    assert small["low"] > 0.5
    assert small["auc"] < 0.5 + FAR
    assert (small["verdict"], small["finding"]) == (LEANS, False)
    unsure = the_one(drawn(0.5, count=24, seed=10))
    assert unsure["auc"] > 0.5 + FAR
    assert unsure["verdict"] == FINE


def test_a_share_of_fakes_tells_in_one_direction_alone():
    assert the_one(drawn(-1.0, one_way=True))["verdict"] == FINE
    assert the_one(drawn(1.0, one_way=True))["verdict"] == TELLS


def test_few_clusters_prove_nothing():
    labels = np.arange(18) % 2
    assert the_one(make(labels * 1.0, labels))["verdict"] == TOO_FEW
    labels = np.arange(20) % 2
    assert the_one(make(labels * 1.0, labels))["verdict"] == TELLS
    labels = np.arange(200) % 2
    row = the_one(make(labels * 1.0, labels, per_cluster=200))
    assert (row["verdict"], row["low"], row["finding"]) == (TOO_FEW, None, False)


def test_the_telling_ones_stand_first_with_counts_and_what_is_usual():
    labels = (np.arange(90) % 3 == 0).astype(int)
    random = np.random.default_rng(5)
    features = [
        make(random.normal(size=90), labels, feature="noise"),
        make(random.normal(size=90) - 2 * labels, labels, feature="length", real="9", fake="7"),
    ]
    judged = judge(features)
    assert judged["feature"].to_list() == ["length", "noise"]
    assert judged.select("n_real", "n_fake", "real", "fake").row(0) == (60, 30, "9", "7")
    assert judge([]).height == 0


def test_what_tells_nothing_is_seldom_warned_of():
    def warned(seed):
        features = [drawn(0, count=60, seed=100 * seed + number, per_cluster=3) for number in range(6)]
        return judge(features)["finding"].any()

    assert sum(warned(seed) for seed in range(40)) <= 5  # of 40 at 5 %, six or more would be in 1.4 % of runs


def test_far_is_where_a_feature_gains_a_point():
    def combined(detector, feature):
        """AUC of the best sum of two independent scores that are normal in both classes."""
        apart = [NormalDist().inv_cdf(auc) * 2**0.5 for auc in (detector, feature)]
        return NormalDist().cdf(np.hypot(*apart) / 2**0.5)

    random, labels = np.random.default_rng(0), np.arange(200_000) % 2
    apart = [NormalDist().inv_cdf(auc) * 2**0.5 for auc in (0.80, 0.5 + FAR)]
    both = sum(each * random.normal(each * labels, 1) for each in apart)
    assert combined(0.80, 0.5 + FAR) == pytest.approx(roc_auc_score(labels, both), abs=0.004)
    assert combined(0.80, 0.5 + FAR) - 0.80 == pytest.approx(0.01, abs=0.001)
    assert combined(0.80, 0.5 + FAR / 2) - 0.80 < 0.003
