"""No message about predictions depends on a label: under two keys that differ in them alone, it is the same."""

import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from tests.tables.forms import FORMS, save
from unmask.scoring import score
from unmask.tables.answers import read_answers
from unmask.tables.errors import UnmaskError
from unmask.tables.predictions import read_predictions

IDS = ["a", "b", "c", "d", "é", "001", "1", "=x"]
CELLS = st.one_of(st.sampled_from(["0", "1", "0.5", "", "nan", "2", "0,5", "x", "٠", "1e400"]), st.text(max_size=3))
NAMES = st.one_of(st.sampled_from(IDS), st.sampled_from(["e\u0301", "A", "a\u200b", "", "z"]), st.text(max_size=3))
#: Mostly one row for each id, in some order and then spoilt.
ROWS = st.one_of(
    st.permutations(IDS).flatmap(lambda ids: st.tuples(*[st.tuples(st.just(name), CELLS) for name in ids]).map(list)),
    st.lists(st.tuples(NAMES, CELLS), max_size=10),
)
FILES = st.one_of(
    ROWS.map(lambda rows: "\n".join(["id,score", *map(",".join, rows)]).encode("utf-8", "surrogatepass")),
    ROWS.map(lambda rows: "\r\n".join(["filename,label", *map(",".join, rows)]).encode("utf-8", "surrogatepass")),
    ROWS.map(lambda rows: "\n".join(["id,frame,score", *(f"{a},{b},0.5" for a, b in rows)]).encode("utf-8", "replace")),
    st.binary(max_size=60),
)
LABELS = st.lists(st.sampled_from(["0", "1"]), min_size=len(IDS), max_size=len(IDS))
CASES = settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])


def key(folder, name, labels, splits):
    columns = {"id": IDS, "label": labels, "usage": ["public", "private"] * 4, "method": ["m", "n"] * 4}
    if splits:
        columns |= {"split": ["test"] * 6 + ["train"] * 2}
    (folder / name).mkdir(exist_ok=True)
    return save(folder / name, "plain", columns)


def message(path, answers):
    """What reading a submission says, or the rows that it gives."""
    try:
        return read_predictions(path, expected_ids=read_answers(answers)["id"]).rows()
    except UnmaskError as error:
        return str(error).encode()


def verdict(path, answers):
    """What scoring says, where it refuses."""
    try:
        score(path, answers, replicates=1)
    except UnmaskError as error:
        return str(error).encode()
    return b"scored"


@CASES
@given(content=FILES, labels=LABELS, others=LABELS)
def test_reading_says_the_same_under_any_labels(tmp_path, content, labels, others):
    path = tmp_path / "p.csv"
    path.unlink(missing_ok=True)  # some file systems take milliseconds to write over a file
    path.write_bytes(content)
    one, other = key(tmp_path, "one", labels, False), key(tmp_path, "other", others, False)
    assert message(path, one) == message(path, other)


@settings(CASES, max_examples=60)
@given(
    content=FILES, labels=st.permutations(["0", "1"] * 4), others=st.permutations(["0", "1"] * 4), splits=st.booleans()
)
def test_scoring_refuses_in_the_same_words_under_any_labels(tmp_path, content, labels, others, splits):
    path = tmp_path / "p.csv"
    path.unlink(missing_ok=True)  # some file systems take milliseconds to write over a file
    path.write_bytes(content)
    one, other = key(tmp_path, "one", labels, splits), key(tmp_path, "other", others, splits)
    assert verdict(path, one) == verdict(path, other)


@pytest.mark.parametrize("form", FORMS)
def test_faults_of_every_kind_in_every_form(tmp_path, form):
    columns = {"id": ["a", "a", "é", "e\u0301", "z", "1", "b\u200b"], "score": ["0", "1", "nan", "0.5", "2", "", "0,5"]}
    path = save(tmp_path, form, columns)
    flipped = [
        key(tmp_path, name, labels, False) for name, labels in (("one", ["0", "1"] * 4), ("other", ["1", "0"] * 4))
    ]
    one, other = (message(path, answers) for answers in flipped)
    assert one == other
    assert b"problems in" in one
    assert not pl.read_csv(flipped[0]).equals(pl.read_csv(flipped[1]))
