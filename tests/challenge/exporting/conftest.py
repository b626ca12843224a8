"""A challenge that every platform takes, and what it takes to run a program in a bare folder."""

import dataclasses
import os
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from tests.challenge.conftest import answers_of, make_manifest
from unmask.challenge.create import create
from unmask.challenge.definition import Limits, Phase, write_definition
from unmask.challenge.folder import open_challenge

#: Enough reals for every metric in both parts, but for those that want a thousand.
ROWS = 750


def day(number):
    return datetime(2030, 1, number, 12, tzinfo=UTC)


def old_python():
    """An interpreter of Python 3.7, where one is installed and runs."""
    path = shutil.which("python3.7")
    fine = path and subprocess.run([path, "-c", "pass"], capture_output=True).returncode == 0
    return path if fine else None


PYTHONS = [
    sys.executable,
    pytest.param(old_python(), marks=pytest.mark.skipif(not old_python(), reason="no Python 3.7 here")),
]


@pytest.fixture
def folder(tmp_path):
    """A challenge with phases and pages, whose scores are shown with as many digits as there may be."""
    make_manifest(ROWS).write_csv(tmp_path / "manifest.csv")
    made = create(tmp_path / "challenge", tmp_path / "manifest.csv", name="Gesichter, 2030: «toy»")
    redefine(made.folder, digits=12, tie_breakers=("log_loss",), replicates=200, phases=(Phase("One", day(1), day(5)),),
             pages={"overview": "overview.md", "rules": "rules.md"})  # fmt: skip
    (made.folder / "overview.md").write_text("# Welcome\n\nFind the *fakes*.\n")
    (made.folder / "rules.md").write_text("Be fair. <script>alert(1)</script>\n")
    for team, quality, decimals in (("good", 0.3, 17), ("fair", 0.1, 2)):  # the second has ties
        answers = answers_of(quality, seed=ord(team[0]), rows=ROWS).with_columns(pl.col("score").round(decimals))
        answers.write_csv(made.folder / "submissions" / f"{team}.csv")
    return made.folder


def redefine(folder, **changes):
    """Write the definition anew with other values."""
    definition = open_challenge(folder).definition
    limits = Limits(**changes.pop("limits", {}))
    write_definition(dataclasses.replace(definition, limits=limits, **changes), folder)


def submissions(folder):
    return sorted((folder / "submissions").iterdir())


def unpack(path, folder):
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


def run(python, *arguments, cwd):
    """Run a program without any package beside the standard library."""
    shell = [python, "-I", "-S", *map(str, arguments)]
    return subprocess.run(shell, capture_output=True, text=True, cwd=cwd, env={"PATH": os.defpath}, timeout=300)


def texts(folder):
    """Every file below a folder that is no picture, as text."""
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
            for path in Path(folder).rglob("*") if path.is_file() and path.suffix not in (".png", ".zip")}  # fmt: skip


def spoilt(text):
    """Ways to break a good submission: name -> its text, and what a message must say of it."""
    lines = text.splitlines()
    first = lines[1].split(",")[0]

    def instead(cell):
        return "\n".join([lines[0], f"{first},{cell}", *lines[2:]]) + "\n"

    return {
        "nan": (instead("nan"), "nan"), "inf": (instead("inf"), "inf"), "huge": (instead("1e400"), "1e400"),
        "over": (instead("1.0000001"), "1.0000001"), "below": (instead("-0.1"), "-0.1"),
        "underscore": (instead("1_0e-1"), "1_0e-1"), "empty": (instead(""), '""'), "arabic": (instead("٠"), "u0660"),
        "blank": (instead(" 0.5"), " 0.5"), "no-break": (instead("0.5\xa0"), "xa0"),
        "repeated": ("\n".join([*lines, lines[1]]) + "\n", first),
        "missing": ("\n".join([lines[0], *lines[2:]]) + "\n", first),
        "extra": (text + "nobody,0.5\n", "nobody"),
    }  # fmt: skip


#: Further ways, of a file as such.
BROKEN = {
    "nothing": b"", "header": b"name,value\n", "semicolons": b"id;score\nv000;0.5\n", "quotes": b'id,score\n"v000,1\n',
    "reason": b"id,score,reason\nv000,,no_face\n", "nul": b"id,score\nv000,0.5\0\n", "latin": b"id,score\nv\xe9,0.5\n",
    "pickle": b"\x80\x04N.", "empty-line": b"id,score\n\nv000,0.5\n", "header-case": b"Id,Score\nv000,0.5\n",
}  # fmt: skip
