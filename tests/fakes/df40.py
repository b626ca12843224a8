"""DF40: a method of each kind, in the trees for training and for testing, with the reals of both domains and lists."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fakes.made import Made
from tests.fakes.media import make_picture

PAIRS = {"train": (("071", "054"), ("087", "081")), "validation": (("720", "672"),), "test": (("953", "974"),)}
LISTS = {"train": "train.json", "validation": "val.json", "test": "test.json"}


def build(root: Path) -> list[Made]:
    made = [*_forensics(), *_celeb(), *_own_reals()]
    for each in made:
        if each.path.endswith((".png", ".jpg")):
            make_picture(root / each.path, seed=each.path, width=32, height=32)
        else:
            for frame in ("000.png", "031.png"):
                make_picture(root / each.path / frame, seed=f"{each.path}/{frame}", width=32, height=32)
    for split, name in LISTS.items():
        (root / "FaceForensics++" / name).write_text(json.dumps(PAIRS[split]))
    lines = ["1 Celeb-real/id0_0000.mp4", "1 YouTube-real/00000.mp4", "0 Celeb-synthesis/id0_id1_0000.mp4"]
    (root / "Celeb-DF-v2" / "List_of_testing_videos.txt").write_text("\n".join(lines))
    return made


def _forensics() -> list[Made]:
    made = []
    reals = "FaceForensics++/original_sequences/youtube/c23/frames"
    for split, pairs in PAIRS.items():
        trees = {"train": "DF40_train/{}", "validation": "DF40_train/{}", "test": "DF40/{}/ff"}
        for pair in pairs:
            for target, donor in (pair, pair[::-1]):
                swap, face = trees[split].format("simswap"), trees[split].format("StyleGAN2")
                video = f"{target}_{donor}"
                made += [
                    Made(f"FF-real/c23/{target}", f"{reals}/{target}", 0, target, None, split),
                    Made(f"simswap/ff/{video}", f"{swap}/frames/{video}", 1, target, None, split),
                    Made(f"StyleGAN2/ff/{target}", f"{face}/{target}", 1, target, None, split),
                ]
    return made


def _celeb() -> list[Made]:
    real, fake = "Celeb-DF-v2/Celeb-real/frames/id0_0000", "DF40/simswap/cdf/frames/id0_id1_0000"
    face = "DF40/StyleGAN2/cdf/Fake_from_"
    made = [
        Made("Celeb-real/id0_0000", real, 0, "id0_0000", "id0", "test"),
        Made("simswap/cdf/id0_id1_0000", fake, 1, "id0_0000", "id0", "test"),
        Made("StyleGAN2/cdf/Celeb-real/id0_0000", f"{face}Celeb-real/id0_0000", 1, "id0_0000", "id0", "test"),
        Made("YouTube-real/00000", "Celeb-DF-v2/YouTube-real/frames/00000", 0, "00000", None, "test"),
        Made("StyleGAN2/cdf/YouTube-real/00000", f"{face}Youtube-real/00000", 1, "00000", None, "test"),
    ]
    for number in range(2):
        for bucket in ("Celeb-real", "YouTube-real"):
            path = f"DF40/e4e/cdf/{bucket}/inversions/{number:05d}.jpg"
            made.append(Made(f"e4e/cdf/{bucket}/{number:05d}.jpg", path, 1, split="test"))
    return made


def _own_reals() -> list[Made]:
    folders = {
        "MidJourney/fake": "MidJourney/fake",
        "MidJourney/real": "MidJourney/real",
        "stargan/fake": "stargan/fake/fake",
        "stargan/real": "stargan/real/real",
    }
    made = []
    for home, folder in folders.items():
        for name in ("1.png", "2.png"):
            made.append(Made(f"{home}/{name}", f"DF40/{folder}/{name}", int(home.endswith("fake")), split="test"))
    made.append(Made("heygen/fake/a_1", "DF40/heygen/heygen_new/fake/frames/a_1", 1, split="test"))
    made.append(Made("heygen/real/b_1", "DF40/heygen/heygen_new/real/b_1", 0, split="test"))
    return made
