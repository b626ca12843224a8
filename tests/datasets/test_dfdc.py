from __future__ import annotations

import json
import os
from itertools import islice, product
from pathlib import Path

import polars as pl
import pytest

from tests.datasets.contract import DatasetContract
from unmask.datasets import index
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError, TableError, UnmaskError


class TestDFDC(DatasetContract):
    name = "dfdc"


def part(root: Path, entries: dict, *, missing: tuple[str, ...] = ()) -> Path:
    """A folder with a metadata.json and one short file for each entry that is not in ``missing``."""
    root.mkdir(parents=True, exist_ok=True)
    for name in set(entries) - set(missing):
        (root / name).write_bytes(b"x")
    (root / "metadata.json").write_text(json.dumps(entries))
    return root


REAL = {"label": "REAL", "split": "train"}


def fake_of(name: str) -> dict[str, str]:
    return {"label": "FAKE", "split": "train", "original": name}


def test_the_sample_at_true_scale(tmp_path, protocols):
    entries = json.loads((protocols / "dfdc" / "train_sample_metadata.json").read_text())
    part(tmp_path / "train_sample_videos", entries)
    (tmp_path / "test_videos").mkdir()
    (tmp_path / "test_videos" / "aassnaulhq.mp4").write_bytes(b"x")
    report = Report()
    manifest = index("dfdc", tmp_path, report=report)
    assert [warning[:10] for warning in report.warnings] == ["400 clips "]
    labelled = manifest.filter(pl.col("label").is_not_null())
    assert dict(labelled.select("id", "label").iter_rows()) == {
        name: int(entry["label"] == "FAKE") for name, entry in entries.items()
    }
    assert labelled.group_by("source_id").agg(pl.col("split").n_unique())["split"].max() == 1
    assert set(labelled["split"]) == {"train", "validation", "test"}
    assert set(labelled["split_rule"]) == {"source seed=0 0.70/0.15/0.15"}
    shares = labelled["split"].value_counts(normalize=True)
    assert dict(shares.iter_rows()) == pytest.approx({"train": 0.7, "validation": 0.15, "test": 0.15}, abs=0.02)
    hidden = manifest.filter(pl.col("label").is_null())
    assert hidden.select("id", "split").row(0) == ("aassnaulhq.mp4", "test")


def test_120000_names(tmp_path):
    names = (f"zzzzzz{''.join(letters)}.mp4" for letters in product("abcdefghijklmnopqrst", repeat=4))
    for number in range(50):
        real, *fakes = islice(names, 2400)
        folder = tmp_path / f"dfdc_train_part_{number}"
        folder.mkdir()
        (folder / real).write_bytes(b"x")
        for name in fakes:  # links: a hundred thousand new files cost some disks a minute
            os.link(folder / real, folder / name)
        entries = {real: REAL} | {fake: fake_of(real) for fake in fakes}
        (folder / "metadata.json").write_text(json.dumps(entries))
    manifest = index("dfdc", tmp_path)
    assert dict(manifest["split"].value_counts().iter_rows()) == {
        "train": 35 * 2400,
        "validation": 5 * 2400,
        "test": 10 * 2400,
    }
    assert manifest.group_by("label").len().sort("label")["len"].to_list() == [50, 50 * 2399]
    assert manifest.group_by("source_id").len()["len"].to_list() == [2400] * 50


def test_one_part_as_the_root(fake):
    root, made = fake("dfdc")
    manifest = index("dfdc", root / "dfdc_train_part_35")
    expected = {each.id: each.label for each in made if each.path.startswith("dfdc_train_part_35/")}
    assert dict(manifest.select("id", "label").iter_rows()) == expected
    assert set(manifest["split"]) == {"validation"}
    assert set(manifest["path"]) == set(expected)


def test_some_parts_stay_in_their_official_split(tmp_path):
    for number in (0, 1):
        part(tmp_path / f"dfdc_train_part_{number}", {f"{'ab'[number] * 10}.mp4": REAL})
    assert set(index("dfdc", tmp_path)["split"]) == {"train"}


def test_a_part_that_was_unpacked_into_its_own_name(tmp_path):
    part(tmp_path / "dfdc_train_part_40" / "dfdc_train_part_40", {"aaaaaaaaaa.mp4": REAL})
    manifest = index("dfdc", tmp_path)
    assert manifest.select("path", "split").row(0) == (
        "dfdc_train_part_40/dfdc_train_part_40/aaaaaaaaaa.mp4",
        "test",
    )


