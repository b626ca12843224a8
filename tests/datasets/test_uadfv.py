from __future__ import annotations

import polars as pl

from tests.datasets.contract import DatasetContract
from unmask.datasets import index
from unmask.datasets.report import Report


class TestUADFV(DatasetContract):
    name = "uadfv"


def test_a_whole_one_is_dealt_out_pair_by_pair(tmp_path):
    for number in range(49):
        for path in (f"real/{number:04d}.mp4", f"fake/{number:04d}_fake.mp4"):
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_bytes(b"x")
    report = Report()
    manifest = index("uadfv", tmp_path, report=report)
    assert all(count.found == count.expected == 49 for count in report.counts)
    assert manifest.group_by("source_id").agg(pl.col("split").n_unique())["split"].max() == 1
    # Other loaders put all of it into every split.
    counts = dict(manifest.group_by("split").len().iter_rows())
    assert counts == {"train": 68, "validation": 16, "test": 14}
    assert set(manifest["split_rule"]) == {"source seed=0 0.70/0.15/0.15"}
    assert "does not say who is seen" in report.warnings[0]


def test_strangers_are_left_out_and_told(fake, tmp_path):
    for path in ("real/0000.mp4", "real/0001_fake.mp4", "fake/0002.mp4", "fake/0000_fake.mp4"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"x")
    report = Report()
    manifest = index("uadfv", tmp_path, report=report)
    assert manifest["id"].to_list() == ["fake/0000_fake.mp4", "real/0000.mp4"]
    assert sorted(path for paths in report.odd.values() for path in paths) == ["fake/0002.mp4", "real/0001_fake.mp4"]


def test_one_folder_further_down_as_other_tools_have_it(fake, tmp_path):
    root, made = fake("uadfv")
    for part in ("real", "fake"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "Videos").symlink_to(root / part, target_is_directory=True)
    manifest = index("uadfv", tmp_path)
    assert manifest["id"].to_list() == sorted(each.id for each in made)
    assert manifest["path"][0] == "fake/Videos/0000_fake.mp4"
