"""``score``: what is in the numbers, what is only counted, and what changes nothing."""

import hashlib
import json
import math
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
import sklearn.metrics as sk

from unmask.scoring import score
from unmask.scoring.slices import MOST_GROUPS
from unmask.tables.errors import TableError, UnmaskError


def toy(rows=120, seed=0):
    """Key and predictions: clusters with an original and its fakes; methods are filled for fakes only."""
    random = np.random.default_rng(seed)
    labels = (np.arange(rows) % 3 > 0).astype(int)
    ids = [f"v{i:03d}" for i in range(rows)]
    method = [None if label == 0 else ("swap", "blend")[i % 3 - 1] for i, label in enumerate(labels)]
    key = pl.DataFrame({"id": ids, "label": labels, "cluster": [f"c{i // 3}" for i in range(rows)], "method": method})
    scores = np.clip(random.normal(0.35 + 0.3 * labels, 0.2), 0, 1)
    return key, pl.DataFrame({"id": ids, "score": scores})


def test_values_are_those_of_scikit_learn_and_lie_in_their_intervals():
    key, predictions = toy()
    card = score(predictions, key, replicates=200).to_dict()
    labels, scores = key["label"], predictions["score"]
    assert card["metrics"]["roc_auc"]["value"] == pytest.approx(sk.roc_auc_score(labels, scores))
    assert card["metrics"]["log_loss"]["value"] == pytest.approx(sk.log_loss(labels, np.clip(scores, 1e-15, 1 - 1e-15)))
    for name, found in card["metrics"].items():
        if found["value"] is None:
            assert "reals" in found["reason"], name  # there are too few to claim so small a rate
            assert name.startswith(("tpr_at_fpr", "recall_at_budget")), name
        else:
            assert found["low"] <= found["value"] <= found["high"], name
        assert found["n"] == 120
    assert card["metrics"]["eer"]["direction"] == "lower"
    assert card["counts"] == {"fakes": 80, "reals": 40}
    assert card["hashes"] == {"predictions": None, "answers": None}
    assert (card["seed"], card["replicates"], card["clip"], card["confidence"]) == (0, 200, 1e-15, 0.95)


def test_order_of_either_table_changes_nothing():
    key, predictions = toy()
    first = score(predictions, key, replicates=50).to_dict()
    again = score(predictions.sample(fraction=1, shuffle=True, seed=1), key.reverse(), replicates=50).to_dict()
    assert first == again
    assert score(predictions, key, replicates=50, seed=1).to_dict()["metrics"] != first["metrics"]


def test_a_method_is_set_against_all_reals():
    key, predictions = toy()
    card = score(predictions, key, replicates=20)
    for method in ("swap", "blend"):
        chosen = (key["method"] == method).fill_null(value=True)
        group = next(group for group in card.slices["method"] if group.name == method)
        assert (group.fakes, group.reals) == (40, 40)
        expected = sk.roc_auc_score(key["label"].filter(chosen), predictions["score"].filter(chosen))
        assert group.metrics["roc_auc"].value == pytest.approx(expected)
        alone = score(predictions.filter(chosen), key.filter(chosen), replicates=20)
        assert group.metrics["roc_auc"] == alone.metrics["roc_auc"]


def test_slices_worst_first_and_small_ones_marked():
    key, predictions = toy()
    key = key.with_columns(part=pl.Series(["big"] * 114 + ["small"] * 6))
    card = score(predictions, key, replicates=20)
    for groups in card.slices.values():
        values = [group.metrics["roc_auc"].value for group in groups]
        assert values == sorted(values)
    counts = card.to_dict()["slice_counts"]["part"]
    assert counts == {
        "big": {"fakes": 76, "reals": 38, "small": False},
        "small": {"fakes": 4, "reals": 2, "small": True},
    }


def test_slice_with_one_class_is_undefined_with_the_reason():
    key, predictions = toy()
    key = key.with_columns(method=pl.col("method").fill_null("original"))
    slices = score(predictions, key, replicates=20).to_dict()["slices"]["method"]
    assert slices["swap"]["roc_auc"] == {"value": None, "reason": "there is no real among the scored rows", "n": 40}
    assert math.isfinite(slices["original"]["log_loss"]["value"])


