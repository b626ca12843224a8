from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import timm
import torch

from tests.detectors.contract import DetectorContract
from unmask.detectors import build
from unmask.detectors.capsule import squash


class TestCapsule(DetectorContract):
    name = "capsule"
    arguments: ClassVar[dict[str, object]] = {"input_size": 32}
    parameters: ClassVar[dict[str, int]] = {
        # VGG-19's first eight convolutions (Simonyan and Zisserman, table 1, E).
        "capsule": sum(
            (before * 9 + 1) * after
            for before, after in ((3, 64), (64, 64), (64, 128), (128, 128), (128, 256), *[(256, 256)] * 3)
        )
        # The authors' model_big.py: ten times two convolutions over maps and two over statistics, each with a norm.
        + 10 * ((256 * 9 + 1) * 64 + 2 * 64 + (64 * 9 + 1) * 16 + 2 * 16)
        + 10 * ((2 * 5 + 1) * 8 + 2 * 8 + (8 * 3 + 1) * 1 + 2 * 1)
        # Matrices of 4 x 8 from ten capsules to two.
        + 2 * 10 * 4 * 8
    }
    assert parameters["capsule"] == 3_896_638


@pytest.fixture(scope="module")
def vgg():
    """The front of timm's VGG-19, and its state as in a file of the whole; the rest would take half a gigabyte."""
    torch.manual_seed(0)
    with torch.device("meta"):
        network = timm.create_model("vgg19")
    front = network.features[:19].to_empty(device="cpu")
    for value in front.parameters():
        torch.nn.init.normal_(value, std=(2 / value[0].numel()) ** 0.5)
    state = {f"features.{name}": value for name, value in front.state_dict().items()}
    return front.eval(), state | {"head.fc.weight": torch.zeros(1000, 1), "head.fc.bias": torch.zeros(1000)}


def test_its_front_is_timm_s_network(vgg, tmp_path):
    torch.save(vgg[1], tmp_path / "w.pth")
    detector = build("capsule", input_size=32, weights=tmp_path / "w.pth")
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(detector.front(images), vgg[0](images), rtol=1e-4, atol=1e-4)
    assert not any(value.requires_grad for value in detector.front.parameters())
    assert all(value.requires_grad for value in build("capsule", input_size=32).front.parameters())


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save(timm.create_model("test_resnet").state_dict(), tmp_path / "w.pth")
    with pytest.raises(ValueError, match=r"does not fit|tensors"):
        build("capsule", input_size=32, weights=tmp_path / "w.pth")


def squashed(vector: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vector)
    return vector * (length**2 / (1 + length**2)) / length


def test_routing_equals_plain_loops():
    detector = build("capsule", input_size=32).eval()
    said = torch.randn(3, 10, 8)
    routes = detector.routes.detach().double().numpy()
    found = detector._route(said).detach().numpy()
    for row in range(3):
        for kind in range(2):
            votes = np.stack([routes[kind, each] @ said[row, each].double().numpy() for each in range(10)])  # (10, 4)
            first = squashed(votes.mean(0))  # at first all are heard alike
            weights = np.exp(votes * first)  # each dimension has its own
            weights /= weights.sum(0)
            np.testing.assert_allclose(found[row, kind], squashed((weights * votes).sum(0)), atol=1e-5)


def test_squashing_keeps_direction_and_stays_below_one():
    vectors = torch.randn(50, 4) * torch.logspace(-4, 4, 50)[:, None]
    short = squash(vectors, 1)
    lengths = vectors.norm(dim=1)
    torch.testing.assert_close(short.norm(dim=1), lengths**2 / (1 + lengths**2), rtol=1e-3, atol=1e-7)
    torch.testing.assert_close(torch.cosine_similarity(short, vectors, eps=1e-12), torch.ones(50))
    nothing = torch.zeros(1, 4, requires_grad=True)
    squash(nothing, 1).sum().backward()
    assert nothing.grad.isfinite().all()


def test_the_loss_is_a_cross_entropy_for_each_dimension():
    """As softmax over (real, fake) of each of the four dimensions."""
    detector = build("capsule", input_size=32).eval()
    images, labels = torch.rand(4, 3, 32, 32), torch.tensor([0.0, 1.0, 0.0, 1.0])
    said = detector.features(images).detach().double().numpy().reshape(4, 2, 4)
    shares = np.exp(said) / np.exp(said).sum(1, keepdims=True)  # (B, 2, 4)
    expected = -np.log(shares[np.arange(4), labels.numpy().astype(int)]).sum(1).mean()
    found = detector.losses({"images": images, "labels": labels, "targets": labels})["classification"]
    assert found.item() == pytest.approx(expected, abs=1e-5)
    logits = detector(images).detach().numpy()
    np.testing.assert_allclose(logits, np.log(shares[:, 1] / shares[:, 0]).sum(1), atol=1e-5)


def test_chance_is_for_training_only():
    detector = build("capsule", input_size=32).eval()
    said = torch.randn(2, 10, 8)
    assert torch.equal(detector._route(said), detector._route(said))
    detector.train()
    torch.manual_seed(3)
    one, two = detector._route(said), detector._route(said)
    assert not torch.equal(one, two)
    torch.manual_seed(3)
    assert torch.equal(detector._route(said), one)


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan"), "0.1", None, True])
def test_impossible_drop_rates(rate):
    with pytest.raises(ValueError, match="drop_rate is"):
        build("capsule", input_size=32, drop_rate=rate)
