from __future__ import annotations

from typing import ClassVar

import pytest
import torch

from tests.detectors.contract import DetectorContract, batch_of
from unmask.detectors import build
from unmask.detectors.altfreezing import ResNet3d


def resnet_parameters(stages: int = 4, *, space: bool = True) -> int:
    """Of I3D with ResNet-50, from its table of kernels (SlowFast's I3D, spatial kernels of 1 without ``space``)."""
    total = 3 * 64 * 5 * (49 if space else 1) + 2 * 64
    before = 64
    reaches = ((3, 3, 3), (3, 1, 3, 1), (3, 1, 3, 1, 3, 1), (1, 3, 1))
    for number, reach in enumerate(reaches[:stages]):
        inner = 64 * 2**number
        for place, length in enumerate(reach):
            if place == 0:
                total += before * 4 * inner + 2 * 4 * inner
            total += before * inner * length + inner * inner * (9 if space else 1) + inner * 4 * inner
            total += 2 * (inner + inner + 4 * inner)
            before = 4 * inner
    return total


class TestAltFreezing(DetectorContract):
    name = "altfreezing"
    arguments: ClassVar[dict[str, object]] = {
        "input_size": 32,
        "frames": 6,
        "width": 4,
        "drop_rate": 0.0,
        "still_space": 1,
        "still_time": 1,
    }
    parameters: ClassVar[dict[str, int]] = {"altfreezing": resnet_parameters() + 2049}

    def test_every_parameter_learns(self, detector):
        """In one turn or another."""
        detector.train()
        optimizer = torch.optim.Adam(detector.parameters(), lr=1e-3)
        learnt = set()
        for _ in range(4):
            optimizer.zero_grad()
            sum(detector.losses(batch_of(detector)).values()).backward()
            learnt |= {
                name for name, value in detector.named_parameters() if value.grad is not None and value.grad.any()
            }
            optimizer.step()
        assert learnt == {name for name, _ in detector.named_parameters()}


def test_the_network_has_as_many_parameters_as_published():
    """28.04 M with 400 classes, says PyTorchVideo's list of models."""
    assert f"{(resnet_parameters() + 2049 * 400) / 1e6:.2f}" == "28.04"


@pytest.fixture
def detector():
    torch.manual_seed(0)
    return build("altfreezing", **{**TestAltFreezing.arguments, "still_space": 3, "still_time": 2}).train()


def _moves(detector, optimizer, batch) -> tuple[bool, bool, bool]:
    """Whether one step moves every kernel over space, every one over time, and the head; or none of its kind."""
    before = {name: value.clone() for name, value in detector.state_dict().items()}
    optimizer.zero_grad()
    sum(detector.losses(batch).values()).backward()
    optimizer.step()
    moved: dict[str, set[bool]] = {"space": set(), "time": set(), "head": set()}
    for name, value in detector.named_parameters():
        kind = {(1, 3, 3): "space", (3, 1, 1): "time"}.get(tuple(value.shape[2:]))
        if kind or name == "head.weight":
            moved[kind or "head"].add(not torch.equal(value, before[name]))
    assert all(len(each) == 1 for each in moved.values())
    return moved["space"].pop(), moved["time"].pop(), moved["head"].pop()


def test_groups_hold_still_by_turns_though_the_optimizer_has_momentum_and_decay(detector):
    batch = batch_of(detector)
    optimizer = torch.optim.AdamW(detector.parameters(), lr=1e-3, weight_decay=0.1)
    found = [_moves(detector, optimizer, batch) for _ in range(10)]
    assert found == ([(False, True, True)] * 3 + [(True, False, True)] * 2) * 2


def test_a_run_that_is_taken_up_again_goes_on_in_its_turn(detector):
    batch = batch_of(detector)
    for _ in range(4):
        detector.losses(batch)
    other = build("altfreezing", **{**TestAltFreezing.arguments, "still_space": 3, "still_time": 2}).train()
    other.load_state_dict(detector.state_dict())
    optimizer = torch.optim.AdamW(other.parameters(), lr=1e-3)
    assert [_moves(other, optimizer, batch)[0] for _ in range(3)] == [True, False, False]


def test_measuring_the_loss_is_no_turn(detector):
    batch = batch_of(detector)
    detector.eval().losses(batch)
    assert detector.batches == 0
    detector(batch["clips"]).sum().backward()
    assert all(value.grad is not None for value in detector.parameters())


def test_weights_in_the_order_of_slowfast_load(tmp_path):
    torch.manual_seed(0)
    given = ResNet3d(width=4)
    state = {
        f"s.{number}.{name.rpartition('.')[2]}": value
        for number, (name, value) in enumerate(given.state_dict().items())
    }
    torch.save(state | {"head.projection.weight": torch.zeros(400, 128)}, tmp_path / "w.pth")
    other = ResNet3d(width=4, weights=tmp_path / "w.pth")
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in given.state_dict().items())
    with pytest.raises(ValueError, match="does not fit"):
        ResNet3d(width=8, weights=tmp_path / "w.pth")


@pytest.mark.parametrize("change", [{"still_space": 0}, {"still_time": 0}, {"width": 0}])
def test_what_cannot_be_built_is_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        build("altfreezing", **{**TestAltFreezing.arguments, **change})
