"""What every adapter must do: inherit ``DatasetContract`` and name the adapter."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import ClassVar

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.fakes.made import Made
from unmask.datasets import index
from unmask.datasets.files import EMPTY, HIDDEN
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError
from unmask.tables.manifest import MEDIA, SPLITS, media_path, read_manifest, write_manifest


class DatasetContract:
    """Tests on the tiny look-alike of the dataset called ``name``.

    Attributes:
        name: key of ``ADAPTERS`` and of ``tests.fakes.BUILDERS``.
        options: further arguments of ``index``.
        splits: those that the look-alike gives; some datasets have no data to train on.
        ids_are_paths: whether an id changes where a folder is renamed.
    """

    name: str
    options: ClassVar[dict[str, str]] = {}
    splits: ClassVar[set[str]] = set(SPLITS)
    ids_are_paths = False

    @pytest.fixture
    def tree(self, fake) -> Path:
        return fake(self.name)[0]

    @pytest.fixture
    def made(self, fake) -> list[Made]:
        return fake(self.name)[1]

    @pytest.fixture
    def copy(self, tree, tmp_path) -> Path:
        return Path(shutil.copytree(tree, tmp_path / "copy"))

    def index(self, root: Path, report: Report | None = None) -> pl.DataFrame:
        return index(self.name, root, report=report, **self.options)

    def test_every_file_has_its_label(self, tree, made):
        manifest = self.index(tree)
        assert dict(manifest.select("id", "label").iter_rows()) == {each.id: each.label for each in made}
        assert {each.label for each in made} >= {0, 1}

    def test_every_file_has_its_path(self, tree, made):
        manifest = self.index(tree)
        assert dict(manifest.select("id", "path").iter_rows()) == {each.id: each.path for each in made}

    def test_twins_share_their_source(self, tree, made):
        sources = {each.id: each.source for each in made if each.source}
        if not sources:
            pytest.skip("the layout does not tell sources")
        assert dict(self.index(tree).select("id", "source_id").drop_nulls().iter_rows()) == sources
        by_source = {each.source: each.id for each in made if each.label == 0}
        assert set(sources.values()) <= set(by_source)

    def test_subjects(self, tree, made):
        subjects = {each.id: each.subject for each in made}
        if not any(subjects.values()):
            pytest.skip("the layout does not tell subjects")
        assert dict(self.index(tree).select("id", "subject_id").iter_rows()) == subjects

    def test_official_split(self, tree, made):
        official = {each.id: each.split for each in made if each.split}
        if not official:
            pytest.skip("there is no official split")
        splits = dict(self.index(tree).select("id", "split").iter_rows())
        assert {id_: splits[id_] for id_ in official} == official

    def test_every_split_is_there_and_told(self, tree):
        manifest = self.index(tree)
        assert set(manifest["split"]) == self.splits
        assert manifest["split_rule"].null_count() == 0

    @pytest.mark.parametrize("column", ["source_id", "subject_id"])
    def test_nothing_drawn_stands_in_two_splits(self, tree, made, column):
        manifest = self.index(tree)
        if column not in manifest.columns:
            pytest.skip(f"the layout does not tell {column}")
        official_test = [each.id for each in made if each.split == "test"] if column == "subject_id" else []
        ours = manifest.filter(~pl.col("id").is_in(official_test)).drop_nulls(column)
        assert ours.group_by(column).agg(pl.col("split").n_unique()).filter(pl.col("split") > 1).is_empty()

    def test_the_seed_decides_and_nothing_else(self, tree, copy):
        first, second = self.index(tree), self.index(copy)
        assert_frame_equal(first.drop("root", "dataset"), second.drop("root", "dataset"))

    def test_half_of_it_is_indexed(self, copy, made):
        for each in made[::2]:
            path = copy / each.path
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        assert set(self.index(copy)["id"]) == {each.id for each in made[1::2]}

    def test_any_folder_may_be_missing(self, tree, made, tmp_path):
        for number, folder in enumerate(sorted({Path(each.path).parent for each in made})):
            copy = Path(shutil.copytree(tree, tmp_path / str(number)))
            shutil.rmtree(copy / folder)
            left = {each.id for each in made if Path(each.path).parent != folder}
            assert set(self.index(copy)["id"]) == left

    @pytest.mark.parametrize("respell", [str.upper, lambda name: name.replace("_", " ").replace("-", "_").title()])
    def test_folders_in_foreign_spelling(self, copy, made, respell):
        for folder, _, _ in os.walk(copy, topdown=False):
            path = Path(folder)
            if path != copy and not self.keeps_its_name(path):
                path.rename(path.with_name(respell(path.name)))
        manifest = self.index(copy)
        assert sorted(manifest["label"]) == sorted(each.label for each in made)
        assert all((copy / path).exists() for path in manifest["path"])
        if not self.ids_are_paths:
            assert set(manifest["id"]) == {each.id for each in made}

    def keeps_its_name(self, folder: Path) -> bool:
        """Whether a folder's name is data (a person) rather than layout."""
        return False

    def test_hidden_files_are_left_out(self, copy, made):
        for folder in {(copy / each.path).parent for each in made}:
            for name in ("._x.mp4", ".DS_Store", "Thumbs.db"):
                (folder / name).write_bytes(b"x")
        report = Report()
        assert set(self.index(copy, report)["id"]) == {each.id for each in made}
        assert report.odd[HIDDEN]

    def test_empty_files_are_told(self, copy, made):
        if (copy / made[0].path).is_dir():
            pytest.skip("the pictures of a sequence are not looked at one by one")
        (copy / made[0].path).write_bytes(b"")
        report = Report()
        assert self.index(copy, report).height == len(made)
        assert report.odd == {EMPTY: [made[0].path]}

    def test_a_whole_one_is_not_odd(self, tree):
        report = Report()
        self.index(tree, report)
        assert report.odd == {}

    def test_nothing_there_is_an_error_that_says_what_was_looked_for(self, tmp_path):
        with pytest.raises(DatasetError) as caught:
            self.index(tmp_path)
        assert str(tmp_path) in str(caught.value)
        assert "/" in str(caught.value.next_step)

    def test_no_such_folder(self, tmp_path):
        with pytest.raises(DatasetError, match="no such folder"):
            self.index(tmp_path / "absent")

    def test_a_file_is_no_folder(self, tmp_path):
        (tmp_path / "data.zip").write_bytes(b"x")
        with pytest.raises(DatasetError, match="a file, not a folder"):
            self.index(tmp_path / "data.zip")

    def test_a_root_that_no_table_can_carry(self, tree, tmp_path):
        try:
            copied = Path(shutil.copytree(tree, tmp_path / os.fsdecode(b"copy\xff")))
        except OSError:
            pytest.skip("this disk takes no such name")
        with pytest.raises(DatasetError, match=r"copy\\udcff"):
            self.index(copied)

    def test_manifest_round_trip(self, tree, tmp_path):
        manifest = self.index(tree)
        write_manifest(manifest, tmp_path / "m.parquet")
        again = read_manifest(tmp_path / "m.parquet")
        assert_frame_equal(again, manifest, check_column_order=False)
        assert all(media_path(row).exists() for row in again.iter_rows(named=True))

    def test_schema(self, tree):
        manifest = self.index(tree)
        assert manifest["id"].is_unique().all()
        assert manifest["id"].is_sorted()
        assert set(manifest["media"]) <= set(MEDIA)
        assert manifest["dataset"].n_unique() == 1
        assert manifest["root"].unique().to_list() == [str(tree.resolve())]
