"""A challenge may demand an audit of its manifest that found nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.media import make_picture
from unmask.challenge.create import create
from unmask.cli.main import main
from unmask.datasets import index
from unmask.tables.errors import ConfigError
from unmask.tables.manifest import write_manifest


def manifest_of(root: Path, *, seeds: str) -> Path:
    """Of real and fake pictures of twelve people, each with a folder of their own."""
    for label in ("real", "fake"):
        for person in range(12):
            make_picture(root / label / f"{label}{person}" / "1.jpg", seed=f"{seeds}{label}{person}")
    path = root.with_suffix(".parquet")
    write_manifest(index("folder", root, subject_from="folder"), path)
    return path


@pytest.fixture
def manifests(tmp_path) -> tuple[Path, Path]:
    return manifest_of(tmp_path / "hidden", seeds="a"), manifest_of(tmp_path / "training", seeds="b")


def run(*words: object) -> int:
    return main([str(word) for word in words])


def test_an_audit_of_the_manifest_and_of_training_data_is_enough(manifests, tmp_path):
    assert run("audit", *manifests, "--json", tmp_path / "audit.json", "--workers", 1) == 0
    words = ("--split", "", "--manifest", manifests[0], "--audit", tmp_path / "audit.json")
    assert run("challenge", "init", tmp_path / "made", *words) == 0
    assert (tmp_path / "made" / "answers.csv").is_file()


def test_findings_and_other_manifests_refuse_it(manifests, tmp_path, capsys):
    hidden, training = manifests
    assert run("audit", training, "--json", tmp_path / "audit.json", "--workers", 1) == 0
    with pytest.raises(ConfigError, match=r"hidden.parquet is not what was audited"):
        create(tmp_path / "made", hidden, split=None, audit=tmp_path / "audit.json")
    (tmp_path / "hidden/real/real0/1.jpg").unlink()
    assert run("audit", hidden, "--json", tmp_path / "audit.json", "--workers", 1) == 1
    capsys.readouterr()
    words = ("--split", "", "--manifest", hidden, "--audit", tmp_path / "audit.json")
    assert run("challenge", "init", tmp_path / "made", *words) == 2
    told = capsys.readouterr().err
    assert "the audit has 1 finding" in told
    assert "leave out --audit" in told
    assert not (tmp_path / "made").exists()
