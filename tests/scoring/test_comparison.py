"""``compare``: the numbers of ``score``, on rows that all answered, in an order that nothing but the scores decides."""

import json
import math
import random

import numpy as np
import polars as pl
import pytest

from unmask.scoring import compare, score
from unmask.scoring.metrics import METRICS
from unmask.tables.errors import UnmaskError


def toy(rows=240, seed=0, **qualities):
    """Key, and a frame for each system: the higher its quality, the farther its fakes from its reals."""
    generator = np.random.default_rng(seed)
    labels = (np.arange(rows) % 3 > 0).astype(int)
    ids = [f"v{i:03d}" for i in range(rows)]
    key = pl.DataFrame({"id": ids, "label": labels, "cluster": [f"c{i // 3}" for i in range(rows)]})
    shared = generator.normal(size=rows)
    noise = {name: 0.1 * (shared + generator.normal(size=rows)) for name in qualities}
    frames = {
        name: pl.DataFrame({"id": ids, "score": np.clip(0.5 + quality * (labels - 0.5) + noise[name], 0, 1)})
        for name, quality in qualities.items()
    }
    return key, frames


def unanswered(frame, *ids, reason="no_face"):
    gone = pl.col("id").is_in(ids)
    return frame.with_columns(
        score=pl.when(gone).then(None).otherwise("score"), reason=pl.when(gone).then(pl.lit(reason))
    )


def by_name(comparison):
    return {system.name: system for system in comparison.systems}


@pytest.mark.parametrize("metric", [name for name, metric in METRICS.items() if not metric.missing(2000, 1000)])
def test_values_and_intervals_are_those_of_score(metric):
    key, frames = toy(rows=3000, good=0.3, fair=0.15, poor=0.05)
    found = compare(key, frames, metric=metric, replicates=60, seed=4, prevalence=0.01, budget=0.1)
    values = []
    for name, system in by_name(found).items():
        alone = score(frames[name], key, replicates=60, seed=4, prevalence=0.01, budget=0.1).metrics[metric]
        assert system.value == alone.value
        assert (system.low, system.high) == pytest.approx((alone.low, alone.high), rel=1e-9, abs=1e-12)
        values.append(system.value)
    falling = values[0] if METRICS[metric].direction == "higher" else -values[0]
    assert falling == max(value if METRICS[metric].direction == "higher" else -value for value in values)
    assert [system.rank for system in found.systems] == sorted(system.rank for system in found.systems)


def test_clear_differences_are_found_and_none_are_made_up():
    key, frames = toy(rows=600, good=0.35, twin=0.25, poor=0.02)
    frames["double"] = frames["twin"]
    found = compare(key, frames, replicates=300)
    assert [(system.name, system.rank, system.tier) for system in found.systems] == [
        ("good", 1, 1), ("double", 2, 2), ("twin", 2, 2), ("poor", 4, 3),
    ]  # fmt: skip
    assert found.differences.p[1, 2] == 1.0
    assert found.differences.value[1, 2] == found.differences.low[1, 2] == found.differences.high[1, 2] == 0.0
    assert found.kendall_tau > 0.9
    assert [system.first for system in found.systems] == [1.0, 0.0, 0.0, 0.0]
    assert (found.systems[1].rank_low, found.systems[1].rank_high) == (2, 2)


def test_two_that_are_the_same_share_the_first_place():
    key, frames = toy(one=0.2)
    found = compare(key, {"b": frames["one"], "a": frames["one"]}, replicates=50)
    assert [(system.name, system.rank, system.first, system.tier) for system in found.systems] == [
        ("a", 1, 0.5, 1), ("b", 1, 0.5, 1),
    ]  # fmt: skip
    assert found.kendall_tau is None
    assert json.loads(found.to_json())["delong"]["p"] == [[1.0, 1.0], [1.0, 1.0]]


def test_neither_the_order_of_the_systems_nor_of_the_rows_changes_anything():
    key, frames = toy(a=0.2, b=0.18, c=0.22, d=0.05)
    first = compare(key, frames, replicates=80).to_dict()
    shuffled = {name: frames[name].sample(fraction=1, shuffle=True, seed=3) for name in ("d", "b", "c", "a")}
    assert compare(key.reverse(), shuffled, replicates=80).to_dict() == first
    assert compare(key, frames, replicates=80, seed=1).to_dict()["differences"] != first["differences"]


def test_rows_that_one_system_did_not_answer_are_left_out_for_all_and_counted():
    key, frames = toy(a=0.2, b=0.1)
    gone = [f"v{i:03d}" for i in range(0, 60, 4)]
    frames["b"] = unanswered(frames["b"], *gone[:10])
    frames["a"] = unanswered(frames["a"], *gone[5:])
    found = compare(key, frames, replicates=40)
    assert (found.expected, found.rows.height) == (240, 225)
    assert {name: system.unanswered for name, system in by_name(found).items()} == {"a": 10, "b": 10}
    left = ~pl.col("id").is_in(gone)
    again = compare(
        key.filter(left),
        {name: each.filter(left).select("id", "score") for name, each in frames.items()},
        replicates=40,
    )
    assert [system.value for system in again.systems] == [system.value for system in found.systems]
    assert again.to_dict()["differences"] == found.to_dict()["differences"]
    told = found.to_dict()
    assert told["coverage"] == {"expected": 240, "compared": 225}
    assert any("15 of 240 ids are left out" in note for note in told["notes"])
    assert again.notes == []


