"""ASVspoof 2019 LA: two speakers of each part, each with two bona fide utterances and two fakes, and one enrolment."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.made import Made
from tests.fakes.media import make_sound

PARTS = {
    "train": ("T", "train", "ASVspoof2019.LA.cm.train.trn.txt", (79, 80), ("A01", "A06")),
    "dev": ("D", "validation", "ASVspoof2019.LA.cm.dev.trl.txt", (69, 70), ("A01", "A06")),
    "eval": ("E", "test", "ASVspoof2019.LA.cm.eval.trl.txt", (1, 2), ("A07", "A19")),
}
PROTOCOLS = "LA/ASVspoof2019_LA_cm_protocols"


def build(root: Path) -> list[Made]:
    made = []
    (root / PROTOCOLS).mkdir(parents=True)
    for part, (letter, split, protocol, speakers, attacks) in PARTS.items():
        folder = f"LA/ASVspoof2019_LA_{part}/flac"
        lines = []
        for number in speakers:
            for place, attack in enumerate(("-", "-", *attacks)):
                name = f"LA_{letter}_1{number:03d}{place:03d}"
                lines.append(f"LA_{number:04d} {name} - {attack} {'bonafide' if attack == '-' else 'spoof'}")
                path = f"{folder}/{name}.flac"
                made.append(Made(name, path, int(attack != "-"), None, f"LA_{number:04d}", split))
                make_sound(root / path)
        (root / PROTOCOLS / protocol).write_text("\n".join(lines) + "\n")
        if part != "train":
            make_sound(root / folder / f"LA_{letter}_9999999.flac")  # enrols a speaker: in no protocol of ours
    return made
