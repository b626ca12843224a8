"""Every hostile file of the scoring rules: each is written to disk, read, and refused with a message that helps.

What a cell can hold is tried in every form of a table; what only text, gzip or Parquet can be, in its own.
"""

import datetime as dt
import gzip
import pickle
import zlib
from pathlib import Path

import polars as pl
import pytest

from tests.tables.forms import FORMS, place, save
from unmask.tables import reading
from unmask.tables.answers import read_answers
from unmask.tables.errors import Faults, Problem, TableError, UnmaskError
from unmask.tables.predictions import read_predictions, write_predictions

IDS = ["a", "b"]
#: Ids of other tools' nulls, numbers, formulas, comments and markup: text like any other.
ODD_IDS = ["001", "1", "NA", "null", "1e5", "1.0", "None", "TRUE", "-0", "=cmd", '=cmd|"/c calc"!A1', "+1", "@x", "-1",
           " a", "a ", "#", "#N/A", "nan", "<script>alert(1)</script>", "<b>", "a,b", '"quoted"', "\\N", "../x",
           "C:\\x", "é", "e\u0301", "ﬁ", "fi", "x^", "a;b", "'a", "%s", "{0}", "$(x)", "`x`"]  # fmt: skip

every_form = pytest.mark.parametrize("form", FORMS)


