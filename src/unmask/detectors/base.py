"""What every detector is."""

from __future__ import annotations

from torch import Tensor, nn


class Detector(nn.Module):
    """A network that gives each face crop the logit of being fake.

    Any normalisation is the detector's own business, so that nobody can forget it.

    Attributes:
        input_size: S, the side of its crops in pixels.
        head: the last layer, (B, F) to (B, 1).
    """

    input_size: int
    head: nn.Linear

    def features(self, images: Tensor) -> Tensor:
        """What the last layer sees: (B, 3, S, S) float RGB in [0, 1] to (B, F)."""
        raise NotImplementedError

    def forward(self, images: Tensor) -> Tensor:
        """Logits of fake: (B, 3, S, S) float RGB in [0, 1] to (B,)."""
        logits: Tensor = self.head(self.features(images))  # (B, 1)
        return logits.squeeze(1)


def check_input_size(size: object) -> None:
    """Raise ValueError unless ``size`` is a whole number from 16 to 1024: a stranger's model may state anything."""
    if not isinstance(size, int) or isinstance(size, bool) or not 16 <= size <= 1024:
        raise ValueError(f"input_size is {size!r}, not a whole number from 16 to 1024")
