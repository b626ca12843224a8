from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import torch

from tests.detectors.contract import DetectorContract, batch_of
from tests.detectors.test_ffd import xception
from unmask.detectors import build
from unmask.detectors.ucf import contrast, restyled, shuffled

SMALL = {"input_size": 64, "width": 0.125}


def convolution(before: int, after: int, kernel: int = 1) -> int:
    return (before * kernel**2 + 1) * after


class TestUCF(DetectorContract):
    name = "ucf"
    arguments: ClassVar[dict[str, object]] = {**SMALL, "drop_rate": 0.05}
    parameters: ClassVar[dict[str, int]] = {
        # By DeepfakeBench's layers: two Xceptions without classifier, each with 2,048 -> 512 and a norm.
        "ucf": 2 * (22_855_952 - 2049 * 1000 + convolution(2048, 512) + 2 * 512)
        # What splits the traces, twice.
        + 2 * (convolution(512, 256) + 2 * convolution(256, 256))
        # The heads: five kinds (four manipulations and none), and one logit where they have two classes.
        + 2 * convolution(256, 512) + convolution(512, 5) + convolution(512, 1)
        # The decoder.
        + convolution(512, 256, 3) + convolution(256, 256, 3)
        + convolution(256, 128, 3) + convolution(128, 128, 3)
        + convolution(128, 64, 3) + convolution(64, 64, 3)
        + convolution(64, 3)
    }  # fmt: skip


def test_both_encoders_start_from_timm_s_weights(tmp_path):
    """Theirs end in a norm; timm's network has a ReLU after it."""
    reference = xception()
    torch.save(reference.state_dict(), tmp_path / "w.pth")
    detector = build("ucf", input_size=64, weights=tmp_path / "w.pth").eval()
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        expected = reference.forward_features(images)
        for encoder in (detector.traces, detector.content):
            encoder.adjust = torch.nn.Identity()
            maps = encoder(images)
            assert (maps < 0).any()
            torch.testing.assert_close(maps.relu(), expected, rtol=1e-3, atol=1e-3)


def test_restyled_maps_have_the_style_s_statistics():
    content, style = torch.randn(3, 4, 5, 5) * 7 + 2, torch.randn(3, 4, 8, 8) * 0.5 - 1
    found = restyled(content, style)
    torch.testing.assert_close(found.mean((2, 3)), style.mean((2, 3)), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.std((2, 3)), style.std((2, 3)), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(restyled(content, content), content, atol=1e-4, rtol=1e-4)
    assert restyled(torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2, 2)).isfinite().all()


def test_shuffling_keeps_kinds_and_gives_each_order_its_chance():
    kinds = torch.tensor([0, 1, 0, 2, 0, 1])
    seen = set()
    for _ in range(200):
        places = shuffled(kinds)
        assert sorted(places.tolist()) == list(range(6))
        assert torch.equal(kinds[places], kinds)
        seen.add(tuple(places.tolist()))
    assert len(seen) == 6 * 2  # orders of three zeros and of two ones
    torch.manual_seed(5)
    one = shuffled(kinds)
    torch.manual_seed(5)
    assert torch.equal(shuffled(kinds), one)


def test_contrast_equals_a_hand_computation():
    """With one row of each kind nothing can change places."""
    common, specific = torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([[1.0, 0.0], [1.0, 2.0]])
    labels = torch.tensor([0.0, 1.0])
    # Distances to the own kind are 0; to the other 5 (beyond the margin of 3) and 2, which leaves 1 each way.
    assert contrast(common, specific, labels, labels.long()).item() == pytest.approx(2.0, abs=1e-4)
    assert contrast(common[[1, 0]], specific, labels, labels.long()).item() == pytest.approx(2.0, abs=1e-4)


def test_contrast_of_shuffled_rows(monkeypatch):
    monkeypatch.setattr("unmask.detectors.ucf.shuffled", lambda kinds: torch.tensor([2, 3, 0, 1]))
    common, specific = torch.randn(4, 6), torch.randn(4, 6)
    labels = torch.tensor([0.0, 1, 0, 1])
    terms = []
    for values in (common.double().numpy(), specific.double().numpy()):
        reals, fakes = values[::2], values[1::2]
        for one, two in ((reals, fakes), (fakes, reals)):
            near = np.linalg.norm(one - one[::-1], axis=1)
            far = np.linalg.norm(one - two[::-1], axis=1)
            terms.append(np.maximum(near - far + 3, 0).mean())
    assert contrast(common, specific, labels, labels.long()).item() == pytest.approx(sum(terms), rel=1e-4)


def test_pictures_are_drawn_from_each_one_s_own_content():
    detector = build("ucf", **SMALL).eval()
    batch = batch_of(detector, 4)
    images = batch["images"] * 2 - 1
    with torch.no_grad():
        seen = detector._taken_apart(images, batch["labels"])
        found = detector._drawing(images, seen).item()
        traces = torch.cat([seen.specific, seen.common], 1)
        expected = 0.0
        for rows, partners in (([0, 2], [1, 3]), ([1, 3], [0, 2])):
            for style in (rows, partners):
                drawn = detector.decoder(seen.content[rows], traces[style])
                assert drawn.shape == (2, 3, 64, 64)
                expected += (drawn - images[rows]).abs().mean().item()
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("number", [3, -1])
def test_a_method_that_it_does_not_know(number):
    detector = build("ucf", methods=2, **SMALL)
    batch = batch_of(detector, 4)
    assert sum(detector.losses(batch).values()).isfinite()
    batch["methods"][1] = number
    with pytest.raises(ValueError, match="built for 0 to 2: set its argument methods"):
        detector.losses(batch)


@pytest.mark.parametrize("count", [0, -1, 1001, 4.0, "4", None, True])
def test_impossible_numbers_of_methods(count):
    with pytest.raises(ValueError, match="methods is"):
        build("ucf", methods=count, **SMALL)


@pytest.mark.parametrize("size", [64, 75, 100])
def test_pictures_are_drawn_at_any_size(size):
    detector = build("ucf", input_size=size, width=0.05)
    batch = batch_of(detector, 4)
    assert sum(detector.losses(batch).values()).isfinite()


def test_a_picture_too_small_for_the_decoder():
    with pytest.raises(ValueError, match="64"):
        build("ucf", input_size=63)
