"""``unmask calibrate``, and ``unmask score --policy`` behind it, as a user runs them."""

import json

import numpy as np
import polars as pl
import pytest

from tests.scoring.test_policy import toy
from unmask.cli.main import main
from unmask.scoring.policy_reading import read_policy


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    parts = [toy(split="validation"), toy(400, seed=1, split="test")]
    pl.concat([key for key, _ in parts]).with_columns(
        gender=pl.Series(["f", "m"] * 600)
    ).write_csv("manifest.csv")  # fmt: skip
    for (_, predictions), name in zip(parts, ("val.csv", "test.csv"), strict=True):
        predictions.write_csv(name)
    return tmp_path


FIT = ["calibrate", "val.csv", "manifest.csv", "--split", "validation"]
TEST = ["score", "test.csv", "manifest.csv", "--split", "test", "--policy", "policy.json", "--replicates", "20"]


def test_fitted_and_tested(folder, capsys):
    assert main([*FIT, "--method", "platt", "--fpr", "0.1", "--fpr", "0.05", "--prevalence", "0.01"]) == 0
    told = capsys.readouterr().out
    assert all(word in told for word in ("Log loss", "Brier", "raw score", "precision at 0.01", "wrote policy.json"))
    policy = read_policy("policy.json")
    assert [threshold.promised_fpr for threshold in policy.thresholds] == [0.1, 0.05]
    assert (policy.calibration.method, policy.prevalence) == ("platt", 0.01)
    assert main([*TEST, "--out", "out"]) == 0
    told = capsys.readouterr().out
    assert "Thresholds of the policy (platt)" in told
    assert "largest gap in FPR" in told
    card = json.loads((folder / "out" / "scorecard.json").read_text())
    assert card["policy"]["hash"] == policy.sha256
    assert card["policy"]["overlap"] == 0
    assert len(card["operating_points"]) == 2
    assert list(card["fairness"]) == ["gender"]
    assert "Thresholds of the policy" in (folder / "out" / "scorecard.html").read_text()


def test_the_same_files_give_the_same_bytes(folder):
    assert main([*FIT, "--out", "a/policy.json"]) == 0
    assert main([*FIT, "--out", "b.json"]) == 0
    assert (folder / "a" / "policy.json").read_bytes() == (folder / "b.json").read_bytes()


def test_usual_rates_are_tried_and_those_left_out_are_told(folder, capsys):
    assert main(FIT) == 0
    told = capsys.readouterr().out
    assert "not promised: a false positive rate of 0.01 needs 1,000 reals" in told
    assert [threshold.promised_fpr for threshold in read_policy("policy.json").thresholds] == [0.1]


def test_temperature_hints_at_platt_where_it_cannot_reach_the_mean(folder, capsys):
    frame = pl.read_csv("val.csv")
    odds = 2.0 * (frame["score"].clip(0.01, 0.99) / (1 - frame["score"].clip(0.01, 0.99)))
    frame.with_columns(score=odds / (1 + odds)).write_csv("val.csv")
    assert main(FIT) == 0
    assert "--method platt would bring the mean there" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "told"),
    [(["--fpr", "0.1", "--fpr", "0.01"], "0.01 needs 1,000 reals"), (["--fpr", "2"], "rates [2.0]"),
     (["--method", "isotonic"], "isotonic"), (["--prevalence", "0"], "prevalence"), (["--clip", "1"], "clip"),
     (["--split", "train"], "no row of the split")],
)  # fmt: skip
def test_refused_and_nothing_written(folder, capsys, more, told):
    before = sorted(folder.iterdir())
    assert main([*FIT, *more]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert "Traceback" not in said
    assert sorted(folder.iterdir()) == before


def test_a_whole_manifest_is_no_validation(folder, capsys):
    pl.concat([pl.read_csv("val.csv"), pl.read_csv("test.csv")]).write_csv("both.csv")
    assert main(["calibrate", "both.csv", "manifest.csv"]) == 2
    assert "splits test, validation" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [([*TEST, "--prevalence", "0.5"], "prevalence 0.5 is asked for, and the policy says 0.001"),
     ([*TEST, "--threshold", "0.5"], "threshold 0.5"), ([*TEST, "--clip", "0.1"], "clip 0.1"),
     ([*TEST, "--groups", "hair"], 'no column "hair"'), ([*TEST, "--policy", "none.json"], "no policy none.json"),
     ([*TEST, "--policy", "val.csv"], "not JSON"),
     ([*TEST[:1], "val.csv", "manifest.csv", "--split", "validation", *TEST[5:]], "very files that the policy")],
)  # fmt: skip
def test_scoring_is_refused_where_the_policy_does_not_fit(folder, capsys, arguments, told):
    assert main(FIT) == 0
    capsys.readouterr()
    assert main([*arguments, "--out", "out"]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert "next:" in said
    assert not (folder / "out").exists()


def test_groups_of_other_columns(folder, capsys):
    key = pl.read_csv("manifest.csv")
    key.with_columns(eyes=pl.Series(np.array(["blue", "brown"])[np.arange(key.height) // 3 % 2])).write_csv(
        "manifest.csv"
    )
    assert main([*[word for word in TEST if "policy" not in word], "--groups", "eyes"]) == 0
    told = capsys.readouterr().out
    assert "between groups of eyes" in told
    assert "between groups of gender" not in told


def test_help_has_an_example(capsys):
    assert main(["calibrate", "--help"]) == 0
    assert "unmask calibrate val" in " ".join(capsys.readouterr().out.split())
