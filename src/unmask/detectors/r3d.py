"""R3D-18: a residual network whose convolutions reach over space and time."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torchvision.models.video import R3D_18_Weights
from torchvision.models.video.resnet import BasicBlock, BasicStem, Conv3DSimple, VideoResNet

from unmask.detectors.base import Detector, Paper, check_input_size, check_whole
from unmask.detectors.weights import load_by_order, load_weights

#: Of Kinetics, from torchvision's weights.
_MEAN, _STD = (0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)


class R3d(Detector):
    """torchvision's R3D-18 with one logit.

    Args:
        input_size: side of the crops in pixels.
        frames: length of the clips, from 1 to 256.
        blocks: of the four stages; two each is R3D-18.
        drop_rate: dropout before the last layer.
        pretrained: let torchvision download Kinetics-400 weights (needs a network).
        weights: a file of such weights to start from instead; see ``load_weights``.

    Raises:
        ValueError: a number is out of range, or ``weights`` does not fit.
    """

    paper: ClassVar[Paper] = Paper(
        title="Tran et al., A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018 (R3D)",
        url="https://arxiv.org/abs/1711.11248",
        parameters="33.4 M with 400 classes (torchvision: 33,371,472)",
        departs="one logit in place of Kinetics' 400 classes",
    )
    takes: ClassVar[tuple[str, ...]] = ("clips",)

    def __init__(
        self,
        *,
        input_size: int,
        frames: int,
        blocks: tuple[int, int, int, int] = (2, 2, 2, 2),
        drop_rate: float = 0.0,
        pretrained: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        check_input_size(input_size)
        check_whole("frames", frames, 1, 256)
        self.input_size, self.frames = input_size, frames
        self.backbone = VideoResNet(BasicBlock, [Conv3DSimple] * 4, list(blocks), BasicStem)
        width = self.backbone.fc.in_features
        self.backbone.fc = nn.Identity()  # type: ignore[assignment]
        self.mean = nn.Buffer(torch.tensor(_MEAN).view(1, 1, 3, 1, 1), persistent=False)
        self.std = nn.Buffer(torch.tensor(_STD).view(1, 1, 3, 1, 1), persistent=False)
        self.dropout = nn.Dropout(drop_rate)
        self.head = nn.Linear(width, 1)
        if pretrained:
            load_by_order(self.backbone, dict(R3D_18_Weights.KINETICS400_V1.get_state_dict(check_hash=True)))
        elif weights is not None:
            load_weights(self.backbone, weights)

    def features(self, clips: Tensor) -> Tensor:
        """Maps averaged over space and time, with dropout in training: (B, T, 3, S, S) in [0, 1] to (B, 512)."""
        clips = ((clips - self.mean) / self.std).transpose(1, 2)  # (B, 3, T, S, S)
        found: Tensor = self.dropout(self.backbone(clips))
        return found
