"""MesoNet: two small networks that look at a face at the scale between pixels and meaning.

Keras's conventions are kept where they change numbers (padding, the batch norms' epsilon and momentum), so that the
weights which the authors published, https://github.com/DariusAf/MesoNet (Apache 2.0), give the authors' answers.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from unmask.detectors.base import Batch, Detector, Paper, check_input_size
from unmask.detectors.weights import load_weights

_TITLE = "Afchar et al., MesoNet: a Compact Facial Video Forgery Detection Network, WIFS 2018"
_URL = "https://arxiv.org/abs/1809.00888"
_DEPARTS = (
    "the logit is of fake, the authors' sigmoid is the probability of real, and published weights are turned round; "
    "the loss is the mean squared error of the authors' code"
)


class _Meso(Detector):
    """What the two have in common: the end of the network and the way to its weights."""

    def __init__(self, first: list[nn.Module], channels: int, *, input_size: int, drop_rate: float) -> None:
        super().__init__()
        check_input_size(input_size)
        self.input_size = input_size
        self.maps = nn.Sequential(
            *first,
            *(_Convolution(channels, 16, 5), _norm(16), _SamePool(2)),
            *(_Convolution(16, 16, 5), _norm(16), _SamePool(4)),
        )
        side = input_size
        for halving in (2, 2, 2, 4):
            side = -(-side // halving)
        self.dropout = nn.Dropout(drop_rate)
        self.dense = nn.Linear(16 * side * side, 16)
        self.slope = nn.LeakyReLU(0.1)
        self.head = nn.Linear(16, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:  # they all have one
                    nn.init.zeros_(module.bias)

    def features(self, images: Tensor) -> Tensor:
        """The sixteen numbers before the last layer, with dropout in training: (B, 3, S, S) in [0, 1] to (B, 16)."""
        maps = self.maps(images)  # (B, 16, S / 32, S / 32)
        inner = self.slope(self.dense(self.dropout(maps.flatten(1))))  # (B, 16)
        out: Tensor = self.dropout(inner)
        return out

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The mean squared error of the probability, as the published weights were trained."""
        logits = self(batch["images"]).float()  # (B,)
        return {"classification": (logits.sigmoid() - batch["targets"]).square().mean()}

    def _take(self, weights: str | Path | None) -> None:
        if weights is None:
            return
        if Path(weights).suffix.lower() in (".h5", ".hdf5"):
            _load_keras(self, Path(weights))
        else:
            load_weights(self, weights)


class Meso4(_Meso):
    """Four convolutions, each with a batch norm and a pooling, and two dense layers.

    Args:
        input_size: side of the crops in pixels, from 16 to 1024; published weights are for 256.
        drop_rate: dropout before each of the two dense layers.
        weights: a file of weights of the whole network: Keras's HDF5 as published (``Meso4_DF.h5``), ``.safetensors``
            or PyTorch's.

    Raises:
        ValueError: ``input_size`` is out of range, or ``weights`` does not fit or cannot be read.
    """

    paper: ClassVar[Paper] = Paper(
        title=_TITLE, url=_URL, parameters="27,977 trainable ones (section on Meso-4)", departs=_DEPARTS
    )

    def __init__(self, *, input_size: int, drop_rate: float = 0.5, weights: str | Path | None = None) -> None:
        first = [
            *(_Convolution(3, 8, 3), _norm(8), _SamePool(2)),
            *(_Convolution(8, 8, 5), _norm(8), _SamePool(2)),
        ]
        super().__init__(first, 8, input_size=input_size, drop_rate=drop_rate)
        self._take(weights)


class MesoInception4(_Meso):
    """Meso-4 with its first two convolutions replaced by four branches each, two of them dilated.

    Args:
        input_size: see ``Meso4``.
        drop_rate: see ``Meso4``.
        weights: see ``Meso4``; published as ``MesoInception_DF.h5``.

    Raises:
        ValueError: see ``Meso4``.
    """

    paper: ClassVar[Paper] = Paper(
        title=_TITLE,
        url=_URL,
        parameters="28,615 trainable ones (section on MesoInception-4)",
        departs=_DEPARTS,
    )

    def __init__(self, *, input_size: int, drop_rate: float = 0.5, weights: str | Path | None = None) -> None:
        first = [
            *(_Inception(3, 1, 4, 4, 2), _norm(11), _SamePool(2)),
            *(_Inception(11, 2, 4, 4, 2), _norm(12), _SamePool(2)),
        ]
        super().__init__(first, 12, input_size=input_size, drop_rate=drop_rate)
        self._take(weights)


