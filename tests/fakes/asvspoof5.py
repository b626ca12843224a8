"""ASVspoof 5: two speakers of each part, each with a bona fide utterance and two fakes, in eval coded as well."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.made import Made
from tests.fakes.media import make_sound

PARTS = {
    "T": ("train", "flac_T", "ASVspoof5.train.tsv", ("A01", "A08")),
    "D": ("validation", "flac_D", "ASVspoof5.dev.track_1.tsv", ("A09", "A16")),
    "E": ("test", "flac_E_eval", "ASVspoof5.eval.track_1.tsv", ("A17", "A32")),
}
PROTOCOLS = "ASVspoof5_protocols"


def build(root: Path) -> list[Made]:
    made = []
    (root / PROTOCOLS).mkdir(parents=True)
    for letter, (split, folder, protocol, attacks) in PARTS.items():
        # What is not coded has the quality - in train and dev, and 0 in eval.
        codings = ("- 0 -", f"C05 2 {letter}_0009000000") if letter == "E" else ("- - -",)
        lines = []
        for speaker in range(2):
            for attack in ("bonafide", *attacks):
                for coding in codings:
                    name = f"{letter}_{len(lines):010d}"
                    what = "- bonafide bonafide" if attack == "bonafide" else f"AC1 {attack} spoof"
                    lines.append(f"{letter}_{speaker:04d} {name} {'FM'[speaker]} {coding} {what} -")
                    path = f"{folder}/{name}.flac"
                    made.append(Made(name, path, int(attack != "bonafide"), None, f"{letter}_{speaker:04d}", split))
                    make_sound(root / path)
        (root / PROTOCOLS / protocol).write_text("\n".join(lines) + "\n")
        if letter != "T":
            make_sound(root / folder / f"{letter}_A0000000562.flac")  # enrols a speaker: in no protocol of ours
    return made
