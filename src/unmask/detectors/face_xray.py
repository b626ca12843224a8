"""Face X-ray: finds the boundary along which a face was blended in, and judges by whether there is any."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Batch, Detector, Paper, check_input_size, classification
from unmask.detectors.gend import normalisation
from unmask.detectors.weights import load_weights

#: Weight of the loss of the boundary.
_BOUNDARY = 100.0


class FaceXray(Detector):
    """HRNet with one map, the boundary, and the class by the map's mean.

    Args:
        input_size: side of the crops in pixels, a multiple of 32.
        backbone: timm's name of an HRNet.
        pretrained: let timm download ImageNet weights (needs a network).
        weights: a file of such weights instead.

    Raises:
        ValueError: timm has no such HRNet, ``input_size`` is out of range, or ``weights`` does not fit.
    """

    paper: ClassVar[Paper] = Paper(
        title="Li et al., Face X-ray for More General Face Forgery Detection, CVPR 2020",
        url="https://arxiv.org/abs/1912.13458",
        parameters="not stated; HRNet-W48-C with its ImageNet classifier has 77.5 M (Wang et al., TPAMI 2021)",
        departs="one logit in place of two classes, of the map's mean in per cent, undecided at 2 to begin with; masks "
        "are blurred a little before the boundary is taken, so that hard ones have one; the map starts near 0; fakes "
        "whose mask is not known teach the class alone; forgeries are what the training data holds, not the authors' "
        "blending alone; the backbone is not held still at first",
    )
    wants: ClassVar[tuple[str, ...]] = ("masks", "masks_known")
    head: nn.Linear

    def __init__(
        self,
        *,
        input_size: int,
        backbone: str = "hrnet_w48",
        pretrained: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        check_input_size(input_size, least=32)
        if input_size % 32:
            raise ValueError(f"input_size is {input_size}, not a multiple of 32")
        # Names such as "hf-hub:..." and "local-dir:..." would fetch and read whatever a stranger's model.yaml says.
        if not isinstance(backbone, str) or not backbone.startswith("hrnet_") or not timm.is_model(backbone):
            raise ValueError(f"timm has no HRNet {backbone!r}")
        network: Any = timm.create_model(
            backbone, pretrained=pretrained, features_only=True, feature_location="", out_indices=(1, 2, 3, 4)
        )
        if weights is not None:
            load_weights(network, weights)
        self.input_size = input_size
        self.backbone: nn.Module = network
        self.mean, self.std = (nn.Buffer(values) for values in normalisation(network))
        self.boundary = nn.Conv2d(sum(network.feature_info.channels()), 1, 1)
        self.head = nn.Linear(1, 1)
        # Most pixels lie on no boundary. A picture with 2 per cent of its pixels on one is a matter of doubt.
        nn.init.normal_(self.boundary.weight, std=0.01)
        nn.init.constant_(self.boundary.bias, -4.0)  # type: ignore[arg-type]
        nn.init.constant_(self.head.weight, 1.0)
        nn.init.constant_(self.head.bias, -2.0)

    def features(self, images: Tensor) -> Tensor:
        """How much of the picture is boundary, in per cent: (B, 3, S, S) in [0, 1] to (B, 1)."""
        return _share(self.xray(images))

    def xray(self, images: Tensor) -> Tensor:
        """Logits of lying on a boundary: (B, 3, S, S) in [0, 1] to (B, 1, S, S)."""
        maps = self.backbone((images - self.mean) / self.std)  # (B, C, S / 4, S / 4) and three ever smaller
        size = maps[0].shape[2:]
        same = [maps[0], *(functional.interpolate(each, size, mode="bilinear") for each in maps[1:])]
        logits = self.boundary(torch.cat(same, 1))  # (B, 1, S / 4, S / 4)
        return functional.interpolate(logits, images.shape[2:], mode="bilinear")

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy of the class, and of each pixel of the pictures whose mask is known."""
        xray = self.xray(batch["images"]).float()  # (B, 1, S, S)
        known = batch["masks_known"].float()
        pixels = functional.binary_cross_entropy_with_logits(xray, boundaries(batch["masks"]), reduction="none")
        boundary = (pixels.mean((1, 2, 3)) * known).sum() / known.sum().clamp(min=1)
        return {
            "classification": classification(self.head(_share(xray)).squeeze(1), batch),
            "boundary": _BOUNDARY * boundary,
        }


def _share(xray: Tensor) -> Tensor:
    return 100 * xray.float().sigmoid().mean((2, 3))


def boundaries(masks: Tensor) -> Tensor:
    """4 M (1 - M) of masks M, blurred by a Gaussian of 2 pixels cut off after 3: both (B, 1, S, S) in [0, 1]."""
    bell = torch.tensor([math.exp(-(place**2) / 8) for place in range(-3, 4)], device=masks.device)
    bell = (bell / bell.sum()).view(1, 1, 1, 7)
    with torch.autocast(masks.device.type, enabled=False):
        soft = functional.pad(masks.float(), (3, 3, 3, 3), mode="replicate")
        soft = functional.conv2d(functional.conv2d(soft, bell), bell.mT).clamp(0, 1)
    return 4 * soft * (1 - soft)
