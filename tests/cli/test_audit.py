from __future__ import annotations

import json

import pytest

from tests.fakes import BUILDERS
from tests.fakes.media import make_clip, make_picture
from unmask.cli.main import main
from unmask.datasets import index
from unmask.tables.manifest import write_manifest


@pytest.fixture
def manifest(tmp_path):
    BUILDERS["folder"](tmp_path / "data")
    write_manifest(index("folder", tmp_path / "data", subject_from="folder"), tmp_path / "m.parquet")
    return tmp_path / "m.parquet"


def test_clean_data_leaves_with_0(manifest, tmp_path, capsys):
    assert main(["audit", str(manifest), "--json", str(tmp_path / "a.json")]) == 0
    assert "nothing found" in capsys.readouterr().out
    content = json.loads((tmp_path / "a.json").read_text())
    assert content["findings"] == []
    assert content["manifests"] == [str(manifest)]


def test_findings_leave_with_1_and_say_what_where_and_what_to_do(manifest, tmp_path, capsys):
    (tmp_path / "data" / "real" / "ada" / "0.jpg").unlink()
    assert main(["audit", str(manifest), "--json", str(tmp_path / "a.json")]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "1. 1 file is not there where: real/ada/0.jpg next: " in told
    assert "findings: 1" in told
    assert [each["kind"] for each in json.loads((tmp_path / "a.json").read_text())["findings"]] == ["missing_file"]


def test_lines_are_whole_and_each_place_has_its_own(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    paths = [f"real/{'long ' * 30}{number}.mp4" for number in range(7)]
    for path in paths:
        make_clip(tmp_path / "data" / path)
        (tmp_path / "data" / path).write_bytes(b"hello" * 300)
    write_manifest(index("folder", tmp_path / "data"), tmp_path / "m.parquet")
    capfd.readouterr()
    assert main(["audit", str(tmp_path / "m.parquet")]) == 1
    told, errors = capfd.readouterr()
    assert errors == ""
    assert told.strip("\n") == told.removesuffix("\n")
    lines = told.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("   where: "))
    fault = "(the video cannot be read (Invalid data found when processing input))"
    assert [line[10:] for line in lines[start : start + 5]] == [f"{path} {fault}" for path in paths[:5]]
    assert lines[start + 5].strip() == "... and 2 more"
    assert lines[start + 6].startswith("   next:  download")


def test_root_option(manifest, tmp_path):
    (tmp_path / "data").rename(tmp_path / "moved")
    assert main(["audit", str(manifest)]) == 1
    assert main(["audit", str(manifest), "--root", str(tmp_path / "moved")]) == 0


def test_a_tell_is_shown_in_the_table(tmp_path, capsys):
    for number in range(20):
        make_picture(tmp_path / "d" / "real" / f"{number + 10}.jpg", quality=50)
        make_picture(tmp_path / "d" / "fake" / f"{number + 50}.jpg", quality=95)
    write_manifest(index("folder", tmp_path / "d"), tmp_path / "m.parquet")
    assert main(["audit", str(tmp_path / "m.parquet")]) == 1
    assert "bytes alone tells real from fake in images: AUC 1.00" in " ".join(capsys.readouterr().out.split())


def test_a_missing_manifest_is_a_user_error(tmp_path, capsys):
    assert main(["audit", str(tmp_path / "absent.parquet")]) == 2
    assert "next:" in capsys.readouterr().err


def test_help_has_an_example(capsys):
    assert main(["audit", "--help"]) == 0
    assert "Example: unmask audit" in capsys.readouterr().out


def test_a_page_and_several_manifests(tmp_path, capsys):
    for name in ("one", "two"):
        BUILDERS["folder"](tmp_path / name)
        write_manifest(index("folder", tmp_path / name, subject_from="folder"), tmp_path / f"{name}.parquet")
    given = [str(tmp_path / f"{name}.parquet") for name in ("one", "two")]
    assert main(["audit", *given, "--out", str(tmp_path / "out/a.html"), "--workers", "1"]) == 1
    told = capsys.readouterr().out
    assert "in more than one manifest, byte for byte" in told
    assert f"wrote {tmp_path / 'out/a.html'}" in told
    page = (tmp_path / "out/a.html").read_text()
    assert all(path in page for path in given)
