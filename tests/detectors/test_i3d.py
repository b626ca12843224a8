from __future__ import annotations

from typing import ClassVar

import pytest
import torch

from tests.detectors.contract import DetectorContract
from unmask.detectors import build
from unmask.detectors.i3d import _padded


def _unit(before: int, after: int, size: int) -> int:
    return before * after * size**3 + 2 * after


def _module(before: int, one: int, two: int, three: int, four: int, five: int, six: int) -> int:
    return (
        _unit(before, one, 1)
        + _unit(before, two, 1)
        + _unit(two, three, 3)
        + _unit(before, four, 1)
        + _unit(four, five, 3)
        + _unit(before, six, 1)
    )


#: From the table of GoogLeNet (Szegedy et al. 2015, table 1), whose modules I3D inflates: what goes in, the branches.
_NETWORK = (
    _unit(3, 64, 7)
    + _unit(64, 64, 1)
    + _unit(64, 192, 3)
    + _module(192, 64, 96, 128, 16, 32, 32)
    + _module(256, 128, 128, 192, 32, 96, 64)
    + _module(480, 192, 96, 208, 16, 48, 64)
    + _module(512, 160, 112, 224, 24, 64, 64)
    + _module(512, 128, 128, 256, 24, 64, 64)
    + _module(512, 112, 144, 288, 32, 64, 64)
    + _module(528, 256, 160, 320, 32, 128, 128)
    + _module(832, 256, 160, 320, 32, 128, 128)
    + _module(832, 384, 192, 384, 48, 128, 128)
)


class TestI3d(DetectorContract):
    name = "i3d"
    arguments: ClassVar[dict[str, object]] = {"input_size": 16, "frames": 4, "width": 0.125, "drop_rate": 0.0}
    rate: ClassVar[float] = 0.003
    parameters: ClassVar[dict[str, int]] = {"i3d": _NETWORK + 1025}


def test_two_streams_have_as_many_parameters_as_published():
    """Table 1: 25 M; the port's RGB stream 12,697,264.

    The second stream sees two channels of optical flow; batch normalisation there has no scale.
    """
    assert _NETWORK + 1025 * 400 == 12_697_264
    second = _NETWORK - 7**3 * 64
    assert round((_NETWORK + second + 2 * 1025 * 400) / 1e6) == 25


@pytest.mark.parametrize(
    ("length", "size", "stride"), [(7, 3, 2), (8, 3, 2), (8, 7, 2), (5, 2, 2), (6, 3, 1), (1, 2, 2)]
)
def test_lengths_are_divided_and_rounded_up(length, size, stride):
    """As TensorFlow's "SAME", its odd zero behind."""
    maps = torch.arange(1.0, length + 1).view(1, 1, length, 1, 1)
    padded = _padded(maps, (size, 1, 1), (stride, 1, 1))
    wanted = -(-length // stride)
    assert (padded.shape[2] - size) // stride + 1 == wanted
    total = max((wanted - 1) * stride + size - length, 0)
    assert padded.flatten().tolist() == [0.0] * (total // 2) + maps.flatten().tolist() + [0.0] * (total - total // 2)


def test_weights_of_the_public_port_load_by_name(tmp_path):
    """There the classifier comes first, under a name of its own."""
    torch.manual_seed(0)
    given = build("i3d", **TestI3d.arguments).eval()
    state = {"logits.conv3d.weight": torch.zeros(400, 128, 1, 1, 1), "logits.conv3d.bias": torch.zeros(400)}
    torch.save(state | given.backbone.state_dict(), tmp_path / "w.pt")
    assert "Mixed_3b.b1b.conv3d.weight" in given.backbone.state_dict()
    other = build("i3d", **TestI3d.arguments, weights=tmp_path / "w.pt").eval()
    clips = torch.rand(2, 4, 3, 16, 16)
    assert torch.equal(other.features(clips), given.features(clips))
    with pytest.raises(ValueError, match="does not fit"):
        build("i3d", input_size=32, frames=4, weights=tmp_path / "w.pt")