def test_missing_and_unlisted_files_are_counted(tmp_path):
    home = part(tmp_path / "dfdc_train_part_0", {"a.mp4": REAL, "b.mp4": fake_of("a.mp4")}, missing=("a.mp4",))
    (home / "stray.mp4").write_bytes(b"x")
    report = Report()
    manifest = index("dfdc", tmp_path, report=report)
    assert manifest.select("id", "source_id").rows() == [("b.mp4", "a.mp4")]
    assert [(count.part, count.expected, count.found) for count in report.counts] == [("dfdc_train_part_0", 2, 1)]
    assert sorted(path for paths in report.odd.values() for path in paths) == [
        "dfdc_train_part_0/a.mp4",
        "dfdc_train_part_0/stray.mp4",
    ]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"../../x.mp4": REAL}, "not a plain file name"),
        ({"/etc/x.mp4": REAL}, "not a plain file name"),
        ({"a\\b.mp4": REAL}, "not a plain file name"),
        ({"C:x.mp4": REAL}, "not a plain file name"),
        ({"x.mp4": fake_of("../y.mp4")}, "not a plain file name"),
        ({"x.mp4": {"label": "MAYBE"}}, "neither REAL nor FAKE"),
        ({"x.mp4": {"is_fake": 1}}, "neither REAL nor FAKE"),
        ({"x.mp4": "REAL"}, "neither REAL nor FAKE"),
        (["x.mp4"], "not an object"),
    ],
)
def test_strange_metadata_is_refused(tmp_path, entries, message):
    home = tmp_path / "dfdc_train_part_0"
    home.mkdir()
    (home / "metadata.json").write_text(json.dumps(entries))
    with pytest.raises(UnmaskError, match=message) as caught:
        index("dfdc", tmp_path)
    assert "metadata.json" in caught.value.where


def test_all_faults_of_the_metadata_are_told_at_once(tmp_path):
    home = tmp_path / "dfdc_train_part_0"
    home.mkdir()
    entries = {"a.mp4": {"label": "X"}, "b/c.mp4": REAL, "d.mp4": fake_of(""), "e.mp4": None, "f.mp4": REAL}
    (home / "metadata.json").write_text(json.dumps(entries))
    with pytest.raises(TableError) as caught:
        index("dfdc", tmp_path)
    assert len(caught.value.problems) == 4
    for name in ("a.mp4", "b/c.mp4", "d.mp4", "e.mp4"):
        assert name in str(caught.value)


def test_a_name_that_stands_twice_is_refused(tmp_path):
    home = part(tmp_path / "dfdc_train_part_0", {"a.mp4": REAL, "b.mp4": REAL})
    (home / "metadata.json").write_text('{"a.mp4": {"label": "REAL"}, "b.mp4": {}, "a.mp4": {"label": "FAKE"}}')
    with pytest.raises(DatasetError, match=r'"a\.mp4" stands twice'):
        index("dfdc", tmp_path)


def test_columns_of_the_index_are_not_taken_from_the_metadata(tmp_path):
    strange = {"root": "/", "dataset": "other", "media": "audio", "id": "x", "path": "/etc/passwd", "split_rule": "x"}
    part(tmp_path / "dfdc_train_part_0", {"a.mp4": REAL | strange | {"actor": "ada"}})
    (row,) = index("dfdc", tmp_path).iter_rows(named=True)
    assert (row["root"], row["dataset"], row["media"]) == (str(tmp_path.resolve()), "dfdc", "video")
    assert (row["id"], row["path"], row["actor"]) == ("a.mp4", "dfdc_train_part_0/a.mp4", "ada")


def test_damaged_metadata_is_refused(tmp_path):
    home = part(tmp_path / "dfdc_train_part_0", {"x.mp4": REAL})
    (home / "metadata.json").write_text('{"x.mp4": {"label": "RE')
    with pytest.raises(DatasetError, match="not a JSON file"):
        index("dfdc", tmp_path)


def test_labels_in_any_case_and_fakes_without_an_original(tmp_path):
    part(tmp_path / "dfdc_train_part_0", {"a.mp4": {"label": "real"}, "b.mp4": {"label": "Fake"}})
    assert index("dfdc", tmp_path).select("id", "label", "source_id").rows() == [
        ("a.mp4", 0, "a.mp4"),
        ("b.mp4", 1, None),
    ]


@pytest.mark.parametrize("below", ["", "test_videos/", "videos/"])
def test_released_test_set(tmp_path, below):
    home = tmp_path / "test"
    (home / below).mkdir(parents=True)
    for name in ("a.mp4", "b.mp4", "stray.mp4"):
        (home / below / name).write_bytes(b"x")
    (home / "labels.csv").write_text("filename,label\na.mp4,1\nb.mp4,0\ngone.mp4,1\n")
    report = Report()
    manifest = index("dfdc", tmp_path, report=report)
    assert manifest.select("id", "label", "split").rows() == [("a.mp4", 1, "test"), ("b.mp4", 0, "test")]
    assert [(count.expected, count.found) for count in report.counts] == [(3, 2)]
    assert sum(len(paths) for paths in report.odd.values()) == 2


