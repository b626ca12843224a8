from __future__ import annotations

import json

import polars as pl
import pytest

from tests.training.test_run import run
from unmask.inference.model_folder import load_model
from unmask.tables.errors import ConfigError
from unmask.training.leaks import leaks


def manifest(*rows: tuple[str, str | None, str | None, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["split", "source_id", "subject_id", "dataset"], orient="row")


def test_what_stands_in_two_splits_is_told():
    rows = manifest(
        ("train", "s1", "anna", "a"),
        ("train", "s2", "ben", "a"),
        ("validation", "s1", "carl", "a"),
        ("test", "s9", "ben", "a"),
        ("test", "s8", "anna", "a"),
    )
    assert leaks(rows) == [
        'train and validation share 1 sources (source_id), such as "s1"',
        'train and test share 2 people (subject_id), such as "anna"',
    ]


def test_nobody_s_name_and_the_same_name_in_another_dataset_are_no_leak():
    rows = manifest(("train", None, "id1", "a"), ("test", None, "id1", "b"), ("validation", None, None, "a"))
    assert leaks(rows) == []
    assert leaks(rows.drop("source_id", "subject_id")) == []


def test_a_run_on_leaking_splits_is_refused_unless_every_result_says_so(prepared, tmp_path):
    rows = prepared.rows().with_columns(subject_id=pl.lit("everyone"))
    rows.write_parquet(tmp_path / "m.parquet")
    given = f"manifest={tmp_path}/m.parquet"
    with pytest.raises(ConfigError, match="train and test share 1 people") as caught:
        run(prepared, tmp_path / "refused", given)
    assert "train and validation share 1 people" in str(caught.value)
    assert "allow_leaks=true" in str(caught.value.next_step)
    assert not (tmp_path / "refused" / "checkpoints").exists()
    out = run(prepared, tmp_path / "out", given, "allow_leaks=true")
    told = "The splits leak: train and test share 1 people (subject_id)"
    assert any(told in remark for remark in load_model(out / "model").spec.data["remarks"])
    assert told in (out / "model" / "README.md").read_text()
    assert any(told in remark for remark in json.loads((out / "scorecard.json").read_text())["remarks"])
    assert told in (out / "scorecard.html").read_text()
    assert "allow_leaks: true" in (out / "config.yaml").read_text()
