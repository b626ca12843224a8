"""Celeb-DF v2 with fourteen people who were swapped in pairs, one of them under the test list, and YouTube reals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.fakes.made import Made
from tests.fakes.media import make_clip

SWAPS = ((0, 1), (2, 3), (4, 6), (7, 9), (10, 11), (12, 13), (16, 17))
CLIPS = 2


def build(root: Path) -> list[Made]:
    return build_release(root, SWAPS, 10)


def build_release(root: Path, swaps: Sequence[tuple[int, int]], others: int) -> list[Made]:
    """The tree of a release: pairs of people who were swapped with each other, and ``others`` YouTube reals."""
    made = []
    for pair in swaps:
        for target, donor in (pair, pair[::-1]):
            for clip in range(CLIPS):
                source = f"id{target}_{clip:04d}"
                real, fake = f"Celeb-real/{source}.mp4", f"Celeb-synthesis/id{target}_id{donor}_{clip:04d}.mp4"
                # The second clip of the first pair is listed: its people are in train as well, as in the real list.
                split = "test" if pair == swaps[0] and clip == 1 else None
                made += [
                    Made(real, real, 0, source, f"id{target}", split),
                    Made(fake, fake, 1, source, f"id{target}", split),
                ]
    for clip in range(others):
        path = f"YouTube-real/{clip:05d}.mp4"
        made.append(Made(path, path, 0, f"{clip:05d}", None, "test" if clip < 2 else None))
    for each in made:
        make_clip(root / each.path, seed=each.path)
    listed = [f"{1 - each.label} {each.path}" for each in made if each.split == "test"]
    (root / "List_of_testing_videos.txt").write_text("\n".join(listed))  # 1 is real, and no newline at the end
    return made
