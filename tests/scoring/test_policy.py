"""``calibrate`` and ``policy.json``: what is promised, on what, and which files are refused."""

import hashlib
import json
import math
import random

import hypothesis.strategies as st
import numpy as np
import polars as pl
import pytest
import sklearn.metrics as sk
from hypothesis import HealthCheck, given, settings

from unmask.scoring.calibration import METHODS
from unmask.scoring.freezing import COMPARED, calibrate
from unmask.scoring.metrics import brier, ece_mass, ece_width, log_loss
from unmask.scoring.policy import write_policy
from unmask.scoring.policy_reading import read_policy
from unmask.tables.errors import TableError, UnmaskError


def toy(rows=800, seed=0, digits=3, split="validation"):
    """Key and predictions whose scores have many ties."""
    generator = np.random.default_rng(seed)
    labels = (generator.random(rows) < 0.4).astype(int)
    ids = [f"{split}{number:04d}" for number in range(rows)]
    scores = np.round(1 / (1 + np.exp(-3 * generator.normal(0.8 * labels - 0.2, 0.6))), digits)
    return pl.DataFrame({"id": ids, "label": labels, "split": split}), pl.DataFrame({"id": ids, "score": scores})


@pytest.fixture
def path(tmp_path):
    key, predictions = toy()
    write_policy(calibrate(predictions, key, method="platt").policy, tmp_path / "policy.json")
    return tmp_path / "policy.json"


def literal_threshold(labels, scores, fpr):
    """The lowest score at or above which at most ``fpr`` of the reals are, looked for one by one."""
    return min(score for score in set(scores) if np.mean(scores[labels == 0] >= score) <= fpr)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("digits", [1, 3, 12])
def test_thresholds_are_the_lowest_scores_that_keep_the_promise(method, digits):
    key, predictions = toy(digits=digits)
    labels, scores = key["label"].to_numpy(), predictions["score"].to_numpy()
    policy = calibrate(predictions, key, method=method, fprs=[0.2, 0.05]).policy
    assert [threshold.promised_fpr for threshold in policy.thresholds] == [0.2, 0.05]
    for threshold in policy.thresholds:
        expected = literal_threshold(labels, scores, threshold.promised_fpr)
        assert threshold.raw_score == expected
        assert threshold.validation_fpr == pytest.approx(np.mean(scores[labels == 0] >= expected))
        assert threshold.validation_tpr == pytest.approx(np.mean(scores[labels == 1] >= expected))
        assert threshold.calibrated_score == policy.calibration.apply([expected])[0]


def test_a_promise_may_be_used_up_to_the_last_false_alarm():
    key = pl.DataFrame({"id": [f"v{n:03d}" for n in range(110)], "label": [0] * 100 + [1] * 10})
    scores = [n / 100 for n in range(100)] + [0.5] * 10
    (threshold,) = calibrate(
        key.select("id", score=pl.Series(scores)), key, method="none", fprs=[0.1]
    ).policy.thresholds
    assert (threshold.raw_score, threshold.validation_fpr) == (0.9, 0.1)


def test_what_is_stated_is_so(tmp_path):
    key, predictions = toy()
    key.write_csv(tmp_path / "key.csv")
    gone = pl.int_range(pl.len()) < 7
    silent = predictions.with_columns(score=pl.when(gone).then(None).otherwise("score"),
                                      reason=pl.when(gone).then(pl.lit("no_face")))  # fmt: skip
    silent.write_csv(tmp_path / "p.csv")
    policy = calibrate(tmp_path / "p.csv", tmp_path / "key.csv", split="validation", prevalence=0.02, clip=1e-9).policy
    stated = policy.validation
    fakes = int(key["label"][7:].sum())
    assert (stated.fakes, stated.reals, stated.unanswered, stated.split) == (fakes, 793 - fakes, 7, "validation")
    assert stated.predictions_sha256 == hashlib.sha256((tmp_path / "p.csv").read_bytes()).hexdigest()
    assert stated.answers_sha256 == hashlib.sha256((tmp_path / "key.csv").read_bytes()).hexdigest()
    ids = "".join(f"{each}\n" for each in sorted(key["id"]))
    assert stated.ids_sha256 == hashlib.sha256(ids.encode()).hexdigest()
    assert (policy.prevalence, policy.calibration.clip) == (0.02, 1e-9)
    assert policy.trained_prevalence == fakes / 793
    assert calibrate(predictions, key, method="none").policy.trained_prevalence == 0.5


