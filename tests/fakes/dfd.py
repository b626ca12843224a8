"""DFD with twelve actors who were swapped in pairs, in two scenes: c23 of everything, c0 and masks of one pair."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.made import Made
from tests.fakes.media import make_clip

PAIRS = (("01", "02"), ("03", "04"), ("05", "06"), ("07", "08"), ("09", "10"), ("11", "12"))
SCENES = ("exit_phone_room", "walking_down_street_outside_angry")
METHOD = "DeepFakeDetection"
EXPERIMENTS = ("YVGY8LOK", "9229VVZ3")


def build(root: Path) -> list[Made]:
    made = []
    for pair in PAIRS:
        for target, donor in (pair, pair[::-1]):
            for scene in SCENES:
                source = f"{target}__{scene}"
                for folder, compression in (("c23", "c23"), ("c0", "raw")) if pair == PAIRS[0] else (("c23", "c23"),):
                    path = f"original_sequences/actors/{folder}/videos/{source}.mp4"
                    made.append(Made(f"actors/{compression}/{source}", path, 0, source, target))
                    # A pair of actors may have been recorded several times.
                    for experiment in EXPERIMENTS if pair == PAIRS[0] else EXPERIMENTS[:1]:
                        name = f"{target}_{donor}__{scene}__{experiment}"
                        path = f"manipulated_sequences/{METHOD}/{folder}/videos/{name}.mp4"
                        made.append(Made(f"{METHOD}/{compression}/{name}", path, 1, source, target))
                        if pair == PAIRS[0]:
                            make_clip(root / f"manipulated_sequences/{METHOD}/masks/videos/{name}.mp4")
    for each in made:
        make_clip(root / each.path, seed=each.id)
    return made
