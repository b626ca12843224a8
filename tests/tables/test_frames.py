"""Predictions with many rows for one id: one for each of its frames."""

import polars as pl
import pytest

from tests.tables.forms import FORMS, place, save
from unmask.tables.errors import TableError
from unmask.tables.predictions import read_predictions

every_form = pytest.mark.parametrize("form", FORMS)


def refusal(path, **asked):
    with pytest.raises(TableError) as caught:
        read_predictions(path, **asked)
    return [(problem.line, problem.what) for problem in caught.value.problems]


def rows(*cells):
    """Columns of rows of id, frame, score, reason."""
    return dict(zip(("id", "frame", "score", "reason"), map(list, zip(*cells, strict=True)), strict=True))


@every_form
def test_rows_come_by_id_and_each_ids_frames_as_they_stand(tmp_path, form):
    path = save(
        tmp_path,
        form,
        rows(("b", "5", "0.5", ""), ("a", "10", "0.1", ""), ("b", "0", "", "no_face"), ("a", "2", "1", "")),
    )
    found = read_predictions(path)
    assert found.schema == {"id": pl.String, "frame": pl.Int64, "score": pl.Float64, "reason": pl.String}
    assert found["id"].to_list() == ["b", "a", "b", "a"]
    asked = read_predictions(path, expected_ids=["a", "b"])
    assert asked.rows() == [("a", 10, 0.1, None), ("a", 2, 1.0, None), ("b", 5, 0.5, None), ("b", 0, None, "no_face")]


@every_form
def test_a_pair_stands_once_and_an_id_has_a_row(tmp_path, form):
    cells = [("a", "1", "0.5", ""), ("a", "01", "0.5", ""), ("b", "1", "0.5", ""), ("c", "1", "0.5", "")]
    told = refusal(save(tmp_path, form, rows(*cells)), expected_ids=["a", "b", "d"])
    first = place(form, 0)
    assert [line for line, _ in told] == [first + 1, first + 3, 0]
    assert told[0][1].startswith('the id "a" with the frame 1 stood on')
    assert told[0][1].endswith(f" {first} already")
    assert told[1][1] == 'the id "c" is not asked for'
    assert told[2][1] == 'there is no row for the id "d"'


@every_form
@pytest.mark.parametrize(
    "cell", ["", "-1", "+1", "1.0", "1e3", "٣", "１", " 1", "1 ", "1_0", "nan", "0x1", "9" * 19, "²"]
)
def test_a_frame_that_is_no_whole_number_is_refused(tmp_path, form, cell):
    ((line, what),) = refusal(save(tmp_path, form, rows(("a", "0", "0.5", ""), ("a", cell, "0.5", ""))))
    assert line == place(form, 1)
    assert "frame" in what
    assert what.isascii()


@every_form
def test_the_largest_frame(tmp_path, form):
    path = save(tmp_path, form, rows(("a", str(2**63 - 1), "0.5", ""), ("a", "0", "0.5", "")))
    assert read_predictions(path)["frame"].to_list() == [2**63 - 1, 0]


@pytest.mark.parametrize("kind", [pl.Int8, pl.UInt16, pl.Int64, pl.UInt64])
def test_frames_in_parquet_are_whole_numbers_of_any_size(tmp_path, kind):
    frame = pl.DataFrame({"id": ["a", "a"], "frame": [0, 9], "score": [0.5, 0.5]}, schema_overrides={"frame": kind})
    frame.write_parquet(tmp_path / "p.parquet")
    assert read_predictions(tmp_path / "p.parquet")["frame"].to_list() == [0, 9]


@pytest.mark.parametrize(
    ("frames", "told"),
    [
        ([0, -1], 'frame "-1" is not a whole number'),
        ([0, None], "the frame is empty"),
        ([0.0, 1.0], 'the column "frame" holds Float64, not whole numbers'),
        ([True, False], 'the column "frame" holds Boolean, not whole numbers'),
        ([0, 2**63], 'frame "9223372036854775808" is not a whole number'),
    ],
)
def test_what_parquet_may_not_hold_as_frames(tmp_path, frames, told):
    pl.DataFrame({"id": ["a", "a"], "frame": frames, "score": [0.5, 0.5]}).write_parquet(tmp_path / "p.parquet")
    assert told in str(refusal(tmp_path / "p.parquet"))


def test_every_fault_of_a_row_comes_back_at_once(tmp_path):
    told = refusal(save(tmp_path, "plain", rows(("", "x", "2", ""), ("a", "0", "0.5", "no_face"), ("a", "1", "", ""))))
    assert [line for line, _ in told] == [2, 2, 2, 3, 4]


def test_dfdc_columns_may_have_frames(tmp_path):
    path = save(tmp_path, "plain", {"filename": ["a", "a"], "frame": ["0", "1"], "label": ["0.5", "1"]})
    assert read_predictions(path, expected_ids=["a"]).rows() == [("a", 0, 0.5, None), ("a", 1, 1.0, None)]


def test_a_submission_has_one_row_for_each_id(tmp_path):
    path = save(tmp_path, "plain", {"id": ["a", "a"], "frame": ["0", "1"], "score": ["0.5", "1"]})
    told = refusal(path, expected_ids=["a"], complete=True)
    assert told == [(1, 'the column "frame" is not asked for'), (3, 'the id "a" stood on line 2 already')]
