"""WildDeepfake, unpacked: six archives of two sequences for training, two for testing, in either class."""

from __future__ import annotations

import tarfile
from pathlib import Path

from tests.fakes.made import Made
from tests.fakes.media import make_picture

ARCHIVES = {"train": range(1, 7), "test": range(2)}
FRAMES = (0, 5, 100)


def build(root: Path) -> list[Made]:
    made = []
    for label, word in enumerate(("real", "fake")):
        for split, numbers in ARCHIVES.items():
            for number in numbers:
                for name in (str(number * 10), str(number * 10 + 7)):
                    part = f"{word}_{split}"
                    path = f"{part}/{number}/{word}/{name}"
                    for frame in FRAMES:
                        make_picture(root / path / f"{frame}.png", seed=f"{path}/{frame}", width=32, height=32)
                    # Validation is drawn out of train, so only the test split is the makers'.
                    made.append(Made(f"{part}/{number}/{name}", path, label, split="test" if split == "test" else None))
    return made


def pack(folder: Path, *, compressed: bool = False) -> Path:
    """Put ``real_train/1/`` into ``real_train/1.tar.gz``, as it is published: its names begin with ``./1/``."""
    archive = folder.with_name(folder.name + ".tar.gz")
    with tarfile.open(archive, "w:gz" if compressed else "w:") as members:
        members.add(folder, f"./{folder.name}")
    return archive
