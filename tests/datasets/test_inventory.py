from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes import BUILDERS
from unmask.datasets.inventory import inventory


def test_a_fault_is_told_beside_another_dataset_of_the_same_tree(tmp_path):
    for name in ("faceforensics", "dfd"):
        BUILDERS[name](tmp_path)
    (tmp_path / "val.json").write_text("{")
    found = {each.name: each for each in inventory(tmp_path)}
    assert found["dfd"].files is not None
    assert found["faceforensics"].files is None
    assert "val.json" in str(found["faceforensics"].fault)


def test_a_folder_that_cannot_be_read_hides_no_other(tmp_path, monkeypatch):
    BUILDERS["uadfv"](tmp_path / "uadfv")
    (tmp_path / "lost+found").mkdir()
    scan = os.scandir

    def refuse(folder: Path) -> object:
        if Path(folder).name == "lost+found":
            raise PermissionError(13, "Permission denied", str(folder))
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    told = [(each.name, each.folder.name, each.fault is None) for each in inventory(tmp_path)]
    assert ("uadfv", "uadfv", True) in told
    assert [folder for _, folder, fine in told if not fine] == ["lost+found"]


@pytest.mark.parametrize(
    ("name", "file"),
    [("faceforensics", "val.json"), ("in_the_wild", "meta.csv"), ("deeperforensics", "lists/splits/val.txt")],
)
def test_a_fault_of_the_root_itself_is_told(name, file, tmp_path):
    BUILDERS[name](tmp_path)
    root = next(path for path in (tmp_path, *tmp_path.iterdir()) if (path / file).is_file())
    (root / file).write_text("{")
    (each,) = (each for each in inventory(root) if each.name == name)
    assert each.folder == root
    assert file.rpartition("/")[2] in str(each.fault)
