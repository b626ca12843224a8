"""GenD: a pretrained vision transformer of which only the layer norms learn, with features on the unit sphere."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import timm
import torch
from timm.models.eva import Eva
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Batch, Detector, Paper, check_input_size, classification
from unmask.detectors.weights import load_weights

#: Weights of the losses beside cross-entropy.
_UNIFORMITY, _ALIGNMENT = 0.5, 0.1


class GenD(Detector):
    """A vision transformer whose layer norms and head are trained and whose other tensors stay as they were given.

    Args:
        input_size: side of the crops in pixels, a multiple of the patch.
        backbone: timm's name of a vision transformer; the paper's are those of ``configs/detector/gend*.yaml``.
        pretrained: let timm download its weights (needs a network). Without any the frozen part is noise.
        weights: a file of such weights instead, at the backbone's own input size.

    Raises:
        ValueError: timm has no such transformer, ``input_size`` is out of range, or ``weights`` does not fit.
    """

    paper: ClassVar[Paper] = Paper(
        title="Yermakov et al., Deepfake Detection that Generalizes Across Benchmarks, WACV 2026",
        url="https://arxiv.org/abs/2508.06248",
        parameters="0.03 % of all are trained (abstract); of CLIP ViT-L/14, with a head of two classes, "
        "104,450 of 303.2 M by the layers that the public code names",
        departs="one logit in place of two classes; position embeddings are resampled to the input size once, "
        "when the network is built, not at each picture",
    )
    head: nn.Linear

    def __init__(
        self,
        *,
        input_size: int,
        backbone: str = "vit_large_patch14_clip_quickgelu_224",
        pretrained: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.backbone = transformer(backbone, input_size=input_size, pretrained=pretrained, weights=weights)
        self.backbone.requires_grad_(False)
        for module in self.backbone.modules():
            if isinstance(module, nn.LayerNorm):
                module.requires_grad_(True)
        self.mean, self.std = (nn.Buffer(values) for values in normalisation(self.backbone))
        self.head = nn.Linear(self.backbone.num_features, 1)

    def features(self, images: Tensor) -> Tensor:
        """Pooled features of length 1: (B, 3, S, S) in [0, 1] to (B, F)."""
        pooled: Tensor = self.backbone((images - self.mean) / self.std)  # (B, F)
        return functional.normalize(pooled.float(), dim=1)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy, uniformity over all pairs of the batch and alignment over those of one label."""
        features = self.features(batch["images"])
        with torch.autocast(features.device.type, enabled=False):
            spread, together = uniformity(features), alignment(features, batch["labels"])
        return {
            "classification": classification(self.head(features).squeeze(1), batch),
            "uniformity": _UNIFORMITY * spread,
            "alignment": _ALIGNMENT * together,
        }


def transformer(
    backbone: str, *, input_size: int, pretrained: bool, weights: str | Path | None
) -> VisionTransformer | Eva:
    """A vision transformer of timm without its classifier: (B, 3, S, S), normalised, to (B, F).

    It pools as it was trained to, by the class token or by attention; where timm's default is the mean of the patches
    beside a class token that was trained, it gives that token.

    Raises:
        ValueError: timm has no such transformer, ``input_size`` is out of range, or ``weights`` does not fit.
    """
    check_input_size(input_size)
    # Names such as "hf-hub:..." and "local-dir:..." would fetch and read whatever a stranger's model.yaml says.
    if not isinstance(backbone, str) or not timm.is_model(backbone):
        raise ValueError(f"timm has no model {backbone!r}")
    network: Any = timm.create_model(backbone, pretrained=pretrained, num_classes=0)
    if not isinstance(network, VisionTransformer | Eva):
        raise ValueError(f"{backbone} is no vision transformer")
    patch = network.patch_embed.patch_size[0]
    if input_size % patch:
        raise ValueError(f"input_size is {input_size}, not a multiple of the patch of {patch} pixels")
    if weights is not None:
        load_weights(network, weights)
    if network.global_pool == "avg" and network.cls_token is not None and isinstance(network.fc_norm, nn.Identity):
        network.global_pool = "token"
    network.set_input_size((input_size, input_size))
    return network


def normalisation(network: nn.Module) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation, (1, 3, 1, 1), that a network of timm wants its input in [0, 1] normalised with."""
    stated: Any = network.pretrained_cfg
    mean, std = (torch.tensor(stated[name]).view(1, 3, 1, 1) for name in ("mean", "std"))
    return mean, std


def uniformity(features: Tensor) -> Tensor:
    """Logarithm of the mean of exp(-2 d²) over all pairs of rows at distance d (Wang and Isola, ICML 2020).

    Args:
        features: (B, F), rows of length 1, B at least 2.
    """
    return (-2 * _squared_distances(features)).exp().mean().clamp(min=1e-6).log()


def alignment(features: Tensor, labels: Tensor) -> Tensor:
    """Mean of d² over the pairs of rows of one label at distance d; 0 without such a pair.

    Args:
        features: (B, F), rows of length 1.
        labels: (B,).
    """
    first, second = torch.triu_indices(len(labels), len(labels), 1, device=labels.device)
    same = (labels[first] == labels[second]).float()
    return (_squared_distances(features) * same).sum() / same.sum().clamp(min=1)


def _squared_distances(features: Tensor) -> Tensor:
    # Not by a square root, whose slope at 0 is infinite: two crops may have the same features.
    first, second = torch.triu_indices(len(features), len(features), 1, device=features.device)
    return 2 - 2 * (features @ features.T)[first, second]
