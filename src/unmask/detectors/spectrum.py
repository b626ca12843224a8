"""Frequency features with a linear layer: the classical baseline that a network has to beat.

The azimuthal mean of a crop's log power spectrum, one value a frequency band, and logistic regression on it. Source:
Durall et al., "Unmasking DeepFakes with simple Features", arXiv:1911.00686.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from unmask.detectors.base import Detector, Paper, check_input_size, check_whole

_LUMA = (0.299, 0.587, 0.114)


class Spectrum(Detector):
    """Logistic regression on the mean power in rings of equal frequency.

    Args:
        input_size: side of the crops in pixels.
        bands: number of rings from frequency 0 to the Nyquist frequency, at most half of ``input_size``.

    Raises:
        ValueError: a number is out of range.
    """

    paper: ClassVar[Paper] = Paper(
        title="Durall et al., Unmasking DeepFakes with simple Features, 2019",
        url="https://arxiv.org/abs/1911.00686",
        parameters="not stated: one for each band, and one more",
        departs="each band is compared with the mean of all, a window keeps the crop's edges out, and bands are fewer",
    )

    def __init__(self, *, input_size: int, bands: int = 64) -> None:
        super().__init__()
        check_input_size(input_size)
        check_whole("bands", bands, 1, input_size // 2)
        self.input_size, self.bands = input_size, bands
        window = torch.hann_window(input_size, periodic=False)
        self.window = nn.Buffer(window[:, None] * window[None, :], persistent=False)
        self.luma = nn.Buffer(torch.tensor(_LUMA).view(1, 3, 1, 1), persistent=False)
        self.rings = nn.Buffer(_rings(input_size, bands), persistent=False)
        self.head = nn.Linear(bands, 1)

    def features(self, images: Tensor) -> Tensor:
        """Log mean power of each band, less that of the whole crop: (B, 3, S, S) in [0, 1] to (B, bands)."""
        with torch.autocast(images.device.type, enabled=False):  # power spans ten orders of magnitude
            grey = (images.float() * self.luma).sum(1)  # (B, S, S)
            grey = (grey - grey.mean((1, 2), keepdim=True)) * self.window
            power = torch.fft.rfft2(grey).abs().square().flatten(1)  # (B, S * (S // 2 + 1))
            bands = torch.log(power @ self.rings + 1e-8)  # (B, bands)
            return bands - bands.mean(1, keepdim=True)


def _rings(size: int, bands: int) -> Tensor:
    """(S * (S // 2 + 1), bands): which share each frequency has in the mean of its band; beyond Nyquist, none."""
    radius = torch.hypot(torch.fft.fftfreq(size)[:, None], torch.fft.rfftfreq(size)[None, :]).flatten()
    ring = (radius * 2 * bands).long()
    member = (ring[:, None] == torch.arange(bands)).float()
    return member / member.sum(0).clamp(min=1.0)