def test_frames_are_aggregated_and_told_by_system():
    key, frames = toy(a=0.3, b=0.1)
    both = [frames["a"].with_columns(frame=pl.lit(number), score=pl.col("score") ** (number + 1)) for number in (0, 1)]
    framed = pl.concat(both)
    means = framed.group_by("id").agg(pl.col("score").max())
    found = compare(key, {"a": framed, "b": frames["b"]}, replicates=40, aggregation="max")
    plain = compare(key, {"a": means, "b": frames["b"]}, replicates=40)
    assert found.to_dict()["differences"] == plain.to_dict()["differences"]
    assert [system.aggregation for system in found.systems] == ["max", "none: one score for each id"]
    with pytest.raises(UnmaskError, match='no aggregation "worst"'):
        compare(key, {"a": framed, "b": frames["b"]}, aggregation="worst")


def test_no_row_that_all_answered():
    key, frames = toy(a=0.2, b=0.1)
    ids = key["id"].to_list()
    frames = {"a": unanswered(frames["a"], *ids[:200]), "b": unanswered(frames["b"], *ids[40:])}
    with pytest.raises(UnmaskError, match="no id that all systems answered; of 240, they answered: a 40, b 40"):
        compare(key, frames)


def test_a_system_without_a_value_is_last_with_the_reason():
    """Nothing that the timid one says is called fake: the precision of that does not exist."""
    key, frames = toy(good=0.3, poor=0.02)
    frames["a timid one"] = frames["good"].with_columns(score=pl.col("score") * 0.4)
    found = compare(key, frames, metric="precision_at_prevalence", replicates=40)
    last = found.systems[-1]
    assert [system.name for system in found.systems] == ["good", "poor", "a timid one"]
    assert last.rank is last.tier is last.first is last.value is last.low is None
    assert "nothing is called fake" in last.reason
    told = found.to_dict()
    assert told["systems"][-1]["value"] is None
    assert {pair["one"] for pair in told["differences"]} == {"good"}


def test_a_system_without_a_value_in_some_replicates_is_last_in_those():
    key, frames = toy(good=0.3, fair=0.1)
    bold = key["id"].filter(key["label"] == 1)[0]
    frames["bold"] = frames["good"].with_columns(score=pl.when(pl.col("id") == bold).then(0.9).otherwise(0.1))
    found = by_name(compare(key, frames, metric="precision_at_prevalence", replicates=60))
    assert found["bold"].value is not None
    assert "in " in found["bold"].reason
    assert found["bold"].low is None
    assert found["bold"].rank_high == 3
    assert 0 < found["bold"].shares[2] < 1


def test_no_system_has_a_value():
    key, frames = toy(a=0.2, b=0.1)
    fakes = key.filter(pl.col("label") == 1)
    kept = {name: each.filter(pl.col("id").is_in(fakes["id"].to_list())) for name, each in frames.items()}
    with pytest.raises(UnmaskError, match="no system has a ROC AUC: there is no real among the scored rows"):
        compare(fakes, kept)
    assert compare(fakes, kept, metric="log_loss", replicates=20).systems[0].value is not None


def test_one_cluster_gives_ranks_without_any_certainty():
    key, frames = toy(a=0.3, b=0.1)
    found = compare(key.with_columns(cluster=pl.lit("one")), frames)
    assert [(system.name, system.rank, system.tier, system.low) for system in found.systems] == [
        ("a", 1, None, None), ("b", 2, None, None),
    ]  # fmt: skip
    assert any("nothing can be drawn anew" in note for note in found.notes)
    assert found.to_dict()["differences"] == []


@pytest.mark.parametrize("given", [{}, {"a": "a.csv"}, [], ["a.csv"], "a.csv"])
def test_fewer_than_two_systems(given):
    key, _ = toy(a=0.3)
    with pytest.raises(UnmaskError, match="two systems or more"):
        compare(key, given)


def test_names_that_are_the_same_once_they_can_be_printed():
    key, frames = toy(a=0.3)
    with pytest.raises(UnmaskError, match="two systems have the same name"):
        compare(key, {"a\n": frames["a"], "a\\n": frames["a"]})


def test_too_few_replicates_for_many_systems_give_no_tiers_and_say_so():
    key, frames = toy(rows=60, **{f"s{i}": i / 100 for i in range(12)})
    few = compare(key, frames, replicates=218)
    assert {system.tier for system in few.systems} == {None}
    assert any("take at least 219" in note for note in few.notes)
    enough = compare(key, frames, replicates=219)
    assert enough.systems[0].tier == 1
    assert not any("replicates" in note for note in enough.notes)


