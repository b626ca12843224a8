"""FaceForensics++ with four pairs: c23 of all five methods, and c0 of the reals and of Deepfakes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fakes.made import Made
from tests.fakes.media import make_clip

PAIRS = {
    "train": [["071", "054"], ["087", "081"]],
    "val": [["720", "672"]],
    "test": [["953", "974"]],
}
METHODS = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures", "FaceShifter")


def build(root: Path) -> list[Made]:
    made = []
    for name, pairs in PAIRS.items():
        (root / f"{name}.json").parent.mkdir(parents=True, exist_ok=True)
        (root / f"{name}.json").write_text(json.dumps(pairs))
        split = "validation" if name == "val" else name
        for a, b in pairs:
            for target, source in ((a, b), (b, a)):
                for folder, compression in (("c23", "c23"), ("c0", "raw")):
                    path = f"original_sequences/youtube/{folder}/videos/{target}.mp4"
                    made.append(Made(f"youtube/{compression}/{target}", path, 0, target, split=split))
                    for method in METHODS if folder == "c23" else METHODS[:1]:
                        path = f"manipulated_sequences/{method}/{folder}/videos/{target}_{source}.mp4"
                        made.append(Made(f"{method}/{compression}/{target}_{source}", path, 1, target, split=split))
    for each in made:
        make_clip(root / each.path, seed=each.id)
    return made
