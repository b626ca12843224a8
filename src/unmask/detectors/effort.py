"""Effort: a pretrained vision transformer that learns in the weakest singular directions of its attention alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from unmask.detectors.base import Batch, Detector, Paper, check_whole, classification
from unmask.detectors.gend import normalisation, transformer


class Effort(Detector):
    """A vision transformer with each square matrix of its attention split by singular values.

    Of W = sum of s u vᵀ the strongest directions are frozen, the weakest ``rank`` are trained, and so is the head.

    Args:
        input_size: side of the crops in pixels, a multiple of the patch.
        backbone: timm's name of a plain vision transformer.
        rank: how many directions are trained, from 1 to the width less 1.
        pretrained: let timm download its weights (needs a network). Without any, directions are drawn, not decomposed:
            the network then waits for a state dict, or trains upon noise.
        weights: a file of such weights instead, at the backbone's own input size.

    Raises:
        ValueError: timm has no such transformer, a number is out of range, or ``weights`` does not fit.
    """

    paper: ClassVar[Paper] = Paper(
        title="Yan et al., Orthogonal Subspace Decomposition for Generalizable AI-Generated Image Detection, ICML 2025",
        url="https://arxiv.org/abs/2411.15633",
        parameters="not checked against the paper; by the public code 196,704 are trained beside the head",
        departs="one logit in place of two classes; both regularisers are used with weight 1, as the public code "
        "writes them, though it trains without them; orthogonality is measured against the frozen directions "
        "without storing them, and its root is smooth at 0",
    )

    def __init__(
        self,
        *,
        input_size: int,
        backbone: str = "vit_large_patch14_clip_quickgelu_224",
        rank: int = 1,
        pretrained: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        network = transformer(backbone, input_size=input_size, pretrained=pretrained, weights=weights)
        joint = [getattr(getattr(block, "attn", None), "qkv", None) for block in network.blocks]
        shape = (3 * network.embed_dim, network.embed_dim)
        plain = all(isinstance(layer, nn.Linear) and layer.weight.shape == shape for layer in joint)
        if not isinstance(network, VisionTransformer) or not plain:
            raise ValueError(f"{backbone} is no plain vision transformer")
        check_whole("rank", rank, 1, network.embed_dim - 1)
        network.requires_grad_(False)
        known = pretrained or weights is not None
        for block in network.blocks:
            attention: Any = block.attn
            # Queries, keys and values are one layer in timm, three in the paper.
            attention.qkv = SplitAttention(attention.qkv, rank=rank, known=known)
            attention.proj = SplitLinear(attention.proj.weight, attention.proj.bias, rank=rank, known=known)
        self.input_size = input_size
        self.backbone = network
        self.mean, self.std = (nn.Buffer(values) for values in normalisation(network))
        self.head = nn.Linear(network.num_features, 1)

    def features(self, images: Tensor) -> Tensor:
        """The class token at the end: (B, 3, S, S) in [0, 1] to (B, F)."""
        pooled: Tensor = self.backbone((images - self.mean) / self.std)  # (B, F)
        return pooled

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy, and the mean over all split matrices of what holds their directions and energy."""
        logits = self(batch["images"])
        split = [module for module in self.backbone.modules() if isinstance(module, SplitLinear)]
        with torch.autocast(logits.device.type, enabled=False):
            orthogonality = torch.stack([module.orthogonality() for module in split]).mean()
            energy = torch.stack([module.energy_change() for module in split]).mean()
        return {
            "classification": classification(logits, batch),
            "orthogonality": orthogonality,
            "singular_values": energy,
        }


class SplitLinear(nn.Module):
    """A linear layer with a square matrix: its strongest directions frozen, its weakest trained.

    Args:
        weight: (D, D).
        bias: (D,) or None, frozen.
        rank: R, how many directions are trained.
        known: whether ``weight`` was trained, so that its directions mean something; else they are drawn, which spares
            the decomposition of noise.

    Attributes:
        principal: the frozen part of the matrix, (D, D).
        left, values, right: what is trained: (D, R), (R,) and (R, D), the product of which is added to ``principal``.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, *, rank: int, known: bool) -> None:
        super().__init__()
        weight = weight.detach().float()
        if known:
            left, values, right = torch.linalg.svd(weight)
            left, values, right = left[:, -rank:], values[-rank:], right[-rank:]
            principal = weight - left * values @ right
        else:
            left, right = (torch.linalg.qr(torch.randn(len(weight), rank))[0] for _ in range(2))
            right = right.T
            values = (left * (weight @ right.T)).sum(0).abs()
            principal = weight - left @ (left.T @ weight)
            principal = principal - principal @ right.T @ right
        self.principal = nn.Parameter(principal, requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias.detach().clone(), requires_grad=False)
        self.left, self.values, self.right = (nn.Parameter(part.contiguous()) for part in (left, values, right))
        # Where they began: what the frozen directions leave free.
        self.free_left, self.free_values, self.free_right = (
            nn.Buffer(part.detach().clone()) for part in (self.left, self.values, self.right)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., D) to (..., D)."""
        out = nn.functional.linear(tokens, self.principal, self.bias)
        within = nn.functional.linear(tokens, self.right) * self.values  # (..., R)
        return out + nn.functional.linear(within, self.left)

    def orthogonality(self) -> Tensor:
        """Half of the sum of |U Uᵀ - 1| and |Vᵀ V - 1| with all directions, frozen and trained, by Frobenius' norm."""
        return 0.5 * (
            _departure(self.left, self.free_left) + _departure(self.right.T, self.free_right.T)
        )  # frozen ones stay orthonormal, so only terms with trained ones are left

    def energy_change(self) -> Tensor:
        """How far the sum of squares of all entries has moved from where it began."""
        # The frozen part has no share of the directions that the trained one began with, so its own share cancels.
        change = self.left * self.values @ self.right  # (D, D)
        moved = 2 * (self.principal * change).sum() + change.square().sum()
        return (moved - self.free_values.square().sum()).abs()


def _departure(trained: Tensor, free: Tensor) -> Tensor:
    """Frobenius' norm of Gᵀ G - 1, G being the frozen directions, orthogonal to ``free``, and ``trained``.

    Args:
        trained: (D, R).
        free: (D, R).
    """
    among = trained.T @ trained - torch.eye(trained.shape[1], device=trained.device)
    # What of the trained ones lies among the frozen ones. As a difference from their start it begins at exactly 0.
    across = (trained - free) - free @ (free.T @ (trained - free))
    # A root's slope at 0 is infinite, and 0 is where training begins.
    return (among.square().sum() + 2 * across.square().sum() + 1e-12).sqrt()


class SplitAttention(nn.Module):
    """The joint layer of queries, keys and values as three of ``SplitLinear``."""

    def __init__(self, joint: nn.Linear, *, rank: int, known: bool) -> None:
        super().__init__()
        biases = [None] * 3 if joint.bias is None else joint.bias.chunk(3)
        self.parts = nn.ModuleList(
            SplitLinear(weight, bias, rank=rank, known=known)
            for weight, bias in zip(joint.weight.chunk(3), biases, strict=True)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, D) to (B, N, 3 D)."""
        return torch.cat([part(tokens) for part in self.parts], 2)