def written(folder: Path, content: bytes | str, name: str = "p.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(path: Path, ids=IDS) -> TableError:
    with pytest.raises(TableError) as caught:
        read_predictions(path, expected_ids=ids)
    return caught.value


@every_form
@pytest.mark.parametrize(
    "cell",
    ["nan", "NaN", "inf", "-inf", "1e400", "1_000", "0_1", "٠.٥", "０.５", "0.5\u00a0", "\u00a00.5", " 0.5", "0.5 ", "",
     "0,5", "1.01", "-0.1", "0x1", "½", "True", "--", "1e", "0.5\u200b", "nul", ".", "NA", "null", "Infinity", "1e1000",
     "9" * 400, "0.5;", "<b>0.5</b>", "=1/2"],
)  # fmt: skip
def test_score_that_is_no_plain_number_is_refused_with_its_line(tmp_path, form, cell):
    error = refusal(save(tmp_path, form, {"id": ["a", "b"], "score": ["0.5", cell]}))
    assert [problem.line for problem in error.problems] == [place(form, 1)]
    assert "score" in error.problems[0].what
    assert error.problems[0].remedy
    assert str(error).replace("—", "").isascii()


@every_form
@pytest.mark.parametrize("cell", ["0", "1", "0.5", ".5", "5e-1", "1.", "+0.5", "0.50000000000000000001", "1e-400"])
def test_plain_decimal_numbers_are_accepted(tmp_path, form, cell):
    found = read_predictions(save(tmp_path, form, {"id": ["a"], "score": [cell]}))
    assert found["score"].to_list() == [float(cell)]


@every_form
def test_what_is_shown_of_a_value_is_escaped(tmp_path, form):
    columns = {"id": ["a", "b", "\u202eevil", "а", "é\u200b"], "score": ["٠", "0.5", "0.5", "0.1", "\u2066"]}
    error = refusal(save(tmp_path, form, columns))
    text = str(error)
    for escaped in (r"\u0660", r"\u202e", r"\u0430", r"\xe9\u200b", r"\u2066"):  # \u0430 looks like the id "a"
        assert escaped in text
    assert text.replace("—", "").isascii()


@every_form
def test_ids_stay_what_they_are(tmp_path, form):
    path = save(tmp_path, form, {"id": ODD_IDS, "score": ["0.5"] * len(ODD_IDS)})
    assert read_predictions(path)["id"].to_list() == ODD_IDS
    assert read_predictions(path, expected_ids=ODD_IDS[::-1])["id"].to_list() == ODD_IDS[::-1]
    key = save(tmp_path, form, {"id": ODD_IDS, "label": ["1"] * len(ODD_IDS)})
    assert read_answers(key)["id"].to_list() == ODD_IDS


@every_form
@pytest.mark.parametrize(("one", "other"), [("001", "1"), ("1", "1.0"), ("NA", "nan"), ("null", "NULL"), ("a", "a ")])
def test_ids_that_a_reader_would_take_for_the_same_are_two(tmp_path, form, one, other):
    path = save(tmp_path, form, {"id": [one, other], "score": ["0.25", "0.75"]})
    found = read_predictions(path, expected_ids=[other, one])
    assert found.rows() == [(other, 0.75, None), (one, 0.25, None)]
    error = refusal(save(tmp_path, form, {"id": [one, "b"], "score": ["0.5", "0.5"]}), [other, "b"])
    assert len(error.problems) == 2


def test_ids_that_look_like_formulas_or_nulls_survive_a_round_trip(tmp_path):
    for name in ("p.csv", "p.parquet"):
        write_predictions(pl.DataFrame({"id": ODD_IDS, "score": [0.5] * len(ODD_IDS)}), tmp_path / name)
        assert read_predictions(tmp_path / name, expected_ids=ODD_IDS)["id"].to_list() == ODD_IDS


@every_form
@pytest.mark.parametrize(
    ("twin", "shown"),
    [("e\u0301", r"e\u0301"), ("\u00e9\u200b", "invisible"), ("\ufeffé", "invisible"), ("é\u00ad", "invisible"),
     ("\u202aé", "invisible"), ("é\u0085", "invisible"), ("é\t", "invisible"), ("é\u00a0", r"\xe9\xa0")],
)  # fmt: skip
def test_unicode_twins_are_other_ids(tmp_path, form, twin, shown):
    error = refusal(save(tmp_path, form, {"id": ["a", twin], "score": ["0.5", "0.5"]}), ids=["a", "\u00e9"])
    assert shown in str(error)
    assert r'there is no row for the id "\xe9"' in str(error)


@every_form
def test_duplicates_missing_and_extra_ids_come_back_at_once(tmp_path, form):
    error = refusal(save(tmp_path, form, {"id": ["a", "a", "c"], "score": ["0.5", "0.6", "2"]}))
    told = [(problem.line, problem.what) for problem in error.problems]
    assert [line for line, _ in told] == [place(form, 1), place(form, 2), place(form, 2), 0]
    assert f'"a" stood on {error.unit} {place(form, 0)} already' in told[0][1]
    assert any('"c" is not asked for' in what for _, what in told)
    assert any("score" in what for _, what in told)
    assert '"b"' in told[-1][1]


@every_form
def test_as_many_rows_as_ids_are_not_enough(tmp_path, form):
    error = refusal(save(tmp_path, form, {"id": ["a", "a"], "score": ["0.5", "0.5"]}))
    assert [problem.line for problem in error.problems] == [place(form, 1), 0]


@every_form
def test_an_id_without_text_is_refused(tmp_path, form):
    error = refusal(save(tmp_path, form, {"id": ["", "b"], "score": ["0.5", "0.5"]}))
    assert [problem.what for problem in error.problems] == ["the id is empty", 'there is no row for the id "a"']


@every_form
def test_the_order_of_the_rows_changes_nothing(tmp_path, form):
    one = read_predictions(save(tmp_path, form, {"id": ["a", "b"], "score": ["0.25", "0.75"]}), expected_ids=IDS)
    other = read_predictions(save(tmp_path, form, {"score": ["0.75", "0.25"], "id": ["b", "a"]}), expected_ids=IDS)
    assert one.equals(other)


@every_form
@pytest.mark.parametrize("header", ["ID", "Id", " id", "id ", "\u200bid", "ıd", "ＩＤ"])
def test_a_header_in_another_case_or_script_is_another(tmp_path, form, header):
    error = refusal(save(tmp_path, form, {header: ["a", "b"], "score": ["0.5", "0.5"]}))
    assert '"id"' in str(error)
    assert str(error).replace("—", "").isascii()


@pytest.mark.parametrize("name", ["p.csv", "p.csv.gz"])
def test_line_ends_and_byte_order_mark_change_nothing(tmp_path, name):
    pack = gzip.compress if name.endswith("gz") else bytes
    plain = read_predictions(written(tmp_path, pack(b"id,score\na,0.25\nb,0.75\n"), name), expected_ids=IDS)
    for content in (
        "id,score\r\na,0.25\r\nb,0.75\r\n",
        "id,score\ra,0.25\rb,0.75\r",
        "id,score\r\na,0.25\nb,0.75\r\n",
        "\ufeffid,score\na,0.25\nb,0.75",
        "\ufeffid,score\r\na,0.25\r\nb,0.75",
        '"id","score"\n"a","0.25"\n"b","0.75"\n',
        "score,id\n0.75,b\n0.25,a\n",
    ):
        found = read_predictions(written(tmp_path, pack(content.encode()), name), expected_ids=IDS)
        assert found.equals(plain), content
    lone = refusal(written(tmp_path, pack(b"id,score\ra,0.25\rb,x\r"), name))
    assert lone.problems[0].line == 3


@pytest.mark.parametrize("name", ["a\nb", "a\r", "a\0", "\x1b[31ma"])
def test_control_characters_in_a_parquet_id_are_refused(tmp_path, name):
    error = refusal(save(tmp_path, "parquet", {"id": [name, "b"], "score": ["0.5", "0.5"]}))
    assert "invisible" in str(error)
    assert len(str(error).splitlines()) == 6


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
        (b'id,score\n"a\r\nb",0.5\n', "several lines"),
        (b"id,score\na,0.5\n\n", "an empty line"),
        (b"id,score\na,0.5\nb,0.5\n\x1a", "1 cell where"),
        (b"\xef\xbb\xbf\xef\xbb\xbfid,score\na,0.5\n", 'no column "id"'),
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
@pytest.mark.parametrize("name", ["p.csv", "p.csv.gz"])
def test_csv_that_is_not_the_table_asked_for(tmp_path, content, told, name):
    error = refusal(written(tmp_path, gzip.compress(content) if name.endswith("gz") else content, name))
    assert told in str(error)
    assert str(tmp_path) in str(error)


def test_gzip_is_read_and_damage_is_told(tmp_path):
    good = gzip.compress(b"id,score\na,0.25\nb,0.75\n")
    assert read_predictions(written(tmp_path, good, "p.csv.gz"), expected_ids=IDS).height == 2
    assert read_predictions(written(tmp_path, good + b"\0\0", "p.csv.gz"), expected_ids=IDS).height == 2
    for bad in (good[:-6], good + b"garbage", b"id,score\na,0.5\n", b"", good[:10] + b"\xff" * 20):
        assert ("gzip" if bad else "empty") in str(refusal(written(tmp_path, bad, "p.csv.gz")))


def test_gzip_in_gzip_is_not_unpacked_twice(tmp_path):
    twice = gzip.compress(gzip.compress(b"id,score\na,0.5\nb,0.5\n"))
    assert "UTF-8" in str(refusal(written(tmp_path, twice, "p.csv.gz")))


@pytest.mark.parametrize("level", range(10))
def test_packed_text_under_another_name_is_not_unpacked(tmp_path, level):
    for packed in (zlib.compress(b"id,score\na,0.5\nb,0.5\n", level), gzip.compress(b"id,score\na,0.5\n", level)):
        refusal(written(tmp_path, packed))


@pytest.mark.parametrize("name", ["p.csv", "p.csv.gz", "p.parquet"])
def test_bombs_stop_at_the_cap(tmp_path, monkeypatch, name):
    monkeypatch.setattr(reading, "MAX_BYTES", 1_000_000)
    path = tmp_path / name
    if name.endswith("parquet"):
        pl.DataFrame({"id": ["x" * 40] * 50_000, "score": [0.5] * 50_000}).write_parquet(path)
    else:
        text = b"id,score\n" + b"a,0.5\n" * 500_000
        path.write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    assert path.stat().st_size < 20_000 or name == "p.csv"
    assert "more than 1,000,000 bytes" in str(refusal(path))


def test_a_parquet_bomb_of_lists_is_refused_by_its_schema(tmp_path):
    frame = pl.DataFrame({"id": ["a", "b"], "score": [0.5, 0.5]})
    bomb = frame.with_columns(more=pl.Series([[0] * 2_000_000, [1]]))
    bomb.write_parquet(tmp_path / "p.parquet")
    assert (tmp_path / "p.parquet").stat().st_size < 20_000
    assert "holds List(Int64)" in str(refusal(tmp_path / "p.parquet"))


@every_form
def test_too_many_rows_and_cells(tmp_path, monkeypatch, form):
    rows = {"id": list("abcdefg"), "score": ["0.5"] * 7}
    monkeypatch.setattr(reading, "MAX_ROWS", 3)
    error = str(refusal(save(tmp_path, form, rows)))
    assert "too many" in error or "more than 3 rows" in error
    monkeypatch.setattr(reading, "MAX_ROWS", 100)
    monkeypatch.setattr(reading, "MAX_CELLS", 9)
    error = str(refusal(save(tmp_path, form, rows)))
    assert "too many" in error or "more than 4 rows" in error
    monkeypatch.setattr(reading, "MAX_CELLS", 14)
    assert read_predictions(save(tmp_path, form, rows)).height == 7


@every_form
def test_huge_cells_and_rows(tmp_path, form):
    for columns in (
        {"id": ["a" * 5000, "b"], "score": ["0.5", "0.5"]},
        {"id": ["a", "b"], "score": ["0." + "5" * 5000, "0.5"]},
        {"id": ["é" * 4097, "b"], "score": ["0.5", "0.5"]},
        {"id": ["a", "b"], "score": ["0.5", "0.5"]} | {f"c{n}": ["", ""] for n in range(1000)},
    ):
        error = str(refusal(save(tmp_path, form, columns)))
        assert "field larger" in error or "characters" in error or "columns" in error
        assert len(error) < 2000
    found = read_predictions(save(tmp_path, form, {"id": ["é" * 4096], "score": ["0.5"]}))
    assert found["id"].to_list() == ["é" * 4096]


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
    assert "2 problems" in str(error)
    assert "5,000 of the 5,001 ids have no row" in str(error).splitlines()[2]


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ({"id": [1, 2], "score": [0.5, 0.5]}, '"id" holds Int64, not text'),
        ({"id": ["a", None], "score": [0.5, 0.5]}, "the id is empty"),
        ({"id": ["a", "b"], "score": [0.5, None]}, "the score is empty"),
        ({"id": ["a", "b"], "score": [0.5, float("nan")]}, "nan"),
        ({"id": ["a", "b"], "score": [0.5, float("inf")]}, "inf"),
        ({"id": ["a", "b"], "score": [True, False]}, '"score" holds Boolean, not numbers'),
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


@pytest.mark.parametrize("name", ["p.csv", "p.csv.gz", "p.parquet"])
def test_code_that_poses_as_a_table_is_never_run(tmp_path, name):
    class Trap:
        def __reduce__(self):
            return open, (str(tmp_path / "run"), "w")

    pickled = pickle.dumps(Trap())
    pickle.loads(pickled).close()
    assert (tmp_path / "run").exists()
    (tmp_path / "run").unlink()
    code = f"open({str(tmp_path / 'run')!r}, 'w')".encode()
    for content in (pickled, code, gzip.compress(pickled), b"#!/bin/sh\ntouch " + str(tmp_path / "run").encode()):
        refusal(written(tmp_path, content, name))
        assert not (tmp_path / "run").exists()


def test_a_file_that_the_system_will_not_read_is_told(tmp_path):
    path = tmp_path / "p.csv"
    path.symlink_to("/proc/self/mem")
    if not path.is_file():
        pytest.skip("this system has no such file")
    with pytest.raises(UnmaskError, match="cannot be read") as caught:
        read_predictions(path)
    assert caught.value.next_step


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


@every_form
@pytest.mark.parametrize("cell", ["2", "1.0", "", "fake", "True", "١", "１", " 1", "1 ", "+1", "01", "nan", "0\u200b"])
def test_labels_that_are_neither_0_nor_1_are_refused(tmp_path, form, cell):
    path = save(tmp_path, form, {"id": ["a", "b"], "label": ["1", cell]})
    with pytest.raises(TableError) as caught:
        read_answers(path)
    ((line, remedy),) = [(problem.line, problem.remedy) for problem in caught.value.problems]
    assert line == place(form, 1)
    assert remedy == "write 1 for fake, 0 for real"


@pytest.mark.parametrize("kind", [pl.Float64, pl.Boolean, pl.Date])
def test_labels_of_other_kinds_are_one_fault(tmp_path, kind):
    path = tmp_path / "k.parquet"
    pl.DataFrame({"id": ["a", "b"], "label": pl.Series([0, 1]).cast(kind)}).write_parquet(path)
    with pytest.raises(TableError, match="not 0 and 1") as caught:
        read_answers(path)
    assert len(caught.value.problems) == 1


def test_slices_of_any_plain_kind_become_text(tmp_path):
    day = pl.Series([dt.date(2020, 1, 1), None])
    frame = pl.DataFrame(
        {"id": ["a", "b"], "label": [0, 1], "n": [7, None], "x": [0.25, 1e-7], "day": day, "none": None}
    )
    path = tmp_path / "k.parquet"
    frame.write_parquet(path)
    key = read_answers(path)
    assert key.select("n", "x", "day", "none").rows() == [("7", "0.25", "2020-01-01", None), (None, "1e-7", None, None)]
    assert set(key.drop("label").dtypes) == {pl.String}


@pytest.mark.parametrize("odd", [pl.Series([2**30, 0], dtype=pl.Date), pl.Series([5, 0], dtype=pl.Duration("us"))])
def test_slices_that_cannot_be_told_as_text_are_a_fault(tmp_path, odd):
    path = tmp_path / "k.parquet"
    pl.DataFrame({"id": ["a", "b"], "label": [0, 1], "odd": odd}).write_parquet(path)
    with pytest.raises(TableError, match='the column "odd" holds'):
        read_answers(path)


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


def test_ids_without_a_row_are_told_as_one(tmp_path):
    error = refusal(written(tmp_path, "id,score\na,0.5\n"), ["a", *(f"missing{number}" for number in range(9))])
    assert len(error.told()) == 1
