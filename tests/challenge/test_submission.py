"""A submission is checked without its labels, and its scorecard is the plain scorer's."""

import polars as pl
import pytest

from unmask.challenge.folder import open_challenge
from unmask.challenge.submission import check_submission, score_submission
from unmask.scoring import score
from unmask.tables.errors import ChallengeError, TableError
from unmask.tables.hashing import sha256

from .conftest import answers_of


def turned(challenge, folder):
    """The same challenge with every label turned round and other parts."""
    folder.mkdir()
    key = pl.read_csv(challenge / "answers.csv")
    usage = pl.when(pl.col("usage") == "public").then(pl.lit("private")).otherwise(pl.lit("public"))
    key.with_columns(label=1 - pl.col("label"), usage=usage).reverse().write_csv(folder / "answers.csv")
    text = (challenge / "challenge.yaml").read_text()
    changed = text.replace(sha256(challenge / "answers.csv"), sha256(folder / "answers.csv"))
    (folder / "challenge.yaml").write_text(changed)
    (folder / "sample_submission.csv").write_bytes((challenge / "sample_submission.csv").read_bytes())
    assert open_challenge(folder).key["label"].sum() == 40
    return folder


@pytest.mark.parametrize(
    "content",
    ["id,score\nv040,nan\nv000,2\nv000,0.5\nnobody,0.1\n", "id,score,label\nv040,0.5,1\n", "",
     "id;score\n", 'id,score\n"v000,0.5\n', "id,score,reason\nv000,,no_face\n"],
)  # fmt: skip
def test_message_is_the_same_byte_for_byte_under_another_key(tmp_path, challenge, content):
    path = tmp_path / "mine.csv"
    path.write_text(content)
    messages = []
    for folder in (challenge, turned(challenge, tmp_path / "turned")):
        with pytest.raises(TableError) as caught:
            check_submission(folder, path)
        messages.append(str(caught.value).encode())
    assert messages[0] == messages[1]


def test_an_entrant_checks_with_the_sample_alone(tmp_path, challenge):
    folder = tmp_path / "handed-out"
    folder.mkdir()
    answers_of(0.5).write_csv(tmp_path / "mine.csv")
    with pytest.raises(ChallengeError, match=r"no sample_submission\.csv in handed-out"):
        check_submission(folder, tmp_path / "mine.csv")
    (folder / "sample_submission.csv").write_bytes((challenge / "sample_submission.csv").read_bytes())
    assert check_submission(folder, tmp_path / "mine.csv") == 120
    (tmp_path / "mine.csv").write_text("id,score\nv000,0.5\n")
    with pytest.raises(TableError, match='119 of the 120 ids have no row: "v001"'):
        check_submission(folder, tmp_path / "mine.csv")


def test_rows_without_an_answer_are_refused(tmp_path, challenge):
    frame = answers_of(0.5).with_columns(reason=pl.lit(None, dtype=pl.String))
    frame.write_parquet(tmp_path / "mine.parquet")
    with pytest.raises(TableError, match='"reason" is not asked for'):
        check_submission(challenge, tmp_path / "mine.parquet")


@pytest.mark.parametrize("usage", ["public", "private", "all"])
def test_scorecard_is_the_plain_scorers(tmp_path, challenge, usage):
    answers_of(0.4).write_csv(tmp_path / "mine.csv")
    card = score_submission(challenge, tmp_path / "mine.csv", usage=usage)
    key = open_challenge(challenge).key.filter(pl.lit(usage == "all") | (pl.col("usage") == usage))
    kept = answers_of(0.4).filter(pl.col("id").is_in(key["id"].to_list()))
    assert card.metrics == score(kept, key).metrics
    assert card.hashes["predictions"] == sha256(tmp_path / "mine.csv")


def test_unknown_usage(tmp_path, challenge):
    answers_of(0.4).write_csv(tmp_path / "mine.csv")
    with pytest.raises(ChallengeError, match="public, private, all"):
        score_submission(challenge, tmp_path / "mine.csv", usage="ignored")
