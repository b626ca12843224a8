"""Files appear whole or not at all."""

import polars as pl
import pytest

from unmask.tables.errors import UnmaskError
from unmask.tables.writing import replacing, write_table, write_text


def write_half(path):
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "x.csv"
    write_text("old", path)
    with pytest.raises(RuntimeError):
        write_half(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_parents_are_made_and_others_may_read(tmp_path):
    path = tmp_path / "deep" / "x.txt"
    write_text("é\n", path)
    assert path.read_bytes() == b"\xc3\xa9\n"
    assert path.stat().st_mode & 0o400


def test_unknown_ending(tmp_path):
    with pytest.raises(UnmaskError, match="cannot write"):
        write_table(pl.DataFrame({"a": [1]}), tmp_path / "x.xlsx")
    assert not list(tmp_path.iterdir())
