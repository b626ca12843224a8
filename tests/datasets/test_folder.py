from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import polars as pl
import pytest

from tests.datasets.contract import DatasetContract
from tests.fakes import folder as fake_folder
from unmask.datasets import index
from unmask.datasets.own_data import CLASS_WORDS
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError, TableError

POLITICIANS = Path(__file__).parents[3] / "shared" / "data" / "flux_politicians"


class TestFolder(DatasetContract):
    name = "folder"
    options: ClassVar = {"subject_from": "folder"}
    ids_are_paths = True

    def keeps_its_name(self, folder):
        return folder.name in fake_folder.PEOPLE


def touch(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def rows_of(manifest: pl.DataFrame, *columns: str) -> set[tuple]:
    return set(manifest.select(columns).iter_rows())


@pytest.mark.parametrize("label", [0, 1])
def test_class_words(tmp_path, label):
    for word in CLASS_WORDS[label]:
        for number, spelling in enumerate((word, word.upper(), f"{label}_{word}", f"{label}-{word.title()}")):
            root = touch(tmp_path / f"{word}{number}", f"{spelling}/a.png")
            assert index("folder", root)["label"].to_list() == [label]


def test_dataset_is_the_name_of_the_root(tmp_path):
    assert set(index("folder", touch(tmp_path / "portraits", "real/a.jpg", "fake/b.jpg"))["dataset"]) == {"portraits"}


def test_media_by_ending(tmp_path):
    root = touch(tmp_path, "real/a.MP4", "real/b.Jpeg", "real/c.flac", "real/d.txt")
    report = Report()
    manifest = index("folder", root, report=report)
    assert rows_of(manifest, "path", "media") == {
        ("real/a.MP4", "video"),
        ("real/b.Jpeg", "image"),
        ("real/c.flac", "audio"),
    }
    assert [path for paths in report.odd.values() for path in paths] == ["real/d.txt"]


def test_split_folders(tmp_path):
    root = touch(
        tmp_path, "Train/real/a.jpg", "Train/fake/b.jpg", "VAL/real/c.jpg", "valid/fake/d.jpg", "testing/fake/x/e.jpg"
    )
    manifest = index("folder", root)
    assert rows_of(manifest, "path", "split", "label") == {
        ("Train/real/a.jpg", "train", 0),
        ("Train/fake/b.jpg", "train", 1),
        ("VAL/real/c.jpg", "validation", 0),
        ("valid/fake/d.jpg", "validation", 1),
        ("testing/fake/x/e.jpg", "test", 1),
    }


def test_a_missing_split_is_told_not_drawn(tmp_path):
    report = Report()
    manifest = index("folder", touch(tmp_path, "train/real/a.jpg", "test/fake/b.jpg"), report=report)
    assert set(manifest["split"]) == {"train", "test"}
    assert any("validation" in note for note in report.notes)


def test_methods_by_folder(tmp_path):
    root = touch(tmp_path, "train/fake/blend/a.jpg", "train/fake/swap/b.jpg", "train/fake/c.jpg", "train/real/x/d.jpg")
    manifest = index("folder", root, method_from="folder")
    assert rows_of(manifest, "path", "method") == {
        ("train/fake/blend/a.jpg", "blend"),
        ("train/fake/swap/b.jpg", "swap"),
        ("train/fake/c.jpg", None),
        ("train/real/x/d.jpg", None),
    }


def test_without_subjects_each_class_is_dealt_by_share(tmp_path):
    root = touch(tmp_path, *(f"{name}/{number}.jpg" for name in ("real", "fake") for number in range(20)))
    manifest = index("folder", root)
    counts = manifest.group_by("split", "label").len()
    assert rows_of(counts, "split", "label", "len") == {
        (split, label, count) for split, count in (("train", 14), ("validation", 3), ("test", 3)) for label in (0, 1)
    }
    assert set(manifest["split_rule"]) == {"id seed=0 0.70/0.15/0.15"}
    assert rows_of(manifest, "id", "split") != rows_of(index("folder", root, seed=1), "id", "split")


def test_hold_out(fake):
    manifest = index("folder", fake("folder")[0], subject_from="folder", hold_out=["eva", "ben"])
    assert set(manifest.filter(pl.col("split") == "test")["subject_id"]) == {"ben", "eva"}
    assert set(manifest["split"]) == {"train", "validation", "test"}
    assert manifest.group_by("subject_id").agg(pl.col("split").n_unique())["split"].to_list() == [1] * 6
    assert set(manifest["split_rule"]) == {"held out ben, eva; subject seed=0 0.85/0.15"}


@pytest.mark.parametrize(
    ("paths", "options", "message"),
    [
        (["real/a.jpg", "train/fake/b.jpg"], {}, "side by side"),
        (["real/train/a.jpg", "fake/train/b.jpg"], {}, "split inside a class"),
        (["real/a.jpg", "fake/p/b.jpg"], {"subject_from": "folder"}, "no folder of a person"),
        (["real/p/a.jpg"], {"subject_from": "folder", "method_from": "folder"}, "both the person and the method"),
        (["real/p/a.jpg"], {"subject_from": "name"}, "not known"),
        (["real/p/a.jpg"], {"hold_out": ["p"]}, "subjects are not known"),
        (["real/p/a.jpg"], {"hold_out": ["q", "r"], "subject_from": "folder"}, "no subject 'q', 'r'"),
        (["real/p/a.jpg"], {"hold_out": ["p"], "subject_from": "folder"}, "everybody"),
        (["train/real/p/a.jpg"], {"hold_out": ["p"], "subject_from": "folder"}, "has splits already"),
        (["pictures/a.jpg"], {}, "folder looks for real/ and fake/"),
        (["real/a.jpg"], {"splits": "x"}, "--splits does not apply"),
    ],
)
def test_what_is_ambiguous_is_refused(tmp_path, paths, options, message):
    with pytest.raises(DatasetError, match=message) as caught:
        index("folder", touch(tmp_path, *paths), **options)
    assert caught.value.next_step or "everybody" in message


def test_nothing_found_says_what_lies_there_instead(tmp_path):
    with pytest.raises(DatasetError) as caught:
        index("folder", touch(tmp_path, "faces/a.jpg", "more/b.jpg", "c.jpg", "d.txt"))
    assert f"{tmp_path} (it holds faces/, more/, 2 files: .jpg 1, .txt 1)" in str(caught.value)
    with pytest.raises(DatasetError, match=r"left out: \.heic 2, \.txt 1"):
        index("folder", touch(tmp_path, "real/a.heic", "fake/b.HEIC", "fake/c.txt"))


def test_all_files_without_a_person_are_counted(tmp_path):
    root = touch(tmp_path, "real/a.jpg", "fake/b.jpg", "fake/p/c.jpg")
    with pytest.raises(DatasetError, match="2 of 3 files") as caught:
        index("folder", root, subject_from="folder")
    assert "real/a.jpg" in str(caught.value)
    assert "fake/b.jpg" in str(caught.value)


def warnings_of(root: Path, **options: str) -> list[str]:
    report = Report()
    index("folder", root, report=report, **options)
    return report.warnings


def test_a_split_that_may_part_one_person_is_warned_of(tmp_path):
    root = touch(tmp_path / "d", *(f"{name}/p{number}/a.jpg" for name in ("real", "fake") for number in range(6)))
    (warning,) = warnings_of(root)
    assert "12 of the 12 files" in warning
    assert "--subject-from folder" in warning
    assert warnings_of(root, subject_from="folder") == []
    assert warnings_of(touch(tmp_path / "given", "train/real/a.jpg", "test/fake/b.jpg")) == []


def test_subjects_that_a_table_leaves_open_are_warned_of(tmp_path):
    touch(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    (tmp_path / "metadata.csv").write_text(
        "path,label,source_id,subject_id\na.jpg,0,s1,ada\nb.jpg,1,s1,\nc.jpg,1,s2,\n"
    )
    (warning,) = warnings_of(tmp_path)
    assert "2 of the 3 files" in warning
    assert "column subject_id in metadata.csv" in warning
    assert "--subject-from" not in warning  # it is refused beside a table
    assert "video" not in warning  # sources are known, so frames of one stay together


def test_other_folders_are_told(tmp_path):
    report = Report()
    index("folder", touch(tmp_path, "real/a.jpg", "fake/b.jpg", "masks/a.png"), report=report)
    assert [path for paths in report.odd.values() for path in paths] == ["masks"]


def test_a_link_in_a_circle_ends(tmp_path):
    root = touch(tmp_path, "real/a.jpg", "fake/b.jpg")
    (root / "real" / "again").symlink_to(root / "real", target_is_directory=True)
    assert rows_of(index("folder", root), "path") == {("real/a.jpg",), ("fake/b.jpg",)}


def test_names_that_no_table_carries_are_told(tmp_path):
    report = Report()
    manifest = index(
        "folder", touch(tmp_path, "real/a.jpg", "real/b\u200b.jpg", "real/c\\d.jpg", "fake/é.jpg"), report=report
    )
    assert rows_of(manifest, "path") == {("real/a.jpg",), ("fake/é.jpg",)}
    assert sum(len(paths) for paths in report.odd.values()) == 2


class TestMetadata:
    def make(self, root: Path, text: str) -> Path:
        touch(root, "train/real/a.jpg", "train/fake/swap/b.jpg", "test/real/c.jpg", "test/fake/swap/d.jpg")
        (root / "metadata.csv").write_text(text)
        return root

    def test_columns_are_taken(self, tmp_path):
        text = (
            "path,label,split,method,source_id,subject_id,pose\n"
            "train/real/a.jpg,0,train,,s1,p1,left\n"
            "train/fake/swap/b.jpg,1,validation,swap,s1,p1,\n"
            "test/real/gone.jpg,0,test,,s2,p2,left\n"
        )
        report = Report()
        manifest = index("folder", self.make(tmp_path, text), report=report)
        assert rows_of(manifest, "path", "label", "split", "method", "source_id", "subject_id", "pose") == {
            ("train/real/a.jpg", 0, "train", None, "s1", "p1", "left"),
            ("train/fake/swap/b.jpg", 1, "validation", "swap", "s1", "p1", None),
        }
        assert [(count.expected, count.found) for count in report.counts] == [(3, 2)]
        assert sorted(path for paths in report.odd.values() for path in paths) == [
            "test/fake/swap/d.jpg",
            "test/real/c.jpg",
            "test/real/gone.jpg",
        ]

    def test_splits_come_from_folders_where_the_table_has_none(self, tmp_path):
        text = "path,label\ntrain/real/a.jpg,0\ntest/fake/swap/d.jpg,1\n"
        manifest = index("folder", self.make(tmp_path, text))
        assert rows_of(manifest, "path", "split") == {("train/real/a.jpg", "train"), ("test/fake/swap/d.jpg", "test")}

    def test_a_source_is_kept_together(self, tmp_path):
        lines = []
        for source in range(12):
            for label in (0, 1):
                touch(tmp_path, f"{source}_{label}.jpg")
                lines.append(f"{source}_{label}.jpg,{label},s{source}\n")
        (tmp_path / "metadata.csv").write_text("path,label,source_id\n" + "".join(lines))
        manifest = index("folder", tmp_path)
        assert manifest.group_by("source_id").agg(pl.col("split").n_unique())["split"].max() == 1
        assert set(manifest["split"]) == {"train", "validation", "test"}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("path,label\n../../etc/x.jpg,0\n", "leads out of the folder"),
            ("path,label\n/etc/x.jpg,0\n", "leads out of the folder"),
            ("path,label\ntrain/real/a.jpg,real\n", "the label is"),
            ("path,label,split\ntrain/real/a.jpg,0,val\n", "the split is"),
            ("path,label\ntrain/real/a.jpg,0\ntrain/real/a.jpg,1\n", "already"),
            ("file,label\ntrain/real/a.jpg,0\n", 'no column "path"'),
            ("path,label,root\ntrain/real/a.jpg,0,/\n", "filled by the index"),
            ("path,label\nnotes.txt,0\n", "by its ending"),
        ],
    )
    def test_faults_are_told_with_their_line(self, tmp_path, text, message):
        with pytest.raises(TableError, match=message):
            index("folder", self.make(tmp_path, text))

    def test_options_that_read_folder_names_do_not_go_with_it(self, tmp_path):
        root = self.make(tmp_path, "path,label\ntrain/real/a.jpg,0\n")
        with pytest.raises(DatasetError, match=r"there is a metadata\.csv"):
            index("folder", root, subject_from="folder")


