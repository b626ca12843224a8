"""``unmask compare`` as a user runs it."""

import json

import numpy as np
import polars as pl
import pytest

from unmask.cli.main import main


@pytest.fixture
def files(tmp_path, monkeypatch):
    labels = np.arange(90) % 2
    ids = [f"v{i}" for i in range(90)]
    random = np.random.default_rng(0)
    for name, quality in (("good", 0.5), ("fair", 0.2), ("poor", 0.0)):
        scores = np.clip(random.normal(0.5 + quality * (labels - 0.5), 0.2), 0, 1)
        pl.DataFrame({"id": ids, "score": scores}).write_csv(tmp_path / f"{name}.csv")
    pl.DataFrame({"id": ids, "label": labels, "split": "test"}).write_csv(tmp_path / "key.csv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def test_compared(files, capsys):
    arguments = ["key.csv", "poor.csv", "good.csv", "fair.csv", "--split", "test", "--seed", "3"]
    assert main(["compare", *arguments, "--out", "out", "--replicates", "200"]) == 0
    said = capsys.readouterr().out
    assert said.index("good") < said.index("fair") < said.index("poor")
    assert "wrote out/comparison.json and out/comparison.html" in said
    assert "cross-check: DeLong" in said
    assert {path.name for path in (files / "out").iterdir()} == {"comparison.json", "comparison.html"}
    told = json.loads((files / "out" / "comparison.json").read_text())
    assert (told["seed"], told["replicates"], told["metric"]) == (3, 200, "roc_auc")
    assert [system["name"] for system in told["systems"]] == ["good", "fair", "poor"]
    for system in told["systems"]:
        assert f"{system['value']:.4f}" in said


def test_by_another_metric_with_its_settings(files, capsys):
    assert main(["compare", "key.csv", "good.csv", "poor.csv", "--metric", "log_loss", "--clip", "0.01",
                 "--confidence", "0.9", "--replicates", "50", "--out", "out"]) == 0  # fmt: skip
    said = capsys.readouterr().out
    assert "Log loss, lower is better" in said
    assert "90 % interval" in said
    assert "DeLong" not in said
    told = json.loads((files / "out" / "comparison.json").read_text())
    assert (told["clip"], told["alpha"], told["direction"]) == (0.01, 0.1, "lower")


def test_what_is_left_out_and_who_has_no_value_is_told(files, capsys):
    frame = pl.read_csv(files / "fair.csv")
    gone = pl.col("id").is_in(["v1", "v2"])
    frame.with_columns(
        score=pl.when(gone).then(None).otherwise(pl.col("score") * 0.1), reason=pl.when(gone).then(pl.lit("no_face"))
    ).write_csv(files / "fair.csv")
    assert main(["compare", "key.csv", "good.csv", "fair.csv", "--metric", "precision_at_prevalence"]) == 0
    said = capsys.readouterr().out
    assert "note: 2 of 90 ids are left out for all" in said
    assert "fair: nothing is called fake at the threshold" in said


def test_refused_with_all_faults_of_all_files_and_nothing_written(files, capsys):
    for name, wrong in (("good", "v0,nan"), ("poor", "v0,7")):
        lines = (files / f"{name}.csv").read_text().splitlines()
        (files / f"{name}.csv").write_text("\n".join([lines[0], wrong, *lines[2:]]))
    before = sorted(files.iterdir())
    assert main(["compare", "key.csv", "good.csv", "fair.csv", "poor.csv", "--out", "out"]) == 2
    said = capsys.readouterr().err
    assert all(word in said for word in ("2 files", "good.csv", "nan", "poor.csv", '"7"', "line 2", "next:"))
    assert "Traceback" not in said
    assert sorted(files.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [["key.csv", "good.csv"], ["key.csv", "good.csv", "good.csv"], ["key.csv", "good.csv", "nowhere.csv"],
     ["nowhere.csv", "good.csv", "fair.csv"], ["key.csv", "good.csv", "fair.csv", "--metric", "accuracy"],
     ["key.csv", "good.csv", "fair.csv", "--confidence", "1"], ["key.csv", "good.csv", "fair.csv", "--split", "train"],
     ["key.csv"]],
)  # fmt: skip
def test_mistakes_leave_with_2_and_one_message(files, capsys, arguments):
    assert main(["compare", *arguments, "--out", "out"]) == 2
    said = capsys.readouterr().err
    assert said
    assert "Traceback" not in said
    assert not (files / "out").exists()


def test_help_has_an_example(capsys):
    assert main(["compare", "--help"]) == 0
    assert "unmask compare manifest.parquet ours.csv" in " ".join(capsys.readouterr().out.split())