def test_before_and_after_are_those_of_other_implementations():
    key, predictions = toy()
    labels, scores = key["label"].to_numpy(), predictions["score"].to_numpy()
    for method in METHODS:
        frozen = calibrate(predictions, key, method=method)
        for told, probabilities in ((frozen.before, scores), (frozen.after, frozen.policy.calibration.apply(scores))):
            assert told["log_loss"] == pytest.approx(sk.log_loss(labels, np.clip(probabilities, 1e-15, 1 - 1e-15)))
            assert told["brier"] == pytest.approx(sk.brier_score_loss(labels, probabilities))
            assert told["mean"] == pytest.approx(probabilities.mean())
            ours = [metric(labels, probabilities) for metric in (log_loss, brier, ece_width, ece_mass)]
            assert [told[name] for name in COMPARED] == ours
        assert frozen.after["log_loss"] <= frozen.before["log_loss"] + 1e-12


def test_the_order_of_the_rows_changes_no_byte():
    key, predictions = toy()
    shuffled = calibrate(predictions.sample(fraction=1, shuffle=True, seed=1), key.reverse())
    assert shuffled.policy.to_json() == calibrate(predictions, key).policy.to_json()


@pytest.mark.parametrize("method", METHODS)
def test_read_back_as_it_was_written(method, tmp_path):
    key, predictions = toy()
    policy = calibrate(predictions, key, method=method).policy
    write_policy(policy, tmp_path / "policy.json")
    assert read_policy(tmp_path / "policy.json") == policy
    assert policy.sha256 == hashlib.sha256((tmp_path / "policy.json").read_bytes()).hexdigest()


def test_rates_that_there_are_too_few_reals_for_are_refused_with_the_number_needed():
    key, predictions = toy()
    with pytest.raises(UnmaskError) as caught:
        calibrate(predictions, key, fprs=[0.1, 0.01, 0.001])
    assert "0.01 needs 1,000 reals" in str(caught.value)
    assert "0.001 needs 10,000 reals" in str(caught.value)
    assert "0.1 needs" not in str(caught.value)
    usual = calibrate(predictions, key)
    assert [threshold.promised_fpr for threshold in usual.policy.thresholds] == [0.1]
    assert list(usual.unclaimed) == [0.01, 0.001]
    with pytest.raises(UnmaskError, match="needs 100 reals"):
        calibrate(predictions.head(90), key.head(90))


def test_no_threshold_where_too_many_reals_share_the_highest_score():
    key, predictions = toy()
    with pytest.raises(UnmaskError, match="share the score 1"):
        calibrate(predictions.with_columns(score=pl.when(pl.col("score") > 0.3).then(1.0).otherwise("score")), key)


def test_one_class_has_no_threshold():
    key, predictions = toy()
    for label, lacking in ((0, "fake"), (1, "real")):
        kept = key["label"] == label
        with pytest.raises(UnmaskError, match=f"no {lacking}"):
            calibrate(predictions.filter(kept), key.filter(kept), method="none")


def test_frames_become_one_score_and_it_is_stated_how():
    key, predictions = toy()
    frames = pl.concat([predictions.with_columns(frame=pl.lit(n), score=pl.col("score") * part)
                        for n, part in enumerate((1.0, 0.5, 0.2))]).select("id", "frame", "score")  # fmt: skip
    assert calibrate(predictions, key).policy.aggregation == "none: one score for each id"
    by_max = calibrate(frames, key, aggregation="max").policy
    assert by_max.aggregation == "max"
    assert by_max.thresholds == calibrate(predictions, key).policy.thresholds
    assert calibrate(frames, key).policy.thresholds != by_max.thresholds


def test_several_splits_are_no_validation():
    parts = [toy(split=split) for split in ("train", "validation", "test")]
    key, predictions = (pl.concat([part[table] for part in parts]) for table in (0, 1))
    with pytest.raises(UnmaskError, match="splits test, train, validation") as caught:
        calibrate(predictions, key)
    assert "--split validation" in caught.value.next_step
    alone = calibrate(parts[1][1], key, split="validation").policy
    assert alone.validation.fakes == parts[1][0]["label"].sum()


@pytest.mark.parametrize(
    "wrong",
    [{"method": "isotonic"}, {"fprs": []}, {"fprs": [0.0]}, {"fprs": [1.0]}, {"fprs": [0.1, 0.1]}, {"prevalence": 0.0},
     {"clip": 0.0}, {"fprs": [math.nan]}],
)  # fmt: skip
def test_wrong_parameters(wrong):
    key, predictions = toy()
    with pytest.raises(ValueError):
        calibrate(predictions, key, **wrong)


