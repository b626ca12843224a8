"""What people's own tools do to tables: Excel's separators and decimal commas, headers left out, the wrong split."""

import polars as pl
import pytest

from unmask.tables.answers import read_answers
from unmask.tables.errors import TableError
from unmask.tables.manifest import read_manifest
from unmask.tables.predictions import read_predictions


def faults(path, read=read_predictions, **asked):
    with pytest.raises(TableError) as caught:
        read(path, **asked)
    return [(problem.line, problem.what, problem.remedy) for problem in caught.value.problems]


def written(folder, content):
    path = folder / "x.csv"
    path.write_text(content)
    return path


@pytest.mark.parametrize(
    ("content", "sign", "comma"),
    [
        ("id;score\na;0,73\n", "';'", '"0,73"'),
        ('id;score\na;"0,73"\n', "';'", '"0,73"'),
        ("id;score\r\na;1\r\nb;1,5E-05\r\n", "';'", '"1,5E-05"'),
        ("a;0,73\nb;0,25\n", "';'", '"0,73"'),
        ("id\tscore\na\t0,73\n", "tabs", '"0,73"'),
        ("id;score\na;0.73\nb;1\n", "';'", None),
        ("id\tscore\na\t0.73\n", "tabs", None),
    ],
)
def test_other_separators_are_told_with_their_decimal_commas(tmp_path, content, sign, comma):
    ((line, what, remedy),) = faults(written(tmp_path, content))
    assert line == 1
    assert f"the columns are separated by {sign}" in what
    assert ("decimal commas" in what) == (comma is not None)
    assert comma is None or comma in what
    assert ("decimal point" in remedy) == (comma is not None)


def test_semicolons_in_an_answer_key_are_told_alike(tmp_path):
    ((_, what, _),) = faults(written(tmp_path, "id;label;weight\na;1;0,5\n"), read_answers)
    assert "';'" in what
    assert '"0,5"' in what


def test_a_comma_in_a_header_of_commas_is_no_decimal_comma(tmp_path):
    told = faults(written(tmp_path, "id,score;x\na,0.5\n"))
    assert any('"score;x"' in what for _, what, _ in told)


def test_decimal_commas_in_quotes_are_named_with_the_number_that_was_meant(tmp_path):
    told = faults(written(tmp_path, 'id,score\na,"0,73"\nb,"1,5"\nc,"1,000,000"\n'))
    assert [line for line, _, _ in told] == [2, 3, 4]
    assert "decimal comma" in told[0][1]
    assert "0.73" in told[0][2]
    assert "decimal comma" in told[1][1]
    assert "decimal comma" not in told[2][1]


def test_decimal_commas_without_quotes_are_guessed(tmp_path):
    told = faults(written(tmp_path, "id,score\na,0,73\nb,c,d\n"))
    assert told[0][:2] == (2, "3 cells where the header has 2")
    assert "decimal point" in told[0][2]
    assert "decimal point" not in told[1][2]


@pytest.mark.parametrize(
    ("content", "read", "header"),
    [
        ("a.mp4,0.73\nb.mp4,0.1\n", read_predictions, "id,score"),
        ("0.73,a.mp4\n", read_predictions, "id,score"),
        ('a.mp4,"0,73"\n', read_predictions, "id,score"),
        ("a.mp4,1,swap\n", read_answers, "id,label"),
        ("a,x/a.mp4,video,1,test,d\n", read_manifest, "id,path,media,label,split,dataset"),
    ],
)
def test_a_missing_header_is_one_fault(tmp_path, content, read, header):
    ((line, what, remedy),) = faults(written(tmp_path, content), read)
    assert line == 1
    assert "looks like data" in what
    assert "header is missing" in what
    assert header in remedy


def test_a_header_with_other_names_is_not_taken_for_data(tmp_path):
    told = faults(written(tmp_path, "name,p\na,0.5\n"))
    assert any('no column "id"' in what for _, what, _ in told)
    assert not any("looks like data" in what for _, what, _ in told)


SPLITS = {f"{split}{n:03d}": split for split, size in (("train", 300), ("validation", 100), ("test", 200))
          for n in range(size)}  # fmt: skip


def answered(ids, folder):
    path = folder / "p.csv"
    pl.DataFrame({"id": ids, "score": [0.5] * len(ids)}).write_csv(path)
    return path


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_rows_for_one_split_only_are_one_fault(tmp_path, split):
    path = answered([name for name, own in SPLITS.items() if own == split], tmp_path)
    ((line, what, remedy),) = faults(path, expected_ids=SPLITS, splits=SPLITS)
    missing = sum(own != split for own in SPLITS.values())
    assert line == 0
    assert f"no row for {missing} of the 600 ids" in what
    assert f'exactly those of the split "{split}"' in what
    assert f"--split {split}" in remedy


def test_rows_mostly_of_one_split_are_one_fault_beside_those_of_the_lines(tmp_path):
    test = [name for name, own in SPLITS.items() if own == "test"]
    path = answered([*test[:-3], "train000", "stranger"], tmp_path)
    told = faults(path, expected_ids=SPLITS, splits=SPLITS)
    assert len(told) == 2
    assert '"stranger" is not asked for' in told[0][1]
    assert 'no row for 402 of the 600 ids: those at hand are mostly those of the split "test"' in told[1][1]


@pytest.mark.parametrize("kept", [lambda n: n % 2, lambda n: n > 2, lambda n: n > 590, lambda n: n < 400])
def test_other_missing_ids_are_of_no_split(tmp_path, kept):
    ids = [name for n, name in enumerate(SPLITS) if kept(n)]
    told = faults(answered(ids, tmp_path), expected_ids=SPLITS, splits=SPLITS)
    missing = 600 - len(ids)
    if missing > 5:
        ((_, what, _),) = told
        assert what.startswith(f"{missing} of the 600 ids have no row: ")
    else:
        assert len(told) == missing
        assert all("there is no row for the id" in what for _, what, _ in told)


def test_one_split_alone_is_never_offered(tmp_path):
    splits = dict.fromkeys(SPLITS, "test")
    told = faults(answered(list(SPLITS)[3:], tmp_path), expected_ids=SPLITS, splits=splits)
    assert len(told) == 3
