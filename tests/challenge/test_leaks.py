"""The hidden files of a challenge among the rows of a manifest."""

import polars as pl
import pytest

from tests.challenge.conftest import make_manifest
from unmask.challenge.create import create
from unmask.challenge.folder import NAMES
from unmask.challenge.leaks import hidden_files
from unmask.tables.errors import ChallengeError, TableError


def listed(**columns):
    """The rows of the challenge's own manifest, as an audit reads them."""
    return make_manifest().with_columns(subject_id=pl.lit(None, pl.String), **columns)


def made(tmp_path, manifest, **options):
    return create(tmp_path / "made", manifest, name="Toy", **options)


def by_name(rows):
    return {row["name"]: row for row in rows.iter_rows(named=True)}


def test_each_id_gets_its_row_and_the_key_says_label_and_cluster(tmp_path, manifest):
    challenge = made(tmp_path, manifest)
    more = listed().head(3).with_columns(id="id" + pl.lit(" train"), split=pl.lit("train"))
    found = by_name(hidden_files(challenge, pl.concat([more, listed().reverse()]), "m.csv"))
    assert list(found) == sorted(challenge.ids)
    key = {row["id"]: row for row in challenge.key.iter_rows(named=True)}
    for name, row in found.items():
        assert (row["id"], row["path"]) == (name, f"{name}.mp4")
        assert [row[column] for column in ("label", "cluster", "usage")] == [
            key[name][column] for column in ("label", "cluster", "usage")
        ]


def test_files_may_be_called_by_their_original_ids_or_by_the_new_ones(tmp_path, manifest):
    challenge = made(tmp_path, manifest, new_ids=True)
    by_original = hidden_files(challenge, listed(), "m.csv")
    original = dict(pl.read_csv(challenge.folder / NAMES).select("id", "original_id").iter_rows())
    assert {row["name"]: row["id"] for row in by_original.iter_rows(named=True)} == original
    labels = dict(make_manifest().select("id", "label").iter_rows())
    assert {row["id"]: row["label"] for row in by_original.iter_rows(named=True)} == labels

    handed_out = listed(id=pl.Series([{old: new for new, old in original.items()}[name] for name in labels]))
    by_new = hidden_files(challenge, handed_out, "m.csv")
    assert by_new["id"].equals(by_new["name"])
    columns = ["name", "path", "label", "cluster"]
    assert by_new.select(columns).equals(by_original.select(columns))


def test_the_key_fills_people_and_sources_that_the_manifest_does_not_know(tmp_path, manifest):
    challenge = made(tmp_path, manifest)
    known = dict(make_manifest().select("id", "source_id").iter_rows())
    empty = hidden_files(challenge, listed(source_id=pl.lit(None, pl.String)), "m.csv")
    assert dict(empty.select("name", "source_id").iter_rows()) == known
    own = hidden_files(challenge, listed(source_id=pl.lit("own")), "m.csv")
    assert own["source_id"].unique().to_list() == ["own"]
    assert not any(column.endswith("_of_key") for column in own.columns)


def test_the_manifests_own_labels_stay_beside_the_keys(tmp_path, manifest):
    challenge = made(tmp_path, manifest)
    turned = listed(label=pl.lit(1, pl.Int8))
    found = hidden_files(challenge, turned, "m.csv")
    assert found["listed_label"].unique().to_list() == [1]
    assert dict(found.select("name", "label").iter_rows()) == dict(make_manifest().select("id", "label").iter_rows())


def test_ids_without_a_row_or_with_two_are_refused_together(tmp_path, manifest):
    challenge = made(tmp_path, manifest, new_ids=True)
    new, old = next(pl.read_csv(challenge.folder / NAMES).select("id", "original_id").iter_rows())
    rows = listed()
    lost = [name for name in rows["id"].to_list() if name != old][:11]
    short = rows.filter(~pl.col("id").is_in(lost))
    double = pl.concat([short, short.filter(id=old).with_columns(id=pl.lit(new))])
    with pytest.raises(ChallengeError) as refused:
        hidden_files(challenge, double, tmp_path / "hidden.parquet")
    told = str(refused.value)
    assert "2 problems in hidden.parquet" in told
    assert "11 of 120 ids of the answer key have no row" in told
    assert " ..." in told
    assert f'1 of 120 ids of the answer key have two rows, by their original id and by their own: "{new}"' in told


def test_rows_that_the_key_ignores_are_files_too(tmp_path, manifest):
    challenge = made(tmp_path, manifest)
    ignored = challenge.key.with_columns(
        usage=pl.when(pl.col("id") == "v000").then(pl.lit("ignored")).otherwise("usage")
    )
    challenge = type(challenge)(challenge.folder, challenge.definition, ignored)
    found = by_name(hidden_files(challenge, listed(), "m.csv"))
    assert [name for name, row in found.items() if row["usage"] == "ignored"] == ["v000"]


def test_a_broken_list_of_names_is_refused_with_its_faults(tmp_path, manifest):
    challenge = made(tmp_path, manifest, new_ids=True)
    (challenge.folder / NAMES).write_text("id,original\na,b\n")
    with pytest.raises(TableError, match="original_id"):
        hidden_files(challenge, listed(), "m.csv")
    (challenge.folder / NAMES).write_text("id,original_id\na,b\na,c\n")
    with pytest.raises(TableError, match="line 3"):
        hidden_files(challenge, listed(), "m.csv")
