"""A table beside files in folders that say nothing: videos, pictures and frames of six people."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.made import Made
from tests.fakes.media import make_clip, make_picture

NAME = "labels.csv"
PEOPLE = ("ada", "ben", "cem", "dina", "eva", "finn")


def build(root: Path) -> list[Made]:
    made, lines = [], ["File Name,Class,Person,camera"]
    for number, person in enumerate(PEOPLE):
        for label, word in enumerate(("bonafide", "Spoof")):
            for path in (f"clips/{number}_{label}.mp4", f"stills/{number}_{label}.jpg"):
                make = make_clip if path.endswith(".mp4") else make_picture
                make(root / path, seed=path)
                made.append(Made(path, path, label, subject=person))
                written = path.replace("/", "\\") if label else f"./{path}"
                lines.append(f"{written},{word},{person},webcam")
    (root / NAME).write_text("\n".join(lines) + "\n")
    return made
