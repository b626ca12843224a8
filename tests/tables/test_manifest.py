"""Manifests: no path leaves its root, a moved root is followed, and what is written is read back."""

import polars as pl
import pytest

from unmask.tables.answers import read_answers
from unmask.tables.errors import TableError
from unmask.tables.manifest import media_path, read_manifest, stays_inside, write_manifest

ROW = {"id": "a", "path": "x/a.mp4", "media": "video", "label": 1, "split": "test", "dataset": "d"}


def frame(**changes):
    return pl.DataFrame([ROW | changes], schema_overrides={"label": pl.Int8})


@pytest.mark.parametrize("path", ["../a", "/etc/passwd", "a/../../b", "C:/x", "a\\b", "", "..", "C:\\x", "x/.."])
def test_path_that_leads_out_is_refused(tmp_path, path):
    assert not stays_inside(path)
    write_manifest(frame(path=path), tmp_path / "m.parquet")
    with pytest.raises(TableError, match="leads out"):
        read_manifest(tmp_path / "m.parquet")


@pytest.mark.parametrize("name", ["m.csv", "m.parquet"])
def test_round_trip_with_a_root_below_the_manifest(tmp_path, name):
    data = tmp_path / "data"
    write_manifest(frame(root=str(data), fps=25.0, license=None), tmp_path / name)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (tmp_path / name).rename(moved / name)
    found = read_manifest(moved / name)
    assert media_path(found.row(0, named=True)) == moved / "data" / "x/a.mp4"
    assert found["fps"].to_list() == [25.0]
    assert found["label"].dtype == pl.Int8
    assert read_manifest(moved / name, root=tmp_path)["root"].to_list() == [str(tmp_path)]


def test_all_faults_at_once(tmp_path):
    frame(media="film", split="dev", label=None).with_columns(label=pl.lit("2")).write_csv(tmp_path / "m.csv")
    with pytest.raises(TableError) as caught:
        read_manifest(tmp_path / "m.csv")
    assert [problem.what.split()[1] for problem in caught.value.problems] == ["label", "media", "split"]


def test_hidden_labels_are_allowed_in_a_manifest_and_not_in_a_key(tmp_path):
    write_manifest(frame(label=None), tmp_path / "m.parquet")
    assert read_manifest(tmp_path / "m.parquet")["label"].to_list() == [None]
    with pytest.raises(TableError, match="label is empty"):
        read_answers(tmp_path / "m.parquet", split="test")


def test_manifest_as_key(tmp_path):
    rows = [ROW, ROW | {"id": "b", "split": "train", "label": 0}, ROW | {"id": "c", "label": 0}]
    both = pl.DataFrame(rows).with_columns(
        source_id=pl.Series(["s", "s", None]), method=pl.Series(["swap", None, None])
    )
    write_manifest(both, tmp_path / "m.csv")
    key = read_answers(tmp_path / "m.csv", split="test")
    assert key["id"].to_list() == ["a", "c"]
    assert key["cluster"].to_list() == ["s", "c"]
    assert key["method"].to_list() == ["swap", None]
    assert key["usage"].to_list() == ["private", "private"]
    with pytest.raises(TableError, match="there are: test, train"):
        read_answers(tmp_path / "m.csv", split="validation")


@pytest.mark.parametrize(("people", "expected"), [(9, "source"), (10, "person")])
def test_people_are_the_clusters_where_there_are_enough(tmp_path, people, expected):
    rows = [
        ROW | {"id": f"{kind}{n}", "label": label, "source_id": f"source{n}", "subject_id": f"person{n % people}"}
        for label, kind in enumerate(("real", "fake"))
        for n in range(20)
    ]
    write_manifest(pl.DataFrame(rows), tmp_path / "m.csv")
    clusters = read_answers(tmp_path / "m.csv", split="test")["cluster"]
    assert clusters.n_unique() == {"source": 20, "person": people}[expected]
    assert all(cluster.startswith(expected) for cluster in clusters)


def test_a_cluster_column_is_always_obeyed(tmp_path):
    rows = [{"id": name, "label": n % 2, "cluster": "one", "subject_id": name} for n, name in enumerate("abcdef")]
    pl.DataFrame(rows).write_csv(tmp_path / "k.csv")
    assert read_answers(tmp_path / "k.csv")["cluster"].unique().to_list() == ["one"]


def test_further_columns_of_parquet_keep_their_kind(tmp_path):
    kinds = {"frames": pl.Int16, "seen": pl.Boolean, "day": pl.Date, "quality": pl.Float32, "camera": pl.String}
    made = frame(**dict.fromkeys(kinds)).with_columns(
        pl.lit(None).cast(kind).alias(name) for name, kind in kinds.items()
    )
    made.write_parquet(tmp_path / "m.parquet")
    found = read_manifest(tmp_path / "m.parquet")
    assert {name: found.schema[name] for name in kinds} == kinds


@pytest.mark.parametrize("seconds", [True, "x", "1_0", "٣"])
def test_seconds_that_are_no_number_are_refused(tmp_path, seconds):
    frame(duration_s=seconds).write_parquet(tmp_path / "m.parquet")
    with pytest.raises(TableError, match="duration_s"):
        read_manifest(tmp_path / "m.parquet")


@pytest.mark.parametrize("seconds", [2, 2.0, "2", "2.0", "2e0", None])
def test_seconds_are_numbers_or_nothing(tmp_path, seconds):
    frame(duration_s=seconds).write_parquet(tmp_path / "m.parquet")
    assert read_manifest(tmp_path / "m.parquet")["duration_s"].to_list() == [None if seconds is None else 2.0]
