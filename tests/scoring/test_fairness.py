"""Groups of people at one threshold: rates counted one by one, and gaps whose intervals do not lie."""

import json

import numpy as np
import polars as pl
import pytest
from scipy import stats

from tests.scoring.test_page import EVIL, Page
from unmask.scoring import score
from unmask.scoring.estimates import Protocol
from unmask.scoring.fairness import FEWEST, KNOWN, compare_groups
from unmask.scoring.freezing import calibrate
from unmask.scoring.intervals import Resampling
from unmask.scoring.metrics import Settings
from unmask.scoring.page import render
from unmask.scoring.slices import MOST_GROUPS, SLICE
from unmask.tables.errors import UnmaskError


def tables(rows=1500, seed=0, moved=0.3, prefix="v"):
    """Key and predictions; the scores of reals in group "b" are higher; 60 rows tell no group, "c" is small."""
    random = np.random.default_rng(seed)
    labels = (random.random(rows) < 0.4).astype(int)
    gender = np.array(["a", "b"])[random.integers(0, 2, rows)].astype(object)
    gender[:60], gender[60:160] = None, "c"
    scores = np.clip(random.normal(0.35 + 0.3 * labels + moved * (gender == "b") * (labels == 0), 0.15), 0, 1)
    ids = [f"{prefix}{number:05d}" for number in range(rows)]
    key = pl.DataFrame(
        {"id": ids, "label": labels, "gender": gender.tolist(), "eyes": np.array(["blue", "brown"])[labels]}
    )
    return key, pl.DataFrame({"id": ids, "score": scores})


def protocol(seed=0, replicates=200):
    return Protocol(Settings(), seed, replicates, 0.95)


def test_rates_are_counted_one_by_one():
    key, predictions = tables()
    told = json.loads(score(predictions, key, replicates=50).to_json())["fairness"]
    assert list(told) == ["gender"]
    assert list(told["gender"]["groups"]) == ["a", "b"]
    called = (predictions["score"] >= 0.5).to_numpy()
    for group, found in told["gender"]["groups"].items():
        for name, label in (("fpr", 0), ("tpr", 1)):
            mine = called[((key["gender"] == group) & (key["label"] == label)).fill_null(value=False).to_numpy()]
            exact = stats.binomtest(int(mine.sum()), len(mine)).proportion_ci(method="exact")
            assert found[name]["value"] == pytest.approx(mine.mean())
            assert (found[name]["events"], found[name]["n"]) == (mine.sum(), len(mine))
            assert found[name]["exact"] == pytest.approx({"low": exact.low, "high": exact.high})
    gap = told["gender"]["gaps"]["fpr"]
    groups = told["gender"]["groups"]
    assert gap["value"] == pytest.approx(groups["b"]["fpr"]["value"] - groups["a"]["fpr"]["value"])
    assert (gap["highest"], gap["lowest"], gap["groups"]) == ("b", "a", ["a", "b"])
    assert 0 < gap["low"] < gap["value"] < gap["high"]
    assert told["gender"]["gaps"]["tpr"]["low"] == 0.0


def test_small_groups_are_skipped_by_name_and_rows_without_a_group_are_counted():
    key, predictions = tables()
    found = score(predictions, key, replicates=20).fairness["gender"]
    reals = int(((key["gender"] == "c") & (key["label"] == 0)).sum())
    assert reals < FEWEST
    assert found.skipped == {"c": reals}
    assert found.unknown == 60


def test_a_group_with_too_few_fakes_is_in_the_gap_of_the_reals_only():
    key, predictions = tables()
    kept = (
        (key["gender"] != "a").fill_null(value=True)
        | (key["label"] == 0)
        | (pl.int_range(key.height, eager=True) < 400)
    )
    fairness = score(predictions.filter(kept), key.filter(kept), replicates=20).fairness["gender"]
    assert 0 < fairness.tpr["a"].trials < FEWEST
    assert fairness.fpr_gap.groups == ["a", "b"]
    assert fairness.tpr_gap.to_dict() == {
        "value": None, "reason": "fewer than two groups have 100 fakes", "groups": ["b"],
    }  # fmt: skip


