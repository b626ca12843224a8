from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import torch
from scipy.signal import freqz

from tests.detectors.contract import DetectorContract
from unmask.detectors import build
from unmask.detectors.rawnet2 import band_pass


def _block(before: int, after: int) -> int:
    convolutions = (3 * before + 1) * after + (3 * after + 1) * after
    skip = 0 if before == after else (before + 1) * after
    return convolutions + skip + 2 * after + (after + 1) * after  # batch normalisation, attention


class TestRawNet2(DetectorContract):
    name = "rawnet2"
    arguments: ClassVar[dict[str, object]] = {"samples": 9_000, "channels": (4, 8), "units": 16, "layers": 2}
    parameters: ClassVar[dict[str, int]] = {
        # From the shapes in the baseline's code: first normalisation, blocks, last normalisation, a GRU of three gates
        # with two biases each, a layer, the head.
        "rawnet2": 2 * 20
        + 2 * _block(20, 20)
        + _block(20, 128)
        + 3 * _block(128, 128)
        + 2 * 128
        + 3 * (1024 * (128 + 1024) + 2 * 1024)
        + 2 * 3 * (1024 * 2048 + 2 * 1024)
        + 1025 * 1024
        + 1025
    }


def test_the_shortest_sound_leaves_one_step():
    arguments = {"channels": (4, 4), "units": 4}
    detector = build("rawnet2", samples=3_211, **arguments).eval()
    assert detector(torch.rand(2, 3_211)).shape == (2,)
    with pytest.raises(ValueError, match="samples"):
        build("rawnet2", samples=3_210, **arguments)


@pytest.mark.parametrize(("count", "length"), [(20, 1025), (70, 129)])
def test_filters_pass_their_band_and_make_up_the_whole(count, length):
    filters = band_pass(count, length)[:, 0].double().numpy()
    mel = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), count + 1)
    edges = 700 * (10 ** (mel / 2595) - 1)
    for number, taps in enumerate(filters):
        np.testing.assert_allclose(taps, taps[::-1], atol=1e-7)
        frequencies, response = freqz(taps, worN=4096, fs=16_000)
        low, high = edges[number : number + 2]
        if high - low > 4 * 16_000 / length:  # wider than the window's own blur
            inside = (frequencies > low + 2 * 16_000 / length) & (frequencies < high - 2 * 16_000 / length)
            np.testing.assert_allclose(np.abs(response[inside]), 1, atol=0.01)
            outside = (frequencies < low - 2 * 16_000 / length) | (frequencies > high + 2 * 16_000 / length)
            assert np.abs(response[outside]).max(initial=0) < 0.01
    # Ideal filters side by side add up to letting all pass: one sample of 1.
    whole = np.zeros(length)
    whole[length // 2] = 1
    np.testing.assert_allclose(filters.sum(0), whole, atol=1e-6)
