from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import timm
import torch

from tests.detectors.contract import DetectorContract
from unmask.detectors import build
from unmask.detectors.spsl import PhaseOnly

# A middle block: three separable convolutions of 728 channels, each with its batch norm.
MIDDLE = 3 * (728 * 9 + 728**2 + 2 * 728)


class TestSPSL(DetectorContract):
    name = "spsl"
    arguments: ClassVar[dict[str, object]] = {"input_size": 64, "width": 0.125}
    # Chollet's table 3, less the classifier of 1,000 classes and eight middle blocks; a fourth channel for 32 filters
    # of 3 x 3, one logit.
    parameters: ClassVar[dict[str, int]] = {"spsl": 22_855_952 - 2049 * 1000 - 8 * MIDDLE + 32 * 9 + 2049}


@pytest.mark.parametrize("size", [16, 31, 64])
def test_phase_equals_numpy_s(size):
    images = np.random.default_rng(0).random((2, 3, size, size)) * 2 - 1
    spectrum = np.fft.fft2(images.mean(1))
    expected = np.fft.ifft2(np.exp(1j * np.angle(spectrum))).real
    found = PhaseOnly(size)(torch.from_numpy(images).float()).numpy()
    assert found.shape == (2, 1, size, size)
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-5)


def test_phase_does_not_know_brightness_and_moves_with_the_picture():
    layer = PhaseOnly(32)
    images = torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(layer(images * 0.3), layer(images), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(layer(images.roll(5, 3)), layer(images).roll(5, 3), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("level", [-1.0, 0.0, 0.3])
def test_phase_of_one_colour(level):
    """Nothing but a mean: all other coefficients have phase 0, whatever rounding makes of them."""
    images = torch.full((1, 3, 32, 32), level, requires_grad=True)
    expected = torch.zeros(32, 32)
    expected[0, 0] = 1
    if level < 0:
        expected -= 2 / 32**2  # the mean's phase is pi
    found = PhaseOnly(32)(images)
    torch.testing.assert_close(found[0, 0], expected, atol=1e-5, rtol=0)
    found.square().sum().backward()
    assert images.grad.isfinite().all()


def test_weights_of_the_whole_xception_fit(tmp_path):
    reference = timm.create_model("legacy_xception", num_classes=0)
    torch.save(reference.state_dict(), tmp_path / "w.pth")
    state = build("spsl", input_size=64, weights=tmp_path / "w.pth").backbone.state_dict()
    given = reference.state_dict()
    assert set(given) - set(state) == {
        name for name in given if name.split(".")[0] in {f"block{n}" for n in range(4, 12)}
    }
    for name in set(state) - {"conv1.weight"}:
        assert torch.equal(state[name], given[name]), name
