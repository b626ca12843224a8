from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tests.fakes.media import make_clip, make_picture, noise
from unmask.datasets import index
from unmask.datasets.audit import audit
from unmask.media.encode import encode_jpeg
from unmask.tables.errors import TableError, UnmaskError
from unmask.tables.manifest import write_manifest

POLITICIANS = Path(__file__).parents[3] / "shared" / "data" / "flux_politicians"


@pytest.fixture
def clean(tmp_path) -> Path:
    """Pictures of 24 people, the same route and names for both classes; the root."""
    names = np.random.default_rng(5).permutation(np.arange(1000, 2000))
    for person in range(24):
        for number, name in enumerate(("real", "fake")):
            make_picture(tmp_path / "data" / name / f"p{person}" / f"{names[2 * person + number]}.jpg")
    return tmp_path / "data"


def manifest_of(root: Path, **changes: str) -> Path:
    """Index ``root`` and write its manifest beside it, with some columns changed by polars expressions."""
    rows = index("folder", root, subject_from="folder").with_columns(**changes)
    path = root.parent / "manifest.parquet"
    write_manifest(rows, path)
    return path


def kinds(outcome) -> set[str]:
    return {finding.kind for finding in outcome.findings}


def test_clean_data_is_clean(clean):
    outcome = audit([manifest_of(clean)])
    assert outcome.findings == []
    assert outcome.balance["split"].to_list() == ["train", "validation", "test"]
    assert outcome.balance["real"].sum() == outcome.balance["fake"].sum() == 24


def test_every_file_is_opened(clean):
    steps = []
    audit([manifest_of(clean)], progress=lambda done, total: steps.append((done, total)))
    assert steps == [(done, 48) for done in range(1, 49)]


def test_unusable_files_are_named(clean):
    path = manifest_of(clean)
    files = sorted(clean.rglob("*.jpg"))
    files[0].unlink()
    files[1].write_bytes(b"")
    files[2].write_bytes(files[2].read_bytes()[:300])
    outcome = audit([path])
    found = {finding.kind: finding for finding in outcome.findings}
    assert set(found) == {"missing_file", "empty_file", "unreadable"}
    for kind, file in zip(("missing_file", "empty_file", "unreadable"), files, strict=False):
        assert found[kind].count == 1
        assert found[kind].where[0].startswith(file.relative_to(clean).as_posix())
        assert found[kind].next_step


def test_a_video_that_breaks_before_its_first_frame(tmp_path):
    for name in ("real", "fake"):
        make_clip(tmp_path / "data" / name / "p" / "a.mp4", seed=name)
    path = manifest_of(tmp_path / "data", split=pl.lit("train"))
    clip = tmp_path / "data" / "fake" / "p" / "a.mp4"
    clip.write_bytes(clip.read_bytes()[:500])
    outcome = audit([path])
    assert kinds(outcome) == {"unreadable"}
    assert outcome.findings[0].where[0].startswith("fake/p/a.mp4")


def test_moved_root(clean, tmp_path):
    path = manifest_of(clean)
    moved = Path(shutil.move(clean, tmp_path / "elsewhere"))
    assert kinds(audit([path])) == {"missing_file"}
    assert audit([path], root=moved).findings == []


def test_shared_subjects_and_sources(clean):
    half = pl.when(pl.col("label") == 0).then(pl.lit("train")).otherwise(pl.lit("test"))
    outcome = audit([manifest_of(clean, split=half, source_id=pl.col("subject_id"))])
    assert kinds(outcome) == {"shared_subject", "shared_source", "one_class"}
    subjects = next(finding for finding in outcome.findings if finding.kind == "shared_subject")
    assert subjects.count == 24
    assert "train" in subjects.what
    assert "test" in subjects.what


def test_shared_donor(clean):
    first = pl.col("subject_id").filter(pl.col("split") == "test").first()
    donor = pl.when((pl.col("label") == 1) & (pl.col("split") == "train")).then(first)
    outcome = audit([manifest_of(clean, donor_id=donor)])
    assert [(finding.kind, finding.count) for finding in outcome.findings] == [("shared_donor", 1)]
    assert kinds(audit([manifest_of(clean, second_donor_id=donor)])) == {"shared_donor"}


def test_the_same_bytes_in_two_splits(clean):
    rows = index("folder", clean, subject_from="folder").filter(pl.col("label") == 1)
    one, other = (rows.filter(pl.col("split") == split)["path"][0] for split in ("train", "test"))
    shutil.copyfile(clean / one, clean / other)
    outcome = audit([manifest_of(clean)])
    assert kinds(outcome) == {"same_bytes", "near_duplicate"}
    where = next(finding for finding in outcome.findings if finding.kind == "same_bytes").where
    assert len(where) == 1
    assert one in where[0]
    assert other in where[0]


def test_the_same_bytes_under_two_labels(clean):
    person = clean / "fake" / "p0"
    shutil.copyfile(next((clean / "real" / "p0").iterdir()), next(person.iterdir()))
    assert kinds(audit([manifest_of(clean)])) == {"contradictory_labels"}


