from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.datasets.contract import DatasetContract
from unmask.datasets import index
from unmask.tables.errors import DatasetError


class TestASVspoof2019LA(DatasetContract):
    name = "asvspoof2019_la"


def test_columns(fake):
    manifest = index("asvspoof2019_la", fake("asvspoof2019_la")[0])
    assert set(manifest["media"]) == {"audio"}
    assert set(manifest["split_rule"]) == {"official"}
    assert manifest.filter(pl.col("label") == 0)["method"].unique().to_list() == [None]
    attacks = manifest.filter(pl.col("label") == 1).group_by("split").agg(pl.col("method").unique().sort())
    assert dict(attacks.iter_rows()) == {
        "train": ["A01", "A06"],
        "validation": ["A01", "A06"],
        "test": ["A07", "A19"],
    }


@pytest.mark.parametrize("top", ["LA", ".", "LA/LA"])
def test_the_root_may_be_la_or_hold_it_twice(fake, tmp_path, top):
    tree = fake("asvspoof2019_la")[0]
    shutil.copytree(tree / "LA", tmp_path / top, dirs_exist_ok=True)
    found = index("asvspoof2019_la", tmp_path)
    assert found.drop("root", "path").equals(index("asvspoof2019_la", tree).drop("root", "path"))


def test_the_same_part_twice_is_refused(fake, tmp_path):
    tree = fake("asvspoof2019_la")[0]
    for top in (".", "LA"):
        shutil.copytree(tree / "LA", tmp_path / top, dirs_exist_ok=True)
    with pytest.raises(DatasetError, match="stands for two files"):
        index("asvspoof2019_la", tmp_path)


def test_a_part_alone_needs_its_own_protocol_only(fake, tmp_path):
    root = Path(shutil.copytree(fake("asvspoof2019_la")[0], tmp_path / "copy"))
    for part in ("train", "dev"):
        shutil.rmtree(root / f"LA/ASVspoof2019_LA_{part}")
    for name in ("train.trn", "dev.trl"):
        (root / f"LA/ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.{name}.txt").unlink()
    assert set(index("asvspoof2019_la", root)["split"]) == {"test"}


def test_sound_of_another_kind(fake, tmp_path):
    root = Path(shutil.copytree(fake("asvspoof2019_la")[0], tmp_path / "copy"))
    wanted = index("asvspoof2019_la", root)["id"]
    for path in root.rglob("*.flac"):
        path.rename(path.with_suffix(".wav"))
    assert index("asvspoof2019_la", root)["id"].equals(wanted)
