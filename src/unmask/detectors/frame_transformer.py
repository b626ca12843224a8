"""A picture network for each frame, and a transformer over what it says of them in time."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar

import timm
import torch
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from unmask.detectors.base import Detector, Paper, check_input_size, check_whole
from unmask.detectors.weights import load_weights


class FrameTransformer(Detector):
    """A frame encoder of timm and a transformer over time, whose class token is the clip's feature.

    Args:
        backbone: timm's name of the frame encoder; its features' number is the transformer's width.
        input_size: side of the crops in pixels.
        frames: length of the clips, from 1 to 256.
        layers: of the transformer, from 1 to 48.
        heads: of its attention; they divide the width.
        drop_rate: dropout before the last layer.
        pretrained: see ``FrameEncoder``.
        weights: see ``FrameEncoder``.

    Raises:
        ValueError: timm has no such model, a number is out of range, or ``weights`` does not fit the backbone.
    """

    paper: ClassVar[Paper] = Paper(
        title="Arnab et al., ViViT: A Video Vision Transformer, ICCV 2021 (model 2, the factorised encoder)",
        url="https://arxiv.org/abs/2103.15691",
        parameters="115.1 M for ViViT-B/16x2, model 2, with tubelets of two frames and 400 classes ",
        departs="any frame encoder of timm, with tokens of one frame in place of two, and its own pooling; "
        "one logit in place of the classes",
    )
    takes: ClassVar[tuple[str, ...]] = ("clips",)

    def __init__(
        self,
        backbone: str,
        *,
        input_size: int,
        frames: int,
        layers: int = 4,
        heads: int = 12,
        drop_rate: float = 0.0,
        pretrained: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        check_input_size(input_size)
        check_whole("frames", frames, 1, 256)
        self.input_size, self.frames = input_size, frames
        self.encoder = FrameEncoder(backbone, pretrained=pretrained, weights=weights)
        self.time = TimeTransformer(self.encoder.num_features, frames, layers=layers, heads=heads)
        self.dropout = nn.Dropout(drop_rate)
        self.head = nn.Linear(self.encoder.num_features, 1)

    def features(self, clips: Tensor) -> Tensor:
        """The class token after the transformer, with dropout in training: (B, T, 3, S, S) in [0, 1] to (B, F)."""
        found: Tensor = self.dropout(self.time(self.encoder(clips)))
        return found


class FrameEncoder(nn.Module):
    """Pooled features of each frame by a network of timm: (B, T, 3, S, S) in [0, 1] to (B, T, F).

    Args:
        backbone: timm's name of the network.
        pretrained: let timm download its ImageNet weights (needs a network).
        weights: a file of weights to start from instead; see ``load_weights``.

    Attributes:
        num_features: F.

    Raises:
        ValueError: timm has no such model, or ``weights`` does not fit it.
    """

    def __init__(self, backbone: str, *, pretrained: bool = False, weights: str | Path | None = None) -> None:
        super().__init__()
        # Names such as "hf-hub:..." and "local-dir:..." would fetch and read whatever a stranger's model.yaml says.
        if not isinstance(backbone, str) or not timm.is_model(backbone):
            near = ", ".join(get_close_matches(str(backbone), timm.list_models(), n=3))
            raise ValueError(f"timm has no model {backbone!r}" + (f"; it has {near}" if near else ""))
        network: Any = timm.create_model(backbone, pretrained=pretrained, num_classes=0)
        self.network: nn.Module = network.to(memory_format=torch.channels_last)
        self.num_features: int = network.num_features
        stated: dict[str, Any] = network.pretrained_cfg
        self.mean = nn.Buffer(torch.tensor(stated["mean"]).view(1, 3, 1, 1))
        self.std = nn.Buffer(torch.tensor(stated["std"]).view(1, 3, 1, 1))
        if weights is not None:
            load_weights(self.network, weights)

    def forward(self, clips: Tensor) -> Tensor:
        """Encode each frame by itself."""
        images = ((clips.flatten(0, 1) - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        pooled: Tensor = self.network(images)  # (B * T, F)
        return pooled.unflatten(0, (-1, clips.shape[1]))


class TimeTransformer(nn.Module):
    """A class token, learned places and pre-norm attention: (B, T, F) to the class token's (B, F).

    Args:
        width: F.
        frames: T, from which the number of places follows.
        layers: from 1 to 48.
        heads: of its attention; they divide ``width``.
        drop_rate: dropout of what comes in and at the end of each branch.
        **block: further arguments of timm's ``Block``.

    Raises:
        ValueError: a number is out of range.
    """

    def __init__(
        self, width: int, frames: int, *, layers: int, heads: int, drop_rate: float = 0.0, **block: Any
    ) -> None:
        super().__init__()
        check_whole("layers", layers, 1, 48)
        check_heads(heads, width)
        self.token = nn.Parameter(torch.empty(1, 1, width))
        self.place = nn.Parameter(torch.empty(1, frames + 1, width))
        nn.init.trunc_normal_(self.token, std=0.02)
        nn.init.trunc_normal_(self.place, std=0.02)
        self.dropout = nn.Dropout(drop_rate)
        block = {"qkv_bias": True, "proj_drop": drop_rate, **block}
        self.blocks = nn.Sequential(*(Block(width, heads, **block) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)

    def forward(self, steps: Tensor) -> Tensor:
        """Look at all steps at once."""
        token = self.token.expand(steps.shape[0], -1, -1)
        tokens = self.blocks(self.dropout(torch.cat([token, steps], 1) + self.place))  # (B, 1 + T, F)
        found: Tensor = self.norm(tokens[:, 0])
        return found


def check_heads(heads: object, width: int) -> None:
    """Raise ValueError unless ``heads`` is a whole number from 1 that divides ``width``."""
    check_whole("heads", heads, 1, width)
    if width % int(str(heads)):
        raise ValueError(f"heads is {heads}, which does not divide the width {width}")
