from __future__ import annotations

from typing import ClassVar

import pytest
import timm
import torch

from tests.detectors.contract import DetectorContract
from unmask.detectors import build
from unmask.detectors.xception import XceptionBackbone


class TestXception(DetectorContract):
    name = "xception"
    arguments: ClassVar[dict[str, object]] = {"input_size": 64, "width": 0.125}
    # Chollet's table 3, less the classifier of 1,000 classes on 2,048 features, and one logit instead.
    parameters: ClassVar[dict[str, int]] = {"xception": 22_855_952 - 2049 * 1000 + 2049}


@pytest.fixture(scope="module")
def reference():
    torch.manual_seed(0)
    found = timm.create_model("legacy_xception", num_classes=0, global_pool="")
    for module in found.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0  # as they are made, they would let the maps shrink to nothing
    with torch.no_grad():
        found.train()(torch.rand(4, 3, 96, 96) * 2 - 1)
    return found.eval()


def test_it_is_timm_s_network(reference, tmp_path):
    torch.save(reference.state_dict(), tmp_path / "w.pth")
    own = XceptionBackbone(weights=tmp_path / "w.pth").eval()
    images = torch.rand(2, 3, 96, 96) * 2 - 1
    with torch.no_grad():
        expected = reference(images)
        assert expected.std() > 0.1
        torch.testing.assert_close(own(images), expected, rtol=1e-4, atol=1e-4)


def test_further_channels_start_as_the_mean_of_the_three(reference, tmp_path):
    torch.save(reference.state_dict(), tmp_path / "w.pth")
    weight = XceptionBackbone(in_channels=4, weights=tmp_path / "w.pth").conv1.weight
    given = reference.conv1.weight
    torch.testing.assert_close(weight[:, :3], given)
    torch.testing.assert_close(weight[:, 3], given.mean(1))


def test_weights_of_another_network_or_width_are_refused(reference, tmp_path):
    torch.save(reference.state_dict(), tmp_path / "w.pth")
    with pytest.raises(ValueError, match="full width"):
        build("xception", input_size=64, width=0.5, weights=tmp_path / "w.pth")
    torch.save(timm.create_model("test_resnet").state_dict(), tmp_path / "w.pth")
    with pytest.raises(ValueError, match=r"does not fit|tensors"):
        build("xception", input_size=64, weights=tmp_path / "w.pth")
