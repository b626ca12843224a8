from __future__ import annotations

from typing import ClassVar

import pytest
import torch

from tests.detectors.contract import DetectorContract
from tests.detectors.test_altfreezing import resnet_parameters
from unmask.detectors import build
from unmask.detectors.altfreezing import ResNet3d


class TestFtcn(DetectorContract):
    name = "ftcn"
    arguments: ClassVar[dict[str, object]] = {
        "input_size": 32,
        "frames": 6,
        "width": 4,
        "heads": 4,
        "drop_rate": 0.0,
    }
    rate: ClassVar[float] = 0.003
    parameters: ClassVar[dict[str, int]] = {
        # The authors' code: three stages; a class token and 17 places; one layer of 16 heads of 64 without biases to
        # queries, keys and values, and 2,048 hidden units; three normalisations; the head.
        "ftcn": resnet_parameters(3, space=False)
        + (1 + 17) * 1024
        + 3 * 1024 * 1024
        + 1025 * 1024
        + 1025 * 2048
        + 2049 * 1024
        + 3 * 2 * 1024
        + 1025
    }


def test_no_kernel_reaches_over_space():
    assert all(value.shape[3:] == (1, 1) for value in ResNet3d(space=False).parameters() if value.ndim == 5)


def test_before_the_pools_a_pixel_sees_its_own_past_and_future_only():
    """A change at one pixel of one frame stays in its cell of 16 x 16 pixels and what the pool of 3 overlaps."""
    torch.manual_seed(0)
    network = ResNet3d(space=False, stages=3, width=4).eval()
    for module in network.modules():  # else each block starts as its skip
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.ones_(module.weight)
    clips = torch.rand(1, 8, 3, 96, 96)
    other = clips.clone()
    other[0, 3, :, 40, 40] += 5.0
    with torch.no_grad():
        changed = (network(clips) != network(other)).any(1)[0]  # (T / 2, 6, 6)
    assert changed.any(0).nonzero().tolist() == [[2, 2]]
    assert changed.any((1, 2)).sum() > 1


@pytest.mark.parametrize("change", [{"heads": 3}, {"layers": 0}, {"frames": 5}])
def test_what_cannot_be_built_is_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        build("ftcn", **{**TestFtcn.arguments, **change})
