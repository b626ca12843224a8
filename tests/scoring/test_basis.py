"""What intervals rest on, against counts made by hand."""

import json

import polars as pl
import pytest

from unmask.scoring import score
from unmask.scoring.basis import Basis
from unmask.tables.answers import read_answers


def key(people=None, sources=None, cluster=None, rows=40):
    """A key with ``rows`` reals and fakes; people and sources are dealt in turn to both."""
    columns = {"id": [f"v{n:03d}" for n in range(2 * rows)], "label": [0] * rows + [1] * rows}
    for name, count in (("subject_id", people), ("source_id", sources), ("cluster", cluster)):
        if count:
            columns[name] = [f"{name}{n % rows % count}" for n in range(2 * rows)]
    return read_answers(pl.DataFrame(columns))


@pytest.mark.parametrize(
    ("given", "told", "clusters", "people", "fewest"),
    [
        ({}, "80 files", {"file": 80}, None, 40),
        ({"people": 12}, "12 people", {"person": 12}, 12, 12),
        ({"people": 12, "sources": 40}, "12 people", {"person": 12}, 12, 12),
        ({"sources": 40}, "40 sources", {"source": 40}, None, 40),
        ({"people": 1, "sources": 40}, "40 sources, which show 1 person", {"source": 40}, 1, 1),
        ({"people": 3}, "80 files, which show 3 people", {"file": 80}, 3, 3),
        ({"people": 20, "cluster": 5}, "5 clusters, which show 20 people", {"cluster": 5}, 20, 5),
        ({"cluster": 1}, "1 cluster", {"cluster": 1}, None, 1),
    ],
)
def test_kinds_and_counts(given, told, clusters, people, fewest):
    basis = Basis.of(key(**given))
    assert (str(basis), basis.clusters, basis.people, basis.fewest) == (told, clusters, people, fewest)


def test_the_class_with_fewer_people_counts():
    rows = key(people=20).with_columns(
        subject_id=pl.when(pl.col("label") == 1).then(pl.lit("one")).otherwise("subject_id")
    )
    assert Basis.of(rows).fewest == 1
    assert Basis.of(rows.filter(pl.col("label") == 0)).fewest == 0


def test_rows_without_a_person_are_files_of_their_own():
    rows = key(people=20).to_dicts()
    frame = read_answers(pl.DataFrame([row | {"subject_id": None, "cluster": row["id"]} if n < 3 else row
                                       for n, row in enumerate(rows)]))  # fmt: skip
    basis = Basis.of(frame)
    assert basis.clusters == {"person": 20, "file": 3}
    assert str(basis) == "20 people and 3 files"


def test_a_real_that_is_its_own_source_is_a_source():
    frame = pl.DataFrame(
        {"id": ["a", "b", "c", "d"], "label": [0, 1, 0, 1], "source_id": [None, "a", "c", "c"]},
    )  # fmt: skip
    assert Basis.of(read_answers(frame)).clusters == {"source": 2}


def test_an_edited_key_that_was_read_once_tells_the_same(tmp_path):
    frame = key(people=12, sources=40)
    frame.write_csv(tmp_path / "key.csv")
    assert Basis.of(read_answers(tmp_path / "key.csv")) == Basis.of(frame)


def test_the_scorecard_counts_the_scored_rows_only():
    frame = key(people=20)
    gone = pl.col("subject_id") == "subject_id3"
    answers = frame.select("id", score=pl.when(gone).then(None).otherwise(0.5),
                           reason=pl.when(gone).then(pl.lit("no_face")))  # fmt: skip
    told = json.loads(score(answers, frame, replicates=5).to_json())
    assert told["clusters"] == {"person": 19}
    assert told["people"] == 19
