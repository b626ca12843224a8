from __future__ import annotations

from typing import ClassVar

import pytest
import timm
import torch

from tests.detectors.contract import DetectorContract
from unmask.detectors import build
from unmask.detectors.frame_transformer import FrameEncoder


def _vivit(tubelet: int, steps: int, classes: int) -> int:
    """ViT-B/16 over a frame or a tubelet of more, and four layers over time; from Dosovitskiy et al., table 1."""
    layer = (768 + 1) * 3 * 768 + (768 + 1) * 768 + (768 + 1) * 3072 + (3072 + 1) * 768 + 4 * 768
    space = (tubelet * 3 * 16 * 16 + 1) * 768 + (197 + 1) * 768 + 12 * layer + 2 * 768
    time = (1 + steps + 1) * 768 + 4 * layer + 2 * 768
    return space + time + 769 * classes


class TestFrameTransformer(DetectorContract):
    name = "frame_transformer"
    arguments: ClassVar[dict[str, object]] = {
        "backbone": "test_resnet",
        "input_size": 32,
        "frames": 3,
        "layers": 2,
        "heads": 4,
    }
    rate: ClassVar[float] = 0.003
    parameters: ClassVar[dict[str, int]] = {"frame_transformer": _vivit(1, 16, 1)}


def test_with_tubelets_of_two_it_would_have_as_many_parameters_as_published():
    """115.1 M with 400 classes, 32 frames."""
    assert round(_vivit(2, 16, 400) / 1e6, 1) == 115.1


def test_the_order_of_frames_matters():
    torch.manual_seed(0)
    detector = build("frame_transformer", **TestFrameTransformer.arguments).eval()
    clips = torch.rand(2, 3, 3, 32, 32)
    with torch.no_grad():
        detector.time.place.mul_(50)
        assert not torch.allclose(detector.features(clips), detector.features(clips.flip(1)), atol=1e-4)
        detector.time.place.zero_()  # without places a clip is a set
        torch.testing.assert_close(detector.features(clips), detector.features(clips.flip(1)))


def test_frames_are_encoded_by_timm_s_network(tmp_path):
    torch.manual_seed(0)
    reference = timm.create_model("test_resnet", num_classes=0).eval()
    torch.save(reference.state_dict(), tmp_path / "w.pth")
    encoder = FrameEncoder("test_resnet", weights=tmp_path / "w.pth").eval()
    clips = torch.rand(2, 3, 3, 32, 32)
    mean = torch.tensor(reference.pretrained_cfg["mean"])[:, None, None]
    std = torch.tensor(reference.pretrained_cfg["std"])[:, None, None]
    with torch.no_grad():
        for frame in range(3):
            expected = reference((clips[:, frame] - mean) / std)
            torch.testing.assert_close(encoder(clips)[:, frame], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"backbone": "hf-hub:timm/test_resnet.r160_in1k"}, "timm has no model"),
        ({"backbone": 3}, "timm has no model"),
        ({"heads": 7}, "divide"),
        ({"heads": 0}, "heads"),
        ({"layers": 0}, "layers"),
    ],
)
def test_what_cannot_be_built_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        build("frame_transformer", **{**TestFrameTransformer.arguments, **change})


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save(timm.create_model("test_efficientnet").state_dict(), tmp_path / "w.pth")
    with pytest.raises(ValueError, match=r"does not fit|tensors"):
        build("frame_transformer", **TestFrameTransformer.arguments, weights=tmp_path / "w.pth")
