"""FFD: Xception whose middle is multiplied by a map of where it looks, taught to be the map of what is forged."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Batch, Detector, Paper, check_input_size, classification
from unmask.detectors.xception import XceptionBackbone, centred


class FFD(Detector):
    """Xception with an attention map by regression after its seventh block.

    Args:
        input_size: side of the crops in pixels.
        width: see ``XceptionBackbone``.
        pretrained: see ``XceptionBackbone``.
        weights: see ``XceptionBackbone``.
    """

    paper: ClassVar[Paper] = Paper(
        title="Dang et al., On the Detection of Digital Face Manipulation, CVPR 2020",
        url="https://arxiv.org/abs/1910.01717",
        parameters="not stated; the map adds a separable convolution to Xception's",
        departs="one logit in place of two classes; of the paper's maps the one by regression, supervised where the "
        "mask is known and free elsewhere, without the weak supervision of fakes that have no mask; the mask is "
        "averaged to the map's size",
    )
    wants: ClassVar[tuple[str, ...]] = ("masks", "masks_known")
    head: nn.Linear

    def __init__(
        self,
        *,
        input_size: int,
        width: float = 1.0,
        pretrained: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        check_input_size(input_size, least=32)
        self.input_size = input_size
        self.backbone = XceptionBackbone(width=width, pretrained=pretrained, weights=weights)
        middle = self.backbone.channels(728)
        self.look = nn.Sequential(
            nn.Conv2d(middle, middle, 3, padding=1, groups=middle, bias=False), nn.Conv2d(middle, 1, 1, bias=False)
        )
        self.head = nn.Linear(self.backbone.num_features, 1)

    def features(self, images: Tensor) -> Tensor:
        """Pooled maps: (B, 3, S, S) in [0, 1] to (B, F)."""
        return self._looked(images)[0]

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy, and the mean distance of the map from the masks that are known."""
        features, attention = self._looked(batch["images"])
        logits = self.head(features).squeeze(1)  # (B,)
        attention = attention.float()
        size = (attention.shape[2], attention.shape[3])
        masks = functional.adaptive_avg_pool2d(batch["masks"].float(), size)  # (B, 1, S / 16, S / 16)
        apart = (attention - masks).abs().mean((1, 2, 3))  # (B,)
        known = batch["masks_known"].to(apart.dtype)
        mask = (apart * known).sum() / known.sum().clamp(min=1)
        return {"classification": classification(logits, batch), "mask": mask}

    def _looked(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features, (B, F), and the attention map in (0, 1), (B, 1, S / 16, S / 16)."""
        net = self.backbone
        maps = net.blocks(net.stem(centred(images)), 1, 7)  # (B, 728, S / 16, S / 16)
        attention = torch.sigmoid(self.look(maps))
        maps = net.tail(net.blocks(maps * attention, 8, 12))  # (B, F, S / 32, S / 32)
        return maps.mean((2, 3)), attention
