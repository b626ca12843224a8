"""TALL: a clip's frames side by side as one picture, for a picture network with large windows."""

from __future__ import annotations

from math import isqrt
from pathlib import Path
from typing import ClassVar

import timm
import torch
from timm.models.swin_transformer import SwinTransformer, checkpoint_filter_fn
from torch import Tensor, nn

from unmask.detectors.base import Detector, Paper, check_input_size, check_whole
from unmask.detectors.weights import load_weights

#: timm's name of the network whose weights the paper starts from: ImageNet of 22,000 classes.
_NETWORK = "swin_base_patch4_window7_224.ms_in22k"
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Tall(Detector):
    """Swin on a thumbnail of the clip's frames, with one logit.

    Args:
        input_size: side of a frame's crop in pixels. The thumbnail's side is a multiple of 32.
        frames: length of the clips, a square number from 1 to 64: as many rows as columns.
        width: channels of the first stage, a multiple of 32; 128 is Swin-B.
        depths: blocks of the four stages.
        window: side of the attention's windows in tokens, or the whole map where that is smaller.
        block: side in pixels of the square that is masked in training, at one random place in all frames of a clip; 0
            for none.
        drop_path: share of the residual branches that are dropped in training, growing from 0 with depth.
        pretrained: let timm download ImageNet weights (needs a network).
        weights: a file of weights of Swin-B with windows of 7 to start from instead; see ``load_weights``.

    Raises:
        ValueError: a number is out of range, or ``weights`` does not fit.
    """

    paper: ClassVar[Paper] = Paper(
        title="Xu et al., TALL: Thumbnail Layout for Deepfake Video Detection, ICCV 2023 (TALL-Swin)",
        url="https://arxiv.org/abs/2307.07494",
        parameters="Swin-B's: 88 M with ImageNet's 1,000 classes (Liu et al., table 1)",
        departs="one logit in place of two classes; frames are laid side by side at the size that they come in, where "
        "the authors' code enlarges each to 224 pixels and then halves the thumbnail",
    )
    takes: ClassVar[tuple[str, ...]] = ("clips",)

    def __init__(
        self,
        *,
        input_size: int,
        frames: int,
        width: int = 128,
        depths: tuple[int, int, int, int] = (2, 2, 18, 2),
        window: int = 14,
        block: int = 16,
        drop_path: float = 0.1,
        pretrained: bool = False,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        check_input_size(input_size)
        check_whole("frames", frames, 1, 64)
        check_whole("width", width, 32, 1024)
        check_whole("window", window, 2, 64)
        check_whole("block", block, 0, input_size)
        self.rows = isqrt(frames)
        if self.rows**2 != frames:
            raise ValueError(f"frames is {frames}, not a square number from 1 to 64")
        if width % 32:
            raise ValueError(f"width is {width}, not a multiple of 32")
        if input_size * self.rows % 32:
            raise ValueError(
                f"input_size is {input_size}: {self.rows} frames side by side are {input_size * self.rows} pixels, "
                "not a multiple of 32"
            )
        self.input_size, self.frames, self.block = input_size, frames, block
        self.network = SwinTransformer(
            img_size=input_size * self.rows,
            window_size=window,
            embed_dim=width,
            depths=tuple(depths),
            num_heads=tuple(width // 32 * 2**stage for stage in range(4)),
            drop_path_rate=drop_path,
            num_classes=0,
        )
        self.place = nn.Parameter(nn.init.trunc_normal_(torch.empty(frames, width), std=0.02))
        self.mean = nn.Buffer(torch.tensor(_MEAN).view(1, 1, 3, 1, 1), persistent=False)
        self.std = nn.Buffer(torch.tensor(_STD).view(1, 1, 3, 1, 1), persistent=False)
        self.head = nn.Linear(8 * width, 1)
        if pretrained:
            self._take(timm.create_model(_NETWORK, pretrained=True, num_classes=0))
        elif weights is not None:
            given = timm.create_model(_NETWORK, num_classes=0)
            load_weights(given, weights)
            self._take(given)

    def features(self, clips: Tensor) -> Tensor:
        """Pooled tokens, with a square masked in training: (B, T, 3, S, S) in [0, 1] to (B, F)."""
        clips = (clips - self.mean) / self.std
        if self.training and self.block:
            clips = clips * free_of_block(clips, self.block)
        tokens = self.network.patch_embed(thumbnail(clips, self.rows))  # (B, rows * S / 4, rows * S / 4, C)
        side = self.input_size * self.rows // 4
        place = self.place.view(1, self.rows, self.rows, -1).permute(0, 3, 1, 2)
        # Each frame's place on all of its tokens.
        place = nn.functional.interpolate(place, size=(side, side), mode="nearest").permute(0, 2, 3, 1)
        found: Tensor = self.network.norm(self.network.layers(tokens + place)).mean((1, 2))
        return found

    def _take(self, given: nn.Module) -> None:
        """Take a network's weights, with its tables of relative places stretched to the windows here."""
        try:
            self.network.load_state_dict(checkpoint_filter_fn(given.state_dict(), self.network))
        except (AttributeError, RuntimeError) as error:
            raise ValueError("ImageNet weights are for Swin-B: width 128 and depths 2, 2, 18, 2") from error


def thumbnail(clips: Tensor, rows: int) -> Tensor:
    """Frames side by side, row by row: (B, rows * columns, C, H, W) to (B, C, rows * H, columns * W)."""
    return clips.unflatten(1, (rows, -1)).permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)


def free_of_block(clips: Tensor, side: int) -> Tensor:
    """0 in one square at a random place of each clip, cut off at the border, 1 elsewhere: (B, 1, 1, H, W)."""
    height, width = clips.shape[-2:]
    inside = []
    for length in (height, width):
        centre = torch.randint(length, (clips.shape[0], 1), device=clips.device)
        offset = torch.arange(length, device=clips.device) - centre + side // 2  # (B, length)
        inside.append((offset >= 0) & (offset < side))
    block = inside[0][:, :, None] & inside[1][:, None]  # (B, H, W)
    return (~block).to(clips.dtype)[:, None, None]
