"""Every hostile file of the scoring rules: each is written to disk, read, and refused with a message that helps."""

import gzip
import pickle
from pathlib import Path

import polars as pl
import pytest

from unmask.tables import reading
from unmask.tables.answers import read_answers
from unmask.tables.errors import Faults, Problem, TableError, UnmaskError
from unmask.tables.predictions import read_predictions, write_predictions

IDS = ["a", "b"]


def written(folder: Path, content: bytes | str, name: str = "p.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(path: Path, ids=IDS) -> TableError:
    with pytest.raises(TableError) as caught:
        read_predictions(path, expected_ids=ids)
    return caught.value


@pytest.mark.parametrize(
    "cell",
    ["nan", "NaN", "inf", "-inf", "1e400", "1_000", "0_1", "٠.٥", "０.５", "0.5\u00a0", " 0.5", "0.5 ", "", "0,5",
     "1.01", "-0.1", "0x1", "½", "True", "--", "1e", "0.5\u200b", "nul", "."],
)  # fmt: skip
def test_score_that_is_no_plain_number_is_refused_with_its_line(tmp_path, cell):
    quoted = f'"{cell}"'
    error = refusal(written(tmp_path, f"id,score\na,0.5\nb,{quoted}\n"))
    assert [problem.line for problem in error.problems] == [3]
    assert "score" in error.problems[0].what
    assert error.problems[0].remedy
    assert str(error).replace("—", "").isascii()


@pytest.mark.parametrize("cell", ["0", "1", "0.5", ".5", "5e-1", "1.", "+0.5", "0.50000000000000000001", "1e-400"])
def test_plain_decimal_numbers_are_accepted(tmp_path, cell):
    found = read_predictions(written(tmp_path, f"id,score\na,{cell}\n"))
    assert found["score"].to_list() == [float(cell)]


def test_what_is_shown_of_a_value_is_escaped(tmp_path):
    error = refusal(written(tmp_path, "id,score\na,٠\nb,0.5\n\u202eevil,0.5\nа,0.1\n"))
    text = str(error)
    assert r"\u0660" in text
    assert r"\u202e" in text
    assert r"\u0430" in text  # a Cyrillic look-alike of the id "a"
    assert "\u202e" not in text


def test_ids_stay_what_they_are(tmp_path):
    ids = ["001", "1", "NA", "null", "1e5", "1.0", "None", "TRUE", "-0", "=cmd", "+1", "@x", "-1", " a", "#"]
    path = written(tmp_path, "id,score\n" + "".join(f"{name},0.5\n" for name in ids))
    assert read_predictions(path, expected_ids=ids)["id"].to_list() == ids


def test_ids_that_look_like_formulas_or_nulls_survive_a_round_trip(tmp_path):
    ids = ['=cmd|"/c calc"!A1', "+1", "@SUM(A1)", "NA", "null", "a,b", '"quoted"', "001", " blank "]
    for name in ("p.csv", "p.parquet"):
        write_predictions(pl.DataFrame({"id": ids, "score": [0.5] * len(ids)}), tmp_path / name)
        assert read_predictions(tmp_path / name, expected_ids=ids)["id"].to_list() == ids


@pytest.mark.parametrize(
    ("twin", "shown"),
    [("e\u0301", r"e\u0301"), ("\u00e9\u200b", "invisible"), ("\ufeffé", "invisible")],
    ids=["decomposed", "zero width", "inner byte order mark"],
)
def test_unicode_twins_are_other_ids(tmp_path, twin, shown):
    error = refusal(written(tmp_path, f"id,score\n{twin},0.5\n"), ids=["\u00e9"])
    assert shown in str(error)


def test_duplicates_missing_and_extra_ids_come_back_at_once(tmp_path):
    error = refusal(written(tmp_path, "id,score\na,0.5\na,0.6\nc,2\n"))
    told = [(problem.line, problem.what) for problem in error.problems]
    assert [line for line, _ in told] == [3, 4, 4, 0]
    assert '"a" stood on line 2 already' in told[0][1]
    assert any('"c" is not asked for' in what for _, what in told)
    assert any("score" in what for _, what in told)
    assert '"b"' in told[-1][1]


def test_order_line_ends_and_byte_order_mark_change_nothing(tmp_path):
    plain = read_predictions(written(tmp_path, "id,score\na,0.25\nb,0.75\n"), expected_ids=IDS)
    for content in (
        "id,score\r\na,0.25\r\nb,0.75\r\n",
        "id,score\ra,0.25\rb,0.75\r",
        "\ufeffid,score\na,0.25\nb,0.75",
        '"id","score"\n"a","0.25"\n"b","0.75"\n',
        "score,id\n0.75,b\n0.25,a\n",
    ):
        found = read_predictions(written(tmp_path, content), expected_ids=IDS)
        assert found.sort("id").equals(plain), content
    lone = refusal(written(tmp_path, "id,score\ra,0.25\rb,x\r"))
    assert lone.problems[0].line == 3


def test_dfdc_header_is_read(tmp_path):
    found = read_predictions(written(tmp_path, "filename,label\na,0.25\nb,1\n"), expected_ids=IDS)
    assert found["score"].to_list() == [0.25, 1.0]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"id,score\n", "no row"),
        (b"id;score\na;0.5\n", "';'"),
        (b"ID,Score\na,0.5\n", 'the header has "ID" where "id" is asked for'),
        (b"id,score\na\0,0.5\n", "NUL"),
        (b"id,score\n\xff\xfe,0.5\n", "UTF-8"),
        ("id,score\na,0.5\n".encode("utf-16"), "UTF-8"),
        (b'id,score\n"a\nb",0.5\n', "several lines"),
        (b'id,score\n"a,0.5\n', "not CSV"),
        (b'id,score\n"a"x,0.5\n', "not CSV"),
        (b"id,score\na,0.5,9\nb\n", "3 cells where the header has 2"),
        (b"id,score\n\na,0.5\n", "an empty line"),
        (b"id,score,score\na,0.5,0.5\n", "more than once"),
        (b"id,score,label\na,0.5,1\n", '"label" is not asked for'),
        (b"id,p\na,0.5\n", 'no column "score"'),
        (b"id,score\n" + b"a" * 10_000 + b",0.5\n", "field larger"),
        (b"," * 5_000 + b"\n", "columns"),
        (b"import os; os.system('x')\n", "';'"),
        (b"def score(): pass\nprint(1)\n", 'no column "id"'),
        (pickle.dumps({"id": [1], "score": [0.5]}), "UTF-8"),
        (b"PK\x03\x04" + bytes(range(256)), "UTF-8"),
    ],
)
def test_csv_that_is_not_the_table_asked_for(tmp_path, content, told):
    error = refusal(written(tmp_path, content))
    assert told in str(error)
    assert str(tmp_path) in str(error)


