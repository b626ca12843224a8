"""Short films of real faces with sound, and forgeries of them, for detectors of clips, of sound and of both."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import polars as pl

from tests.fakes.faces import portraits
from unmask.faces.centerface import CenterFace
from unmask.forgery.self_blend import self_blend
from unmask.media.image import read_image
from unmask.tables.manifest import write_manifest

#: People of each split; each has a real film and a forged one.
PEOPLE = {"train": 4, "validation": 2, "test": 2}
FRAMES, FPS, RATE = 16, 10, 16_000


def build(root: Path) -> Path:
    """Write films of 16 frames, 1.6 seconds, and one without sound; give the manifest's path."""
    paths = iter(portraits(sum(PEOPLE.values())))
    rows = []
    for split, count in PEOPLE.items():
        for number in range(count):
            image = read_image(next(paths))
            face = CenterFace().detect([image])[0][0]
            forged = self_blend(image, face.landmarks, np.random.default_rng(number))[0]
            for label, picture in enumerate((image, forged)):
                name = f"{split}/{number}_{'fake' if label else 'real'}.mkv"
                _film(root / name, picture, _sound(label, number))
                rows.append(_row(name, split, label, number))
    silent = "test/silent.mkv"
    _film(root / silent, image, None)
    rows.append(_row(silent, "test", 0, 99))
    manifest = root / "manifest.parquet"
    write_manifest(pl.DataFrame(rows).with_columns(pl.lit(str(root)).alias("root")), manifest)
    return manifest


def _row(name: str, split: str, label: int, number: int) -> dict[str, object]:
    return {
        "id": name,
        "path": name,
        "media": "video",
        "label": label,
        "split": split,
        "dataset": "films",
        "method": "self_blend" if label else None,
        "source_id": f"{split}{number}",
        "subject_id": f"{split}{number}",
    }


def _sound(label: int, number: int) -> np.ndarray:
    """Hiss; a forged one lacks its upper half."""
    hiss = np.random.default_rng([label, number]).normal(0, 0.2, FRAMES * RATE // FPS)
    if label:
        hiss = np.convolve(hiss, [0.25, 0.5, 0.25], "same")
    return (hiss.clip(-1, 1) * 32767).astype(np.int16)


def _film(path: Path, image: np.ndarray, sound: np.ndarray | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=FPS, options={"crf": "18"})
        pictures.height, pictures.width, pictures.pix_fmt = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2, "yuv420p"
        voice = None if sound is None else container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for step in range(FRAMES):
            moved = np.roll(image, step, 1)[: pictures.height, : pictures.width]
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(moved), "rgb24")))
        container.mux(pictures.encode(None))
        if voice is not None and sound is not None:
            frame = av.AudioFrame.from_ndarray(sound[None], format="s16", layout="mono")
            frame.sample_rate = RATE
            container.mux(voice.encode(frame))
            container.mux(voice.encode(None))
