"""real/ and fake/ with one folder a person."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.made import Made
from tests.fakes.media import make_picture

PEOPLE = ("ada", "ben", "cem", "dina", "eva", "finn")


def build(root: Path) -> list[Made]:
    made = []
    for label, name in enumerate(("real", "fake")):
        for person in PEOPLE:
            for number in range(2):
                path = f"{name}/{person}/{number}.jpg"
                make_picture(root / path, seed=path)
                made.append(Made(id=path, path=path, label=label, subject=person))
    return made
