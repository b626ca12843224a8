from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path) -> Path:
    """The parts of the repository that the script touches."""
    for name in ("src/unmask/datasets", "tests/fakes", "tests/datasets", "scripts", "data"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tables", "media", "scoring"):
        (tmp_path / "src/unmask" / name).symlink_to(ROOT / "src/unmask" / name)
    shutil.copyfile(ROOT / "src/unmask/__init__.py", tmp_path / "src/unmask/__init__.py")
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def test_what_it_makes_passes_the_contract(copy):
    made = run(copy, sys.executable, "scripts/new-dataset", "my_set")
    assert made.returncode == 0, made.stderr
    for name in (
        "src/unmask/datasets/my_set.py",
        "tests/fakes/my_set.py",
        "tests/datasets/test_my_set.py",
        "data/my_set.md",
    ):
        assert f"wrote {name}" in made.stdout
        assert (copy / name).is_file()
    tests = run(copy, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/datasets/test_my_set.py")
    assert tests.returncode == 0, tests.stdout
    style = run(copy, sys.executable, "-m", "ruff", "check", "--no-cache", "src/unmask/datasets", "tests", "scripts")
    assert style.returncode == 0, style.stdout
    assert run(copy, sys.executable, "scripts/new-dataset", "my_set").returncode == 2


def test_bad_names_write_nothing(copy):
    before = sorted(copy.rglob("*"))
    for name in ("My-Set", "../up", "", "dfdc"):
        assert run(copy, sys.executable, "scripts/new-dataset", name).returncode == 2
    assert sorted(copy.rglob("*")) == before