def test_gzip_is_read_and_damage_is_told(tmp_path):
    good = gzip.compress(b"id,score\na,0.25\nb,0.75\n")
    assert read_predictions(written(tmp_path, good, "p.csv.gz"), expected_ids=IDS).height == 2
    assert read_predictions(written(tmp_path, good + b"\0\0", "p.csv.gz"), expected_ids=IDS).height == 2
    for bad in (good[:-6], good + b"garbage", b"id,score\na,0.5\n", b"", good[:10] + b"\xff" * 20):
        assert ("gzip" if bad else "empty") in str(refusal(written(tmp_path, bad, "p.csv.gz")))


def test_gzip_bomb_stops_at_the_cap(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 1_000_000)
    bomb = gzip.compress(b"id,score\n" + b"a,0.5\n" * 500_000)
    assert len(bomb) < 10_000
    assert "more than 1,000,000 bytes" in str(refusal(written(tmp_path, bomb, "p.csv.gz")))
    assert "more than 1,000,000 bytes" in str(refusal(written(tmp_path, b"x" * 1_000_001)))


def test_too_many_rows_and_cells(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_ROWS", 3)
    content = "id,score\n" + "".join(f"v{i},0.5\n" for i in range(9))
    assert "more than 3 rows" in str(refusal(written(tmp_path, content)))
    pl.DataFrame({"id": list("abcdefg"), "score": [0.5] * 7}).write_parquet(tmp_path / "p.parquet")
    assert "too many" in str(refusal(tmp_path / "p.parquet"))


def test_millions_of_faults_end_the_reading_and_few_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(Faults, "MOST", 1000)
    error = refusal(written(tmp_path, "id,score\n" + "x,nan\n" * 50_000))
    assert len(error.problems) == 1000
    assert "1,000 or more problems" in str(error)
    assert len(str(error).splitlines()) < 60
    blank = refusal(written(tmp_path, b"id,score\n" + b"\n" * 1_000_000))
    assert len(blank.problems) == 1000


def test_missing_ids_do_not_crowd_out_the_faults_of_lines(tmp_path):
    error = refusal(written(tmp_path, "id,score\na,nan\n"), ids=[f"v{i}" for i in range(5000)] + ["a"])
    assert str(error).splitlines()[1].lstrip().startswith("line 2:")
    assert f"{5001:,} problems" in str(error)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ({"id": [1, 2], "score": [0.5, 0.5]}, "of type int"),
        ({"id": ["a", None], "score": [0.5, 0.5]}, "the id is empty"),
        ({"id": ["a", "b"], "score": [0.5, None]}, "the score is empty"),
        ({"id": ["a", "b"], "score": [0.5, float("nan")]}, "nan"),
        ({"id": ["a", "b"], "score": [0.5, float("inf")]}, "inf"),
        ({"id": ["a", "b"], "score": [True, False]}, "of type bool"),
        ({"id": ["a", "b"], "score": [[0.5], [0.5]]}, "List"),
        ({"id": ["a", "b"], "score": [{"x": 1}, {"x": 2}]}, "Struct"),
        ({"id": [b"a", b"b"], "score": [0.5, 0.5]}, "Binary"),
        ({"id": ["a", "b" * 5000], "score": [0.5, 0.5]}, "characters"),
        ({"id": ["a", "b"], "score": ["0.5", "1_0"]}, "plain decimal"),
    ],
)
def test_parquet_of_other_types(tmp_path, frame, told):
    pl.DataFrame(frame).write_parquet(tmp_path / "p.parquet")
    error = refusal(tmp_path / "p.parquet")
    assert told in str(error)
    assert error.unit == "row"


