from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.fakes import BUILDERS
from unmask.cli.main import main
from unmask.datasets import ADAPTERS
from unmask.datasets.inventory import inventory

ROOT = Path(__file__).parents[2]


def test_every_dataset_is_listed(capsys):
    assert main(["datasets"]) == 0
    told = capsys.readouterr().out
    for name, adapter in ADAPTERS.items():
        (row,) = [line for line in told.splitlines() if re.match(rf"│ {name} +│", line)]
        assert adapter.title in row
        assert adapter.about.access in row
        if adapter.about.fake:
            assert f"{adapter.about.fake:,}" in row


def test_every_dataset_has_its_page_and_its_row():
    table = (ROOT / "data" / "README.md").read_text()
    for name in ADAPTERS:
        assert (ROOT / "data" / f"{name}.md").read_text().startswith(f"# {name}")
        assert f"| [`{name}`]({name}.md) |" in table


@pytest.mark.parametrize("name", sorted(set(BUILDERS) - {"folder", "csv"}))
def test_each_is_found_where_it_lies(name, tmp_path):
    made = BUILDERS[name](tmp_path / "data" / "here")
    found = {each.name: each for each in inventory(tmp_path / "data")}
    assert name in found
    assert found[name].files is not None
    assert found[name].files.height == len(made)
    assert found[name].folder in (tmp_path / "data", tmp_path / "data" / "here")  # some look further down themselves


def test_what_is_missing_and_odd_is_told(tmp_path, capsys):
    BUILDERS["celeb_df_v2"](tmp_path / "celeb")
    BUILDERS["dfdc"](tmp_path / "dfdc")
    (tmp_path / "celeb" / "Celeb-real" / "final.mp4").write_bytes(b"x")
    metadata = next((tmp_path / "dfdc").glob("*/metadata.json"))
    metadata.write_text("{")
    assert main(["datasets", "--root", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert re.search(r"celeb_df_v2 +│ \S*/celeb +│", told)
    assert "celeb_df_v2: of Celeb-real 28 of 590 are there" in told
    assert "such as Celeb-real/final.mp4" in told
    assert "dfdc: not a JSON file" in told


def test_the_numbers_are_those_of_the_index(tmp_path, capsys):
    made = BUILDERS["uadfv"](tmp_path / "set")
    assert main(["datasets", "--root", str(tmp_path / "set")]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("│ uadfv"))
    numbers = [int(cell) for cell in re.findall(r"│ (\d+) +(?=│)", row)]
    assert numbers[:2] == [sum(each.label == 0 for each in made), sum(each.label == 1 for each in made)]


def test_the_reals_of_others_alone_are_no_dataset(tmp_path):
    BUILDERS["faceforensics"](tmp_path / "ff")
    assert [each.name for each in inventory(tmp_path / "ff")] == ["faceforensics"]
    shutil.rmtree(tmp_path / "ff" / "manipulated_sequences")
    assert inventory(tmp_path / "ff") == []


def test_nothing_known_is_an_error(tmp_path, capsys):
    (tmp_path / "a.json").write_text(json.dumps({}))
    assert main(["datasets", "--root", str(tmp_path)]) == 2
    assert "no dataset that unmask knows" in capsys.readouterr().err
    assert main(["datasets", "--root", str(tmp_path / "absent")]) == 2
