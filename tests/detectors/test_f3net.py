from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import timm
import torch
from scipy import fft

from tests.detectors.contract import DetectorContract
from unmask.detectors import build
from unmask.detectors.f3net import Decomposition, LocalStatistics, MixBlock, cosines

# Chollet's table 3, less the classifier.
XCEPTION = 22_855_952 - 2049 * 1000


class TestF3Net(DetectorContract):
    name = "f3net"
    arguments: ClassVar[dict[str, object]] = {"input_size": 64, "width": 0.125}
    parameters: ClassVar[dict[str, int]] = {
        # Two Xceptions with 12 and 6 channels at their entrance in place of 3, 32 filters of 3 x 3 there; four filters
        # of the picture's size and six of 10 x 10; two mix blocks of 728 and 1,024 channels: four 1 x 1 convolutions,
        # two of single channels, two batch norms, two strengths; one logit.
        "f3net": 2 * XCEPTION
        + (9 + 3) * 32 * 9
        + 4 * 299**2
        + 6 * 10**2
        + sum(4 * (width**2 + width) + 2 * width + 2 * 2 * width + 2 for width in (728, 1024))
        + 2 * 2048
        + 1,
    }


@pytest.mark.parametrize("size", [8, 10, 33])
def test_cosines_are_scipy_s(size):
    values = np.random.default_rng(0).random((size, size))
    matrix = cosines(size).double().numpy()
    np.testing.assert_allclose(matrix @ values @ matrix.T, fft.dctn(values, norm="ortho"), atol=1e-5)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(size), atol=1e-6)


def test_decomposition_equals_scipy_s():
    torch.manual_seed(0)
    size = 24
    layer = Decomposition(size)
    images = torch.rand(2, 3, size, size)
    learned = layer.learned.detach().double().numpy()
    learned = (1 - np.exp(-learned)) / (1 + np.exp(-learned))  # as the paper writes it
    sums = np.add.outer(np.arange(size), np.arange(size))
    bands = [(0, size / 8**0.5), (size / 8**0.5, size / 2), (size / 2, 2 * size), (0, 2 * size)]
    expected = []
    for (low, high), own in zip(bands, learned, strict=True):
        fixed = (low <= sums) & (sums < high)
        spectrum = fft.dctn(images.double().numpy(), axes=(2, 3), norm="ortho") * (fixed + own)
        expected.append(fft.idctn(spectrum, axes=(2, 3), norm="ortho"))
    np.testing.assert_allclose(layer(images).detach().numpy(), np.concatenate(expected, 1), atol=1e-4)


def test_bands_share_the_spectrum_as_published():
    fixed = Decomposition(299).fixed
    assert torch.equal(fixed[:3].sum(0), torch.ones(299, 299))
    shares = fixed.mean((1, 2)).tolist()
    assert shares == pytest.approx([1 / 16, 1 / 16, 7 / 8, 1], abs=0.003)
    with torch.no_grad():
        layer = Decomposition(32)
        layer.learned.zero_()
        images = torch.rand(1, 3, 32, 32)
        low, middle, high, everything = layer(images).split(3, 1)
        torch.testing.assert_close(everything, images, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(low + middle + high, images, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("size", "padding"), [(32, 5), (33, 6)])
def test_statistics_equal_a_loop_over_windows(size, padding):
    torch.manual_seed(0)
    layer = LocalStatistics(padding=padding)
    images = torch.rand(1, 3, size, size)
    red, green, blue = images[0].double().numpy() * 255
    grey = np.pad(0.299 * red + 0.587 * green + 0.114 * blue, padding, mode="reflect")
    learned = np.tanh(layer.learned.detach().double().numpy() / 2)
    found = layer(images)[0].detach().numpy()
    assert found.shape == (6, (size + 3) // 2, (size + 3) // 2)
    for row in range(0, found.shape[1], 3):
        for column in range(found.shape[2]):
            window = fft.dctn(grey[2 * row : 2 * row + 10, 2 * column : 2 * column + 10], norm="ortho")
            for band in range(6):
                base = [[20 / 6 * band <= i + j < 20 / 6 * (band + 1) for j in range(10)] for i in range(10)]
                total = np.abs(window * (np.array(base) + learned[band])).sum()
                assert found[band, row, column] == pytest.approx(np.log10(total + 1e-3), abs=1e-3)


def test_mixing_equals_a_loop_over_channels():
    torch.manual_seed(0)
    block = MixBlock(4).eval()
    one, two = torch.randn(2, 4, 5, 5), torch.randn(2, 4, 5, 5)
    same = block(one, two)  # its strengths start at 0
    torch.testing.assert_close(same, (one, two))
    with torch.no_grad():
        block.strengths.copy_(torch.tensor([0.5, -1.0]))
    mixed = block(one, two)
    queries, keys = ([layers[0](one), layers[1](two)] for layers in (block.queries, block.keys))
    for row in range(2):
        for channel in range(4):
            energy = sum(query[row, channel] @ key[row, channel].T for query, key in zip(queries, keys, strict=True))
            attention = energy.exp() / energy.exp().sum(1, keepdim=True)
            for place, (own, other) in enumerate([(one, two), (two, one)]):
                strength = 2 * torch.sigmoid(block.strengths[place]) - 1
                scale = block.scales[place].weight[channel, 0, 0, 0] / (1 + 1e-5) ** 0.5
                expected = own[row, channel] + other[row, channel] * attention * strength * scale
                torch.testing.assert_close(mixed[place][row, channel], expected, rtol=1e-4, atol=1e-5)


def test_weights_from_a_file_fill_both_streams(tmp_path):
    reference = timm.create_model("legacy_xception", num_classes=0)
    torch.save(reference.state_dict(), tmp_path / "w.pth")
    built = build("f3net", input_size=64, weights=tmp_path / "w.pth")
    for stream in (built.first, built.second):
        assert torch.equal(stream.block5.rep[1].pointwise.weight, reference.block5.rep[1].pointwise.weight)
        assert torch.equal(stream.conv1.weight[:, :3], reference.conv1.weight)


@pytest.mark.parametrize("size", [40, 71, 72])
def test_sizes_at_which_the_streams_could_differ(size):
    built = build("f3net", input_size=size, width=0.125).eval()
    assert built(torch.rand(1, 3, size, size)).isfinite().all()