def literal_gap(labels, called, groups, clusters, replicates, seed):
    """Ends of the interval by a loop over replicates and groups."""
    names = sorted(set(groups))
    resampling = Resampling.of(labels, clusters, replicates=replicates, seed=seed)
    rate = lambda rows, name: np.mean(called[rows][(groups[rows] == name) & (labels[rows] == 0)])  # noqa: E731
    seen = {name: rate(np.arange(len(labels)), name) for name in names}
    drifts = []
    for drawn in resampling.weights(0, replicates).T:
        rows = np.repeat(np.arange(len(labels)), drawn.astype(int))
        errors = []
        for name in names:
            of_group = len(set(clusters[(groups == name) & (labels == 0)]))
            errors.append((rate(rows, name) - seen[name]) * np.sqrt(of_group / (of_group - 1)))
        drifts.append(max(errors) - min(errors))
    gap = max(seen.values()) - min(seen.values())
    far = np.quantile(drifts, 0.95)
    return max(0.0, gap - far), min(1.0, gap + far), np.mean(drifts)


def test_the_interval_against_a_literal_loop():
    random = np.random.default_rng(4)
    cluster = np.arange(900) // 6
    labels, groups = (random.random(900) < 0.3).astype(int), np.array(["x", "y", "z"])[cluster % 3]
    scores = np.clip(0.4 + 0.3 * labels + random.normal(0, 0.2, 150)[cluster] + random.normal(0, 0.1, 900), 0, 1)
    rows = pl.DataFrame({"label": labels, "score": scores, "cluster": cluster.astype(str), SLICE + "race": groups})
    gap = compare_groups(rows, ["race"], protocol(7, 60))["race"].fpr_gap
    expected = literal_gap(labels, scores >= 0.5, groups, cluster.astype(str), 60, 7)
    assert (gap.low, gap.high, gap.by_chance) == pytest.approx(expected)


