"""Several manifests audited together."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from tests.datasets.test_audit_files import write_rows
from tests.fakes.media import make_picture
from unmask.datasets.audit import Audit, audit

STILL = (
    ("real.jpg", "image", 0, "train"),
    ("fake.jpg", "image", 1, "train"),
    ("real2.jpg", "image", 0, "test"),
    ("fake2.jpg", "image", 1, "test"),
)


@pytest.fixture
def roots(tmp_path) -> tuple[Path, Path]:
    """Two folders with files of the same names and other contents."""
    for folder in ("one", "two"):
        for name, *_ in STILL:
            make_picture(tmp_path / folder / name, seed=f"{folder}{name}")
    return tmp_path / "one", tmp_path / "two"


def write(root: Path, *rows, dataset: str | None = None, **columns: list) -> Path:
    rows = rows or STILL
    names = [dataset or root.name] * len(rows)
    return write_rows(root, *rows, name=f"{root.name}.parquet", dataset=names, **columns)


def together(*manifests: Path) -> Audit:
    return audit(manifests, workers=1)


def kinds(outcome: Audit) -> list[str]:
    return [finding.kind for finding in outcome.findings]


def test_two_datasets_with_files_of_one_name_are_clean(roots):
    outcome = together(write(roots[0]), write(roots[1]))
    assert outcome.findings == []
    assert outcome.balance["real"].to_list() == [2, 2]


def test_an_id_that_stands_in_both_for_other_files(roots):
    (finding,) = together(write(roots[0], dataset="d"), write(roots[1], dataset="d")).findings
    assert (finding.kind, finding.count) == ("shared_id", 4)
    assert finding.where[0] == "real.jpg: one.parquet: real.jpg and two.parquet: real.jpg"


def test_reals_that_stand_in_both_are_a_note(roots):
    for name in ("real.jpg", "real2.jpg"):
        shutil.copyfile(roots[0] / name, roots[1] / name)
    outcome = together(write(roots[0]), write(roots[1]))
    assert outcome.findings == []
    assert "2 reals stand in several manifests, in one split: kept once when all are used" in outcome.notes


def test_a_fake_or_a_renamed_real_that_stands_in_both_would_count_twice(roots):
    shutil.copyfile(roots[0] / "fake.jpg", roots[1] / "fake.jpg")
    shutil.copyfile(roots[0] / "real.jpg", roots[1] / "other.jpg")
    outcome = together(write(roots[0]), write(roots[1], *STILL[1:], ("other.jpg", "image", 0, "train")))
    (finding,) = outcome.findings
    assert (finding.kind, finding.count) == ("same_bytes", 2)
    assert finding.where == (
        "one.parquet: fake.jpg (train) = two.parquet: fake.jpg (train)",
        "one.parquet: real.jpg (train) = two.parquet: other.jpg (train)",
    )
    assert not any("kept once" in note for note in outcome.notes)


def test_the_same_file_in_other_splits_or_under_other_labels(roots):
    shutil.copyfile(roots[0] / "real.jpg", roots[1] / "real2.jpg")
    outcome = together(write(roots[0]), write(roots[1]))
    assert kinds(outcome) == ["same_bytes", "near_duplicate"]
    assert outcome.findings[0].where == ("one.parquet: real.jpg (train) = two.parquet: real2.jpg (test)",)
    shutil.copyfile(roots[0] / "real.jpg", roots[1] / "fake.jpg")
    assert "contradictory_labels" in kinds(together(write(roots[0]), write(roots[1])))


def test_people_and_sources_that_other_splits_share_are_told_with_their_manifests(roots):
    one = write(roots[0], dataset="d", subject_id=["ann", "ann", "bob", "bob"], id=list("abcd"))
    two = write(roots[1], dataset="d", subject_id=["cy", "cy", "ann", "ann"], id=list("efgh"))
    (finding,) = together(one, two).findings
    assert finding.kind == "shared_subject"
    assert finding.where == ("ann (d; train of one.parquet, test of two.parquet)",)
    assert together(one, write(roots[1], dataset="other", subject_id=["cy", "cy", "ann", "ann"])).findings == []


def test_donors_of_one_manifest_are_sought_in_the_other(roots):
    one = write(roots[0], dataset="d", donor_id=[None, "zoe", None, None], id=list("abcd"), source_id=list("1122"))
    two = write(roots[1], dataset="d", id=list("efgh"), source_id=["3", "3", "zoe", "zoe"])
    (finding,) = together(one, two).findings
    assert (finding.kind, finding.where) == ("shared_donor", ("zoe (d; train of one.parquet, test of two.parquet)",))


def test_what_one_of_them_does_not_know_is_said(roots):
    known = ["a", "a", "b", "b"]
    outcome = together(write(roots[0], subject_id=known, source_id=known), write(roots[1], source_id=known))
    (note,) = outcome.notes
    assert note.startswith("subjects are not known")
    assert note.endswith("two.parquet has no subject_id")


def test_places_name_the_dataset_where_a_manifest_has_several(roots):
    path = write_rows(roots[0], *STILL, ("gone.jpg", "image", 0, "train"), dataset=[*["a"] * 4, "b"])
    (finding,) = together(path).findings
    assert finding.where == ("b: gone.jpg",)


def test_what_was_audited_is_recorded(roots):
    path = write(roots[0])
    content = together(path).as_dict()
    assert content["manifests"] == [str(path)]
    assert content["manifest_sha256"] == [hashlib.sha256(path.read_bytes()).hexdigest()]
