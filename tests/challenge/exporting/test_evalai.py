"""The EvalAI bundle: unpacked into a bare folder and called as its worker calls it."""

import ast
import json
import math
import zipfile

import polars as pl
import pytest
import yaml

from unmask.challenge.exporting.exporters import export
from unmask.challenge.folder import open_challenge
from unmask.challenge.submission import score_submission
from unmask.tables.errors import ChallengeError

from .conftest import BROKEN, PYTHONS, redefine, run, spoilt, submissions, texts, unpack

#: The worker makes a package of the script, imports it and calls ``evaluate`` with a codename and further keywords.
RUN = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
challenge = importlib.import_module("challenge_data.challenge_1")
print(json.dumps(challenge.evaluate(sys.argv[2], sys.argv[3], "phase_1", submission_metadata={"id": 1})))
"""


@pytest.fixture
def bundle(tmp_path, folder):
    export(folder, "evalai", tmp_path / "bundle.zip")
    return unpack(tmp_path / "bundle.zip", tmp_path / "bundle")


def evaluate(bundle, place, submission, python):
    script = place / "challenge_data" / "challenge_1"
    if not script.exists():
        script.mkdir(parents=True)
        (script.parent / "__init__.py").touch()
        unpack(bundle / "evaluation_script.zip", script)
        (place / "run.py").write_text(RUN)
    done = run(python, "run.py", place, bundle / "annotations" / "answers.csv", submission, cwd=place)
    return done, json.loads(done.stdout) if done.returncode == 0 else None


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("metric", ["roc_auc", "brier", "min_dcf"])
def test_its_numbers_are_ours(tmp_path, folder, python, metric):
    redefine(folder, metric=metric, tie_breakers=("f1",))
    export(folder, "evalai", tmp_path / "bundle.zip")
    bundle = unpack(tmp_path / "bundle.zip", tmp_path / "bundle")
    for path in submissions(folder):
        done, found = evaluate(bundle, tmp_path / "bare", path, python)
        assert done.stderr == ""
        assert [list(part) for part in found["result"]] == [["public"], ["private"]]
        for part in found["result"]:
            ((usage, numbers),) = part.items()
            card = score_submission(folder, path, usage=usage)
            assert list(numbers) == [metric, "f1"]
            for name, value in numbers.items():
                assert math.isclose(value, card.metrics[name].value, rel_tol=1e-12, abs_tol=1e-12)


def test_what_participants_read_has_no_private_number(tmp_path, bundle, folder):
    done, found = evaluate(bundle, tmp_path / "bare", submissions(folder)[0], PYTHONS[0])
    assert found["submission_result"] == found["result"][0]
    private = found["result"][1]["private"]["roc_auc"]
    assert str(private) not in json.dumps(found["submission_result"]) + done.stderr


def test_bad_submissions_fail_with_a_reason(tmp_path, bundle, folder):
    cases = {name: (text.encode(), part) for name, (text, part) in spoilt(submissions(folder)[0].read_text()).items()}
    cases |= {name: (data, "Refused") for name, data in BROKEN.items()}
    for name, (data, part) in cases.items():
        (tmp_path / "mine.csv").write_bytes(data)
        done, found = evaluate(bundle, tmp_path / "bare", tmp_path / "mine.csv", PYTHONS[0])
        assert found is None, name
        assert done.returncode == 1
        assert part in done.stderr
        assert "Refused" in done.stderr


def test_one_class_is_no_number_and_tells_no_label(tmp_path, bundle, folder):
    path = bundle / "annotations" / "answers.csv"
    key = pl.read_csv(path, infer_schema=False)
    path.write_text(key.with_columns(pl.col("label").replace({"0": "1"})).write_csv())
    done, found = evaluate(bundle, tmp_path / "bare", submissions(folder)[0], PYTHONS[0])
    assert found is None
    assert "tell the organizers" in done.stderr
    assert "there is no real" not in done.stderr


def test_the_configuration_is_whole(bundle, folder):
    told = yaml.safe_load((bundle / "challenge_config.yaml").read_text())
    assert [name for name in texts(bundle) if name.endswith((".yaml", ".yml"))] == ["challenge_config.yaml"]
    assert 0 < len(told["title"]) <= 100
    named = ["description", "evaluation_details", "terms_and_conditions", "submission_guidelines"]
    for name in [*(told[key] for key in named), *(phase["description"] for phase in told["challenge_phases"])]:
        assert name.endswith(".html")
        assert (bundle / name).read_text().strip()
    assert told["evaluation_script"].endswith(".zip")
    assert (bundle / told["image"]).is_file()
    with zipfile.ZipFile(bundle / told["evaluation_script"]) as archive:
        assert archive.namelist() == ["__init__.py", "main.py"]
        ast.parse(archive.read("main.py").decode(), feature_version=(3, 7))
    (leaderboard,) = told["leaderboard"]
    assert leaderboard["schema"]["labels"] == ["roc_auc", "log_loss"]
    assert leaderboard["schema"]["default_order_by"] == "roc_auc"
    assert leaderboard["schema"]["metadata"]["log_loss"]["sort_ascending"] is True
    phases, splits = told["challenge_phases"], told["dataset_splits"]
    assert len({phase["codename"] for phase in phases}) == len(phases)
    for phase in phases:
        assert told["start_date"] <= phase["start_date"] < phase["end_date"] <= told["end_date"]
        assert (bundle / phase["test_annotation_file"]).is_file()
        assert 1 <= phase["max_submissions_per_day"] <= phase["max_submissions"]
    assert [split["codename"] for split in splits] == ["public", "private"]
    numbers = {split["id"]: split["codename"] for split in splits}
    seen = {numbers[each["dataset_split_id"]]: each["visibility"] for each in told["challenge_phase_splits"]}
    assert seen == {"public": 3, "private": 1}
    assert all(each["is_leaderboard_order_descending"] for each in told["challenge_phase_splits"])


def test_pages_are_html_without_scripts(bundle):
    assert "<em>fakes</em>" in (bundle / "templates" / "description.html").read_text()
    assert "<table>" in (bundle / "templates" / "evaluation_details.html").read_text()
    assert "<script" not in (bundle / "templates" / "terms_and_conditions.html").read_text()


def test_entrants_see_no_label(bundle, folder):
    key = open_challenge(folder).key
    for name, text in texts(bundle).items():
        if name != "annotations/answers.csv":
            assert not any(identity in text for identity in key["id"]), name
    with zipfile.ZipFile(bundle / "evaluation_script.zip") as archive:
        assert not any(identity in archive.read("main.py").decode() for identity in key["id"])


def test_no_phases(tmp_path, folder):
    redefine(folder, phases=())
    with pytest.raises(ChallengeError, match="EvalAI needs to know when teams may submit"):
        export(folder, "evalai", tmp_path / "bundle.zip")
