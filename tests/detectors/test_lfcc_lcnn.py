from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import torch
from scipy.fft import dct
from scipy.signal import get_window

from tests.detectors.contract import DetectorContract
from unmask.detectors import build
from unmask.detectors.lfcc_lcnn import Lfcc


class TestLfccLcnn(DetectorContract):
    name = "lfcc_lcnn"
    arguments: ClassVar[dict[str, object]] = {"samples": 5_000, "drop_rate": 0.1}
    rate: ClassVar[float] = 0.003
    parameters: ClassVar[dict[str, int]] = {
        # From the shapes in the authors' code: convolutions of side and channels, the latter halved after each; two
        # LSTMs of two directions, four gates and two biases; the head.
        "lfcc_lcnn": sum(
            (side * side * before + 1) * after
            for side, before, after in [
                (5, 1, 64),
                (1, 32, 64),
                (3, 32, 96),
                (1, 48, 96),
                (3, 48, 128),
                (1, 64, 128),
                (3, 64, 64),
                (1, 32, 64),
                (3, 32, 64),
            ]
        )
        + 2 * 2 * 4 * 48 * (96 + 48 + 2)
        + 97
    }


def test_the_shortest_sound_leaves_one_step():
    assert build("lfcc_lcnn", samples=2_400).eval()(torch.rand(2, 2_400)).shape == (2,)
    with pytest.raises(ValueError, match="samples"):
        build("lfcc_lcnn", samples=2_399)


def _lfcc(sound: np.ndarray) -> np.ndarray:
    """As the paper's code does it, frame by frame."""
    raised = np.append(sound[:1], sound[1:] - 0.97 * sound[:-1])
    padded = np.pad(raised, 256)
    window = np.zeros(512)
    window[96:416] = get_window("hamming", 320)
    frequencies = np.linspace(0, 8000, 257)
    edges = np.linspace(0, 8000, 22)
    rows = []
    for start in range(0, len(sound) + 1, 160):
        power = np.abs(np.fft.rfft(padded[start : start + 512] * window)) ** 2
        bands = [np.interp(frequencies, edges[i : i + 3], [0, 1, 0]) @ power for i in range(20)]
        row = dct(np.log10(np.array(bands) + np.finfo(np.float32).eps), norm="ortho")
        row[0] = np.log10(power.sum() / 512 + np.finfo(np.float32).eps)
        rows.append(row)

    def change(values):
        ends = np.pad(values, ((1, 1), (0, 0)), mode="edge")
        return ends[2:] - ends[:-2]

    base = np.stack(rows)
    return np.concatenate([base, change(base), change(change(base))], axis=1)


@pytest.mark.parametrize("length", [3_200, 3_333])
def test_cepstra_equal_a_plain_transcription(length):
    sound = np.random.default_rng(0).uniform(-1, 1, (2, length)).astype(np.float32)
    sound[1] *= 1e-3
    found = Lfcc()(torch.from_numpy(sound)).numpy()
    expected = np.stack([_lfcc(row.astype(np.float64)) for row in sound])
    assert found.shape == (2, 1 + length // 160, 60)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_louder_sound_changes_nothing_but_the_energy():
    sound = torch.rand(1, 4_000) * 0.2 - 0.1
    quiet, loud = Lfcc()(sound), Lfcc()(sound * 10)
    torch.testing.assert_close(loud[..., 0], quiet[..., 0] + 2, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(loud[..., 1:], quiet[..., 1:], rtol=1e-3, atol=1e-2)