def changed(path, change):
    """The faults of a policy after ``change`` of its content."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(TableError) as caught:
        read_policy(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c: c.update(format=2), "format is 2"),
        (lambda c: c.update(format=True), "format is true"),
        (lambda c: c.update(aggregation="best"), 'aggregation is "best"'),
        (lambda c: c.update(method="isotonic"), 'method is "isotonic"'),
        (lambda c: c.update(method=["platt"]), "method is a list"),
        (lambda c: c["parameters"].update(slope=-1.0), "parameters.slope is -1"),
        (lambda c: c["parameters"].update(temperature=1.0), 'parameters has the key "temperature"'),
        (lambda c: c["parameters"].pop("shift"), 'parameters has no key "shift"'),
        (lambda c: c.update(clip=0), "clip is 0"),
        (lambda c: c.update(clip="1e-15"), 'clip is "1e-15"'),
        (lambda c: c.update(prevalence=1), "prevalence is 1"),
        (lambda c: c.update(thresholds=[]), "thresholds is empty"),
        (lambda c: c.update(thresholds={}), "thresholds is empty"),
        (lambda c: c["thresholds"][0].update(raw_score=1.5), "thresholds[0].raw_score is 1.5"),
        (lambda c: c["thresholds"][0].update(raw_score=None), "thresholds[0].raw_score is null"),
        (lambda c: c["thresholds"].append(c["thresholds"][0]), "promises 0.1 once more"),
        (lambda c: c["thresholds"][0].update(promised_fpr=0.001), "promises 0.001, but validation has"),
        (lambda c: c.update(class_weighting="balanced"), "class_weighting"),
        (lambda c: c["validation"].update(reals=-1), "validation.reals is -1"),
        (lambda c: c["validation"].update(reals=10.0), "validation.reals is 10.0"),
        (lambda c: c["validation"].update(ids_sha256="abc"), "validation.ids_sha256"),
        (lambda c: c.update(note="hello"), 'the file has the key "note"'),
        (lambda c: c.pop("versions"), 'the file has no key "versions"'),
    ],
)
def test_each_fault_is_named(path, change, told):
    assert told in changed(path, change)


def test_all_faults_are_told_at_once(path):
    told = changed(path, lambda c: (c.update(prevalence=2, clip=1, more=1), c["validation"].pop("fakes")))
    assert all(word in told for word in ("4 problems", "prevalence", "clip", '"more"', '"fakes"'))


def test_scores_of_the_two_scales_cannot_be_mixed_up(path):
    def swap(content):
        threshold = content["thresholds"][0]
        threshold["raw_score"], threshold["calibrated_score"] = threshold["calibrated_score"], threshold["raw_score"]

    assert "when it is calibrated" in changed(path, swap)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"format": 1, "format": 1}', '{"clip": NaN}', '{"clip": Infinity}', "[" * 100_000,
             '{"clip": 1' + "0" * 5000 + "}", "\ufeff{}", "null"],
)  # fmt: skip
def test_what_is_no_policy_at_all(path, text):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TableError, match=r"policy\.json"):
        read_policy(path)


def test_binary_huge_or_missing(path):
    for data in (bytes(range(256)), b" " * 2_000_000):
        path.write_bytes(data)
        with pytest.raises(TableError):
            read_policy(path)
    path.unlink()
    with pytest.raises(UnmaskError, match="no policy") as caught:
        read_policy(path)
    assert "unmask calibrate" in caught.value.next_step


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.floats(allow_nan=False), st.text(max_size=5),
    st.just([]), st.just({}), st.just({"a": 1}),
)  # fmt: skip


@given(st.integers(0, 10**9), VALUES)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_policy_is_read_or_refused_and_nothing_else(path, seed, value):
    """Any value in any place: what is read is what would be written."""
    content = original = json.loads(path.read_text())
    pick = random.Random(seed)
    while True:
        place = pick.choice(list(content) if isinstance(content, dict) else range(len(content)))
        if not isinstance(content[place], (dict, list)) or not content[place] or pick.random() < 0.2:
            break
        content = content[place]
    content[place] = value
    other = path.with_name("other.json")
    other.write_text(json.dumps(original))
    try:
        assert json.loads(read_policy(other).to_json()) == original
    except TableError as error:
        assert "other.json" in str(error)  # noqa: PT017