def test_a_picture_saved_again_in_another_split_is_found(clean):
    rows = index("folder", clean, subject_from="folder").filter(pl.col("label") == 0)
    one, other = (rows.filter(pl.col("split") == split)["path"][0] for split in ("train", "test"))
    again = np.asarray(Image.open(clean / one).resize((80, 60)))
    (clean / other).write_bytes(encode_jpeg(again, 70))
    outcome = audit([manifest_of(clean)])
    assert kinds(outcome) == {"near_duplicate"}
    assert outcome.findings[0].where == (f"{one} ~ {other}",)
    assert "--subject-from" not in outcome.findings[0].next_step  # it was given


def test_look_alikes_of_a_split_by_file_are_mended_by_naming_the_people(clean):
    rows = index("folder", clean)
    assert set(rows["split_rule"]) == {"id seed=0 0.70/0.15/0.15"}
    one, other = (rows.filter(split=split, label=0)["path"][0] for split in ("train", "test"))
    shutil.copyfile(clean / one, clean / other)
    write_manifest(rows, clean.parent / "m.parquet")
    found = {finding.kind: finding for finding in audit([clean.parent / "m.parquet"]).findings}
    assert "--subject-from folder" in found["near_duplicate"].next_step


def test_what_is_wrong_with_a_video_is_said_once_and_without_numbers(tmp_path):
    for name in ("real", "fake"):
        make_clip(tmp_path / "data" / name / "p" / "a.mp4", seed=name)
    path = manifest_of(tmp_path / "data", split=pl.lit("train"))
    (tmp_path / "data" / "fake" / "p" / "a.mp4").write_bytes(b"hello" * 300)
    (found,) = audit([path]).findings
    assert found.where == ("fake/p/a.mp4 (the video cannot be read (Invalid data found when processing input))",)


def test_two_manifests_are_audited_as_one_body(clean, tmp_path):
    rows = index("folder", clean, subject_from="folder")
    for split in ("train", "test"):
        write_manifest(rows.with_columns(split=pl.lit(split)), tmp_path / f"{split}.parquet")
        assert not kinds(audit([tmp_path / f"{split}.parquet"]))
    both = audit([tmp_path / "train.parquet", tmp_path / "test.parquet"])
    assert kinds(both) == {"shared_id", "shared_subject", "same_bytes", "near_duplicate"}


def test_names_of_different_datasets_are_different_names(clean, tmp_path):
    rows = index("folder", clean, subject_from="folder")
    write_manifest(rows.with_columns(split=pl.lit("train")), tmp_path / "one.parquet")
    for file in sorted(clean.rglob("*.jpg")):
        new = tmp_path / "other" / file.relative_to(clean)
        new.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(encode_jpeg(noise(f"other {file.name}"), 90))
    rows = index("folder", tmp_path / "other", subject_from="folder")
    write_manifest(rows.with_columns(split=pl.lit("test")), tmp_path / "two.parquet")
    assert audit([tmp_path / "one.parquet", tmp_path / "two.parquet"]).findings == []


def test_unlabelled_files_are_audited_too(clean):
    none = pl.when(pl.col("split") != "test").then(pl.col("label"))
    outcome = audit([manifest_of(clean, label=none)])
    assert outcome.findings == []
    assert outcome.balance.filter(pl.col("split") == "test")["unlabelled"][0] > 0


def test_what_was_not_checked_is_said(clean):
    notes = " ".join(audit([manifest_of(clean)]).notes)
    assert "sources are not known" in notes
    assert "subjects" not in notes


def test_as_dict_is_json(clean):
    content = json.loads(json.dumps(audit([manifest_of(clean)]).as_dict()))
    audited = {"format", "version", "manifests", "manifest_sha256"}
    assert set(content) == audited | {"findings", "balance", "trivial_features", "notes"}
    assert {row["feature"] for row in content["trivial_features"]} >= {"bytes", "bytes_per_pixel"}


def test_broken_manifests_are_refused(tmp_path):
    with pytest.raises(UnmaskError):
        audit([tmp_path / "absent.parquet"])
    (tmp_path / "m.csv").write_text("id,path,media,label,split,dataset\na,../a.jpg,image,0,train,d\n")
    with pytest.raises(TableError, match="leads out"):
        audit([tmp_path / "m.csv"])


@pytest.mark.skipif(not POLITICIANS.is_dir(), reason=f"the pictures are not at {POLITICIANS}")
def test_frames_of_one_video_leak_in_a_random_split_and_not_in_one_by_person(tmp_path):
    for name in ("real", "fake"):
        (tmp_path / "two" / name).mkdir(parents=True)
        for person in ("correa", "lasso"):
            (tmp_path / "two" / name / person).symlink_to(POLITICIANS / name / person, target_is_directory=True)
    write_manifest(index("folder", tmp_path / "two"), tmp_path / "random.parquet")
    by_person = index("folder", tmp_path / "two", subject_from="folder", hold_out=["lasso"])
    write_manifest(by_person, tmp_path / "person.parquet")
    assert "near_duplicate" in kinds(audit([tmp_path / "random.parquet"]))
    assert kinds(audit([tmp_path / "person.parquet"])) == {"trivial_feature"}
