from __future__ import annotations

import json
import re

import polars as pl
import pytest

from unmask.cli.main import main
from unmask.training.options import explained_keys, groups

HEAD = ["detector=spectrum", "detector.arguments.input_size=64", "detector.arguments.bands=16", "fit=head"]


def test_a_run(prepared, tmp_path, capsys):
    out = tmp_path / "run"
    assert main(["train", f"manifest={prepared.manifest}", f"store={prepared.store}", f"out={out}", *HEAD]) == 0
    assert f"model: {out}/model" in capsys.readouterr().out
    assert (out / "scorecard.html").is_file()


def test_a_run_that_is_refused_leaves_no_folder(prepared, tmp_path, capsys):
    out = tmp_path / "run"
    given = [f"manifest={prepared.manifest}", f"out={out}"]
    for wrong in ([f"store={tmp_path}"], [f"store={prepared.store}", "detector.arguments.architecture=none_such"]):
        assert main(["train", *given, *wrong]) == 2
        assert not out.exists(), capsys.readouterr().err


def test_a_sweep(prepared, tmp_path, capsys):
    given = [f"manifest={prepared.manifest}", f"store={prepared.store}", f"out={tmp_path}/s", *HEAD]
    assert main(["train", "-m", *given, "aggregation=mean,median"]) == 0
    assert all((tmp_path / "s" / name / "model" / "model.yaml").is_file() for name in "01")
    told = capsys.readouterr().out
    found = pl.read_csv(tmp_path / "s" / "sweep.csv")
    assert set(found["aggregation"]) == {"mean", "median"}
    for number, value, low, high in found.select("job", "test_auc", "test_auc_low", "test_auc_high").iter_rows():
        auc = json.loads((tmp_path / "s" / str(number) / "scorecard.json").read_text())["metrics"]["roc_auc"]
        assert (value, low, high) == pytest.approx((auc["value"], auc["low"], auc["high"]))
        assert re.search(rf"{value:.3f} +│ {low:.3f} to {high:.3f}", told)
    assert found["test_auc"].to_list() == sorted(found["test_auc"], reverse=True)


def test_a_sweep_whose_jobs_fail_in_part(prepared, tmp_path, capsys):
    given = [f"manifest={prepared.manifest}", f"store={prepared.store}", f"out={tmp_path}/s", *HEAD]
    command = ["train", "-m", *given, "aggregation=mean,max"]
    assert main(command) == 2
    out, err = capsys.readouterr()
    assert "failed" in out
    assert err.startswith("error: 1 of 2 jobs failed:\n  job 1: aggregation=max is not known")
    table = (tmp_path / "s" / "sweep.csv").read_text()
    found = pl.read_csv(tmp_path / "s" / "sweep.csv")
    assert found["job"].to_list() == [0, 1]
    assert found["error"][0] is None
    assert "aggregation=max" in found["error"][1]
    assert main(command) == 2  # now refused, and the table stays
    assert "holds a run" in capsys.readouterr().err
    assert (tmp_path / "s" / "sweep.csv").read_text() == table


def test_options_stand_anywhere(prepared, tmp_path):
    given = [f"manifest={prepared.manifest}", f"store={prepared.store}", f"out={tmp_path}/s", *HEAD]
    assert main(["train", *given, "-m", "seed=1,2", "test=false"]) == 0
    assert pl.read_csv(tmp_path / "s" / "sweep.csv")["seed"].to_list() == [1, 2]


def test_the_configuration_is_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--cfg", "job", "seed=41"]) == 0
    assert "seed: 41" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "manifest"),
        (["manifest=absent.parquet", "store=s"], "absent.parquet"),
        (["manifest=m", "store=s", "nose=1"], "nose"),
        (["manifest=m", "store=s", "detector=oracle"], "oracle"),
        (["manifest=m", "store=s", "detector=timm"], "backbone"),
        (["manifest=m", "store=s", "fit=neck"], "fit=neck"),
    ],
)
@pytest.mark.parametrize("sweep", [[], ["-m"]])
def test_errors_are_one_message(arguments, message, sweep, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *sweep, "out=o", *arguments]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert message in told
    assert "next:" in told
    assert "Traceback" not in told
    assert sweep or not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("arguments", [["-q"], ["--cfg"], ["--cfg", "nose"], ["-m", "--cfg", "job"]])
def test_wrong_options_are_told_by_the_command_itself(arguments, capsys):
    assert main(["train", *arguments]) == 2
    told = capsys.readouterr().err
    assert "__main__" not in told
    assert "--help" in told or "--cfg" in told


def test_help_has_an_example(capsys):
    assert main(["train", "--help"]) == 0
    assert "unmask train manifest=manifest.parquet" in capsys.readouterr().out


def test_help_lists_every_option_and_every_explained_key(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["train", "--help"]) == 0
    told = capsys.readouterr().out
    lines = [line.strip() for line in told.splitlines()]
    for group, options in groups().items():
        assert f" {group} {', '.join(options)} " in " ".join(told.split())
    for key in explained_keys():
        (line,) = (line for line in lines if line.startswith(f"{key.name} "))
        assert key.comment.split()[0] in line
    assert "--cfg job" in " ".join(lines)
