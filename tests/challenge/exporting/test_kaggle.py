"""The Kaggle bundle: its metric scores as ours, and entrants see no label."""

import ast
import inspect
import io
import json
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from pandas._libs.parsers import STR_NA_VALUES

from unmask.challenge.exporting.exporters import export
from unmask.challenge.exporting.kaggle import EMPTY
from unmask.challenge.folder import open_challenge
from unmask.challenge.submission import score_submission
from unmask.tables.errors import ChallengeError
from unmask.tables.hashing import sha256

from .conftest import redefine, spoilt, submissions, texts

#: Scores a submission as Kaggle does: rows aligned by id, one call a part, and tells what came in by import.
RUN = """
import importlib.util, json, sys
import pandas as pd
spec = importlib.util.spec_from_file_location("metric", sys.argv[1])
metric = importlib.util.module_from_spec(spec)
spec.loader.exec_module(metric)
solution, told = pd.read_csv(sys.argv[2]), []
for path in sys.argv[3:]:
    given = pd.read_csv(path)
    found = {}
    for part in ("Public", "Private"):
        rows = solution[solution["Usage"] == part].drop(columns="Usage").reset_index(drop=True)
        own = given.set_index("id").loc[rows["id"]].reset_index()
        found[part.lower()] = metric.score(rows, own, "id")
    told.append(found)
print(json.dumps([told, sorted(name for name in sys.modules if "unmask" in name)]))
"""


@pytest.fixture
def bundle(tmp_path, folder):
    notes = export(folder, "kaggle", tmp_path / "kaggle")
    assert any("tie-breakers" in note for note in notes)
    return tmp_path / "kaggle"


def load(bundle):
    space = {}
    exec(compile((bundle / "host" / "metric.py").read_text(), "metric.py", "exec"), space)
    return space


def frames(bundle, part="Private"):
    solution = pd.read_csv(bundle / "host" / "solution.csv")
    solution = solution[solution["Usage"] == part].drop(columns="Usage").reset_index(drop=True)
    return solution, pd.DataFrame({"id": solution["id"], "score": 0.5})


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss", "recall_at_budget", "log_wp_50pct", "ece_mass"])
def test_its_numbers_are_ours(tmp_path, folder, metric):
    redefine(folder, metric=metric, tie_breakers=())
    export(folder, "kaggle", tmp_path / "kaggle")
    bare = tmp_path / "bare"
    bare.mkdir()
    host = tmp_path / "kaggle" / "host"
    for name in ("metric.py", "solution.csv"):
        (host / name).rename(bare / name)
    (bare / "run.py").write_text(RUN)
    shell = [sys.executable, "-I", "run.py", "metric.py", "solution.csv", *submissions(folder)]
    done = subprocess.run(shell, capture_output=True, text=True, cwd=bare, timeout=300)
    assert done.returncode == 0, done.stderr
    found, ours = json.loads(done.stdout)
    assert not [name for name in ours if not name.startswith("__editable__")]
    for path, scores in zip(submissions(folder), found, strict=True):
        for part, score in scores.items():
            card = score_submission(folder, path, usage=part)
            assert math.isclose(score, card.metrics[metric].value, rel_tol=1e-12, abs_tol=1e-12)


def test_the_program_keeps_kaggles_rules(bundle, folder):
    text = (bundle / "host" / "metric.py").read_text()
    ast.parse(text, feature_version=(3, 7))
    score = load(bundle)["score"]
    signature = inspect.signature(score)
    assert list(signature.parameters) == ["solution", "submission", "row_id_column_name"]
    assert [each.annotation for each in signature.parameters.values()] == [pd.DataFrame, pd.DataFrame, str]
    assert signature.return_annotation is float
    assert "higher is better" in score.__doc__
    solution, submission = frames(bundle)
    before = solution.copy(), submission.copy()
    value = score(solution, submission, "id")
    assert type(value) is float
    assert value == 0.5
    pd.testing.assert_frame_equal(solution, before[0])
    pd.testing.assert_frame_equal(submission, before[1])


def test_scores_have_no_more_digits_than_are_shown(tmp_path, folder):
    redefine(folder, digits=3)
    export(folder, "kaggle", tmp_path / "kaggle")
    solution, submission = frames(tmp_path / "kaggle")
    submission["score"] = np.random.default_rng(0).random(len(submission))
    value = load(tmp_path / "kaggle")["score"](solution, submission, "id")
    assert value == round(value, 3)


def test_bad_submissions_are_told_to_participants(bundle):
    space = load(bundle)
    solution, submission = frames(bundle)
    good = submission.to_csv(index=False)
    for name, (text, part) in spoilt(good).items():
        given = pd.read_csv(io.StringIO(text))
        if name == "blank":  # which pandas reads as the number, before any metric sees it
            assert given["score"].dtype == float
            continue
        with pytest.raises(space["ParticipantVisibleError"]) as caught:
            space["score"](solution, given, "id")
        told = str(caught.value)
        assert len(told) <= 280
        assert {"huge": "inf", "empty": "nan"}.get(name, part) in told


