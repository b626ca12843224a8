"""``unmask score`` as a user runs it."""

import json

import numpy as np
import polars as pl
import pytest

from unmask.cli.main import main
from unmask.scoring.metrics import METRICS


@pytest.fixture
def files(tmp_path):
    labels = np.arange(60) % 2
    ids = [f"v{i}" for i in range(60)]
    scores = np.clip(np.random.default_rng(0).normal(0.3 + 0.4 * labels, 0.2), 0, 1)
    pl.DataFrame({"id": ids, "score": scores}).write_csv(tmp_path / "p.csv")
    pl.DataFrame({"id": ids, "label": labels, "split": "test"}).write_csv(tmp_path / "key.csv")
    return tmp_path


def test_scored(files, capsys):
    out = files / "out"
    arguments = [str(files / "p.csv"), str(files / "key.csv"), "--split", "test", "--out", str(out), "--seed", "3"]
    assert main(["score", *arguments, "--replicates", "50"]) == 0
    assert "ROC AUC" in capsys.readouterr().out
    card = json.loads((out / "scorecard.json").read_text())
    assert (card["seed"], card["replicates"]) == (3, 50)
    assert {path.name for path in out.iterdir()} == {"scorecard.json", "scorecard.html"}
    assert list(card["metrics"]) == list(METRICS)


def test_refused_with_all_faults_and_nothing_written(files, capsys):
    lines = (files / "p.csv").read_text().splitlines()
    lines[1:4] = ["v0,nan", "v1,7", "v5,0.5"]
    (files / "p.csv").write_text("\n".join(lines))
    before = sorted(files.iterdir())
    assert main(["score", str(files / "p.csv"), str(files / "key.csv"), "--out", str(files / "out")]) == 2
    told = capsys.readouterr().err
    assert all(word in told for word in ("nan", '"7"', '"v5"', '"v2"', "line 2", "next:"))
    assert "Traceback" not in told
    assert sorted(files.iterdir()) == before


def test_predictions_of_one_split_against_a_whole_manifest(files, capsys):
    key = pl.read_csv(files / "key.csv")
    train = pl.DataFrame({"id": [f"t{n}" for n in range(500)], "label": [0] * 500, "split": ["train"] * 500})
    pl.concat([key, train]).write_csv(files / "manifest.csv")
    arguments = ["score", str(files / "p.csv"), str(files / "manifest.csv")]
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert "1 problem in p.csv" in told
    assert 'no row for 500 of the 560 ids: those at hand are exactly those of the split "test"' in told
    assert "--split test" in told
    assert main([*arguments, "--split", "test", "--replicates", "10"]) == 0
    assert "intervals over 60 files" in capsys.readouterr().out


def test_a_key_without_splits_says_how_to_take_all_rows(files, capsys):
    (files / "key.csv").write_text("id,label\na,1\n")
    assert main(["score", str(files / "p.csv"), str(files / "key.csv"), "--split", "test"]) == 2
    told = capsys.readouterr().err
    assert 'no column "split"' in told
    assert "leave --split out" in told
    assert 'give --split ""' in told


@pytest.mark.parametrize(
    "arguments", [["nowhere.csv", "key.csv"], ["p.csv", "nowhere.csv"], ["p.csv", "key.csv", "--replicates", "0"],
                  ["p.csv", "key.csv", "--split", "train"], ["p.csv"]],
)  # fmt: skip
def test_mistakes_leave_with_2_and_one_message(files, capsys, monkeypatch, arguments):
    monkeypatch.chdir(files)
    assert main(["score", *arguments]) == 2
    told = capsys.readouterr().err
    assert told
    assert "Traceback" not in told


def test_help_has_an_example(capsys):
    assert main(["score", "--help"]) == 0
    assert "unmask score predictions.csv" in " ".join(capsys.readouterr().out.split())