def test_parquet_of_kindred_types_is_read(tmp_path):
    frame = pl.DataFrame({"id": ["a", "b"], "score": [0, 1]})
    for ids in (pl.Categorical, pl.Enum(["a", "b"]), pl.String):
        for score in (pl.Float32, pl.Float64, pl.Int8, pl.UInt64, pl.String):
            frame.cast({"id": ids, "score": score}).write_parquet(tmp_path / "p.parquet")
            found = read_predictions(tmp_path / "p.parquet", expected_ids=IDS)
            assert found.schema == {"id": pl.String, "score": pl.Float64, "reason": pl.String}
            assert found["score"].to_list() == [0.0, 1.0]


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"PAR1" + b"\0" * 100 + b"PAR1", pickle.dumps([1, 2]), b"id,score\n"]
)
def test_what_is_no_parquet(tmp_path, content):
    assert "Parquet" in str(refusal(written(tmp_path, content, "p.parquet")))


def test_what_is_no_file_or_no_table(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for path, told in (
        (tmp_path / "folder.csv", "is not a file"),
        (tmp_path / "nowhere.csv", "there is no file"),
        (written(tmp_path, b"x", "p.xlsx"), "ending"),
        (written(tmp_path, pickle.dumps([]), "p.pkl"), "ending"),
        (written(tmp_path, b"x", "csv"), "ending"),
    ):
        with pytest.raises(UnmaskError, match=told) as caught:
            read_predictions(path)
        assert caught.value.next_step


def test_reasons(tmp_path):
    path = written(tmp_path, "id,score,reason\na,,no_face\nb,0.5,\n")
    assert read_predictions(path, expected_ids=IDS)["reason"].to_list() == ["no_face", None]
    with pytest.raises(TableError, match='"reason" is not asked for'):
        read_predictions(path, expected_ids=IDS, complete=True)
    both = refusal(written(tmp_path, "id,score,reason\na,0.5,no_face\nb,,\n"))
    assert [problem.line for problem in both.problems] == [2, 3]


def test_hostile_answer_keys(tmp_path):
    cases = {
        "id,label\na,2\n": "write 1 for fake",
        "id,label\na,1.0\n": "write 1 for fake",
        "id,label\na,\n": "label is empty",
        "id,label\na,fake\n": "write 1 for fake",
        "id,label,usage\na,1,secret\n": "ignored, private, public",
        "id,label\na,1\na,0\n": "already",
        "id,label\n": "no row",
        "id\na\n": 'no column "label"',
    }
    for content, told in cases.items():
        with pytest.raises(TableError) as caught:
            read_answers(written(tmp_path, content))
        assert told in str(caught.value), content


def test_problem_order_is_the_files(tmp_path):
    error = TableError("x.csv", [Problem(0, "c", ""), Problem(9, "a", ""), Problem(2, "b", "")])
    assert [problem.line for problem in error.problems] == [2, 9, 0]


def test_ids_written_another_way_are_one_fault(tmp_path):
    expected = [f"{n:03d}.mp4" for n in range(200)]
    path = tmp_path / "stems.csv"
    path.write_text("id,score\n" + "".join(f"{n:03d},0.5\n" for n in range(200)))
    with pytest.raises(TableError) as caught:
        read_predictions(path, expected_ids=expected)
    (problem,) = caught.value.problems
    assert '"000"' in problem.what
    assert '"000.mp4"' in problem.what


def test_reasons_do_not_hide_the_scores_that_a_submission_lacks(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("id,score,reason\n" + f"{IDS[0]},,no_face\n" + "".join(f"{name},0.5,\n" for name in IDS[1:]))
    with pytest.raises(TableError) as caught:
        read_predictions(path, expected_ids=IDS, complete=True)
    told = str(caught.value)
    assert 'the column "reason" is not asked for' in told
    assert "line 2: the score is empty" in told


def test_many_faults_of_one_kind_are_told_as_one(tmp_path):
    rows = [f'{number},"0,{number}"' for number in range(60)]
    rows[10] = "10,0.5"
    rows[20] = "20,"
    rows[30] = "30,0.5"
    error = refusal(written(tmp_path, "id,score\n" + "\n".join(rows)), [str(number) for number in range(60)])
    assert len(error.problems) == 58
    assert error.told() == [
        'line 2: the score "0,0" has a decimal comma — write a decimal point: 0.0'
        " (and 56 more like it: lines 3-11, 13-21, 23-31, 33-61)",
        "line 22: the score is empty — write a number from 0 to 1",
    ]


def test_few_faults_of_one_kind_are_told_each(tmp_path):
    content = "id,score\n" + "".join(f"{number},{number}\n" for number in range(2, 7))
    assert len(refusal(written(tmp_path, content), [str(number) for number in range(2, 7)]).told()) == 5


def test_each_id_without_a_row_is_told(tmp_path):
    error = refusal(written(tmp_path, "id,score\na,0.5\n"), ["a", *(f"missing{number}" for number in range(9))])
    assert len(error.told()) == 9
