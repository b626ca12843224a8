from __future__ import annotations

import os

# Tiny networks: where tests run side by side, a second thread only waits for the first. Read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from hypothesis import settings

# How long an example takes depends on what else the machine does. CI judges a change by the same examples each time;
# every run elsewhere looks for new ones.
settings.register_profile("unmask", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("unmask")


@dataclass(frozen=True)
class Prepared:
    """A tiny dataset of real faces and its face store. Tests read it and write elsewhere."""

    root: Path
    manifest: Path
    store: Path

    def rows(self, split: str | None = None) -> pl.DataFrame:
        from tests.fakes.faces import read

        return read(self.manifest, split)


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Films with sound, and clips of their faces: two runs of four frames that follow each other."""
    from tests.fakes.films import build
    from unmask.faces.prepare import default_settings, prepare

    root = tmp_path_factory.mktemp("films")
    found = Prepared(root, build(root / "data"), root / "store")
    prepare(found.rows(), found.store, default_settings(frames=8, size=96, run=4), workers=2)
    return found


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    from tests.fakes.faces import build
    from unmask.faces.prepare import default_settings, prepare

    root = tmp_path_factory.mktemp("faces")
    manifest = build(root / "data")
    found = Prepared(root, manifest, root / "store")
    prepare(found.rows(), found.store, default_settings(frames=4, size=96), workers=2)
    return found
