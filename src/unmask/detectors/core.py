"""CORE: Xception that must say the same of two augmentations of one crop."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Batch, Detector, Paper, check_input_size, classification
from unmask.detectors.xception import XceptionBackbone, centred


class Core(Detector):
    """Xception with a consistency loss between the features of two views.

    Args:
        input_size: side of the crops in pixels.
        consistency: weight of that loss, from 0 to 1,000; the paper takes 1 within a dataset, 100 across datasets.
        width: see ``XceptionBackbone``.
        pretrained: see ``XceptionBackbone``.
        weights: see ``XceptionBackbone``.

    Raises:
        ValueError: ``input_size`` or ``consistency`` is out of range, or ``weights`` does not fit.
    """

    paper: ClassVar[Paper] = Paper(
        title="Ni et al., CORE: COnsistent REpresentation Learning for Face Forgery Detection, CVPR Workshops 2022",
        url="https://arxiv.org/abs/2206.02749",
        parameters="not stated; Xception's, the loss has none",
        departs="one logit in place of two classes; reals and fakes weigh alike, for batches are balanced",
    )
    wants: ClassVar[tuple[str, ...]] = ("again",)
    head: nn.Linear

    def __init__(
        self,
        *,
        input_size: int,
        consistency: float = 1.0,
        width: float = 1.0,
        pretrained: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        check_input_size(input_size, least=32)
        if isinstance(consistency, bool) or not isinstance(consistency, int | float) or not 0 <= consistency <= 1000:
            raise ValueError(f"consistency is {consistency!r}, not a number from 0 to 1000")
        self.input_size = input_size
        self.consistency = consistency
        self.backbone = XceptionBackbone(width=width, pretrained=pretrained, weights=weights)
        self.head = nn.Linear(self.backbone.num_features, 1)

    def features(self, images: Tensor) -> Tensor:
        """Pooled maps: (B, 3, S, S) in [0, 1] to (B, F)."""
        maps = self.backbone(centred(images))  # (B, F, S / 32, S / 32)
        return maps.mean((2, 3))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy of both views, and the squared distance of the cosine between their features from one."""
        features = self.features(torch.cat([batch["images"], batch["again"]]))  # (2 B, F)
        one, two = self.head(features).squeeze(1).chunk(2)  # (B,), (B,)
        first, second = features.float().chunk(2)
        cosine = functional.cosine_similarity(first, second)  # (B,)
        return {
            "classification": (classification(one, batch) + classification(two, batch)) / 2,
            "consistency": self.consistency * (1 - cosine).square().mean(),
        }
