from __future__ import annotations

import pytest

from unmask.cli.main import main

HEAD = ["detector=spectrum", "detector.arguments.input_size=64", "detector.arguments.bands=16", "fit=head"]


def test_a_run(prepared, tmp_path, capsys):
    out = tmp_path / "run"
    assert main(["train", f"manifest={prepared.manifest}", f"store={prepared.store}", f"out={out}", *HEAD]) == 0
    assert f"model: {out}/model" in capsys.readouterr().out
    assert (out / "scorecard.html").is_file()


def test_a_sweep(prepared, tmp_path, capsys):
    given = [f"manifest={prepared.manifest}", f"store={prepared.store}", f"out={tmp_path}/s", *HEAD]
    assert main(["train", "-m", *given, "aggregation=mean,median"]) == 0
    assert all((tmp_path / "s" / name / "model" / "model.yaml").is_file() for name in "01")


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
    assert message in told
    assert "next:" in told
    assert "Traceback" not in told


def test_help_has_an_example(capsys):
    assert main(["train", "--help"]) == 0
    assert "unmask train manifest=manifest.parquet" in capsys.readouterr().out