def test_columns_with_many_groups_are_skipped_by_name_and_any_name_will_do():
    key, predictions = toy()
    groups = MOST_GROUPS + 1
    key = key.with_columns(
        frames=pl.Series([str(i % groups) for i in range(120)]), empty=pl.lit(None, dtype=pl.String),
        score=pl.Series(["x", "y"] * 60), reason=pl.Series(["x", "y"] * 60), roc_auc=pl.Series(["x", "y"] * 60),
    )  # fmt: skip
    card = score(predictions, key, replicates=5)
    assert list(card.slices) == ["method", "score", "reason", "roc_auc"]
    assert list(card.skipped) == ["frames"]
    assert str(groups) in card.skipped["frames"]


def test_unanswered_rows_are_counted_and_in_no_metric():
    key, predictions = toy()
    gone = pl.col("id").is_in(["v000", "v001", "v002"])
    declared = predictions.with_columns(
        score=pl.when(gone).then(None).otherwise("score"),
        reason=pl.when(pl.col("id") == "v000").then(pl.lit("no_face")).when(gone).then(pl.lit("unreadable")),
    )
    card = score(declared, key, replicates=20).to_dict()
    assert card["coverage"] == {
        "expected": 120, "answered": 117, "share": 117 / 120, "reasons": {"unreadable": 2, "no_face": 1},
    }  # fmt: skip
    kept = ~predictions["id"].is_in(["v000", "v001", "v002"])
    expected = sk.roc_auc_score(key["label"].filter(kept), predictions["score"].filter(kept))
    assert card["metrics"]["roc_auc"]["value"] == pytest.approx(expected)


def test_nothing_answered_is_undefined_throughout_and_still_json():
    key, predictions = toy()
    silent = predictions.with_columns(score=pl.lit(None, dtype=pl.Float64), reason=pl.lit("crashed"))
    card = score(silent, key, replicates=20)
    assert {found["value"] for found in card.to_dict()["metrics"].values()} == {None}
    assert json.loads(card.to_json())["coverage"]["share"] == 0.0


def test_missing_row_is_refused():
    key, predictions = toy()
    with pytest.raises(TableError, match='no row for the id "v119"'):
        score(predictions.head(119), key)


def test_usage():
    key, predictions = toy()
    key = key.with_columns(usage=pl.Series(["public", "private", "ignored"] * 40))
    assert score(predictions, key, replicates=5).expected == 80
    assert score(predictions, key, replicates=5, usage="public").expected == 40
    with pytest.raises(UnmaskError, match="no row to score"):
        score(predictions, key.with_columns(usage=pl.lit("ignored")))


def test_one_cluster_gives_a_value_without_an_interval():
    key, predictions = toy()
    found = score(predictions, key.with_columns(cluster=pl.lit("one"))).to_dict()["metrics"]["roc_auc"]
    assert found["low"] is None
    assert "cluster" in found["reason"]
    assert found["value"] > 0.5


def test_hashes_are_those_of_the_files(tmp_path):
    key, predictions = toy()
    predictions.write_csv(tmp_path / "p.csv")
    key.write_parquet(tmp_path / "key.parquet")
    card = score(tmp_path / "p.csv", tmp_path / "key.parquet", replicates=5)
    assert card.hashes["predictions"] == hashlib.sha256((tmp_path / "p.csv").read_bytes()).hexdigest()
    assert card.metrics == score(predictions, key, replicates=5).metrics


@pytest.mark.parametrize("wrong", [{"clip": 0}, {"threshold": 2}, {"confidence": 1.0}, {"replicates": 0}, {"seed": -1}])
def test_wrong_parameters(wrong):
    key, predictions = toy()
    with pytest.raises(ValueError):
        score(predictions, key, **wrong)


def test_json_is_the_same_twice_and_finite():
    key, predictions = toy()
    first = score(predictions, key, replicates=20).to_json()
    assert first == score(predictions, key, replicates=20).to_json()
    assert "NaN" not in first
    assert "Infinity" not in first


def test_no_heavy_import():
    code = (
        "import sys, unmask.scoring.page, unmask.challenge.page, unmask.challenge.ranking\n"
        "heavy = {'torch', 'pandas', 'sklearn', 'matplotlib', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
