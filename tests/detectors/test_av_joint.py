from __future__ import annotations

from typing import ClassVar

import pytest
import torch

from tests.detectors.contract import DetectorContract, example
from unmask.detectors import build
from unmask.detectors.av_joint import _Attention

_ATTENTION = 4 * 512 * 513
_STREAM = 2 * _ATTENTION + 513 * 2048 + 2049 * 512 + 4 * 2 * 512


class TestAvJoint(DetectorContract):
    name = "av_joint"
    arguments: ClassVar[dict[str, object]] = {
        "backbone": "test_resnet",
        "input_size": 32,
        "frames": 2,
        "samples": 6_000,
        "width": 16,
        "layers": 2,
        "heads": 4,
    }
    rate: ClassVar[float] = 0.003
    parameters: ClassVar[dict[str, int]] = {
        # ResNet-50 (He et al.'s code: 25,557,032 with 1,000 classes on 2,048 features); from features to tokens; 60
        # means and deviations; 16 frames of 60 cepstra to a token; two class tokens; 17 places and, of 404 frames of
        # sound, 26; four layers of two streams; two normalisations; the head.
        "av_joint": 25_557_032
        - 2049 * 1000
        + 2049 * 512
        + 2 * 60
        + (16 * 60 + 1) * 512
        + (2 + 17 + 26) * 512
        + 4 * 2 * _STREAM
        + 2 * 2 * 512
        + 1025
    }


def test_attention_equals_torch_s():
    torch.manual_seed(0)
    own, other = _Attention(8, 2), torch.nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        other.in_proj_weight.copy_(torch.cat([own.query.weight, own.key_value.weight]))
        other.in_proj_bias.copy_(torch.cat([own.query.bias, own.key_value.bias]))
        other.out_proj.load_state_dict(own.out.state_dict())
    asking, asked = torch.rand(2, 3, 8), torch.rand(2, 5, 8)
    torch.testing.assert_close(own(asking, asked), other(asking, asked, asked)[0])


@pytest.mark.parametrize("changed", [0, 1])
def test_each_half_of_the_features_knows_both(changed):
    torch.manual_seed(0)
    detector = build("av_joint", **TestAvJoint.arguments).eval()
    given = list(example(detector, 2))
    with torch.no_grad():
        before = detector.features(*given)
        given[changed] = given[changed].flip(-1) * 0.5
        after = detector.features(*given)
    for half in (slice(0, 16), slice(16, 32)):
        assert (before[:, half] - after[:, half]).abs().max() > 1e-4


@pytest.mark.parametrize("change", [{"heads": 3}, {"layers": 0}, {"width": 0}, {"samples": 2_399}])
def test_what_cannot_be_built_is_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        build("av_joint", **{**TestAvJoint.arguments, **change})


def test_one_token_of_sound_is_enough():
    detector = build("av_joint", **{**TestAvJoint.arguments, "samples": 2_400}).eval()
    assert detector(*example(detector, 2)).shape == (2,)
