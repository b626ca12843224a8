"""DFDC: one part of each split, each with two originals and three fakes of each."""

from __future__ import annotations

import json
import random
from pathlib import Path

from tests.fakes.made import Made
from tests.fakes.media import make_clip

PARTS = {0: "train", 34: "train", 35: "validation", 39: "validation", 40: "test", 49: "test"}


def build(root: Path) -> list[Made]:
    made = []
    letters = random.Random(0)
    for part, split in PARTS.items():
        entries: dict[str, dict[str, str | None]] = {}
        for number in range(2):
            real, *fakes = ("".join(letters.choices("abcdefghijklmnopqrstuvwxyz", k=10)) + ".mp4" for _ in range(4))
            # On reals "original" is null in some files and absent in others.
            entries[real] = {"label": "REAL", "split": "train"} | ({"original": None} if number else {})
            entries |= {fake: {"label": "FAKE", "split": "train", "original": real} for fake in fakes}
        folder = f"dfdc_train_part_{part}"
        for name, entry in entries.items():
            make_clip(root / folder / name)
            made.append(
                Made(
                    name, f"{folder}/{name}", int(entry["label"] == "FAKE"), entry.get("original") or name, None, split
                )
            )
        (root / folder / "metadata.json").write_text(json.dumps(entries))
    return made
