"""AltFreezing: a 3D residual network whose kernels over space and over time hold still by turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors.base import Batch, Detector, Paper, check_input_size, check_whole
from unmask.detectors.weights import load_weights

#: Blocks of each stage, as in ResNet-50.
_BLOCKS = (3, 4, 6, 3)
#: Lengths in time of the first kernel of a stage's blocks, in turn.
_REACH = ((3,), (3, 1), (3, 1), (1, 3))
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class AltFreezing(Detector):
    """I3D with ResNet-50, whose kernels over space and those over time are trained by turns, with one logit.

    Args:
        input_size: side of the crops in pixels.
        frames: length of the clips, from 6 to 256.
        still_space: batches in a row for which kernels over space hold still, from 1 to 1,000,000; training begins so.
        still_time: batches in a row after that for which kernels over time hold still.
        drop_rate: dropout before the last layer.
        width: see ``ResNet3d``.
        weights: a file of Kinetics weights to start from; see ``ResNet3d``.

    Raises:
        ValueError: a number is out of range, or ``weights`` does not fit.
    """

    paper: ClassVar[Paper] = Paper(
        title="Wang et al., AltFreezing for More General Video Face Forgery Detection, CVPR 2023",
        url="https://arxiv.org/abs/2307.08317",
        parameters="not stated; 28.0 M for the network with Kinetics' 400 classes (PyTorchVideo, I3D R50)",
        departs="one optimizer in place of one for each group: kernels that hold still are detached, so that they have "
        "no gradient at all and neither momentum nor weight decay moves them. Turns are counted in batches, in the "
        "state dict. The paper's augmentations of clips are the loader's matter",
    )
    takes: ClassVar[tuple[str, ...]] = ("clips",)
    rests: ClassVar[bool] = True

    def __init__(
        self,
        *,
        input_size: int,
        frames: int,
        still_space: int = 20,
        still_time: int = 1,
        drop_rate: float = 0.5,
        width: int = 64,
        weights: str | Path | None = None,
    ) -> None:
        super().__init__()
        check_input_size(input_size, least=32)
        # For two steps of half as many frames, the bfloat16 gradient of kernels over time is wrong on CPUs (oneDNN).
        check_whole("frames", frames, 6, 256)
        check_whole("still_space", still_space, 1, 1_000_000)
        check_whole("still_time", still_time, 1, 1_000_000)
        self.input_size, self.frames = input_size, frames
        self.still_space, self.still_time = still_space, still_time
        self.backbone = ResNet3d(width=width, weights=weights)
        self.dropout = nn.Dropout(drop_rate)
        self.head = nn.Linear(self.backbone.num_features, 1)
        # In the state dict, so that a run that is taken up again goes on in the same turn.
        self.batches = nn.Buffer(torch.tensor(0))

    def features(self, clips: Tensor) -> Tensor:
        """Maps averaged over space and time, with dropout in training: (B, T, 3, S, S) in [0, 1] to (B, 2048)."""
        maps = self.backbone(clips)  # (B, 2048, T / 2, S / 32, S / 32)
        found: Tensor = self.dropout(maps.mean((2, 3, 4)))
        return found

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy, with one of the groups held still in training."""
        if not self.training:
            return super().losses(batch)
        turn = int(self.batches) % (self.still_space + self.still_time)
        self.batches.add_(1)
        with self.backbone.still("space" if turn < self.still_space else "time"):
            return super().losses(batch)