def test_delong_says_when_rows_are_not_independent():
    key, frames = toy(a=0.3, b=0.1)
    assert "240 belong to 80 clusters" in compare(key, frames, replicates=40).cross_check
    alone = compare(key.drop("cluster"), frames, replicates=40)
    assert "clusters" not in alone.cross_check
    told = alone.to_dict()["delong"]
    assert told["rows_independent"] is True
    assert [each["value"] for each in told["systems"]] == pytest.approx([system.value for system in alone.systems])
    assert compare(key, frames, metric="log_loss", replicates=40).to_dict()["delong"] is None


def test_usage_and_split():
    key, frames = toy(a=0.3, b=0.1)
    key = key.with_columns(usage=pl.Series(["public", "private", "ignored"] * 80), split=pl.lit("test"))
    assert compare(key, frames, metric="log_loss", replicates=5).expected == 160
    assert compare(key, frames, metric="log_loss", replicates=5, usage="public", split="test").expected == 80
    with pytest.raises(UnmaskError, match="no row to score"):
        compare(key.with_columns(usage=pl.lit("ignored")), frames)


def every_number(told):
    if isinstance(told, dict):
        told = list(told.values())
    if isinstance(told, list):
        return [number for each in told for number in every_number(each)]
    return [told] if isinstance(told, float) else []


def test_json_is_finite_and_whole():
    key, frames = toy(a=0.3, b=0.1, c=0.1)
    frames["perfect"] = key.select("id", score=pl.col("label").cast(pl.Float64))
    frames["wrong"] = key.select("id", score=1.0 - pl.col("label"))
    found = compare(key, frames, replicates=60, confidence=0.9)
    told = json.loads(found.to_json())
    assert all(math.isfinite(number) for number in every_number(told))
    assert len(told["differences"]) == 10
    for system in told["systems"]:
        assert sum(system["ranks"].values()) == pytest.approx(1)
    assert sum(system["first"] for system in told["systems"]) == pytest.approx(1)
    assert (told["alpha"], told["confidence"], told["replicates"], told["seed"]) == (0.1, 0.9, 60, 0)
    assert told["versions"]["unmask"]


def test_all_faults_of_all_files_at_once(tmp_path):
    key, frames = toy(a=0.3, b=0.1, c=0.2)
    for name, frame in frames.items():
        frame.write_csv(tmp_path / f"{name}.csv")
    key.write_csv(tmp_path / "key.csv")
    lines = (tmp_path / "a.csv").read_text().splitlines()
    (tmp_path / "a.csv").write_text("\n".join([lines[0], "v000,nan", "v001,7", *lines[4:]]))
    (tmp_path / "b.csv").write_text("id,likelihood\nv000,1\n")
    paths = [tmp_path / name for name in ("a.csv", "b.csv", "c.csv", "none.csv")]
    with pytest.raises(UnmaskError) as refused:
        compare(tmp_path / "key.csv", paths)
    said = str(refused.value)
    assert "3 files cannot be used" in said
    for word in ("nan", '"7"', '"v002"', "a.csv", '"likelihood"', "b.csv", "no file none.csv"):
        assert word in said
    assert "c.csv" not in said


def test_a_faulty_key_hides_no_other_fault(tmp_path):
    (tmp_path / "key.csv").write_text("id,label\nx,2\n")
    (tmp_path / "a.csv").write_text("id,score\nx,5\n")
    (tmp_path / "b.csv").write_text("id,score\nx,0.5\n")
    with pytest.raises(UnmaskError) as refused:
        compare(tmp_path / "key.csv", [tmp_path / "a.csv", tmp_path / "b.csv"])
    assert '"2"' in str(refused.value)
    assert '"5"' in str(refused.value)


def test_messages_do_not_depend_on_the_labels():
    key, frames = toy(a=0.3, b=0.1)
    frames["a"] = frames["a"].head(200).with_columns(score=pl.col("score") + 0.9)
    frames["b"] = frames["b"].tail(239)
    shuffled = key["label"].to_list()
    random.Random(0).shuffle(shuffled)
    said = []
    for labels in (key["label"].to_list(), shuffled):
        with pytest.raises(UnmaskError) as refused:
            compare(key.with_columns(label=pl.Series(labels)), frames)
        said.append(str(refused.value))
    assert said[0] == said[1]
    assert "a: " in said[0]
    assert "b: " in said[0]


@pytest.mark.parametrize(
    "wrong", [{"clip": 0}, {"threshold": 2}, {"confidence": 1.0}, {"replicates": 0}, {"seed": -1}, {"budget": 0}]
)
def test_wrong_parameters(wrong):
    key, frames = toy(a=0.3, b=0.1)
    with pytest.raises(ValueError):
        compare(key, frames, **wrong)


def test_an_unknown_metric():
    key, frames = toy(a=0.3, b=0.1)
    with pytest.raises(UnmaskError, match='no metric "accuracy"'):
        compare(key, frames, metric="accuracy")