def simulated(rates, *, size, spread, seed, reals=150):
    """Reals of groups with these true rates, in clusters of ``size`` whose own rates spread; and a few fakes."""
    random = np.random.default_rng(seed)
    called, groups, clusters = [], [], []
    for number, rate in enumerate(rates):
        for cluster in range(reals // size):
            own = random.beta(rate * (1 - spread) / spread, (1 - rate) * (1 - spread) / spread) if spread else rate
            called += (random.random(size) < own).tolist()
            groups += [f"g{number}"] * size
            clusters += [f"{number}-{cluster}"] * size
    fakes = 4
    return pl.DataFrame(
        {
            "label": [0] * len(called) + [1] * fakes,
            "score": np.concatenate([np.where(called, 0.9, 0.1), np.full(fakes, 0.9)]),
            "cluster": clusters + [f"f{number}" for number in range(fakes)],
            SLICE + "race": [*groups, *[None] * fakes],
        }
    )


@pytest.mark.parametrize(
    ("rates", "size", "spread"),
    [([0.1] * 4, 1, 0.0), ([0.02] * 5, 1, 0.0), ([0.05, 0.05, 0.15], 1, 0.0), ([0.1] * 4, 10, 0.3),
     ([0.05, 0.2], 10, 0.3)],
)  # fmt: skip
def test_intervals_of_gaps_cover_the_truth(rates, size, spread):
    # 150 simulations of a true 95 %: standard error 1.8 %. It may cover more often: no group is named beforehand.
    truth, hits, naive = max(rates) - min(rates), 0, 0
    for run in range(150):
        rows = simulated(rates, size=size, spread=spread, seed=run)
        gap = compare_groups(rows, ["race"], protocol(run, 150))["race"].fpr_gap
        hits += gap.low <= truth <= gap.high
        naive += gap.value <= truth
    assert hits >= 0.9 * 150
    if truth == 0:
        assert naive < 0.2 * 150  # the gap itself is almost always above 0


def test_chance_is_told_as_large_as_it_is():
    seen, told = [], []
    for run in range(100):
        gap = compare_groups(simulated([0.1] * 4, size=1, spread=0.0, seed=run), ["race"], protocol(run, 100))[
            "race"
        ].fpr_gap
        seen.append(gap.value)
        told.append(gap.by_chance)
    assert np.mean(told) == pytest.approx(np.mean(seen), rel=0.15)


def test_groups_without_a_false_alarm_are_not_taken_for_certain():
    rows = simulated([0.0, 0.0], size=1, spread=0.0, seed=0, reals=200)
    gap = compare_groups(rows, ["race"], protocol())["race"].fpr_gap
    assert (gap.value, gap.low) == (0.0, 0.0)
    jeffreys = stats.beta.ppf(0.95, 0.5, 200.5)
    assert jeffreys < gap.high < 3 * jeffreys


def test_the_threshold_is_the_policys_first():
    made = calibrate(*reversed(tables(seed=3)), fprs=[0.05, 0.1]).policy
    key, predictions = tables(seed=4, prefix="t")
    card = score(predictions, key, policy=made, replicates=20)
    called = predictions["score"] >= made.thresholds[0].raw_score
    mine = (key["gender"] == "a").fill_null(value=False) & (key["label"] == 0)
    assert card.fairness["gender"].fpr["a"].events == (called & mine).sum()


def test_columns_are_known_by_name_or_asked_for():
    key, predictions = tables()
    assert "gender" in KNOWN
    assert list(score(predictions, key, replicates=5, groups=["eyes"]).fairness) == ["eyes"]
    assert list(score(predictions, key, replicates=5, groups=["eyes", "gender", "eyes"]).fairness) == ["eyes", "gender"]
    assert score(predictions, key.drop("gender"), replicates=5).fairness == {}
    ages = key.with_columns(age=(pl.int_range(key.height) % (MOST_GROUPS + 1)).cast(pl.String))
    assert list(score(predictions, ages, replicates=5).fairness) == ["gender"]
    with pytest.raises(UnmaskError) as caught:
        score(predictions, ages, replicates=5, groups=["hair", "age"])
    assert 'no column "hair"' in str(caught.value)
    assert f'the column "age" has {MOST_GROUPS + 1} groups' in str(caught.value)
    assert '"gender", "eyes"' in caught.value.next_step


@pytest.mark.parametrize("column", ["one", "empty"])
def test_one_group_or_none_has_no_gap(column):
    key, predictions = tables()
    key = key.with_columns(one=pl.lit("x"), empty=pl.lit(None, dtype=pl.String))
    found = score(predictions, key, replicates=5, groups=[column]).to_dict()["fairness"][column]
    assert found["gaps"]["fpr"]["value"] is None
    assert "fewer than two groups" in found["gaps"]["fpr"]["reason"]
    assert len(found["groups"]) == (column == "one")


def test_one_cluster_gives_a_gap_without_an_interval():
    key, predictions = tables()
    gap = score(predictions, key.with_columns(cluster=pl.lit("one"))).fairness["gender"].fpr_gap
    assert gap.value > 0
    assert gap.low is None
    assert "one cluster" in gap.reason


@pytest.mark.parametrize(
    ("others", "told"), [(pl.col("id"), "all belong to one cluster"), (pl.int_range(pl.len()) // 9, "replicates")]
)
def test_a_group_in_one_of_many_clusters_has_no_interval(others, told):
    """The cluster is the only one with fakes and reals, and drawn each time; or one of many, and drawn at times."""
    key, predictions = tables()
    inside = pl.col("gender") == "b"
    one = key.with_columns(cluster=pl.when(inside).then(pl.lit("all of b")).otherwise(others.cast(pl.String)))
    gap = score(predictions, one, replicates=50).fairness["gender"].fpr_gap
    assert gap.value > 0
    assert gap.low is None
    assert told in gap.reason


def test_one_class_still_makes_a_page():
    key, predictions = tables()
    for label in (0, 1):
        kept = key["label"] == label
        card = score(predictions.filter(kept), key.filter(kept), replicates=5)
        json.loads(card.to_json())
        Page(render(card, name="x"))


def test_the_page_shows_groups_and_gaps_and_stays_harmless():
    key, predictions = tables()
    key = key.with_columns(race=pl.when(pl.col("gender") == "b").then(pl.lit(EVIL)).otherwise("gender"))
    text = render(score(predictions, key, replicates=50), name="x")
    page = Page(text)
    words = " ".join("".join(page.words).split())
    assert "Groups of people" in words
    assert "more than chance" in words
    assert "may be chance" in words
    assert "60 files without a value are in no group" in words
    assert "Left out, with fewer than 100 reals: c" in words
    assert EVIL in "".join(page.words)
    assert "img" not in page.tags
    assert "Groups of people" not in render(score(predictions, key, replicates=5, groups=[]), name="x")