@pytest.mark.skipif(not POLITICIANS.is_dir(), reason=f"the pictures are not at {POLITICIANS}")
def test_politicians_with_one_left_out():
    manifest = index("folder", POLITICIANS, subject_from="folder", hold_out=["noboa"])
    assert manifest["label"].value_counts().sort("label")["count"].to_list() == [731, 674]
    assert set(manifest.filter(pl.col("split") == "test")["subject_id"]) == {"noboa"}
    assert set(manifest["subject_id"]) == {"correa", "gonzalez", "lasso", "noboa"}


def test_unknown_dataset(tmp_path):
    with pytest.raises(DatasetError, match="no dataset called 'dfcd'") as caught:
        index("dfcd", tmp_path)
    assert "dfdc" in caught.value.next_step


def test_files_beside_the_class_folders_are_told(tmp_path):
    report = Report()
    root = touch(tmp_path, "train/real/a.jpg", "train/fake/b.jpg", "train/loose.jpg", "c.mp4", "notes.txt")
    assert rows_of(index("folder", root, report=report), "path") == {("train/real/a.jpg",), ("train/fake/b.jpg",)}
    assert sorted(path for paths in report.odd.values() for path in paths) == ["c.mp4", "train/loose.jpg"]


def test_a_message_is_one_line_whatever_a_name_holds(tmp_path):
    report = Report()
    index("folder", touch(tmp_path, "real/a.jpg", "fake/b.jpg", "fake/c\n\x1b[2Jd.jpg"), report=report)
    ((path,),) = report.odd.values()
    assert path == r"fake/c\n\x1b[2Jd.jpg"


def test_archives_that_were_not_unpacked_are_named(tmp_path):
    with pytest.raises(DatasetError, match=r"2 files: \.zip 2"):
        index("folder", touch(tmp_path, "real.zip", "fake.zip"))
