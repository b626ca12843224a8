"""A new challenge: whole clusters on one side, both parts alike, files that are accepted as they are."""

import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import given, settings

from unmask.challenge.create import create
from unmask.challenge.folder import open_challenge
from unmask.challenge.parts import split_parts, torn_clusters
from unmask.challenge.review import check_challenge
from unmask.challenge.rules import PAGES
from unmask.challenge.submission import check_submission
from unmask.tables.errors import ChallengeError, TableError

from .conftest import make_manifest


def test_files_and_parts(challenge):
    made = check_challenge(challenge)
    names = {path.name for path in challenge.iterdir()}
    pages = {f"{page}.md" for page in PAGES}
    assert names == {"challenge.yaml", "answers.csv", "sample_submission.csv", "submissions"} | pages
    assert set(made.definition.pages.values()) == pages
    assert torn_clusters(made.key) == []
    assert made.key.filter(pl.col("usage") == "public").height == 48
    for method in ("swap", "blend"):
        assert made.key.filter((pl.col("method") == method) & (pl.col("usage") == "public")).height == 16
    assert check_submission(challenge, challenge / "sample_submission.csv") == 120


def test_order_of_the_rows_tells_nothing_but_the_ids(tmp_path, challenge):
    """Entrants know the seed: a drawn order could be turned back into the manifest's, where all reals stand first."""
    make_manifest().reverse().write_csv(tmp_path / "other.csv")
    other = create(tmp_path / "other", tmp_path / "other.csv", name="Toy").folder
    for name in ("sample_submission.csv", "answers.csv"):
        assert (challenge / name).read_bytes() == (other / name).read_bytes()
        ids = pl.read_csv(challenge / name)["id"].to_list()
        assert ids == sorted(ids)


def test_an_ignored_part_must_be_answered_and_counts_for_nothing(tmp_path, manifest):
    made = create(tmp_path / "c", manifest, public=0.4, ignored=0.2)
    counts = dict(made.key["usage"].value_counts().iter_rows())
    assert counts == {"public": 48, "ignored": 24, "private": 48}
    for method in ("swap", "blend"):
        ignored = made.key.filter((pl.col("method") == method) & (pl.col("usage") == "ignored"))
        assert ignored.height == 8
    assert torn_clusters(made.key) == []
    assert made.key.group_by("cluster").agg(pl.col("usage").n_unique())["usage"].max() == 1
    assert made.rows("all").height == 96
    assert check_submission(tmp_path / "c", tmp_path / "c" / "sample_submission.csv") == 120


@pytest.mark.parametrize("ignored", [-0.1, 0.6, 1.0])
def test_an_ignored_part_leaves_something(tmp_path, manifest, ignored):
    with pytest.raises(ChallengeError, match="ignored share"):
        create(tmp_path / "c", manifest, public=0.4, ignored=ignored)


def test_texts_that_are_there_stay(tmp_path, manifest):
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "rules.md").write_text("ours")
    create(tmp_path / "c", manifest)
    assert (tmp_path / "c" / "rules.md").read_text() == "ours"


def test_same_seed_same_challenge(tmp_path, manifest):
    files = [create(tmp_path / f"{i}", manifest, name="x", seed=seed) for i, seed in enumerate((1, 1, 2))]
    texts = [made.answers.read_bytes() for made in files]
    assert texts[0] == texts[1] != texts[2]


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 1), st.sampled_from(["a", "b", None])), min_size=4),
    st.floats(0.1, 0.9), st.integers(0, 99),
)  # fmt: skip
@settings(max_examples=100)
def test_no_cluster_is_torn_whatever_the_data(rows, public, seed):
    key = pl.DataFrame(
        {
            "id": [str(i) for i in range(len(rows))], "cluster": [f"c{row[0]}" for row in rows],
            "label": [row[1] for row in rows], "method": pl.Series([row[2] for row in rows], dtype=pl.String),
        }
    )  # fmt: skip
    try:
        parts = key.with_columns(usage=split_parts(key, public, seed))
    except ChallengeError:
        return
    assert torn_clusters(parts) == []
    for part in ("public", "private"):
        assert set(parts.filter(pl.col("usage") == part)["label"].to_list()) == {0, 1}


def test_refusals(tmp_path, manifest, challenge):
    with pytest.raises(ChallengeError, match="already"):
        create(challenge, manifest)
    for wrong in ({"public": 0.0}, {"public": 1.0}, {"public": float("nan")}, {"metric": "accuracy"}):
        with pytest.raises(ChallengeError):
            create(tmp_path / "new", manifest, **wrong)
    with pytest.raises(TableError, match="no row of the split"):
        create(tmp_path / "new", manifest, split="train")
    make_manifest(3).write_csv(tmp_path / "tiny.csv")
    with pytest.raises(ChallengeError, match="has no"):
        create(tmp_path / "new", tmp_path / "tiny.csv")
    assert not (tmp_path / "new").exists()


def test_check_finds_torn_clusters_missing_classes_and_a_bad_sample_at_once(challenge):
    from unmask.tables.hashing import sha256

    answers = challenge / "answers.csv"
    key = pl.read_csv(answers)
    usage = pl.when(pl.col("label") == 0).then(pl.lit("public")).otherwise(pl.lit("private"))
    key.with_columns(usage=usage).write_csv(answers)
    text = (challenge / "challenge.yaml").read_text().splitlines()
    text = [f"sha256: '{sha256(answers)}'" if line.startswith("sha256") else line for line in text]
    (challenge / "challenge.yaml").write_text("\n".join(text))
    (challenge / "sample_submission.csv").write_text("id,score\nnobody,0.5\n")
    with pytest.raises(ChallengeError) as caught:
        check_challenge(challenge)
    for told in ("public part has no fake", "private part has no real", "40 clusters are public and private", "nobody"):
        assert told in str(caught.value)


def test_another_answer_key_is_noticed(challenge):
    answers = challenge / "answers.csv"
    answers.write_text(answers.read_text().replace(",1,", ",0,", 1))
    with pytest.raises(ChallengeError, match="SHA-256 differs"):
        open_challenge(challenge)
    answers.unlink()
    with pytest.raises(ChallengeError, match=r"no file answers\.csv"):
        open_challenge(challenge)


def test_people_in_both_parts_are_warned_of(tmp_path):
    from unmask.challenge.review import find_warnings

    people = make_manifest().with_columns(subject_id=pl.Series([f"p{n % 4}" for n in range(120)]))
    few, many, named = (tmp_path / f"{name}.csv" for name in ("few", "many", "named"))
    people.write_csv(few)
    people.with_columns(subject_id="source_id").write_csv(many)
    people.with_columns(cluster="subject_id").write_csv(named)
    warning = find_warnings(create(tmp_path / "few", few))
    assert len(warning) == 1
    assert warning[0].startswith('4 people are in the public and in the private part: "p0", "p1", "p2", "p3"')
    assert find_warnings(create(tmp_path / "many", many)) == []
    assert find_warnings(create(tmp_path / "named", named)) == []
