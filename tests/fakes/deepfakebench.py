"""DeepfakeBench: a few videos of FaceForensics++ and Celeb-DF v2 as frames, and three lists with paths from Windows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.fakes.made import Made
from tests.fakes.media import make_picture

PAIRS = {"train": (("071", "054"), ("087", "081")), "val": (("720", "672"),), "test": (("953", "974"),)}
METHODS = {"FF-DF": "Deepfakes", "FF-F2F": "Face2Face"}
FRAMES = 2
PREFIX = "I:\\data\\rgb\\"

Lists = dict[str, Any]


def build(root: Path) -> list[Made]:
    made: list[Made] = []
    forensics = _build_forensics(root, made)
    _write(root / "FaceForensics++.json", {"FaceForensics++": forensics})
    _write(root / "FF-DF.json", {"FF-DF": {label: forensics[label] for label in ("FF-real", "FF-DF")}})
    _write(root / "Celeb-DF-v2.json", {"Celeb-DF-v2": _build_celeb(root, made)})
    return made


def _write(path: Path, content: Lists) -> None:
    path.write_text(json.dumps(content))


def _frames(root: Path, folder: str) -> list[str]:
    """Write the pictures of a video and give their paths as they are listed."""
    for frame in range(FRAMES):
        make_picture(root / folder / f"{frame:03d}.png", seed=f"{folder}/{frame}", width=32, height=32)
    return [f"{PREFIX}{folder}\\{frame:03d}.png".replace("/", "\\") for frame in range(FRAMES)]


def _build_forensics(root: Path, made: list[Made]) -> Lists:
    lists: Lists = {label: {split: {"c23": {}} for split in PAIRS} for label in ("FF-real", *METHODS)}
    splits = {"train": "train", "val": "validation", "test": "test"}
    home = "FaceForensics++"
    for split, pairs in PAIRS.items():
        for pair in pairs:
            for target, donor in (pair, pair[::-1]):
                names = {"FF-real": (f"{home}/original_sequences/youtube", target)}
                names |= {
                    label: (f"{home}/manipulated_sequences/{method}", f"{target}_{donor}")
                    for label, method in METHODS.items()
                }
                for label, (folder, name) in names.items():
                    path = f"{folder}/c23/frames/{name}"
                    entry: Lists = {"label": label, "frames": _frames(root, path)}
                    if label != "FF-real":
                        entry["masks"] = _frames(root, f"{folder}/c23/masks/{name}")
                    lists[label][split]["c23"][name] = entry
                    source = f"{home}/{target}"
                    made.append(Made(f"{label}/c23/{name}", path, int(label != "FF-real"), source, None, splits[split]))
    return lists


def _build_celeb(root: Path, made: list[Made]) -> Lists:
    """As rearrange.py writes it: all is in train, and what is listed for testing in val and test as well."""
    lists: Lists = {f"CelebDFv2_{word}": {"train": {}, "val": {}, "test": {}} for word in ("real", "fake")}
    for person in range(8):
        donor = person + 1 if person % 2 == 0 else person - 1
        for folder, name in (("Celeb-real", f"id{person}_0000"), ("Celeb-synthesis", f"id{person}_id{donor}_0000")):
            path = f"Celeb-DF-v2/{folder}/frames/{name}"
            label = "CelebDFv2_real" if folder == "Celeb-real" else "CelebDFv2_fake"
            listed = person < 2
            for split in ("train", "val", "test") if listed else ("train",):
                lists[label][split][name] = {"label": label, "frames": _frames(root, path)}
            source, subject = f"Celeb-DF/id{person}_0000", f"Celeb-DF/id{person}"
            made.append(
                Made(f"{label}/{name}", path, int(label.endswith("fake")), source, subject, "test" if listed else None)
            )
    return lists