class ResNet3d(nn.Module):
    """I3D with ResNet-50: kernels over space and over time one after the other, but in the first layer.

    Args:
        space: whether kernels reach over space. Without, each is 1 x 1 in space, and strides become pools.
        stages: how many of the four.
        width: channels of the first layer, 64 as published; tests take less.
        weights: a file of weights in the order of SlowFast's I3D of ResNet-50; see ``load_weights``.

    Attributes:
        num_features: channels of the maps: 2048 after four stages at full width.

    Raises:
        ValueError: ``width`` is out of range, or ``weights`` does not fit.
    """

    def __init__(
        self, *, space: bool = True, stages: int = 4, width: int = 64, weights: str | Path | None = None
    ) -> None:
        super().__init__()
        check_whole("width", width, 4, 256)
        self.mean = nn.Buffer(torch.tensor(_MEAN).view(1, 1, 3, 1, 1), persistent=False)
        self.std = nn.Buffer(torch.tensor(_STD).view(1, 1, 3, 1, 1), persistent=False)
        side = 7 if space else 1
        self.conv = nn.Conv3d(
            3, width, (5, side, side), (1, 2, 2) if space else 1, (2, side // 2, side // 2), bias=False
        )
        self.norm = nn.BatchNorm3d(width)
        self.halve = nn.Identity() if space else nn.MaxPool3d((1, 2, 2))
        self.stages = nn.ModuleList()
        before = width
        for number, (count, reach) in enumerate(zip(_BLOCKS[:stages], _REACH, strict=False)):
            inner = width * 2**number
            blocks = nn.Sequential()
            for place in range(count):
                halving = number > 0 and place == 0
                blocks.append(_Block(before, inner, reach[place % len(reach)], halving=halving, space=space))
                before = 4 * inner
            self.stages.append(blocks)
        self.num_features = before
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, _Block):
                nn.init.zeros_(module.c_norm.weight)  # each block starts as its skip
        if weights is not None:
            load_weights(self, weights)

    def forward(self, clips: Tensor) -> Tensor:
        """(B, T, 3, S, S) in [0, 1] to (B, C, T / 2, S / 32, S / 32) after four stages."""
        maps = ((clips - self.mean) / self.std).transpose(1, 2)  # (B, 3, T, S, S)
        maps = functional.relu(self.halve(self.norm(self.conv(maps))))
        maps = functional.max_pool3d(maps, (1, 3, 3), (1, 2, 2), (0, 1, 1))
        for number, stage in enumerate(self.stages):
            if number == 1:
                maps = functional.max_pool3d(maps, (2, 1, 1))
            maps = stage(maps)
        return maps

    @contextmanager
    def still(self, group: str) -> Iterator[None]:
        """Give kernels over "space" or over "time" alone no gradient from what is computed inside."""
        held = [
            module
            for module in self.modules()
            if isinstance(module, _Conv) and (module.kernel_size[0] == 1) == (group == "space")
        ]
        try:
            for module in held:
                module.still = True
            yield
        finally:
            for module in held:
                module.still = False


class _Conv(nn.Conv3d):
    """A kernel over space alone or over time alone, which can hold still."""

    still = False

    def forward(self, maps: Tensor) -> Tensor:
        weight = self.weight.detach() if self.still else self.weight
        return functional.conv3d(maps, weight, None, self.stride, self.padding)


class _Block(nn.Module):
    """A kernel over time, one over space and one over neither, beside a skip."""

    def __init__(self, before: int, inner: int, reach: int, *, halving: bool, space: bool) -> None:
        super().__init__()
        stride = (1, 2, 2) if halving and space else (1, 1, 1)
        after = 4 * inner
        # In the order of SlowFast's weights.
        self.skip = None if before == after else nn.Conv3d(before, after, 1, stride, bias=False)
        self.skip_norm = None if before == after else nn.BatchNorm3d(after)
        time_kernel = _Conv if reach > 1 else nn.Conv3d
        self.a = time_kernel(before, inner, (reach, 1, 1), padding=(reach // 2, 0, 0), bias=False)
        self.a_norm = nn.BatchNorm3d(inner)
        if space:
            self.b: nn.Conv3d = _Conv(inner, inner, (1, 3, 3), stride, (0, 1, 1), bias=False)
        else:
            self.b = nn.Conv3d(inner, inner, 1, bias=False)
        self.b_norm = nn.BatchNorm3d(inner)
        self.c = nn.Conv3d(inner, after, 1, bias=False)
        self.c_norm = nn.BatchNorm3d(after)
        self.halve = nn.MaxPool3d((1, 2, 2)) if halving and not space else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        beside = maps
        if self.skip is not None and self.skip_norm is not None:
            beside = self.halve(self.skip_norm(self.skip(maps)))
        inner = functional.relu(self.a_norm(self.a(maps)))
        inner = functional.relu(self.halve(self.b_norm(self.b(inner))))
        return functional.relu(beside + self.c_norm(self.c(inner)))
