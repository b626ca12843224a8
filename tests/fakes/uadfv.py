"""UADFV with its first eight pairs."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.made import Made
from tests.fakes.media import make_clip


def build(root: Path) -> list[Made]:
    made = []
    for number in range(8):
        source = f"{number:04d}"
        for label, path in enumerate((f"real/{source}.mp4", f"fake/{source}_fake.mp4")):
            make_clip(root / path, seed=path)
            made.append(Made(path, path, label, source))
    return made
