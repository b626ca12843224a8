from __future__ import annotations

import pytest

from tests.fakes import BUILDERS
from tests.fakes.folder import PEOPLE
from unmask.cli.main import main
from unmask.datasets import ADAPTERS
from unmask.tables.manifest import read_manifest


@pytest.mark.parametrize("name", list(BUILDERS))
def test_every_dataset_from_the_command_line(name, tmp_path, capsys):
    made = BUILDERS[name](tmp_path / "data")
    out = tmp_path / "out" / "m.parquet"
    root = next((tmp_path / "data").glob("*.csv")) if name == "csv" else tmp_path / "data"
    assert main(["index", name, str(root), "--out", str(out)]) == 0
    assert dict(read_manifest(out).select("id", "label").iter_rows()) == {each.id: each.label for each in made}
    told = capsys.readouterr().out
    for word in (*set(read_manifest(out)["split"]), f"{len(made)} rows written"):
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
        (["dfcd", "data"], "dfdc_preview, dfdc"),
        (["dfdc", "data", "--hold-out", "x"], "--hold-out does not apply to dfdc"),
        (["dfdc", "absent"], "no such folder"),
        (["folder", "data"], "folder looks for real/ and fake/"),
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


def test_how_the_split_was_made_is_told_in_words_and_warned_of(tmp_path, capsys):
    BUILDERS["folder"](tmp_path / "data")
    assert main(["index", "folder", str(tmp_path / "data"), "--out", str(tmp_path / "m.csv")]) == 0
    lines = capsys.readouterr().out.splitlines()
    (split,) = [line for line in lines if line.startswith("split (")]
    assert split.startswith("split (train, validation, test): drawn with seed 0, about 70% train")
    (warning,) = [line for line in lines if line.startswith("warning: ")]
    assert "--subject-from folder" in warning
    options = ["--out", str(tmp_path / "m.csv"), "--subject-from", "folder"]
    assert main(["index", "folder", str(tmp_path / "data"), *options]) == 0
    told = capsys.readouterr().out
    assert "files of one subject stay together" in told
    assert "warning" not in told


def test_files_of_other_endings_are_told_by_ending(tmp_path, capsys):
    BUILDERS["folder"](tmp_path / "data")
    for name in ("a.heic", "b.HEIC", "[notes].txt"):
        (tmp_path / "data" / "real" / name).write_bytes(b"x")
    assert main(["index", "folder", str(tmp_path / "data"), "--out", str(tmp_path / "m.csv")]) == 0
    assert "left out (.heic 2, .txt 1), such as real/" in capsys.readouterr().out


def test_lines_are_not_broken(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    root = tmp_path / ("long" * 30)
    BUILDERS["faceforensics"](root)
    for name in ("train", "val", "test"):
        (root / f"{name}.json").unlink()
    assert main(["index", "faceforensics", str(root), "--out", str(root / "m.csv")]) == 0
    told = capsys.readouterr().out
    assert f"the official lists (train.json, val.json, test.json) were not found in {root} or" in told
    assert f"rows written to {root / 'm.csv'}" in told
    assert not told.startswith("\n")


def test_help_has_an_example(capsys):
    assert main(["index", "--help"]) == 0
    assert "Example: unmask index" in capsys.readouterr().out


def test_help_says_for_each_dataset_what_it_reads_and_which_options_it_takes(capsys):
    for _ in range(2):  # the second is no longer than the first
        assert main(["index", "--help"]) == 0
        told = "".join(capsys.readouterr().out.split())
        for name, adapter in ADAPTERS.items():
            assert told.count(f"{name}:{''.join(adapter.layout.split())}") == 1
        assert "metadata.csvwithpath,label.Options:--hold-out,--method-from,--seed,--subject-from" in told
        assert "eachwithitsmetadata.json.Options:--seed" in told
