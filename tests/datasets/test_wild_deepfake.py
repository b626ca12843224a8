from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path

import polars as pl
import pytest

from tests.datasets.contract import DatasetContract
from tests.fakes.wild_deepfake import pack
from unmask.datasets import index
from unmask.datasets.report import Report
from unmask.datasets.sequences import BAD_MEMBERS, DAMAGED
from unmask.media.sequence import SequenceReader
from unmask.tables.manifest import media_path


class TestWildDeepfake(DatasetContract):
    name = "wild_deepfake"


@pytest.fixture
def copy(fake, tmp_path) -> Path:
    return Path(shutil.copytree(fake("wild_deepfake")[0], tmp_path / "copy"))


def archives_of(root: Path) -> list[Path]:
    return sorted(path for part in root.iterdir() for path in part.iterdir() if path.is_dir())


@pytest.mark.parametrize("compressed", [False, True])
def test_packed_or_not_the_manifest_says_the_same(fake, copy, compressed):
    for folder in archives_of(copy):
        pack(folder, compressed=compressed)
        shutil.rmtree(folder)
    unpacked, packed = index("wild_deepfake", fake("wild_deepfake")[0]), index("wild_deepfake", copy)
    assert packed.drop("path", "root").equals(unpacked.drop("path", "root"))
    row = packed.row(by_predicate=pl.col("id") == "real_train/1/10", named=True)
    assert row["path"] == "real_train/1.tar.gz/1/real/10"
    assert all(len(SequenceReader(media_path(each))) == 3 for each in packed.iter_rows(named=True))


def test_side_by_side_they_are_kept_once_and_whole(fake, copy):
    for folder in archives_of(copy):
        pack(folder)
    (copy / "real_train/1/real/10/100.png").unlink()
    shutil.rmtree(copy / "real_train/1/real/17")
    report = Report()
    manifest = index("wild_deepfake", copy, report=report)
    whole = index("wild_deepfake", fake("wild_deepfake")[0])
    assert manifest["id"].to_list() == whole["id"].to_list()
    packed = manifest.filter(pl.col("path").str.contains("tar.gz"))
    assert packed["id"].to_list() == ["real_train/1/10", "real_train/1/17"]
    assert any("11 sequences of real_train are there more than once" in note for note in report.notes)


def test_sequences_of_one_archive_stay_together_in_either_class(fake):
    manifest = index("wild_deepfake", fake("wild_deepfake")[0])
    drawn = manifest.filter(pl.col("split_rule") != "official")
    numbers = drawn.with_columns(number=pl.col("source_id").str.split("/").list.last())
    assert set(drawn["split"]) == {"train", "validation"}
    assert numbers.group_by("number").agg(pl.col("split").n_unique())["split"].max() == 1
    assert set(drawn["split_rule"]) == {"archive seed=0 0.85/0.15"}


def test_the_root_may_lie_one_folder_up(fake, copy, tmp_path):
    copy.rename(tmp_path / "deepfake_in_the_wild")
    manifest = index("wild_deepfake", tmp_path)
    assert manifest["id"].to_list() == index("wild_deepfake", fake("wild_deepfake")[0])["id"].to_list()
    assert manifest["path"].str.starts_with("deepfake_in_the_wild/").all()


def test_unpacked_into_a_folder_of_its_own(copy):
    (copy / "real_train/1").rename(copy / "real_train/x")
    (copy / "real_train/1").mkdir()
    (copy / "real_train/x").rename(copy / "real_train/1/1")
    manifest = index("wild_deepfake", copy)
    assert {"real_train/1/10", "real_train/1/17"} <= set(manifest["id"])


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("damage", ["cut", "cut at a member", "no end", "empty", "noise", "noise inside"])
def test_a_damaged_archive_is_told_and_left_out(copy, compressed, damage):
    archive = pack(copy / "real_train/1", compressed=compressed)
    shutil.rmtree(copy / "real_train/1")
    data = archive.read_bytes()
    with tarfile.open(archive) as members:
        offset = members.getmembers()[-1].offset
    archive.write_bytes(
        {
            "cut": data[: len(data) // 2 + 100],
            "cut at a member": data[:-2000] if compressed else data[:offset],
            "no end": data[: len(data) * 3 // 4] if compressed else data.rstrip(b"\0"),
            "empty": b"",
            "noise": b"no archive at all" * 100,
            "noise inside": data[: len(data) // 2] + b"\xff" * 600 + data[len(data) // 2 + 600 :]
            if compressed
            else data[:offset] + b"\xff" * 512 + data[offset + 512 :],
        }[damage]
    )
    report = Report()
    manifest = index("wild_deepfake", copy, report=report)
    assert report.odd == {DAMAGED: ["real_train/1.tar.gz"]}
    assert not manifest["id"].str.starts_with("real_train/1/").any()
    assert manifest.height == 30


def test_members_that_lead_out_or_hide_are_not_taken(copy):
    archive = copy / "real_train/99.tar.gz"
    with tarfile.open(archive, "w") as members:
        for name in (
            "../9/real/1/0.png",
            "/9/real/2/0.png",
            "./9/real/3/0.png",
            "./9/real/._4/0.png",
            "9/real/5/a.txt",
        ):
            member = tarfile.TarInfo(name)
            member.size = 3
            members.addfile(member, io.BytesIO(b"abc"))
        link = tarfile.TarInfo("9/real/6/0.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        members.addfile(link)
    report = Report()
    manifest = index("wild_deepfake", copy, report=report)
    assert manifest.filter(pl.col("id").str.starts_with("real_train/9/"))["path"].to_list() == [
        "real_train/99.tar.gz/9/real/3"
    ]
    assert report.odd == {BAD_MEMBERS: ["real_train/99.tar.gz"]}


def test_a_sequence_of_the_other_class_is_not_guessed(copy):
    (copy / "real_train/1/real").rename(copy / "real_train/1/fake")
    (copy / "fake_test/frames").mkdir()
    (copy / "fake_test/0/fake/0").rename(copy / "fake_test/frames/0")
    report = Report()
    manifest = index("wild_deepfake", copy, report=report)
    assert manifest.height == 29
    assert sorted(path for paths in report.odd.values() for path in paths) == [
        "fake_test/frames/0",
        "real_train/1/fake/10",
        "real_train/1/fake/17",
    ]


def test_without_training_data_there_is_only_a_test(copy):
    for part in ("real_train", "fake_train"):
        shutil.rmtree(copy / part)
    assert set(index("wild_deepfake", copy)["split"]) == {"test"}