class _Convolution(nn.Sequential):
    """A convolution that keeps the size, and a ReLU."""

    def __init__(self, before: int, after: int, kernel: int, dilation: int = 1) -> None:
        padding = dilation * (kernel // 2)
        super().__init__(nn.Conv2d(before, after, kernel, padding=padding, dilation=dilation), nn.ReLU())


class _Inception(nn.Module):
    """Four branches side by side: 1 x 1, and 1 x 1 then 3 x 3 with dilation 1, 2 and 3."""

    def __init__(self, before: int, *widths: int) -> None:
        super().__init__()
        branches: list[nn.Module] = [_Convolution(before, widths[0], 1)]
        for dilation, width in enumerate(widths[1:], start=1):
            branches.append(
                nn.Sequential(_Convolution(before, width, 1), _Convolution(width, width, 3, dilation=dilation))
            )
        self.branches = nn.ModuleList(branches)

    def forward(self, maps: Tensor) -> Tensor:
        return torch.cat([branch(maps) for branch in self.branches], 1)


class _SamePool(nn.Module):
    """The greatest of each window, as Keras pools with padding "same": what is short is added on both sides."""

    def __init__(self, window: int) -> None:
        super().__init__()
        self.window = window

    def forward(self, maps: Tensor) -> Tensor:
        short = -maps.shape[-1] % self.window
        if short:
            sides = (short // 2, short - short // 2)
            maps = nn.functional.pad(maps, sides * 2, value=float("-inf"))
        return nn.functional.max_pool2d(maps, self.window)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def _load_keras(detector: _Meso, path: Path) -> None:
    """Fill a network from a file of Keras weights (``save_weights``, HDF5).

    Keras numbers layers as they are made, which is the order of the modules here; the numbers need not start at one.

    Raises:
        OSError: the file cannot be opened.
        ValueError: h5py is missing, or the file does not fit.
    """
    try:
        import h5py  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise ValueError(f"{path.name} is in Keras's format, which takes h5py to read: pip install h5py") from error
    with path.open("rb") as stream:
        try:
            with h5py.File(stream, "r") as file:
                read = _keras_tensors(detector, file)
        except (OSError, KeyError, AttributeError, RuntimeError, TypeError, ValueError) as error:
            fits = f"{type(detector).__name__} at input_size {detector.input_size}"
            raise ValueError(
                f"{path} does not hold Keras weights of {fits}: {error}; published ones are for 256"
            ) from error
    detector.load_state_dict(read, strict=False)  # all but the batch norms' counters


def _keras_tensors(detector: _Meso, file: Any) -> dict[str, Tensor]:
    """The tensors of a Keras file under the network's names and in PyTorch's order of axes."""
    found: dict[str, Tensor] = {}
    for kind, layer in (("conv2d", nn.Conv2d), ("batch_normalization", nn.BatchNorm2d), ("dense", nn.Linear)):
        own = [(name, module) for name, module in detector.named_modules() if isinstance(module, layer)]
        given = sorted((name for name in file if re.fullmatch(rf"{kind}(_\d+)?", name)), key=_number)
        if len(own) != len(given):
            raise ValueError(f"it has {len(given)} layers {kind}, not {len(own)}")
        for (name, module), other in zip(own, given, strict=True):
            for key, theirs, shape, axes in _layout(module):
                stored = file[other][other][f"{theirs}:0"]
                if stored.shape != shape:
                    raise ValueError(f"{other}/{theirs} is {stored.shape}, not {shape}")
                found[f"{name}.{key}"] = torch.from_numpy(stored[()]).float().permute(axes).contiguous()
    # Keras flattens (height, width, channel), PyTorch (channel, height, width).
    dense = found["dense.weight"]  # (16, H W C)
    side = int((dense.shape[1] // 16) ** 0.5)
    found["dense.weight"] = dense.unflatten(1, (side, side, 16)).permute(0, 3, 1, 2).flatten(1).contiguous()
    # Their sigmoid is the probability of real: 1 - sigmoid(x) = sigmoid(-x).
    found["head.weight"], found["head.bias"] = -found["head.weight"], -found["head.bias"]
    return found


def _number(layer: str) -> int:
    """Of a name such as "conv2d_5"; the first of its kind may have none."""
    found = re.search(r"_(\d+)$", layer)
    return int(found[1]) if found else 0


def _layout(module: nn.Module) -> list[tuple[str, str, tuple[int, ...], tuple[int, ...]]]:
    """Of each tensor: our name, Keras's name, the shape there, and its axes in our order."""
    if isinstance(module, nn.BatchNorm2d):
        names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
        return [(key, theirs, (module.num_features,), (0,)) for key, theirs in names.items()]
    weight: Any = module.weight
    axes = (3, 2, 0, 1) if weight.ndim == 4 else (1, 0)  # (height, width, before, after) or (before, after)
    shape = tuple(weight.shape[axes.index(axis)] for axis in range(weight.ndim))
    return [("weight", "kernel", shape, axes), ("bias", "bias", (weight.shape[0],), (0,))]