@pytest.mark.parametrize(
    "column", [[True], ["0.5"] * 2 + [None], [1 + 2j], [object()], [pd.Timestamp("2030-01-01")], [float("nan")]]
)
def test_columns_that_are_no_numbers(bundle, column):
    space = load(bundle)
    solution, submission = frames(bundle)
    submission = submission.astype({"score": object})
    submission["score"] = (column * len(submission))[: len(submission)]
    with pytest.raises(space["ParticipantVisibleError"], match="is not a number"):
        space["score"](solution, submission, "id")


def test_columns_of_other_names(bundle):
    space = load(bundle)
    solution, submission = frames(bundle)
    for given in (submission.rename(columns={"score": "label"}), submission.assign(more=1), submission[["id"]]):
        with pytest.raises(space["ParticipantVisibleError"], match="the columns must be id and score"):
            space["score"](solution, given, "id")


def test_messages_do_not_depend_on_labels(bundle):
    space = load(bundle)
    solution, submission = frames(bundle)
    submission["score"] = 2
    messages = set()
    for labels in (solution["label"], 1 - solution["label"], 0 * solution["label"]):
        with pytest.raises(space["ParticipantVisibleError"]) as caught:
            space["score"](solution.assign(label=labels), submission, "id")
        messages.add(str(caught.value))
    assert len(messages) == 1


def test_one_class_is_no_number_and_told_to_the_host_alone(bundle):
    space = load(bundle)
    solution, submission = frames(bundle)
    with pytest.raises(space["Undefined"], match="there is no real") as caught:
        space["score"](solution.assign(label=1), submission, "id")
    assert not isinstance(caught.value, space["ParticipantVisibleError"])


def test_what_is_undefined_by_the_scores_is_told_to_the_participant(tmp_path, folder):
    redefine(folder, metric="precision_at_prevalence")
    export(folder, "kaggle", tmp_path / "kaggle")
    space = load(tmp_path / "kaggle")
    solution, submission = frames(tmp_path / "kaggle")
    with pytest.raises(space["ParticipantVisibleError"], match="nothing is called fake"):
        space["score"](solution, submission.assign(score=0.1), "id")


def test_the_solution_is_the_key(bundle, folder):
    key = open_challenge(folder).key.sort("id")
    assert (bundle / "host" / "solution.csv").read_text().startswith("id,Usage,label\n")
    found = pl.read_csv(bundle / "host" / "solution.csv", infer_schema=False)
    assert found["id"].to_list() == key["id"].to_list()
    assert found["Usage"].to_list() == key["usage"].str.to_titlecase().to_list()
    assert found["label"].to_list() == key["label"].cast(pl.String).to_list()


def test_entrants_see_no_label(bundle, folder):
    seen = texts(bundle / "entrants") | {f"pages/{name}": text for name, text in texts(bundle / "pages").items()}
    assert sorted(seen) == ["pages/evaluation.md", "pages/overview.md", "pages/rules.md", "sample_submission.csv"]
    sample = pl.read_csv(bundle / "entrants" / "sample_submission.csv", infer_schema=False)
    assert sample.columns == ["id", "score"]
    assert sample["id"].to_list() == sorted(open_challenge(folder).ids)
    assert set(sample["score"]) == {"0.5"}
    for text in seen.values():
        assert sha256(open_challenge(folder).answers) not in text
    assert "ROC AUC" in seen["pages/evaluation.md"]
    assert "higher is better" in seen["pages/evaluation.md"]


def test_ids_that_kaggle_reads_otherwise_are_refused(tmp_path, folder):
    assert EMPTY == STR_NA_VALUES

    def renamed(names):
        answers = folder / "answers.csv"
        key = pl.read_csv(answers, infer_schema=False)
        old = sha256(answers)
        ids = [*names, *(f"{number}" for number in range(1000, 1000 + key.height - len(names)))]
        key.with_columns(id=pl.Series(ids)).write_csv(answers)
        definition = folder / "challenge.yaml"
        definition.write_text(definition.read_text().replace(old, sha256(answers)))

    for names, told in ((["NA"], '"NA" as an empty cell'), (["007", "7"], "the same one")):
        renamed(names)
        with pytest.raises(ChallengeError, match=told):
            export(folder, "kaggle", tmp_path / "kaggle")
    renamed(["007", "seven", "7"])
    export(folder, "kaggle", tmp_path / "kaggle")


def test_nothing_is_written_over(bundle, folder):
    before = texts(bundle)
    with pytest.raises(ChallengeError, match="something at kaggle already"):
        export(folder, "kaggle", bundle)
    assert texts(bundle) == before


def test_the_readme_says_what_to_choose(bundle, folder):
    text = (bundle / "host" / "README.md").read_text()
    for part in ("Gesichter, 2030: «toy»", "higher is better", "5 submissions a day", "2030-01-05 12:00 UTC"):
        assert part in text
