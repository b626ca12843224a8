"""Names of systems: short, and each another."""

import os
from pathlib import Path

import pytest

from unmask.scoring.comparison.names import unique_names
from unmask.tables.errors import UnmaskError


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a.csv", "b.csv.gz", "c.parquet", "D.CSV"], ["a", "b", "c", "D"]),
        (["one/predictions.csv", "two/predictions.csv", "two/other.csv"],
         ["one/predictions", "two/predictions", "other"]),
        (["x/run/p.csv", "y/run/p.csv", "y/jog/p.csv"], ["x/run/p", "y/run/p", "jog/p"]),
        (["a.csv", "a.parquet", "b.csv"], ["a.csv", "a.parquet", "b"]),
        (["v1.2.csv", "v1.3.csv"], ["v1.2", "v1.3"]),
    ],
)  # fmt: skip
def test_as_short_as_they_can_be(paths, names):
    assert unique_names([Path("/data") / path for path in paths]) == names


def test_a_file_in_the_folder_where_one_works(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    assert unique_names([Path("p.csv"), Path("../p.csv")]) == ["mine/p", f"{tmp_path.name}/p"]


@pytest.mark.parametrize("again", ["a.csv", "./a.csv", "../{here}/a.csv"])
def test_a_file_that_is_given_twice(again, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnmaskError, match=r"a\.csv is given 2 times"):
        unique_names([Path("a.csv"), Path("b.csv"), Path(again.format(here=tmp_path.name))])


def test_what_does_not_print_is_escaped():
    paths = [Path(os.fsdecode(b"a\xff.csv")), Path("b\u200bc.csv"), Path("d\n.csv")]
    assert unique_names(paths) == ["a\\xff", "b\\u200bc", "d\\n"]
