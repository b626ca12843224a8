from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import BUILDERS
from tests.fakes.made import Made

PROTOCOLS = Path(__file__).parents[3] / "shared" / "data" / "protocols"


@pytest.fixture(scope="session")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, list[Made]]]:
    """Name of a dataset -> its look-alike, made once, and what was made. Tests that change it work on a copy."""
    made: dict[str, tuple[Path, list[Made]]] = {}

    def build(name: str) -> tuple[Path, list[Made]]:
        if name not in made:
            root = tmp_path_factory.mktemp(name)
            made[name] = (root, BUILDERS[name](root))
        return made[name]

    return build


@pytest.fixture
def protocols() -> Path:
    """The official protocol files, which may not be copied into the repository."""
    if not PROTOCOLS.is_dir():
        pytest.skip(f"the official protocol files are not at {PROTOCOLS}")
    return PROTOCOLS
