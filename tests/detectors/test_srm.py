from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import timm
import torch
from scipy.signal import correlate2d

from tests.detectors.contract import DetectorContract
from unmask.detectors import build
from unmask.detectors.srm import CrossAttention, Residual

# Chollet's table 3, less the classifier.
XCEPTION = 22_855_952 - 2049 * 1000
# Each attention between maps of 728 channels and 16 x 16 places: two keys and what they share, two spreads, two values,
# two strengths.
ATTENTION = 2 * (728 + 1) * 91 + (91 + 1) * 91 + 2 * (256 + 1) * 256 + 2 * (728 + 1) * 728 + 2


class TestSRM(DetectorContract):
    name = "srm"
    arguments: ClassVar[dict[str, object]] = {"input_size": 64, "width": 0.125}
    parameters: ClassVar[dict[str, int]] = {
        # By the public code's layers: 1 x 1 convolutions of three residuals of 32 and of 64 channels, with batch norms;
        # the guide's stem and its 7 x 7; a batch norm; two attentions; fusion with its channel attention; one logit.
        # Its filters are constants, and a second classifier that it never calls is left out.
        "srm": 2 * XCEPTION
        + (3 * 32 * 32 + 64)
        + (3 * 64 * 64 + 128)
        + (3 * 32 * 9 + 64 + 32 * 64 * 9 + 128 + 2 * 49)
        + 128
        + 2 * ATTENTION
        + (4096 * 2048 + 2 * 2048 + 2 * 2048 * 128)
        + 2049,
    }


# The public code's three: KB, KV and the second difference along a row.
FILTERS = [
    np.array([[0, 0, 0, 0, 0], [0, -1, 2, -1, 0], [0, 2, -4, 2, 0], [0, -1, 2, -1, 0], [0, 0, 0, 0, 0]]) / 4,
    np.array([[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], [-1, 2, -2, 2, -1]]) / 12,
    np.array([[0] * 5, [0] * 5, [0, 1, -2, 1, 0], [0] * 5, [0] * 5]) / 2,
]


def test_residuals_equal_scipy_s():
    maps = np.random.default_rng(0).normal(size=(2, 4, 9, 9)) * 2
    layer = Residual(4)
    given = torch.from_numpy(maps).float()
    each, summed = layer.each(given).numpy(), layer.summed(given).numpy()
    for row in range(2):
        answers = np.array([[correlate2d(plane, kernel, "same") for kernel in FILTERS] for plane in maps[row]])
        np.testing.assert_allclose(each[row], answers.reshape(12, 9, 9).clip(-3, 3), atol=1e-5)
        np.testing.assert_allclose(summed[row], answers.sum(0).clip(-3, 3), atol=1e-5)
    assert (np.abs(each) == 3).any()


def test_residuals_of_a_slope_are_nothing():
    slope = torch.linspace(-1, 1, 16).expand(1, 3, 16, 16)
    assert Residual(3).summed(slope)[..., 2:-2, 2:-2].abs().max() < 1e-5


def test_cross_attention_equals_a_loop_over_places():
    torch.manual_seed(0)
    layer = CrossAttention(8, 3).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter))
    one, two = torch.randn(1, 8, 3, 3).double(), torch.randn(1, 8, 3, 3).double()
    found = layer(one, two)

    def at(conv, maps, place):  # a 1 x 1 convolution at one place
        return conv.weight[:, :, 0, 0] @ maps[0, :, place // 3, place % 3] + conv.bias

    def shared(values):
        return layer.shared.weight[:, :, 0, 0] @ values + layer.shared.bias

    keys = [[shared(at(layer.keys[each], maps, place)) for place in range(9)] for each, maps in enumerate((one, two))]
    for mine, (own, other) in enumerate([(one, two), (two, one)]):
        for place in range(9):
            energy = torch.stack([keys[mine][place] @ keys[1 - mine][where] for where in range(9)])
            weights = torch.softmax(layer.spread[mine].weight @ energy + layer.spread[mine].bias, 0)
            got = sum(weights[where] * at(layer.values[1 - mine], other, where) for where in range(9))
            expected = own[0, :, place // 3, place % 3] + layer.strengths[mine] * got
            torch.testing.assert_close(found[mine][0, :, place // 3, place % 3], expected)


def test_the_margin_is_am_softmax_s():
    """Of two classes whose scores, times the scale of 30, differ by the logit."""
    torch.manual_seed(0)
    detector = build("srm", input_size=64, width=0.125).eval()
    labels = torch.tensor([0.0, 1.0, 0.0, 1.0])
    batch = {"images": torch.rand(4, 3, 64, 64), "labels": labels, "targets": labels}
    expected = []
    for logit, label in zip(detector(batch["images"]).tolist(), labels.int().tolist(), strict=True):
        scores = np.array([0.2, 0.2 + logit / 30])
        scores[label] -= 0.45
        scaled = 30 * scores
        expected.append(np.log(np.exp(scaled).sum()) - scaled[label])
    assert detector.losses(batch)["classification"].item() == pytest.approx(np.mean(expected), rel=1e-4)


def test_weights_from_a_file_fill_both_streams(tmp_path):
    reference = timm.create_model("legacy_xception", num_classes=0)
    torch.save(reference.state_dict(), tmp_path / "w.pth")
    built = build("srm", input_size=64, weights=tmp_path / "w.pth")
    for stream in (built.colours, built.noise):
        for name, value in reference.state_dict().items():
            assert torch.equal(stream.state_dict()[name], value), name


@pytest.mark.parametrize("size", [35, 72, 101])
def test_attention_fits_any_size(size):
    built = build("srm", input_size=size, width=0.125).eval()
    assert built(torch.rand(1, 3, size, size)).isfinite().all()
