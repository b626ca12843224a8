from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import torch

from tests.detectors.contract import DetectorContract, batch_of
from tests.detectors.test_ffd import xception
from unmask.detectors import build

SMALL = {"input_size": 64, "width": 0.125}


class TestCore(DetectorContract):
    name = "core"
    arguments: ClassVar[dict[str, object]] = SMALL
    # Xception with one logit.
    parameters: ClassVar[dict[str, int]] = {"core": 22_855_952 - 2049 * 1000 + 2049}


def test_its_features_are_timm_s(tmp_path):
    reference = xception()
    torch.save(reference.state_dict(), tmp_path / "w.pth")
    detector = build("core", input_size=64, weights=tmp_path / "w.pth").eval()
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected = reference(images * 2 - 1)
        torch.testing.assert_close(detector.features(images), expected, rtol=1e-3, atol=1e-3)
    assert expected.std(0).max() > 0.1


@pytest.mark.parametrize("weight", [1.0, 100])
def test_losses_equal_a_hand_computation(weight):
    detector = build("core", consistency=weight, **SMALL).eval()
    batch = batch_of(detector, 4)
    with torch.no_grad():
        found = detector.losses(batch)
        one, two = (detector.features(batch[key]).double().numpy() for key in ("images", "again"))
        logits = np.concatenate([detector(batch[key]).numpy() for key in ("images", "again")])
    cosines = (one * two).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(two, axis=1)
    assert found["consistency"].item() == pytest.approx(weight * ((1 - cosines) ** 2).mean(), rel=1e-3, abs=1e-7)
    labels = np.tile(batch["labels"].numpy(), 2)
    entropy = np.log1p(np.exp(np.where(labels == 1, -logits, logits))).mean()
    assert found["classification"].item() == pytest.approx(entropy, rel=1e-4)


def test_two_equal_views_are_consistent():
    detector = build("core", **SMALL)
    batch = batch_of(detector, 4)
    assert detector.losses(batch)["consistency"] > 1e-6
    batch["again"] = batch["images"]
    assert detector.losses(batch)["consistency"] < 1e-9


@pytest.mark.parametrize("weight", [-1, 1001, float("nan"), "1", True, None])
def test_impossible_weights_of_consistency(weight):
    with pytest.raises(ValueError, match="consistency is"):
        build("core", consistency=weight, **SMALL)