def test_labels_of_another_form_are_refused(tmp_path):
    (tmp_path / "labels.csv").write_text("filename,label\na.mp4,FAKE\nb.mp4,0\nb.mp4,1\n")
    with pytest.raises(TableError) as caught:
        index("dfdc", tmp_path)
    assert [problem.line for problem in caught.value.problems] == [2, 4]


def test_one_clip_in_two_folders_is_an_error(tmp_path):
    for name in ("dfdc_train_part_0", "train_sample_videos"):
        part(tmp_path / name, {"a.mp4": REAL})
    with pytest.raises(DatasetError, match="stands for two files"):
        index("dfdc", tmp_path)


def test_a_part_that_does_not_exist_is_told(tmp_path):
    part(tmp_path / "dfdc_train_part_0", {"a.mp4": REAL})
    part(tmp_path / "dfdc_train_part_77", {"b.mp4": REAL})
    report = Report()
    assert index("dfdc", tmp_path, report=report)["id"].to_list() == ["a.mp4"]
    assert any("beyond" in what for what in report.odd)


def test_released_test_set_with_its_metadata(tmp_path):
    entries = {
        "a.mp4": {"is_fake": 1, "augmentations": {"blur": 1}, "original": "b.mp4"},
        "b.mp4": {"is_fake": 0},
        "c.mp4": {"is_fake": True},
    }
    part(tmp_path / "test", entries)
    part(tmp_path / "train" / "dfdc_train_part_0", {"d.mp4": REAL})
    report = Report()
    manifest = index("dfdc", tmp_path, report=report)
    assert manifest.select("id", "label", "split", "split_rule").rows()[:3] == [
        ("a.mp4", 1, "test", "official"),
        ("b.mp4", 0, "test", "official"),
        ("c.mp4", 1, "test", "official"),
    ]
    assert manifest["split"].to_list()[3] == "train"
    assert report.warnings == []
    part(tmp_path / "test", {"a.mp4": {"is_fake": 2}, "b.mp4": {"is_fake": 1, "label": "REAL"}})
    with pytest.raises(TableError) as caught:
        index("dfdc", tmp_path)
    assert len(caught.value.problems) == 2


def test_labels_beside_the_parts_hide_none_of_them(tmp_path):
    part(tmp_path / "dfdc_train_part_0", {"a.mp4": REAL})
    (tmp_path / "test_videos").mkdir()
    (tmp_path / "test_videos" / "b.mp4").write_bytes(b"x")
    (tmp_path / "labels.csv").write_text("filename,label\nb.mp4,1\n")
    manifest = index("dfdc", tmp_path)
    assert manifest.select("id", "label", "split").rows() == [("a.mp4", 0, "train"), ("b.mp4", 1, "test")]


def test_parts_without_metadata_are_told(tmp_path):
    part(tmp_path / "dfdc_train_part_0" / "dfdc_train_part_0", {"a.mp4": REAL})
    for name in ("dfdc_train_part_3", "train_sample_videos"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "b.mp4").write_bytes(b"x")
    report = Report()
    assert index("dfdc", tmp_path, report=report)["id"].to_list() == ["a.mp4"]
    ((what, paths),) = report.odd.items()
    assert "metadata.json" in what
    assert paths == ["dfdc_train_part_3", "train_sample_videos"]


def test_what_other_tools_cut_out_of_the_clips_is_no_clip(tmp_path):
    (tmp_path / "test_videos").mkdir()
    for name in ("a.mp4", "a_000.png", "a.wav"):
        (tmp_path / "test_videos" / name).write_bytes(b"x")
    report = Report()
    assert index("dfdc", tmp_path, report=report)["id"].to_list() == ["a.mp4"]
    assert sorted(path for paths in report.odd.values() for path in paths) == [
        "test_videos/a.wav",
        "test_videos/a_000.png",
    ]


@pytest.mark.parametrize("name", ["\x1b[2J\n.mp4", "\ud83d.mp4", "\u200b.mp4"])
def test_names_that_no_table_can_carry_are_refused(tmp_path, name):
    part(tmp_path / "dfdc_train_part_0", {"a.mp4": REAL})
    (tmp_path / "dfdc_train_part_0" / "metadata.json").write_text(
        json.dumps({"a.mp4": fake_of(name), name: REAL, "b.mp4": REAL})
    )
    with pytest.raises(TableError) as caught:
        index("dfdc", tmp_path)
    assert len(caught.value.problems) == 2


def test_text_that_no_table_can_carry_becomes_no_column(tmp_path):
    part(tmp_path / "dfdc_train_part_0", {"a.mp4": REAL | {"x": "\ud83d", "\ud83d": "y", "z": "\U0001f600"}})
    manifest = index("dfdc", tmp_path)
    assert manifest["z"].to_list() == ["\U0001f600"]
    assert not {"x", "\ud83d"} & set(manifest.columns)
