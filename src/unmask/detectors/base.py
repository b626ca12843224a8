"""What every detector is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn import functional

#: One batch of training, by name. "labels" is (B,) float, 1 fake, 0 real; "targets" the same after label smoothing.
#: Rows 2 i and 2 i + 1 are a pair: real, then fake. Further names: those of ``TAKES`` and ``WANTS``.
Batch = dict[str, Tensor]

#: What ``forward`` may take, a row an example -> its shape and range.
TAKES = {
    "images": "(B, 3, S, S) float RGB in [0, 1]: a crop",
    "clips": "(B, T, 3, S, S) float RGB in [0, 1]: crops of one track, in order of time",
    "sound": "(B, N) float in [-1, 1]: one channel of 16,000 samples a second",
}

#: What the losses may want of a training batch beside that -> its shape and meaning.
WANTS = {
    "again": "(B, 3, S, S) float RGB in [0, 1]: the same crops, augmented another time",
    "masks": "(B, 1, S, S) float in [0, 1]: the share of each pixel that is forged; 0 all over where it is not known",
    "masks_known": "(B,) bool: whether the mask says how the crop was made; always for real ones",
    "methods": "(B,) int64: 0 real, else the number of the manipulation, from 1",
}


@dataclass(frozen=True)
class Paper:
    """Where a detector comes from.

    Attributes:
        title: authors, title, venue and year.
        url: where it can be read.
        parameters: their number as published, in words, with the place: "20.8 M (table 2)"; or that it is not stated.
        departs: where this implementation departs from the paper, and why; "nowhere" if it does not.
    """

    title: str
    url: str
    parameters: str
    departs: str


class Detector(nn.Module):
    """A network that gives each example the logit of being fake.

    Any normalisation is the detector's own business, so that nobody can forget it.

    Attributes:
        paper: where it comes from.
        takes: keys of ``TAKES``: the arguments of ``features`` and ``forward``, in order.
        wants: keys of ``WANTS`` that its losses use.
        rests: whether some trainable parameters have no gradient in some steps.
        input_size: S, the side of its crops in pixels; where it takes pictures.
        frames: T, the length of its clips; where it takes clips.
        samples: N, the length of its sound; where it takes sound.
        head: the last layer, (B, F) to (B, 1), so that logits are ``head(features)``; None where the last step is not
            linear, and ``forward`` is its own.
    """

    paper: ClassVar[Paper]
    takes: ClassVar[tuple[str, ...]] = ("images",)
    wants: ClassVar[tuple[str, ...]] = ()
    rests: ClassVar[bool] = False
    input_size: int
    frames: int
    samples: int
    head: nn.Linear | None

    def features(self, *inputs: Any, **keywords: Any) -> Tensor:
        """What the last layer sees, (B, F), of what ``takes`` names."""
        raise NotImplementedError

    def forward(self, *inputs: Tensor) -> Tensor:
        """Logits of fake, (B,), of what ``takes`` names."""
        if self.head is None:
            raise NotImplementedError("a detector without a linear last layer has a forward of its own")
        logits: Tensor = self.head(self.features(*inputs))  # (B, 1)
        return logits.squeeze(1)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The terms of the training loss by name, weighted, each a scalar: their sum is minimised.

        Args:
            batch: has what ``takes`` and ``wants`` name, "labels" and "targets".
        """
        return {"classification": classification(self(*(batch[name] for name in self.takes)), batch)}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of one example of each thing that it takes."""
        known = {
            "images": lambda: (3, self.input_size, self.input_size),
            "clips": lambda: (self.frames, 3, self.input_size, self.input_size),
            "sound": lambda: (self.samples,),
        }
        return {name: known[name]() for name in self.takes}


def classification(logits: Tensor, batch: Batch) -> Tensor:
    """Mean binary cross-entropy of (B,) logits against the batch's targets, in natural units."""
    return functional.binary_cross_entropy_with_logits(logits.float(), batch["targets"])


def check_whole(name: str, value: object, least: int, most: int) -> None:
    """Raise ValueError unless a number is whole and in range: a stranger's model may state anything."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} is {value!r}, not a whole number from {least} to {most}")


def check_input_size(size: object, *, least: int = 16) -> None:
    """Raise ValueError unless ``size`` is a whole number from ``least`` to 1024."""
    check_whole("input_size", size, least, 1024)
