"""Late fusion: a detector that sees and one that hears, and what they say together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from unmask.detectors import DETECTORS, build
from unmask.detectors.base import Detector, Paper


class LateFusion(Detector):
    """A detector of clips and one of sound, whose logits a linear layer fuses.

    The layer starts as their mean and learns how much each is to be trusted, which a mean cannot.

    Args:
        input_size: side of the crops in pixels, for the detector of clips.
        frames: length of the clips, for the detector of clips.
        samples: length of the sound at 16 kHz, for the detector of sound.
        clips: name of the detector of clips; a key of ``DETECTORS``.
        sound: name of the detector of sound.
        clips_arguments: what the former takes beside its sizes.
        sound_arguments: what the latter takes beside its size.
        pretrained: let the detector of clips download weights (needs a network), if it has such an argument.
        weights: a file of weights for it to start from instead, likewise.

    Raises:
        ValueError: there is no such detector, it takes something else, or a number is out of range.
        TypeError: a detector does not take these arguments.
    """

    paper: ClassVar[Paper] = Paper(
        title="Khalid et al., Evaluation of an Audio-Video Multimodal Deepfake Dataset using Unimodal, Multimodal, and "
        "Ensemble Detectors, ADGD 2021 (soft voting)",
        url="https://arxiv.org/abs/2109.02993",
        parameters="the two detectors', and three",
        departs="logits are fused by a linear layer that starts as their mean, where the paper averages probabilities. "
        "Both are trained together on the fused logit: the label is the whole example's, and a fake with genuine sound "
        "must not teach the detector of sound. Further losses and turns of the two detectors are not used",
    )
    takes: ClassVar[tuple[str, ...]] = ("clips", "sound")

    def __init__(
        self,
        *,
        input_size: int,
        frames: int,
        samples: int,
        clips: str,
        sound: str,
        clips_arguments: Mapping[str, object] | None = None,
        sound_arguments: Mapping[str, object] | None = None,
        pretrained: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        self.input_size, self.frames, self.samples = input_size, frames, samples
        start = {key: value for key, value in {"pretrained": pretrained, "weights": weights}.items() if value}
        self.seeing = _part("clips", clips, clips_arguments or {}, input_size=input_size, frames=frames, **start)
        self.hearing = _part("sound", sound, sound_arguments or {}, samples=samples)
        self.head = nn.Linear(2, 1)
        nn.init.constant_(self.head.weight, 0.5)
        nn.init.zeros_(self.head.bias)

    def features(self, clips: Tensor, sound: Tensor) -> Tensor:
        """The logits of both: (B, T, 3, S, S) in [0, 1] and (B, N) to (B, 2)."""
        return torch.stack([self.seeing(clips), self.hearing(sound)], 1)


def _part(takes: str, name: object, arguments: Mapping[str, object], **ours: object) -> Detector:
    if not isinstance(name, str) or name not in DETECTORS:
        raise ValueError(f"{takes} is {name!r}, which is no detector")
    # Nested, they would be kept in model.yaml, where a stranger's could name any file or ask for a download.
    for key in ("pretrained", "weights"):
        if key in arguments:
            raise ValueError(f"{takes}_arguments has {key}, which is given beside it")
    part = build(name, **arguments, **ours)
    if part.takes != (takes,):
        raise ValueError(f"{takes} is {name!r}, a detector that takes {' and '.join(part.takes)}")
    return part
