from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

import pytest

from tests.datasets.contract import DatasetContract
from unmask.datasets import index
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError, TableError

NAME = "asvspoof2021_df"


class TestASVspoof2021DF(DatasetContract):
    name = NAME
    splits: ClassVar[set[str]] = {"test"}
    test_nothing_drawn_stands_in_two_splits = None  # nothing is drawn: all of it is test


@pytest.fixture
def copy(fake, tmp_path) -> Path:
    return Path(shutil.copytree(fake(NAME)[0], tmp_path / "copy"))


def test_columns_of_the_key_are_slices(fake):
    rows = {row["id"]: row for row in index(NAME, fake(NAME)[0]).iter_rows(named=True)}
    names = ("method", "compression", "corpus", "phase", "trim", "vocoder")
    assert [rows[f"DF_E_200000{number}"][name] for number in (0, 1, 3) for name in names] == [
        *("A14", "nocodec", "asvspoof", "progress", "notrim", "traditional_vocoder"),
        *(None, "low_mp3", "asvspoof", "eval", "notrim", None),
        *("Task1-team20", "low_m4a", "vcc2020", "eval", "notrim", "neural_vocoder_nonautoregressive"),
    ]


def test_without_the_key_there_are_no_labels_and_it_is_warned_of(copy):
    shutil.rmtree(copy / "keys")
    report = Report()
    manifest = index(NAME, copy, report=report)
    assert manifest["label"].null_count() == manifest.height == 6
    assert set(manifest["split"]) == {"test"}
    assert "trial_metadata.txt" in report.warnings[0]


@pytest.mark.parametrize("place", ["keys/DF/CM", "DF-keys-full/keys/DF/CM", ".", "ASVspoof2021_DF_eval"])
def test_places_of_the_key(copy, place):
    wanted = index(NAME, copy)
    (copy / place).mkdir(parents=True, exist_ok=True)
    shutil.move(copy / "keys/DF/CM/trial_metadata.txt", copy / place / "trial_metadata.txt")
    assert index(NAME, copy).equals(wanted)


@pytest.mark.parametrize("place", ["keys/DF/CM", "keys/DF", "."])
def test_the_key_elsewhere(fake, copy, tmp_path, place):
    shutil.move(copy / "keys", tmp_path / "keys")
    wanted = index(NAME, fake(NAME)[0])["label"]
    assert index(NAME, copy, splits=tmp_path / place)["label"].equals(wanted)


def test_a_folder_without_the_key(copy):
    with pytest.raises(DatasetError, match="no trial_metadata"):
        index(NAME, copy, splits=copy / "ASVspoof2021_DF_eval_part00")


def test_no_such_folder_of_keys(copy):
    with pytest.raises(DatasetError, match="no such folder"):
        index(NAME, copy, splits=copy / "absent")


def test_the_key_of_another_track_is_refused(copy):
    key = copy / "keys/DF/CM/trial_metadata.txt"
    key.write_text("LA_0009 LA_E_9332881 alaw ita_tx A07 spoof notrim eval\n")
    with pytest.raises(TableError, match="not of the form 'LA_0023 DF_E_2000011"):
        index(NAME, copy)


@pytest.mark.parametrize("top", [".", "ASVspoof2021_DF_eval"])
def test_all_archives_in_one_folder(copy, fake, top):
    (copy / top / "flac").mkdir(parents=True)
    for path in list(copy.rglob("*part*/**/*.flac")):
        path.rename(copy / top / "flac" / path.name)
    wanted = index(NAME, fake(NAME)[0])
    assert index(NAME, copy).drop("path", "root").equals(wanted.drop("path", "root"))


def test_files_that_the_key_does_not_name(copy):
    key = copy / "keys/DF/CM/trial_metadata.txt"
    first, _, rest = key.read_text().partition("\n")
    key.write_text(rest)
    report = Report()
    manifest = index(NAME, copy, report=report)
    assert manifest.height == 5
    assert [Path(path).stem for path in report.odd["files that trial_metadata.txt does not name, left out"]] == [
        first.split()[1]
    ]


def test_the_other_tracks_beside_it_are_passed_over(copy):
    (copy / "ASVspoof2021_LA_eval/flac").mkdir(parents=True)
    (copy / "ASVspoof2021_LA_eval/flac/LA_E_9332881.flac").write_bytes(b"x")
    report = Report()
    assert index(NAME, copy, report=report).height == 6
    assert not report.odd
