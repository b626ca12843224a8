"""A policy on other files: calibrated scores, calls that no rounding changes, and how far promises hold."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import sklearn.metrics as sk
from scipy import stats

from tests.scoring.test_page import Page
from tests.scoring.test_policy import toy
from unmask.scoring import score
from unmask.scoring.calibration import METHODS
from unmask.scoring.freezing import calibrate
from unmask.scoring.intervals import Resampling
from unmask.scoring.metrics import METRICS, precision_at_prevalence
from unmask.scoring.page import render
from unmask.scoring.policy import write_policy
from unmask.tables.errors import UnmaskError

#: Metrics in which only the order of the scores counts.
RANKING = (
    "roc_auc", "average_precision", "eer", "eer_asvspoof", "partial_auc", "tpr_at_fpr_10pct", "recall_at_budget",
    "min_dcf", "log_wp_50pct",
)  # fmt: skip


def policy(method="platt", fprs=(0.1, 0.04), **changes):
    key, predictions = toy()
    return calibrate(predictions, key, method=method, fprs=fprs, **changes).policy


def clustered(rows=600, size=6, seed=5):
    """Test files in clusters that are easy or hard as a whole."""
    key, predictions = toy(rows, seed=seed, split="test")
    cluster = np.arange(rows) // size
    moved = np.clip(predictions["score"].to_numpy() + np.random.default_rng(0).normal(0, 0.2, rows)[cluster], 0, 1)
    return key.with_columns(cluster=pl.Series(cluster.astype(str))), predictions.with_columns(score=pl.Series(moved))


@pytest.mark.parametrize("method", METHODS)
def test_rates_are_counted_on_raw_scores(method):
    key, predictions = toy(seed=1, split="test")
    made = policy(method)
    card = score(predictions, key, policy=made, replicates=20)
    labels, scores = key["label"].to_numpy(), predictions["score"].to_numpy()
    for told, frozen in zip(json.loads(card.to_json())["operating_points"], made.thresholds, strict=True):
        called = scores >= frozen.raw_score
        assert (told["promised_fpr"], told["raw_score"]) == (frozen.promised_fpr, frozen.raw_score)
        for name, label in (("fpr", 0), ("tpr", 1)):
            mine = called[labels == label]
            exact = stats.binomtest(int(mine.sum()), len(mine)).proportion_ci(method="exact")
            assert told[name]["value"] == pytest.approx(mine.mean())
            assert (told[name]["events"], told[name]["n"]) == (mine.sum(), len(mine))
            assert told[name]["exact"] == pytest.approx({"low": exact.low, "high": exact.high})
            assert told[name]["clustered"] is None
        precision = precision_at_prevalence(labels, scores, threshold=frozen.raw_score, prevalence=0.001)
        assert told["precision"]["value"] == pytest.approx(precision)
        assert told["fpr_per_million"]["value"] == pytest.approx(1e6 * told["fpr"]["value"])
        assert told["fpr_per_million"]["high"] == pytest.approx(1e6 * told["fpr"]["exact"]["high"])
        worst = told["fpr"]["exact"]["high"]
        caught = told["tpr"]["value"]
        assert told["precision"]["bound"] == pytest.approx(0.001 * caught / (0.001 * caught + 0.999 * worst))


def test_clustered_intervals_are_those_of_a_literal_loop():
    key, predictions = clustered()
    made = policy()
    card = score(predictions, key, policy=made, replicates=80, seed=3)
    labels = key["label"].to_numpy()
    called = predictions["score"].to_numpy() >= made.thresholds[0].raw_score
    weights = Resampling.of(labels, key["cluster"].to_numpy(), replicates=80, seed=3).weights(0, 80)
    rates = []
    for drawn in weights.T:
        rows = np.repeat(np.arange(len(labels)), drawn.astype(int))
        rates.append(np.mean(called[rows][labels[rows] == 0]))
    found = card.application.points[0].fpr
    outer = np.percentile(rates, (1.0, 99.0))  # a little more than the middle 95 %, since clusters are not that many
    assert outer[0] <= found.clustered[0] <= np.percentile(rates, 2.5) + 1e-12
    assert np.percentile(rates, 97.5) - 1e-12 <= found.clustered[1] <= outer[1]
    low, high = found.interval
    assert low == min(found.exact[0], found.clustered[0])
    assert high == max(found.exact[1], found.clustered[1])


def test_a_policy_that_lands_where_it_promised_and_one_that_does_not():
    made = calibrate(*reversed(toy(20_000)), fprs=[0.1]).policy  # of few reals, a threshold itself would miss by chance
    for move, expected in ((0.0, "inside"), (0.3, "above"), (-0.3, "below")):
        promises = []
        for seed in range(30):
            key, predictions = toy(1000, seed=seed, split="test")
            moved = predictions.with_columns(score=(pl.col("score") + move).clip(0, 1))
            promises.append(score(moved, key, policy=made, replicates=2).application.points[0].promise)
        assert promises.count(expected) >= 26, move  # of a 95 % interval, in 28.5 on average


@pytest.mark.parametrize("method", METHODS)
def test_metrics_of_ranks_stay_and_the_others_are_of_the_calibrated_scores(method):
    key, predictions = toy(seed=1, split="test")
    made = policy(method)
    plain, applied = score(predictions, key, replicates=30), score(predictions, key, policy=made, replicates=30)
    for name in RANKING:
        assert applied.metrics[name] == plain.metrics[name]
    labels, probabilities = key["label"], made.calibration.apply(predictions["score"].to_numpy())
    value = {name: found.value for name, found in applied.metrics.items()}
    assert value["log_loss"] == pytest.approx(sk.log_loss(labels, probabilities))
    assert value["brier"] == pytest.approx(sk.brier_score_loss(labels, probabilities))
    called = predictions["score"] >= made.thresholds[0].raw_score
    assert value["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(labels, called))
    assert value["fpr_per_million"] == pytest.approx(1e6 * applied.application.points[0].fpr.value)
    ready = predictions.with_columns(score=pl.Series(probabilities))
    settings = {"threshold": applied.protocol.settings.threshold, "trained_prevalence": made.trained_prevalence}
    again = score(ready, key, replicates=30, **settings)
    assert again.metrics == applied.metrics
    assert again.slices == applied.slices


def test_the_policy_settles_prevalence_clip_and_threshold():
    made = policy(prevalence=0.02, clip=1e-6)
    key, predictions = toy(seed=1, split="test")
    told = score(predictions, key, policy=made, replicates=5).to_dict()
    assert (told["prevalence"], told["clip"]) == (0.02, 1e-6)
    assert told["trained_prevalence"] == made.trained_prevalence
    assert told["threshold"] == pytest.approx(made.thresholds[0].calibrated_score)
    calibration = made.calibration
    assert told["policy"] == {
        "hash": made.sha256, "method": "platt", "parameters": dict(calibration.parameters), "overlap": None,
    }  # fmt: skip
    same = score(predictions, key, policy=made, replicates=5, prevalence=0.02, clip=1e-6)
    assert same.to_dict() == told


def test_what_contradicts_the_policy_is_refused_and_both_are_named():
    made = policy(prevalence=0.02)
    key, predictions = toy(seed=1, split="test")
    with pytest.raises(UnmaskError) as caught:
        score(predictions, key, policy=made, prevalence=0.5, clip=0.01, threshold=0.7)
    told = str(caught.value)
    assert "prevalence 0.5 is asked for, and the policy says 0.02" in told
    assert "clip 0.01 is asked for, and the policy says 1e-15" in told
    assert f"threshold 0.7 is asked for, and the policy has its own: {made.thresholds[0].raw_score:g} (raw)" in told


def test_the_policy_settles_how_frames_become_one_score():
    key, predictions = toy(seed=1, split="test")
    frames = pl.concat([predictions.with_columns(frame=pl.lit(n), score=pl.col("score") * part)
                        for n, part in enumerate((1.0, 0.5))])  # fmt: skip
    by_max = replace(policy(), aggregation="max")
    framed = score(frames, key, policy=by_max, replicates=5)
    assert framed.aggregation == "max"
    assert framed.application.points == score(predictions, key, policy=policy(), replicates=5).application.points
    with pytest.raises(UnmaskError, match="aggregation of frames is 'mean', and the policy says 'max'"):
        score(frames, key, policy=by_max, aggregation="mean")
    with pytest.raises(UnmaskError, match="the policy says 'none: one score for each id'"):
        score(frames, key, policy=policy())
    assert score(frames, key, replicates=5).to_dict()["aggregation"] == "mean"


@pytest.mark.parametrize("method", METHODS)
def test_calls_do_not_hang_on_rounding(method):
    """Scores on the threshold and next to it are called as they are in exact arithmetic."""
    made = policy(method)
    raw = made.thresholds[0].raw_score
    near = np.array([np.nextafter(raw, 0), raw, np.nextafter(raw, 1)])
    scores, thresholds = made.apply(np.tile(near, 50))
    assert ((scores >= thresholds[0]) == (np.tile(near, 50) >= raw)).all()


def test_the_validation_itself_is_no_test():
    key, predictions = toy()
    with pytest.raises(UnmaskError, match="very files that the policy was fitted on"):
        score(predictions, key.drop("split"), policy=policy(), replicates=5)
    more_key, more = toy(seed=1, split="test")
    both = score(pl.concat([predictions, more]), pl.concat([key, more_key]), policy=policy(), replicates=5)
    assert both.application.overlap is None  # frames have no hash, so that nobody knows


def test_overlap_is_told_where_both_come_from_one_manifest(tmp_path):
    parts = [toy(split="validation"), toy(300, seed=1, split="test")]
    key, predictions = (pl.concat([part[table] for part in parts]) for table in (0, 1))
    key.write_csv(tmp_path / "key.csv")
    made = calibrate(parts[0][1], tmp_path / "key.csv", split="validation").policy
    alone = score(parts[1][1], tmp_path / "key.csv", split="test", policy=made, replicates=5)
    assert alone.application.overlap == 0
    assert "not a test" not in render(alone, name="x")
    both = score(predictions, tmp_path / "key.csv", policy=made, replicates=5)
    assert both.application.overlap == 800
    assert "800 of these files were in that validation" in render(both, name="x")
    with pytest.raises(UnmaskError, match="very files"):
        score(parts[0][1], tmp_path / "key.csv", split="validation", policy=made)


def test_read_from_a_file(tmp_path):
    made = policy()
    write_policy(made, tmp_path / "policy.json")
    key, predictions = toy(seed=1, split="test")
    one = score(predictions, key, policy=tmp_path / "policy.json", replicates=5)
    assert one.to_json() == score(predictions, key, policy=made, replicates=5).to_json()


def test_without_a_policy_there_is_none():
    key, predictions = toy(seed=1, split="test")
    card = score(predictions, key, replicates=5)
    assert card.application is None
    assert (card.to_dict()["policy"], card.to_dict()["operating_points"]) == (None, [])
    assert "Thresholds of the policy" not in render(card, name="x")


@pytest.mark.parametrize("kept", [0, 1, None])
def test_one_class_or_no_answer_is_undefined_and_still_a_page(kept):
    key, predictions = toy(seed=1, split="test")
    if kept is None:
        predictions = predictions.with_columns(score=pl.lit(None, dtype=pl.Float64), reason=pl.lit("crashed"))
    else:
        chosen = key["label"] == kept
        key, predictions = key.filter(chosen), predictions.filter(chosen)
    card = score(predictions, key, policy=policy(), replicates=5)
    (first, _) = json.loads(card.to_json())["operating_points"]
    for name, label in (("fpr", 0), ("tpr", 1)):
        assert (first[name]["value"] is None) == (kept != label)
        assert (first[name]["exact"] is None) == (kept != label)
    assert first["precision"]["value"] is None
    assert (first["promise"] is None) == (kept != 0)
    Page(render(card, name="x"))


def test_the_page_tells_promise_and_landing():
    key, predictions = toy(3000, seed=2, split="test")
    moved = predictions.with_columns(score=(pl.col("score") + 0.3).clip(0, 1))
    text = render(score(moved, key, policy=policy(), replicates=10), name="x")
    words = " ".join("".join(Page(text).words).split())
    assert "Thresholds of the policy" in words
    assert "at most 10 %" in words
    assert "broken" in words
    assert policy().sha256 in words


def test_every_ranking_metric_named_here_is_there():
    assert set(RANKING) <= set(METRICS)
