from __future__ import annotations

import polars as pl
import pytest

from tests.fakes.faces import portraits
from tests.fakes.media import make_picture
from unmask.cli.main import main
from unmask.detectors import build
from unmask.faces.prepare import default_settings
from unmask.faces.store import FaceStore
from unmask.inference.model_folder import ModelSpec, save_model


@pytest.fixture
def model(prepared, tmp_path):
    arguments: dict[str, object] = {"input_size": 64, "bands": 16}
    settings = FaceStore(prepared.store).settings
    save_model(tmp_path / "model", build("spectrum", **arguments), ModelSpec("spectrum", arguments, settings), "card")
    return tmp_path / "model"


def test_a_manifest_with_its_store(model, prepared, tmp_path, capsys):
    out, frames = tmp_path / "p.csv", tmp_path / "f.parquet"
    options = ["--split", "test", "--store", str(prepared.store), "--out", str(out), "--frames", str(frames)]
    assert main(["predict", str(model), str(prepared.manifest), *options]) == 0
    told = capsys.readouterr().out
    assert "11 of 12 files have a score" in told
    assert "no score, no_face: 1" in told
    found = pl.read_csv(out)
    assert found.columns == ["id", "score", "reason"]
    assert found["id"].to_list() == prepared.rows("test")["id"].to_list()
    assert pl.read_parquet(frames).columns == ["id", "frame", "score"]
    assert pl.read_parquet(frames)["id"].n_unique() == 11


def test_single_pictures_and_folders(model, tmp_path, capsys):
    (tmp_path / "me.jpg").write_bytes(portraits(1)[0].read_bytes())
    make_picture(tmp_path / "folder" / "nobody.jpg")
    out = tmp_path / "p.csv"
    assert main(["predict", str(model), str(tmp_path / "me.jpg"), "--out", str(out)]) == 0
    found = pl.read_csv(out)
    assert found.columns == ["id", "score"]
    assert found["id"].to_list() == ["me.jpg"]
    assert main(["predict", str(model), str(tmp_path / "folder"), str(tmp_path / "me.jpg"), "--out", str(out)]) == 0
    assert "1 of 2 files have a score" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model", "absent.mp4", "--out", "p.csv"], "absent.mp4"),
        (["absent", "x.jpg", "--out", "p.csv"], "no model here"),
        (["model", "x.jpg", "--out", "p.csv", "--store", "absent"], "no face store"),
        (["model", "x.jpg", "--out", "p.txt"], ".csv or .parquet"),
        (["model", "x.jpg", "--out", "p.csv", "--frames", "f.txt"], "f.txt"),
        (["model"], "INPUT"),
    ],
)
def test_errors_are_one_message(model, arguments, message, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    make_picture(tmp_path / "x.jpg")
    assert main(["predict", *arguments]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told
    assert not (tmp_path / "p.csv").exists()


def test_without_out_scores_are_printed(model, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    folder = tmp_path / "folder"
    face = folder / f"[b] {'long ' * 20}.jpg"
    make_picture(folder / "nobody.jpg")
    face.write_bytes(portraits(1)[0].read_bytes())
    (folder / "cut.mp4").write_bytes(b"hello" * 300)
    (folder / "phone.heic").write_bytes(b"x")
    assert main(["predict", str(model), str(folder), "--out", str(tmp_path / "p.csv")]) == 0
    capfd.readouterr()
    assert main(["predict", str(model), str(folder)]) == 0
    told, errors = capfd.readouterr()
    assert errors == ""
    assert not told.startswith("\n")
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in told.splitlines() if "│" in line]
    scores = dict(pl.read_csv(tmp_path / "p.csv").select("id", "score").iter_rows())
    assert cells == [
        [face.name, f"{scores[face.name]:.4f}"],
        ["cut.mp4", "none: damaged, or of a kind that is not read"],
        ["nobody.jpg", "none: no face was found"],
    ]
    assert "1 of 3 files have a score\n" in told
    assert "  no score, no_face: 1 (no face was found)\n" in told
    assert "  no score, unreadable: 1 (" in told
    passed_over = "passed over, ending of neither video, picture nor sound"
    assert f'  no score, {passed_over}: 1 (.heic 1), such as "phone.heic"\n' in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "model", "p.csv"]


def test_not_a_single_score_is_an_error(model, tmp_path, capfd):
    make_picture(tmp_path / "folder" / "nobody.jpg")
    (tmp_path / "folder" / "cut.mp4").write_bytes(b"hello" * 300)
    out, frames = tmp_path / "p.csv", tmp_path / "f.csv"
    assert main(["predict", str(model), str(tmp_path / "folder"), "--out", str(out), "--frames", str(frames)]) == 2
    told, errors = capfd.readouterr()
    assert told == ""
    assert errors.splitlines() == [
        "error: none of 2 files got a score, and nothing was written",
        "  no_face: 1 (no face was found)",
        "  unreadable: 1 (damaged, or of a kind that is not read)",
        "  where: nobody.jpg, cut.mp4",
        "  next:  give files in which a face can be seen; replace the files that cannot be read",
    ]
    assert not out.exists()
    assert not frames.exists()


def test_a_file_of_an_unknown_ending_is_tried_when_it_is_named(model, tmp_path, capsys):
    (tmp_path / "me").write_bytes(portraits(1)[0].read_bytes())
    assert main(["predict", str(model), str(tmp_path / "me")]) == 0
    assert "1 of 1 file has a score" in capsys.readouterr().out


def test_a_store_of_other_crops_is_refused(prepared, tmp_path, capsys):
    arguments: dict[str, object] = {"input_size": 64, "bands": 16}
    spec = ModelSpec("spectrum", arguments, default_settings(size=128, margin=1.7))
    save_model(tmp_path / "model", build("spectrum", **arguments), spec, "card")
    options = ["--store", str(prepared.store), "--out", str(tmp_path / "p.csv")]
    assert main(["predict", str(tmp_path / "model"), str(prepared.manifest), *options]) == 2
    told = capsys.readouterr().err
    assert "margin is 1.3 instead of 1.7" in told
    assert "size is 96 instead of 128" in told


def test_help_has_an_example(capsys):
    assert main(["predict", "--help"]) == 0
    assert "unmask predict run/model video.mp4" in capsys.readouterr().out
