from __future__ import annotations

from typing import ClassVar

import pytest
import timm
import torch

from tests.detectors.contract import DetectorContract, example
from unmask.detectors import build


class TestLateFusion(DetectorContract):
    name = "late_fusion"
    arguments: ClassVar[dict[str, object]] = {
        "input_size": 32,
        "frames": 2,
        "samples": 6_000,
        "clips": "frame_transformer",
        "sound": "lfcc_lcnn",
        "clips_arguments": {"backbone": "test_resnet", "layers": 1, "heads": 4},
        "sound_arguments": {"drop_rate": 0.0},
    }
    rate: ClassVar[float] = 0.003
    parameters: ClassVar[dict[str, int]] = {
        # torchvision's stated number and AASIST's published one, as their own tests have them, and three.
        "late_fusion": (33_371_472 - 513 * 400 + 513) + (297_866 - 2 * (32 + 32 + 3 * 64) - 2 * 161 + 161) + 3
    }


def test_it_starts_as_the_mean_of_the_two():
    torch.manual_seed(0)
    detector = build("late_fusion", **TestLateFusion.arguments).eval()
    clips, sound = example(detector, 3)
    with torch.no_grad():
        mean = (detector.seeing(clips) + detector.hearing(sound)) / 2
        torch.testing.assert_close(detector(clips, sound), mean)


def test_weights_are_the_detector_of_clips_s(tmp_path):
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", num_classes=0)
    torch.save(network.state_dict(), tmp_path / "w.pth")
    detector = build("late_fusion", **TestLateFusion.arguments, weights=tmp_path / "w.pth")
    assert torch.equal(detector.seeing.encoder.network.conv1[0].weight, network.conv1[0].weight)


_SIZES = {"samples": 6_000, "width": 8, "heads": 2, "backbone": "test_resnet"}


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"clips": "nobody"}, ValueError, "no detector"),
        ({"clips": ["r3d"]}, ValueError, "no detector"),
        ({"clips": "av_joint", "clips_arguments": _SIZES}, ValueError, "clips and sound"),
        ({"sound": "r3d"}, TypeError, "samples"),
        ({"clips_arguments": {"backbone": "test_resnet", "heads": 4, "weights": "/"}}, ValueError, "weights"),
        ({"sound_arguments": {"pretrained": True}}, ValueError, "pretrained"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, kind, message):
    with pytest.raises(kind, match=message):
        build("late_fusion", **{**TestLateFusion.arguments, **change})
