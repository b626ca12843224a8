"""Any image classifier of timm as a frame-level detector: its pooled features, dropout, one linear layer.

Source: https://github.com/huggingface/pytorch-image-models.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar

import timm
import torch
from torch import Tensor, nn

from unmask.detectors.base import Detector, Paper, check_input_size
from unmask.detectors.weights import load_weights


class TimmBackbone(Detector):
    """A timm backbone with one logit.

    Args:
        backbone: timm's name of the model.
        input_size: side of the crops in pixels.
        pretrained: let timm download its ImageNet weights (needs a network).
        weights: a file of weights to start from instead, ``.safetensors`` or PyTorch's: timm's own names, or a network
            of the same layers in the same order under other names.
        drop_rate: dropout before the last layer.
        mean: per channel, subtracted from input in [0, 1]; None for the backbone's own.
        std: per channel, divided by; None for the backbone's own.

    Raises:
        ValueError: timm has no such model, ``input_size`` is out of range, or ``weights`` does not fit the backbone.
    """

    paper: ClassVar[Paper] = Paper(
        title="whichever its backbone has; Wightman, PyTorch Image Models",
        url="https://github.com/huggingface/pytorch-image-models",
        parameters="the backbone's, without its classifier, and one for each feature and one more",
        departs="one logit in place of ImageNet's classes",
    )

    def __init__(
        self,
        backbone: str,
        *,
        input_size: int,
        pretrained: bool = False,
        weights: str | Path | None = None,
        drop_rate: float = 0.0,
        mean: tuple[float, float, float] | None = None,
        std: tuple[float, float, float] | None = None,
    ) -> None:
        super().__init__()
        check_input_size(input_size)
        # Names such as "hf-hub:..." and "local-dir:..." would fetch and read whatever a stranger's model.yaml says.
        if not isinstance(backbone, str) or not timm.is_model(backbone):
            near = ", ".join(get_close_matches(str(backbone), timm.list_models(), n=3))
            raise ValueError(f"timm has no model {backbone!r}" + (f"; it has {near}" if near else ""))
        self.input_size = input_size
        network: Any = timm.create_model(backbone, pretrained=pretrained, num_classes=0)
        # Channels last makes convolutions 1.6 times as fast on a CPU, and suits tensor cores.
        self.backbone: nn.Module = network.to(memory_format=torch.channels_last)
        stated: dict[str, Any] = network.pretrained_cfg
        self.mean = nn.Buffer(torch.tensor(mean or stated["mean"]).view(1, 3, 1, 1))
        self.std = nn.Buffer(torch.tensor(std or stated["std"]).view(1, 3, 1, 1))
        self.dropout = nn.Dropout(drop_rate)
        self.head = nn.Linear(network.num_features, 1)
        # timm draws a one-class head so wide that the first steps only undo it; a small one starts at probability 1/2.
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)
        if weights is not None:
            load_weights(self.backbone, weights)

    def features(self, images: Tensor) -> Tensor:
        """Pooled features, with dropout in training: (B, 3, S, S) in [0, 1] to (B, F)."""
        images = ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        pooled: Tensor = self.dropout(self.backbone(images))  # (B, F)
        return pooled
