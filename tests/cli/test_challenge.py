"""``unmask challenge`` as an organizer and an entrant run it."""

import json

import polars as pl
import pytest

from unmask.cli.main import main


@pytest.fixture
def folder(tmp_path):
    ids = [f"v{i:02d}" for i in range(60)]
    frame = {"id": ids, "path": [f"{name}.mp4" for name in ids], "label": [i % 2 for i in range(60)], "split": "test"}
    pl.DataFrame(frame).with_columns(media=pl.lit("video"), dataset=pl.lit("toy")).write_parquet(tmp_path / "m.parquet")
    assert main(["challenge", "init", str(tmp_path / "c"), "--manifest", str(tmp_path / "m.parquet")]) == 0
    return tmp_path / "c"


def test_from_init_to_standings(folder, capsys):
    assert main(["challenge", "check", str(folder)]) == 0
    sample = folder / "sample_submission.csv"
    assert main(["challenge", "check", str(folder), str(sample)]) == 0
    (folder / "submissions" / "constant.csv").write_bytes(sample.read_bytes())
    (folder / "submissions" / "broken.csv").write_text("id,score\nv00,x\n")
    assert main(["challenge", "rank", str(folder)]) == 0
    told = capsys.readouterr().out
    assert "constant" in told
    assert "refused: broken" in told
    entries = json.loads((folder / "standings.json").read_text())["entries"]
    assert [(entry["team"], entry["status"], entry["rank"]) for entry in entries] == [
        ("constant", "scored", 1), ("broken", "refused", None),
    ]  # fmt: skip
    assert (folder / "standings.html").read_text().startswith("<!DOCTYPE html>")


def test_init_says_which_rows_it_took(tmp_path, capsys):
    frame = {"id": [f"v{i:02d}" for i in range(80)], "label": [i % 2 for i in range(80)]}
    split = ["test" if i < 60 else "train" for i in range(80)]
    pl.DataFrame(frame).with_columns(split=pl.Series(split)).write_csv(tmp_path / "m.csv")
    assert main(["challenge", "init", str(tmp_path / "a"), "--manifest", str(tmp_path / "m.csv")]) == 0
    assert "taken: 60 of the 80 rows, those of the split test; all with --split ''" in capsys.readouterr().out
    assert main(["challenge", "init", str(tmp_path / "b"), "--manifest", str(tmp_path / "m.csv"), "--split", ""]) == 0
    assert "taken" not in capsys.readouterr().out


def test_the_terminal_tells_every_fault_or_where_it_is(folder, capsys):
    submissions = folder / "submissions"
    sample = (folder / "sample_submission.csv").read_text()
    header, *rows = sample.splitlines()[:-5]  # and five ids without a row
    for number, score in enumerate(5 * ["", "x", '"0,5"', "2"]):  # five of each kind are not folded
        rows[number] = rows[number].replace("0.5", score)
    (submissions / "long.csv").write_text("\n".join([header, *rows]))
    (submissions / "short.csv").write_text(sample.replace("0.5", "2", 19))
    assert main(["challenge", "rank", str(folder)]) == 0
    told = capsys.readouterr().out
    page = folder / "standings.html"
    short = told[told.index("refused: short") :]
    assert 'the score "2"' in short
    assert "(and 18 more like it: lines 3-20)" in short
    assert "more lines" not in short
    long = told[told.index("refused: long") : told.index("refused: short")]
    assert f"... and 5 more lines, in {page} below the team's name" in long
    assert long.count(" — ") == 20


def test_public_standings_on_the_terminal(folder, capsys):
    (folder / "submissions" / "half.csv").write_bytes((folder / "sample_submission.csv").read_bytes())
    assert main(["challenge", "rank", str(folder), "--usage", "public"]) == 0
    told = capsys.readouterr().out
    assert told.count("0.5000 ") == 3  # the score and the ends of its interval
    assert "public part: 24 of 60 files; intervals over 24 files" in told
    assert f"{folder / 'standings-public.json'} and {folder / 'standings-public.html'}" in told
    assert not (folder / "standings.json").exists()


def test_score_of_one_submission(folder, capsys):
    out = folder / "mine"
    sample = str(folder / "sample_submission.csv")
    assert main(["challenge", "score", str(folder), sample, "--usage", "public", "--out", str(out)]) == 0
    assert "0.5000" in capsys.readouterr().out
    assert json.loads((out / "scorecard.json").read_text())["coverage"]["expected"] == 24


def test_refused_submission(folder, capsys):
    path = folder / "submissions" / "broken.csv"
    path.write_text("id,score\nv00,x\nv00,1\n")
    for verb in ("check", "score"):
        assert main(["challenge", verb, str(folder), str(path)]) == 2
        told = capsys.readouterr().err
        assert all(word in told for word in ("line 2", "line 3", '"v01"', "problems"))


def test_broken_challenge(folder, capsys):
    with (folder / "challenge.yaml").open("a") as stream:
        stream.write("colour: red\n")
    for arguments in (["check"], ["rank"]):
        assert main(["challenge", *arguments, str(folder)]) == 2
        assert "colour" in capsys.readouterr().err
    assert not (folder / "standings.json").exists()


def test_mistakes(folder, tmp_path, capsys):
    for arguments in (
        ["init", str(folder), "--manifest", str(tmp_path / "m.parquet")],
        ["init", str(tmp_path / "new"), "--manifest", str(tmp_path / "nowhere.csv")],
        ["init", str(tmp_path / "new")],
        ["check", str(tmp_path / "nowhere")],
        ["rank", str(folder), "--usage", "secret"],
    ):
        assert main(["challenge", *arguments]) == 2
        told = capsys.readouterr().err
        assert told
        assert "Traceback" not in told


@pytest.mark.parametrize("verb", ["init", "check", "score", "rank", "export"])
def test_help_has_an_example(verb, capsys):
    assert main(["challenge", verb, "--help"]) == 0
    assert f"unmask challenge {verb} faces-2025/" in " ".join(capsys.readouterr().out.split())
