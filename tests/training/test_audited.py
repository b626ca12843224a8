from __future__ import annotations

import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from tests.fakes.media import make_picture
from unmask.cli.main import main
from unmask.datasets import index
from unmask.tables.errors import ConfigError, UnmaskError
from unmask.tables.manifest import write_manifest
from unmask.training.audited import check_audit
from unmask.training.compose import run_with_overrides
from unmask.training.run import train


@pytest.fixture
def manifests(tmp_path) -> list[Path]:
    """Of two small datasets without a flaw."""
    paths = []
    for name in ("one", "two"):
        for label in ("real", "fake"):
            for person in ("a", "b", "c"):
                make_picture(tmp_path / name / label / person / "1.jpg", seed=f"{name}{label}{person}")
        paths.append(tmp_path / f"{name}.parquet")
        write_manifest(index("folder", tmp_path / name, subject_from="folder"), paths[-1])
    return paths


def audited(path: Path, *manifests: Path) -> Path:
    main(["audit", *map(str, manifests), "--json", str(path), "--workers", "1"])
    return path


def check(audit: Path | None, *manifests: Path, **named: Path) -> None:
    given = {name: str(path) for name, path in named.items()} or str(manifests[0])
    check_audit(OmegaConf.create({"audit": audit and str(audit), "manifest": given}))


def refusal(audit: Path, *manifests: Path, **named: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        check(audit, *manifests, **named)
    assert caught.value.where == str(audit)
    assert caught.value.next_step
    return caught.value.what


def test_without_an_audit_nothing_is_asked(tmp_path):
    check(None, tmp_path / "none.parquet")


def test_a_clean_audit_of_the_same_manifests_is_enough(manifests, tmp_path):
    check(audited(tmp_path / "a.json", manifests[0]), manifests[0])
    both = audited(tmp_path / "b.json", *manifests)
    check(both, a=manifests[0], b=manifests[1])
    check(both, b=manifests[1], a=manifests[0])


def test_an_audit_of_other_manifests_is_refused(manifests, tmp_path):
    one = audited(tmp_path / "a.json", manifests[0])
    assert f"{manifests[1]} is not what was audited" in refusal(one, manifests[1])
    assert f"{manifests[1]} is not what was audited" in refusal(one, a=manifests[0], b=manifests[1])
    assert "was audited and is not used" in refusal(audited(tmp_path / "b.json", *manifests), manifests[0])
    write_manifest(index("folder", tmp_path / "one", subject_from="folder", seed=1), manifests[0])
    assert "is not what was audited" in refusal(one, manifests[0])  # it was indexed again


def test_findings_refuse_the_run(manifests, tmp_path):
    next((tmp_path / "one/real/a").iterdir()).unlink()
    assert "the audit has 1 finding:\n  1 file is not there" in refusal(
        audited(tmp_path / "a.json", manifests[0]), manifests[0]
    )


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"manifests": 1}', '{"findings": [1]}', "\x00", '"audit"'])
def test_what_is_no_audit_is_refused(manifests, tmp_path, text):
    if text is not None:
        (tmp_path / "a.json").write_text(text)
    assert refusal(tmp_path / "a.json", manifests[0]) == (
        "there is no such audit" if text is None else "this is no audit"
    )


def test_a_missing_manifest_is_told(manifests, tmp_path):
    path = audited(tmp_path / "a.json", manifests[0])
    with pytest.raises(UnmaskError, match="the manifest cannot be read"):
        check(path, tmp_path / "none.parquet")


def test_a_run_that_demands_an_audit_does_not_begin_without(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"manifests": [], "manifest_sha256": [], "findings": []}))
    (tmp_path / "m.csv").write_text("id,path,media,label,split,dataset\n")
    given = [f"manifest={tmp_path / 'm.csv'}", f"store={tmp_path / 's'}", f"out={tmp_path / 'o'}"]
    with pytest.raises(ConfigError, match="the audit is of other manifests"):
        run_with_overrides([*given, f"audit={tmp_path / 'a.json'}"], train)
    assert not (tmp_path / "o").exists()
