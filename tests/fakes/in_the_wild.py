"""In-the-Wild: twelve made-up speakers, each with two real clips and one fake, numbered through without order."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.made import Made
from tests.fakes.media import make_sound

FOLDER = "release_in_the_wild"


def build(root: Path) -> list[Made]:
    made, lines = [], ["file,speaker,label"]
    for number in range(36):
        speaker = f"Speaker O'Number {number % 12}"
        name, label = f"{number}.wav", int(number % 3 == number // 12)
        lines.append(f"{name},{speaker},{'spoof' if label else 'bona-fide'}")
        made.append(Made(name, f"{FOLDER}/{name}", label, None, speaker))
        make_sound(root / FOLDER / name)
    (root / FOLDER / "meta.csv").write_text("\n".join(lines) + "\n")
    (root / FOLDER / "attribution.txt").write_text("whose deepfakes these are\n")
    return made
