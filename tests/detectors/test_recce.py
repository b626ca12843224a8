from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import torch

from tests.detectors.contract import DetectorContract, batch_of
from unmask.detectors import build
from unmask.detectors.recce import _Reasoning, metric_loss

SMALL = {"input_size": 64, "width": 0.125}


def separable(before: int, after: int) -> int:
    """With the norm that follows."""
    return before * 9 + before * after + 2 * after


class TestRecce(DetectorContract):
    name = "recce"
    arguments: ClassVar[dict[str, object]] = {**SMALL, "drop_rate": 0.05}
    parameters: ClassVar[dict[str, int]] = {
        # Xception with one logit, then the layers of the authors' Recce.py and common.py.
        "recce": 22_855_952 - 2049 * 1000 + 2049
        # The decoder: to 256, 128 and 64 channels, three separable convolutions after the first two, a picture.
        + separable(728, 256) + 3 * separable(256, 256)
        + separable(256, 128) + 3 * separable(128, 128)
        + separable(128, 64) + 64 * 3
        # Guided attention.
        + 3 * 3 * 9 + 3 + 728 * 728 + 2 * 728
        # Graph reasoning: the middle's vertices and two gates, the finer vertices, their weights, the way back.
        + 728 * 256 + 256 * 256 + 2 * 728 * 256
        + 256 * 256 * 2 + 128 * 256 + 256 * 256
        + 512 + 512
        + 768 * 728 + 728 * 728
    }  # fmt: skip


def test_graph_reasoning_equals_plain_loops():
    torch.manual_seed(0)
    graph = _Reasoning(6, (4, 3), 5, 0.0).eval()
    maps, fine, finer = torch.randn(2, 6, 3, 3), torch.randn(2, 4, 6, 6), torch.randn(2, 3, 12, 12)
    with torch.no_grad():
        found = graph(maps, (fine, finer)).numpy()
    state = {name: value.double().numpy().squeeze() for name, value in graph.state_dict().items()}

    def sigmoid(values: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-values))

    for picture, row, column in np.ndindex(2, 3, 3):
        here = maps[picture, :, row, column].double().numpy()
        own = state["place.2.weight"] @ np.maximum(state["place.0.weight"] @ here, 0)
        parts = []
        for number, (given, ratio) in enumerate(((fine, 2), (finer, 4))):
            prefix = f"neighbours.{number}."
            said, heard = [], []
            for y, x in np.ndindex(ratio, ratio):
                there = given[picture, :, row * ratio + y, column * ratio + x].double().numpy()
                embedded = state[prefix + "embed.2.weight"] @ np.maximum(state[prefix + "embed.0.weight"] @ there, 0)
                said.append(embedded)
                heard.append(np.exp(max(state[prefix + "weigh.weight"] @ np.concatenate([own, embedded]), 0)))
            mean = sum(w * s for w, s in zip(heard, said, strict=True)) / sum(heard)
            parts.append(mean * (1 - sigmoid(state[prefix + "gate.weight"] @ here)))
        told = sigmoid(np.concatenate([*parts, own]))
        expected = state["project.2.weight"] @ np.maximum(state["project.0.weight"] @ told, 0)
        np.testing.assert_allclose(found[picture, :, row, column], expected, atol=1e-5)


def test_metric_loss_equals_plain_loops():
    maps, labels = torch.randn(6, 5, 2, 2), torch.tensor([0.0, 1, 0, 1, 0, 1])
    pooled = maps.double().mean((2, 3)).numpy()
    pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
    reals, mixed = [], []
    for one, two in np.ndindex(6, 6):
        alike = (pooled[one] @ pooled[two] + 1) / 2
        if labels[one] != labels[two]:
            mixed.append(alike)
        elif labels[one] == 0 and one != two:
            reals.append(alike)
    assert metric_loss(maps, labels).item() == pytest.approx(1 - np.mean(reals) + np.mean(mixed), abs=1e-5)


def test_metric_loss_at_its_ends():
    labels = torch.tensor([0.0, 1, 0, 1])
    signs = torch.tensor([1.0, -1, 1, -1]).view(4, 1, 1, 1)
    assert metric_loss(signs * torch.ones(4, 3, 2, 2), labels).item() == pytest.approx(0, abs=1e-6)
    assert metric_loss(torch.ones(4, 3, 2, 2), labels).item() == pytest.approx(1)
    assert metric_loss(torch.zeros(2, 3, 2, 2, requires_grad=True), labels[:2]).isfinite()


def test_reconstruction_is_asked_of_reals_only():
    detector = build("recce", **SMALL).eval()
    batch = batch_of(detector, 4)
    images = batch["images"] * 2 - 1
    with torch.no_grad():
        drawn = detector._seen(images).drawn
        found = detector.losses(batch)["reconstruction"].item()
    assert drawn.shape == images.shape
    assert found == pytest.approx(0.1 * (drawn - images)[::2].abs().mean().item(), rel=1e-5)


def test_the_cross_entropy_floats():
    """Below 0.04 it is pushed up again."""
    detector = build("recce", **SMALL).eval()
    batch = batch_of(detector, 4)
    for bias in (-8.0, 0.0, 8.0):
        torch.nn.init.constant_(detector.head.bias, bias)
        torch.nn.init.zeros_(detector.head.weight)
        for label in (0.0, 1.0):
            batch["targets"] = torch.full((4,), label)
            entropy = np.log1p(np.exp(-bias if label else bias))
            assert detector.losses(batch)["classification"].item() == pytest.approx(
                abs(entropy - 0.04) + 0.04, abs=1e-5
            )


def test_noise_is_for_training_only():
    detector = build("recce", **SMALL)
    images = torch.rand(64, 3, 8, 8) * 2 - 1
    assert torch.equal(detector.eval()._noisy(images), images)
    touched = (detector.train()._noisy(images) != images).flatten(1).any(1)
    assert 8 < touched.sum() < 56
    assert (detector._noisy(images) - images).abs().max() < 1e-5


@pytest.mark.parametrize("size", [32, 64, 65, 100])
def test_sizes(size):
    """The decoder's maps fit the middle's at any size."""
    detector = build("recce", input_size=size, width=0.05).eval()
    assert detector(torch.rand(2, 3, size, size)).shape == (2,)
