from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from torchvision.models.video import r3d_18

from tests.detectors.contract import DetectorContract
from unmask.detectors import build


class TestR3d(DetectorContract):
    name = "r3d"
    # 17, 9, 5 and 3 steps: on maps of two, oneDNN's bfloat16 gradient is wrong on CPUs.
    arguments: ClassVar[dict[str, object]] = {"input_size": 16, "frames": 17, "blocks": (1, 1, 1, 1)}
    rate: ClassVar[float] = 0.001
    parameters: ClassVar[dict[str, int]] = {
        # torchvision's stated number, less the classifier of 400 classes on 512 features, and one logit instead.
        "r3d": 33_371_472 - 513 * 400 + 513
    }


def test_it_is_torchvision_s_network(tmp_path):
    torch.manual_seed(0)
    reference = r3d_18().eval()
    torch.save(reference.state_dict(), tmp_path / "w.pth")
    detector = build("r3d", input_size=32, frames=4, weights=tmp_path / "w.pth").eval()
    clips = torch.rand(1, 4, 3, 32, 32)
    mean, std = (
        torch.tensor(row)[:, None, None, None] for row in ((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))
    )
    with torch.no_grad():
        reference.fc = torch.nn.Identity()
        expected = reference((clips.transpose(1, 2) - mean) / std)
        torch.testing.assert_close(detector.features(clips), expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match=r"does not fit|tensors"):
        build("r3d", input_size=32, frames=4, blocks=(3, 2, 2, 2), weights=tmp_path / "w.pth")
