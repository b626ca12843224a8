"""``unmask faces`` as a user runs it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image

from tests.fakes.stores import crop, make_store, without
from unmask.cli.main import main
from unmask.faces.stats import measure
from unmask.faces.store import FaceStore

NAME = "real/Anna & Bob ü.mp4"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to run commands in, with a store and its manifest."""
    rows = [crop(NAME, frame, track) for track in range(2) for frame in range(6)]
    make_store(tmp_path / "store", rows, [without("fake/1.mp4", "unreadable"), crop("fake/2.mp4", 3)])
    lines = [
        f'"{NAME}",a.mp4,video,0,train,x,',
        "fake/1.mp4,b.mp4,video,1,test,x,swap",
        "new,c.mp4,video,1,test,x,swap",
    ]
    (tmp_path / "m.csv").write_text("\n".join(["id,path,media,label,split,dataset,method", *lines, ""]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return main(["faces", *map(str, arguments)])


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_sheet_in_the_current_folder(place, capsys):
    assert run("show", "store", NAME) == 0
    assert capsys.readouterr().out == "wrote real_Anna_Bob_ü.mp4.png: 1 file, 12 crops\n"
    with Image.open(place / "real_Anna_Bob_ü.mp4.png") as sheet:
        assert (sheet.format, sheet.mode) == ("PNG", "RGB")
        assert sheet.height > 2 * 144


def test_a_sheet_with_a_name_one_track_and_landmarks(place, capsys):
    assert run("show", "store", NAME, "fake/1.mp4", "fake/2.mp4", "--track", 1, "--out", "deep/er/sheet.PNG") == 0
    assert capsys.readouterr().out.splitlines() == [
        "wrote deep/er/sheet.PNG: 3 files, 6 crops",
        "  without a crop, fake/1.mp4: unreadable (damaged, or of a kind that is not read)",
        "  without a crop, fake/2.mp4: no crop of track 1",
    ]
    assert run("show", "store", NAME, "--out", "plain.png") == 0
    assert run("show", "store", NAME, "--out", "marked.png", "--landmarks") == 0
    plain, marked = (np.asarray(Image.open(place / name)) for name in ("plain.png", "marked.png"))
    assert plain.shape == marked.shape
    assert 12 * 5 * 20 < (plain != marked).any(2).sum() < 12 * 5 * 60


def test_crops_that_are_left_out_are_told(place, capsys):
    make_store(place / "long", [crop("a", frame) for frame in range(201)])
    assert run("show", "long", "a") == 0
    assert "1 file, 200 of 201 crops, evenly chosen" in capsys.readouterr().out


def test_unknown_ids_are_one_error_and_nothing_is_written(place, capsys):
    before = files(place)
    assert run("show", "store", NAME, "fake/3.mp4", "Real/Anna & Bob.mp4", "--out", "sheet.png") == 2
    told = capsys.readouterr().err
    assert told.count("error: ") == 1
    assert '"fake/3.mp4" (did you mean "fake/' in told
    assert r'"Real/Anna & Bob.mp4" (did you mean "real/Anna & Bob \xfc.mp4"?)' in told
    assert re.search(r"^  next:  \S", told, re.MULTILINE)
    assert files(place) == before


def test_a_page_and_its_numbers(place, capsys):
    assert run("stats", "store", "--manifest", "m.csv", "--out", "report") == 0
    told = capsys.readouterr().out
    assert "3 files, 2 with a crop, 1 without" in told
    assert "without a crop, unreadable: 1 (damaged, or of a kind that is not read)" in told
    assert "tracks: 1 in 1 file, 2 in 1 file; track 0 is the face" in told
    assert "enlarged: 13 crops, of faces below 51 pixels" in told
    assert "not in the store: 1 of the manifest's 3 files" in told
    assert "not in the manifest: 1 file of the store" in told
    assert told.endswith("wrote report/faces.json and report/faces.html\n")
    assert files(place / "report") == ["faces.html", "faces.json"]
    page = (place / "report" / "faces.html").read_text(encoding="utf-8")
    assert "real/Anna &amp; Bob ü.mp4" in page
    content = json.loads((place / "report" / "faces.json").read_text(encoding="utf-8"))
    store = FaceStore(place / "store")
    rows = store.table.to_pylist()
    assert content["store"] == "store"
    assert content["crops"] == sum(row["image"] is not None for row in rows)
    assert content["total_bytes"] == sum(len(row["image"] or b"") for row in rows)
    expected = json.loads(json.dumps(measure(store).to_dict()))
    assert {key: content[key] for key in expected if key != "coverage"} == {
        key: value for key, value in expected.items() if key != "coverage"
    }
    shares = {group["name"]: (group["without"], group["files"]) for group in content["coverage"]["groups"]["label"]}
    assert shares == {"fake": (1, 1), "real": (0, 1)}


def test_a_page_of_another_name_and_none_at_all(place, capsys):
    before = files(place)
    assert run("stats", "store") == 0
    told = capsys.readouterr().out
    assert "3 files, 2 with a crop" in told
    assert "wrote" not in told
    assert "share" not in told
    assert files(place) == before
    assert run("stats", "store", "--out", "pages/mine.html") == 0
    assert files(place / "pages") == ["faces.json", "mine.html"]


def test_a_store_of_one_track_does_not_speak_of_tracks(place, capsys):
    make_store(place / "single", [crop("[bold]a", 0), crop("b", 1)])
    assert run("stats", "single") == 0
    assert "track" not in capsys.readouterr().out


@pytest.mark.parametrize("command", [("show", "{}", "a", "--out", "new.png"), ("stats", "{}", "--out", "new")])
@pytest.mark.parametrize("fault", ["empty", "truncated", "no shard", "no store", "bad settings", "a file", "absent"])
def test_hostile_stores_are_one_error(command, fault, place, capsys):
    make_store(place / "bad", [crop("a")], [crop("b")])
    shard = place / "bad" / "shard-00001.arrow"
    if fault == "empty":
        shard.write_bytes(b"")
    elif fault == "truncated":
        shard.write_bytes(shard.read_bytes()[:-700])
    elif fault == "no shard":
        shard.unlink()
        (place / "bad" / "shard-00000.arrow").unlink()
    elif fault == "no store":
        (place / "bad" / "store.yaml").unlink()
    elif fault == "bad settings":
        (place / "bad" / "store.yaml").write_text("format: [")
    name = {"a file": "m.csv", "absent": "nowhere"}.get(fault, "bad")
    before = files(place)
    assert run(*(word.format(name) for word in command)) == 2
    told = capsys.readouterr().err
    assert told.count("error: ") == 1
    assert "Traceback" not in told
    assert name in told
    assert re.search(r"^  next:  \S", told, re.MULTILINE)
    assert files(place) == before


def test_a_shard_without_a_row_is_no_fault(place, capsys):
    make_store(place / "thin", [], [crop("a")], [])
    assert run("stats", "thin", "--out", "report") == 0
    assert run("show", "thin", "a") == 0
    make_store(place / "none", [])
    assert run("stats", "none", "--out", "report") == 0
    assert "0 files, 0 with a crop, 0 without" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "store"], "ID"),
        (["show", "store", "fake/2.mp4", "--out", "sheet.jpg"], "sheet.jpg"),
        (["show", "store", "fake/2.mp4", "--out", "m.csv/sheet.png"], "m.csv"),
        (["show", "store", "fake/2.mp4", "--track", "-1"], "track"),
        (["show", "store", *(f"n{number}" for number in range(101))], "101 ids are too many"),
        (["stats", "store", "--manifest", "absent.csv", "--out", "new"], "absent.csv"),
        (["stats", "store", "--manifest", "other.csv", "--out", "new"], "none of the manifest's files"),
        (["stats", "store", "--out", "m.csv"], "m.csv"),
    ],
)
def test_mistakes_are_one_message_and_nothing_is_written(arguments, message, place, capsys):
    (place / "other.csv").write_text("id,path,media,label,split,dataset\nz,z.mp4,video,0,train,x\n")
    before = files(place)
    assert run(*arguments) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told
    assert files(place) == before


@pytest.mark.parametrize("verb", ["show", "stats"])
def test_help_has_an_example(verb, capsys):
    assert run(verb, "--help") == 0
    assert f"Example: unmask faces {verb} faces/" in " ".join(capsys.readouterr().out.split())
