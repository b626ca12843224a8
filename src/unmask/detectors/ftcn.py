"""FTCN: a network that looks along time alone, and a transformer over its steps."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from unmask.detectors.altfreezing import ResNet3d
from unmask.detectors.base import Detector, Paper, check_input_size, check_whole
from unmask.detectors.frame_transformer import TimeTransformer


class Ftcn(Detector):
    """The fully temporal convolution network with its temporal transformer (FTCN-TT) and one logit.

    Args:
        input_size: side of the crops in pixels.
        frames: length of the clips, from 6 to 256; the transformer sees half as many steps.
        layers: of the transformer.
        heads: of its attention; they divide 16 times ``width``.
        drop_rate: dropout in the transformer.
        width: channels of the first layer, 64 as published; tests take less.

    Raises:
        ValueError: a number is out of range.
    """

    paper: ClassVar[Paper] = Paper(
        title="Zheng et al., Exploring Temporal Coherence for More General Video Face Forgery Detection, ICCV 2021",
        url="https://arxiv.org/abs/2108.06693",
        parameters="not stated; 14.8 M in the authors' code",
        departs="nowhere in the network, which is that of the authors' code and settings: the last stage left out, one "
        "layer in the transformer. Places and class token start at a deviation of 0.02, not 1",
    )
    takes: ClassVar[tuple[str, ...]] = ("clips",)

    def __init__(
        self,
        *,
        input_size: int,
        frames: int,
        layers: int = 1,
        heads: int = 16,
        drop_rate: float = 0.1,
        width: int = 64,
    ) -> None:
        super().__init__()
        check_input_size(input_size, least=32)
        # For two steps of half as many frames, the bfloat16 gradient of kernels over time is wrong on CPUs (oneDNN).
        check_whole("frames", frames, 6, 256)
        self.input_size, self.frames = input_size, frames
        self.backbone = ResNet3d(space=False, stages=3, width=width)
        features = self.backbone.num_features
        self.time = TimeTransformer(
            features, frames // 2, layers=layers, heads=heads, drop_rate=drop_rate, mlp_ratio=2.0, qkv_bias=False
        )
        self.head = nn.Linear(features, 1)

    def features(self, clips: Tensor) -> Tensor:
        """The class token after the transformer: (B, T, 3, S, S) in [0, 1] to (B, 1024)."""
        maps = self.backbone(clips)  # (B, 1024, T / 2, S / 16, S / 16)
        found: Tensor = self.time(maps.mean((3, 4)).transpose(1, 2))
        return found
