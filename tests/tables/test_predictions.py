"""Predictions: how missing ids are told."""

from __future__ import annotations

import polars as pl
import pytest

from unmask.tables.errors import TableError
from unmask.tables.predictions import read_predictions

IDS = [f"v{number:03d}" for number in range(400)]


def refusal(frame: pl.DataFrame) -> TableError:
    with pytest.raises(TableError) as caught:
        read_predictions(frame, expected_ids=IDS)
    return caught.value


def test_many_missing_ids_are_one_problem():
    error = refusal(pl.DataFrame({"id": IDS[100:], "score": 0.5}))
    (problem,) = error.problems
    assert problem.line == 0
    assert problem.what == '100 of the 400 ids have no row: "v000", "v001", "v002", "v003", "v004", ...'


def test_no_row_at_all_is_two_problems():
    error = refusal(pl.DataFrame({"id": [], "score": []}, schema={"id": pl.String, "score": pl.Float64}))
    whats = [problem.what for problem in error.problems]
    assert len(whats) == 2
    assert "there is no row" in whats
    assert '400 of the 400 ids have no row: "v000", "v001", "v002", "v003", "v004", ...' in whats


def test_few_missing_ids_are_told_one_by_one():
    error = refusal(pl.DataFrame({"id": IDS[5:], "score": 0.5}))
    assert [problem.what for problem in error.problems] == [f'there is no row for the id "v00{n}"' for n in range(5)]
