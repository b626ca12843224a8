from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import timm
import torch

from tests.detectors.contract import DetectorContract, batch_of
from unmask.detectors import build

SMALL = {"input_size": 64, "width": 0.125}


class TestFFD(DetectorContract):
    name = "ffd"
    arguments: ClassVar[dict[str, object]] = SMALL
    # Xception with one logit, and RegressionMap of the authors' code: 3 x 3 for each of 728 channels, then 728 weights.
    parameters: ClassVar[dict[str, int]] = {"ffd": 22_855_952 - 2049 * 1000 + 2049 + 728 * 9 + 728}


def test_the_map_is_as_large_as_the_authors():
    """Their masks are 19 x 19 for pictures of 299 x 299."""
    detector = build("ffd", input_size=299, width=0.02).eval()
    assert detector._looked(torch.rand(1, 3, 299, 299))[1].shape == (1, 1, 19, 19)


def xception() -> torch.nn.Module:
    """timm's, with norms that fit its random weights: as they are made, features vanish and all are alike."""
    torch.manual_seed(0)
    network = timm.create_model("legacy_xception", num_classes=0)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network(torch.rand(4, 3, 64, 64) * 2 - 1)
    return network.eval()


def test_without_the_map_it_is_timm_s_network(tmp_path):
    reference = xception()
    torch.save(reference.state_dict(), tmp_path / "w.pth")
    detector = build("ffd", input_size=64, weights=tmp_path / "w.pth").eval()
    detector.look[1] = torch.nn.Identity()  # then the sigmoid of a great number, one, for all channels
    detector.look[0] = torch.nn.Conv2d(728, 728, 1)
    torch.nn.init.zeros_(detector.look[0].weight)
    torch.nn.init.constant_(detector.look[0].bias, 100.0)
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected = reference(images * 2 - 1)
        torch.testing.assert_close(detector.features(images), expected, rtol=1e-3, atol=1e-3)
    assert expected.std(0).max() > 0.1


def test_the_mask_s_loss_is_the_mean_distance_of_the_known():
    detector = build("ffd", **SMALL).eval()
    batch = batch_of(detector, 6)
    batch["masks_known"][3] = False
    with torch.no_grad():
        found = detector.losses(batch)["mask"].item()
        maps = detector._looked(batch["images"])[1].numpy()  # (6, 1, 4, 4)
    masks = batch["masks"].numpy().reshape(6, 1, 4, 16, 4, 16).mean((3, 5))
    rows = [0, 1, 2, 4, 5]
    assert found == pytest.approx(np.abs(maps - masks)[rows].mean(), abs=1e-6)


def test_unknown_masks_teach_nothing():
    detector = build("ffd", **SMALL)
    batch = batch_of(detector)
    batch["masks_known"][:] = False
    loss = detector.losses(batch)["mask"]
    assert loss.item() == 0
    loss.backward()
    assert not any(value.grad.any() for value in detector.look.parameters())
