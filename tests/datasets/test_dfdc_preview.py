from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.datasets.contract import DatasetContract
from unmask.datasets import index
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError, TableError

REAL = "original_videos/1/1_A_001.mp4"
FAKE = "method_A/1/1_A/2_1_A_001.mp4"
ENTRIES = {
    REAL: {"label": "real", "set": "train", "augmentations": []},
    FAKE: {"label": "fake", "set": "train", "augmentations": []},
}


class TestDFDCPreview(DatasetContract):
    name = "dfdc_preview"


@pytest.fixture
def copy(fake, tmp_path) -> Path:
    return Path(shutil.copytree(fake("dfdc_preview")[0], tmp_path / "copy"))


def tiny(root: Path, metadata: Any) -> Path:
    for path in (REAL, FAKE):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    (root / "dataset.json").write_text(metadata if isinstance(metadata, str) else json.dumps(metadata))
    return root


def test_people_twin_method_and_augmentation(fake):
    manifest = index("dfdc_preview", fake("dfdc_preview")[0])
    row = manifest.row(by_predicate=pl.col("id") == "method_A/1003254_643598_A_001.mp4", named=True)
    assert (row["source_id"], row["subject_id"], row["donor_id"]) == ("643598_A_001", "643598", "1003254")
    assert (row["method"], row["augmentation"], row["split_rule"]) == ("method_A", "fps", "official")
    real = manifest.row(by_predicate=pl.col("id") == "original_videos/643598_A_001.mp4", named=True)
    assert (real["source_id"], real["method"], real["augmentation"]) == ("643598_A_001", None, None)


def test_validation_is_carved_out_of_train_by_people(fake):
    manifest = index("dfdc_preview", fake("dfdc_preview")[0])
    people = {
        split: set(rows["subject_id"]) | set(rows["donor_id"].drop_nulls())
        for (split,), rows in manifest.group_by("split")
    }
    assert people["validation"]
    assert not people["train"] & people["validation"]
    assert set(manifest["split_rule"]) == {"official", "subject and donor seed=0 0.85/0.15"}


def test_without_metadata_everything_is_drawn_and_it_is_said(copy):
    (copy / "dataset.json").unlink()
    report = Report()
    manifest = index("dfdc_preview", copy, report=report)
    assert set(manifest["split"]) == {"train", "validation", "test"}
    assert manifest.group_by("subject_id").agg(pl.col("split").n_unique())["split"].max() == 1
    assert "dataset.json was not found" in report.notes[0]


def test_metadata_of_another_folder(copy, tmp_path):
    before = index("dfdc_preview", copy)
    with pytest.raises(DatasetError, match=r"no dataset\.json"):
        index("dfdc_preview", copy, splits=tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (copy / "dataset.json").rename(tmp_path / "elsewhere" / "dataset.json")
    assert index("dfdc_preview", copy, splits=tmp_path / "elsewhere").equals(before)


def test_foreign_prefixes_and_backslashes(copy):
    before = index("dfdc_preview", copy)
    entries = json.loads((copy / "dataset.json").read_text())
    foreign = {"D:\\data\\" + path.replace("/", "\\"): entry for path, entry in entries.items()}
    (copy / "dataset.json").write_text(json.dumps(foreign), encoding="utf-8-sig")
    assert index("dfdc_preview", copy).equals(before)


def test_files_without_an_entry_are_left_out_and_missing_ones_counted(tmp_path):
    report = Report()
    entries = {FAKE: ENTRIES[FAKE], "method_B/3/3_A/4_3_A_001.mp4": ENTRIES[FAKE]}
    manifest = index("dfdc_preview", tiny(tmp_path, entries), report=report)
    assert manifest["path"].to_list() == [FAKE]
    assert [path for paths in report.odd.values() for path in paths] == [REAL]
    assert {count.part: (count.expected, count.found) for count in report.counts} == {
        "original_videos": (1131, 1),
        "method_A": (3975, 1),
        "method_B": (144, 0),
        "files of dataset.json": (2, 1),
    }


def test_strangers_are_left_out_and_told(tmp_path):
    root = tiny(tmp_path, ENTRIES)
    for path in ("original_videos/1/2_1_A_001.mp4", "method_A/final.mp4"):
        (root / path).write_bytes(b"x")
    report = Report()
    assert index("dfdc_preview", root, report=report).height == 2
    odd = sorted(path for paths in report.odd.values() for path in paths)
    assert odd == ["method_A/final.mp4", "original_videos/1/2_1_A_001.mp4"]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({REAL: {"label": "fake", "set": "train"}}, "the label fake contradicts the folder original_videos"),
        ({REAL: {"label": "REAL?", "set": "train"}}, "neither real nor fake"),
        ({REAL: {"label": ["real"], "set": "train"}}, "neither real nor fake"),
        ({REAL: {"label": "real", "set": "val"}}, "neither train nor test"),
        ({REAL: {"label": "real"}}, "neither train nor test"),
        ({REAL: {"label": "real", "set": "train", "augmentations": "fps"}}, "not a list of words"),
        ({REAL: {"label": "real", "set": "train", "augmentations": [1]}}, "not a list of words"),
        ({REAL: "real"}, "no label and no set"),
        ({"../../etc/passwd": ENTRIES[REAL]}, "lies in none of original_videos, method_A, method_B"),
        ({"1_A_001.mp4": ENTRIES[REAL]}, "lies in none of"),
        ({REAL: ENTRIES[REAL], "/x/" + REAL: ENTRIES[REAL]}, "named twice"),
    ],
)
def test_broken_entries(tmp_path, entries, message):
    with pytest.raises(TableError, match=message):
        index("dfdc_preview", tiny(tmp_path, entries))


def test_all_faults_are_told_at_once(tmp_path):
    entries = {"a.mp4": ENTRIES[REAL], REAL: "real", FAKE: {"label": "fake", "set": "dev"}}
    with pytest.raises(TableError) as caught:
        index("dfdc_preview", tiny(tmp_path, entries))
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(("text", "message"), [("[]", "not an object"), ("{", "not a JSON file")])
def test_broken_metadata(tmp_path, text, message):
    with pytest.raises(DatasetError, match=message):
        index("dfdc_preview", tiny(tmp_path, text))


def test_nothing_leads_out_of_the_root(tmp_path):
    """A key may name anything: only files that were found become rows."""
    root = tiny(tmp_path / "root", {**ENTRIES, "method_A/../../outside/2_1_A_009.mp4": ENTRIES[FAKE]})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "2_1_A_009.mp4").write_bytes(b"x")
    assert set(index("dfdc_preview", root)["path"]) == {REAL, FAKE}


def test_an_ending_in_capitals(tmp_path):
    root = tiny(tmp_path, ENTRIES)
    (root / FAKE).rename((root / FAKE).with_suffix(".MP4"))
    assert index("dfdc_preview", root).select("path", "label").rows() == [(FAKE[:-4] + ".MP4", 1), (REAL, 0)]


def test_a_path_that_stands_twice_is_refused(tmp_path):
    text = json.dumps(ENTRIES)
    with pytest.raises(DatasetError, match="stands twice"):
        index("dfdc_preview", tiny(tmp_path, text[:-1] + ", " + text[1:]))


def test_an_augmentation_that_no_table_can_carry_is_refused(tmp_path):
    entries = ENTRIES | {FAKE: ENTRIES[FAKE] | {"augmentations": ["\ud83d"]}}
    with pytest.raises(TableError, match="not a list of words"):
        index("dfdc_preview", tiny(tmp_path, entries))
