"""The command line as a whole: help, exit codes, messages, and a start that costs nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from unmask import __version__
from unmask.cli.main import app, main

COMMAND = Path(sys.executable).with_name("unmask")


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``unmask`` in a process of its own, with a terminal wide enough that no word is broken."""
    plain = os.environ | {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, cwd=cwd, timeout=120, env=plain)


def verbs() -> list[tuple[str, ...]]:
    """Every command that does something: ("score",), ("challenge", "rank"), ..."""
    found: list[tuple[str, ...]] = []

    def collect(command: typer.core.TyperGroup, way: tuple[str, ...]) -> None:
        for name, inner in command.commands.items():
            if hasattr(inner, "commands"):
                collect(inner, (*way, name))
            else:
                found.append((*way, name))

    collect(typer.main.get_command(app), ())
    return sorted(found)


def check_refused(code: int, said: str) -> None:
    """A user's mistake: exit code 2, one message with the next step, no traceback."""
    assert code == 2, said
    assert "Traceback" not in said
    assert said.count("error: ") == 1, said
    assert re.search(r"^  next:  \S", said, re.MULTILINE), said


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command, in this process, that must be refused; what it says."""

    def command(*arguments: str | Path) -> str:
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr().err
        check_refused(code, said)
        return said

    return command


def test_all_verbs_are_there():
    asked = {"demo", "index", "audit", "prepare", "train", "predict", "score"}
    assert {(verb,) for verb in asked} <= set(verbs())
    assert {("faces", verb) for verb in ("show", "stats")} <= set(verbs())
    assert {("challenge", verb) for verb in ("init", "check", "score", "rank")} <= set(verbs())


@pytest.mark.parametrize("verb", verbs(), ids=" ".join)
def test_help_has_an_example(verb):
    done = run(*verb, "--help")
    assert done.returncode == 0, done.stderr
    assert re.search(rf"unmask {' '.join(verb)}\b(?! \[OPTIONS\])", done.stdout), "no example"
    assert "Example" in done.stdout


def test_help_names_every_verb():
    done = run("--help")
    assert done.returncode == 0
    for verb in verbs():
        assert re.search(rf"\b{verb[0]}\b", done.stdout)


def test_version():
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"unmask {__version__}\n")


def test_no_arguments_show_the_help():
    done = run()
    assert "Usage: unmask" in done.stdout + done.stderr


def test_starting_imports_nothing_heavy():
    code = "import sys, unmask.cli.main; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"torch", "polars", "numpy", "hydra", "cv2", "sklearn", "jinja2", "pygal"} & set(loaded) == set()
    assert "unmask" in loaded


@pytest.mark.parametrize("arguments", [("nonsense",), ("--nonsense",), ("challenge", "nonsense"), ("score", "--what")])
def test_unknown_words(arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert arguments[-1] in done.stderr


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "key.csv"
    path.write_text("id,label\na,0\nb,1\n")
    return path


def with_file(place: Path, key: Path) -> dict[str, tuple[str | Path, ...]]:
    """A command line for each place where a file is asked for, with ``place`` as that file."""
    out = key.parent / "out"
    return {
        "score, predictions": ("score", place, key),
        "score, answers": ("score", key, place),
        "score, policy": ("score", key, key, "--policy", place),
        "calibrate, predictions": ("calibrate", place, key, "--out", out),
        "calibrate, answers": ("calibrate", key, place, "--out", out),
        "compare, predictions": ("compare", key, key, place, "--out", out),
        "compare, answers": ("compare", place, key, key.parent / "absent.csv", "--out", out),
        "audit": ("audit", place),
        "prepare": ("prepare", place, "--out", out),
        "challenge init": ("challenge", "init", out, "--manifest", place),
        "challenge check": ("challenge", "check", place),
    }


PLACES = sorted(with_file(Path(), Path()))


@pytest.mark.parametrize("where", PLACES)
def test_a_missing_file(where, key, refused):
    said = refused(*with_file(key.parent / "none.csv", key)[where])
    assert "none.csv" in said
    assert not (key.parent / "out").exists()


@pytest.mark.parametrize("where", PLACES)
def test_a_folder_where_a_file_is_asked_for(where, key, refused):
    folder = key.parent / "folder.csv"
    folder.mkdir()
    assert "folder.csv" in refused(*with_file(folder, key)[where])


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("ending", ["csv", "parquet", "csv.gz", "bin"])
def test_a_binary_file(where, ending, key, refused):
    path = key.parent / f"noise.{ending}"
    path.write_bytes(bytes(range(256)) * 8)
    assert "noise" in refused(*with_file(path, key)[where])


@pytest.mark.parametrize(
    "arguments",
    [
        ("index", "folder", "none", "--out", "m.csv"),
        ("index", "nonsense", ".", "--out", "m.csv"),
        ("predict", "none", "none.mp4", "--out", "p.csv"),
        ("train", "nonsense=1"),
        ("train", "manifest=none.csv", "store=none"),
        ("train", "detector=nonsense"),
        ("train",),
    ],
    ids=" ".join,
)
def test_other_mistakes(arguments, tmp_path):
    done = run(*arguments, cwd=tmp_path)
    check_refused(done.returncode, done.stderr)


def test_a_file_that_may_not_be_read(key, refused):
    path = key.parent / "locked.csv"
    path.write_text("id,score\na,0\nb,1\n")
    path.chmod(0)
    try:
        path.read_bytes()
    except PermissionError:
        assert "locked.csv" in refused("score", path, key)
    else:
        pytest.skip("this user may read every file")
    finally:
        path.chmod(0o600)


def test_a_place_that_cannot_be_written(key, refused):
    predictions = key.parent / "p.csv"
    predictions.write_text("id,score\na,0\nb,1\n")
    assert "p.csv" in refused("score", predictions, key, "--out", predictions)


@pytest.mark.parametrize("place", [0, 1, 3])
def test_debug_shows_the_traceback_wherever_it_stands(place, key):
    words: list[str | Path] = ["score", key.parent / "none.csv", key]
    assert "Traceback" not in run(*words).stderr
    words.insert(place, "--debug")
    done = run(*words)
    assert "Traceback (most recent call last)" in done.stderr
    assert done.returncode != 0
