from __future__ import annotations

from itertools import product
from typing import ClassVar

import numpy as np
import pytest
import timm
import torch
from scipy import ndimage

from tests.detectors.contract import DetectorContract
from unmask.detectors import build
from unmask.detectors.face_xray import boundaries

SMALL = {"backbone": "hrnet_w18_small", "input_size": 64}


def convolved(before: int, after: int, kernel: int = 3) -> int:
    """A convolution without bias and its batch norm."""
    return before * after * kernel**2 + 2 * after


def bottleneck(before: int, width: int) -> int:
    """HRNet's, which widens its output fourfold, with a skip where that differs from its input."""
    inner = convolved(before, width, 1) + convolved(width, width) + convolved(width, 4 * width, 1)
    return inner + (convolved(before, 4 * width, 1) if before != 4 * width else 0)


def hrnet(width: int) -> int:
    """Parameters of HRNetV2-W<width> without head, by table 1 of Wang et al., TPAMI 2021, and their code."""
    total = convolved(3, 64) + convolved(64, 64) + bottleneck(64, 64) + 3 * bottleneck(256, 64)
    total += convolved(256, width) + convolved(256, 2 * width)  # from one resolution to two
    for branches, modules in ((2, 1), (3, 4), (4, 3)):
        widths = [width * 2**branch for branch in range(branches)]
        module = sum(4 * 2 * convolved(each, each) for each in widths)
        for to, origin in product(range(branches), repeat=2):
            if origin > to:
                module += convolved(widths[origin], widths[to], 1)
            elif origin < to:
                module += (to - origin - 1) * convolved(widths[origin], widths[origin])
                module += convolved(widths[origin], widths[to])
        total += modules * module
        if branches < 4:
            total += convolved(widths[-1], 2 * widths[-1])  # to the next resolution
    return total


class TestFaceXray(DetectorContract):
    name = "face_xray"
    arguments: ClassVar[dict[str, object]] = SMALL
    parameters: ClassVar[dict[str, int]] = {
        # One map of 48 + 96 + 192 + 384 channels, and a weight and a bias for its mean.
        "face_xray": hrnet(48) + 720 + 1 + 2,
    }


def test_the_backbone_is_the_published_one():
    """77.5 M with the head for classification, which is left out: widening, joining, 2,048 features, 1,000 classes."""
    widths = (32, 64, 128, 256)
    head = sum(bottleneck(48 * 2**place, width) for place, width in enumerate(widths))
    head += sum(4 * width * 8 * width * 9 + 8 * width + 2 * 8 * width for width in widths[:3])
    head += 1024 * 2048 + 3 * 2048 + 2049 * 1000
    assert hrnet(48) + head == pytest.approx(77.5e6, abs=0.05e6)


@pytest.mark.parametrize("soft", [False, True])
def test_boundaries_equal_scipy_s(soft):
    masks = np.zeros((2, 1, 40, 40))
    masks[0, 0, 10:30, 5:25] = 1
    masks[1, 0, 20:, :15] = 0.7
    if soft:
        masks = ndimage.gaussian_filter(masks, (0, 0, 3, 3))
    blurred = ndimage.gaussian_filter(masks, (0, 0, 2, 2), mode="nearest", truncate=1.5)
    found = boundaries(torch.from_numpy(masks)).numpy()
    np.testing.assert_allclose(found, 4 * blurred * (1 - blurred), atol=1e-6)
    assert found[0].max() > 0.9


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_what_is_forged_nowhere_or_everywhere_has_no_boundary(level):
    assert boundaries(torch.full((1, 1, 16, 16), level)).abs().max() < 1e-6


def batch():
    labels = torch.tensor([0.0, 1.0, 0.0, 1.0])
    masks = torch.zeros(4, 1, 64, 64)
    masks[1::2, :, 16:48, 16:48] = 1.0
    known = torch.tensor([True, True, True, False])
    return {
        "images": torch.rand(4, 3, 64, 64),
        "labels": labels,
        "targets": labels,
        "masks": masks,
        "masks_known": known,
    }


def test_loss_equals_a_plain_sum_over_known_ones():
    torch.manual_seed(0)
    detector, given = build("face_xray", **SMALL).eval(), batch()
    terms = detector.losses(given)
    logits = detector.xray(given["images"]).detach().double().numpy()[:3]
    target = boundaries(given["masks"]).double().numpy()[:3]
    # Minus the logarithms of the probabilities of boundary and of none, by their logits.
    expected = (target * np.logaddexp(0, -logits) + (1 - target) * np.logaddexp(0, logits)).mean()
    assert terms["boundary"].item() == pytest.approx(100 * expected, rel=1e-4)
    other = detector.losses({**given, "masks": given["masks"].clone().index_fill_(0, torch.tensor([3]), 0.5)})
    torch.testing.assert_close(other["boundary"], terms["boundary"])


def test_no_known_mask_is_no_loss_and_no_trouble():
    detector = build("face_xray", **SMALL).train()
    terms = detector.losses({**batch(), "masks_known": torch.zeros(4, dtype=torch.bool)})
    assert terms["boundary"] == 0
    sum(terms.values()).backward()
    assert all(value.grad is not None and value.grad.isfinite().all() for value in detector.parameters())


def test_the_class_is_the_share_of_the_boundary():
    detector = build("face_xray", **SMALL).eval()
    images = torch.rand(2, 3, 64, 64)
    share = 100 * torch.sigmoid(detector.xray(images)).mean((1, 2, 3))
    torch.testing.assert_close(detector(images), share - 2, rtol=1e-4, atol=1e-4)


def test_weights_from_a_file(tmp_path):
    reference = timm.create_model("hrnet_w18_small")
    torch.save(reference.state_dict(), tmp_path / "w.pth")
    state = build("face_xray", **SMALL, weights=tmp_path / "w.pth").backbone.state_dict()
    given = reference.state_dict()
    assert all(torch.equal(value, given[name]) for name, value in state.items())


@pytest.mark.parametrize("backbone", ["hf-hub:hrnet_w18", "local-dir:/etc", "hrnet_w17", "", None, 3, "test_resnet"])
def test_what_is_no_hrnet_of_timm(backbone):
    with pytest.raises(ValueError, match="no HRNet"):
        build("face_xray", backbone=backbone, input_size=64)


def test_sizes_that_halving_does_not_fit():
    with pytest.raises(ValueError, match="multiple of 32"):
        build("face_xray", backbone="hrnet_w18_small", input_size=80)
