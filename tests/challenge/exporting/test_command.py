"""``unmask challenge export`` as an organizer runs it."""

import pytest

from unmask.challenge.exporting.exporters import BUNDLES, TABLES
from unmask.cli.main import main

from .conftest import redefine


@pytest.mark.parametrize(
    ("to", "name"), [("kaggle", "k"), ("codabench", "c.zip"), ("evalai", "e.zip"), ("csv", "b.csv")]
)
def test_it_says_what_it_wrote_and_what_stays_behind(tmp_path, folder, capsys, to, name):
    assert main(["challenge", "export", str(folder), "--to", to, "--out", str(tmp_path / name)]) == 0
    told = capsys.readouterr()
    assert told.out == f"wrote {tmp_path / name}\n"
    assert (tmp_path / name).exists()
    assert all(line.startswith("note: ") for line in told.err.splitlines())
    assert bool(told.err) == (to in BUNDLES)


def test_who_is_left_out_is_told(tmp_path, folder, capsys):
    redefine(folder, metric="brier", tie_breakers=())
    (folder / "submissions" / "broken.csv").write_text("")
    out = tmp_path / "cases.csv"
    assert main(["challenge", "export", str(folder), "--to", "challenger", "--usage", "public", "--out", str(out)]) == 0
    assert "note: broken is left out" in capsys.readouterr().err


def test_mistakes(tmp_path, folder, capsys):
    for arguments in (
        ["--to", "drivendata", "--out", str(tmp_path / "x")],
        ["--to", "codabench", "--out", str(tmp_path / "x")],
        ["--to", "kaggle", "--usage", "public", "--out", str(tmp_path / "x")],
        ["--to", "challenger", "--out", str(tmp_path / "x.csv")],
        ["--to", "csv"],
    ):
        assert main(["challenge", "export", str(folder), *arguments]) == 2
        told = capsys.readouterr().err
        assert told
        assert "Traceback" not in told
    assert not list(tmp_path.glob("x*"))


def test_help_names_every_platform_and_has_an_example(capsys):
    assert main(["challenge", "export", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "unmask challenge export faces-2025/ --to codabench" in told
    assert all(name in told for name in [*BUNDLES, *TABLES])
