"""DeeperForensics-1.0 with eight targets in three variants, its lists, a studio video, and the targets' originals."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.made import Made
from tests.fakes.media import make_clip

LISTS = {
    "train": ("000_M101", "001_M101", "002_W004", "003_W136"),
    "val": ("004_M012", "005_M012"),
    "test": ("006_W018", "007_W018"),
}
VARIANTS = ("end_to_end", "end_to_end_mix_2_distortions", "reenact_postprocess")


def build(root: Path) -> list[Made]:
    made = []
    for name, fakes in LISTS.items():
        split = "validation" if name == "val" else name
        for fake in fakes:
            target = fake[:3]
            for variant in VARIANTS:
                path = f"manipulated_videos/{variant}/{fake}.mp4"
                made.append(Made(f"{variant}/{fake}", path, 1, target, split=split))
            path = f"original_sequences/youtube/c23/videos/{target}.mp4"
            made.append(Made(f"youtube/c23/{target}", path, 0, target, split=split))
        (root / "lists/splits").mkdir(parents=True, exist_ok=True)
        (root / "lists/splits" / f"{name}.txt").write_text("".join(f"{fake}.mp4\n" for fake in fakes))
    for each in made:
        make_clip(root / each.path, seed=each.id)
    make_clip(root / "source_videos/M101/light_down/contempt/camera_front/M101_light_down_contempt_camera_front.mp4")
    return made
