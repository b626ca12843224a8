"""The DFDC preview with fourteen actors who were swapped in pairs, two pairs of them in the test set."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fakes.made import Made
from tests.fakes.media import make_clip

PAIRS = (
    ("643598", "1003254"), ("1255229", "1260311"), ("1892339", "2040724"), ("2053006", "2224577"),
    ("1224068", "1353623"), ("1419283", "1566370"), ("643049", "1586533"),
)  # fmt: skip
TEST = PAIRS[:2]


def build(root: Path) -> list[Made]:
    made = []
    entries = {}
    for pair in PAIRS:
        split = "test" if pair in TEST else None
        for target, donor in (pair, pair[::-1]):
            source = f"{target}_A_001"
            method = "method_B" if pair in PAIRS[1:3] else "method_A"
            names = (
                ("original_videos", f"original_videos/{target}/{source}.mp4", 0),
                (method, f"{method}/{target}/{target}_A/{donor}_{source}.mp4", 1),
            )
            for part, path, label in names:
                made.append(Made(f"{part}/{Path(path).name}", path, label, source, target, split))
                entries[path] = {
                    "label": "fake" if label else "real",
                    "set": split or "train",
                    "augmentations": ["fps"] if split and label else [],
                    "target_id": target,
                    "swapped_id": donor if label else None,
                }
    for each in made:
        make_clip(root / each.path, seed=each.path)
    (root / "dataset.json").write_text(json.dumps(entries))
    return made
