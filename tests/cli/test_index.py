from __future__ import annotations

import pytest

from tests.fakes import BUILDERS
from tests.fakes.folder import PEOPLE
from unmask.cli.main import main
from unmask.tables.manifest import read_manifest


@pytest.mark.parametrize("name", list(BUILDERS))
def test_every_dataset_from_the_command_line(name, tmp_path, capsys):
    made = BUILDERS[name](tmp_path / "data")
    out = tmp_path / "out" / "m.parquet"
    assert main(["index", name, str(tmp_path / "data"), "--out", str(out)]) == 0
    assert dict(read_manifest(out).select("id", "label").iter_rows()) == {each.id: each.label for each in made}
    told = capsys.readouterr().out
    for word in ("train", "validation", "test", f"{len(made)} rows written"):
        assert word in told


def test_missing_and_odd_are_told(tmp_path, capsys):
    BUILDERS["faceforensics"](tmp_path / "data")
    (tmp_path / "data" / "val.json").unlink()
    (tmp_path / "data" / "train.json").unlink()
    (tmp_path / "data" / "test.json").unlink()
    (tmp_path / "data" / "original_sequences" / "youtube" / "c23" / "videos" / "._071.mp4").write_bytes(b"x")
    assert main(["index", "faceforensics", str(tmp_path / "data"), "--out", str(tmp_path / "m.csv")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "official lists" in told
    assert "1,000" in told
    assert "hidden" in told


def test_options_reach_the_adapter(tmp_path):
    BUILDERS["folder"](tmp_path / "data")
    options = ["--subject-from", "folder", "--hold-out", "eva", "--hold-out", "ben", "--seed", "4"]
    assert main(["index", "folder", str(tmp_path / "data"), "--out", str(tmp_path / "m.csv"), *options]) == 0
    manifest = read_manifest(tmp_path / "m.csv")
    assert set(manifest["subject_id"]) == set(PEOPLE)
    assert set(manifest["split_rule"]) == {"held out ben, eva; subject seed=4 0.85/0.15"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dfcd", "data"], "folder, faceforensics, celeb_df_v2, dfdc"),
        (["dfdc", "data", "--hold-out", "x"], "--hold-out does not apply to dfdc"),
        (["dfdc", "absent"], "no such folder"),
        (["folder", "data"], "no file of a folder was found"),
    ],
)
def test_errors_are_one_message_with_a_next_step(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    assert main(["index", *arguments, "--out", "m.parquet"]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "next:" in told
    assert "Traceback" not in told
    assert not (tmp_path / "m.parquet").exists()


def test_help_has_an_example(capsys):
    assert main(["index", "--help"]) == 0
    assert "Example: unmask index" in capsys.readouterr().out
