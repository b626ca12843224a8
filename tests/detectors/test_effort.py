from __future__ import annotations

from typing import ClassVar

import pytest
import timm
import torch
import yaml

from tests.detectors.contract import DetectorContract
from unmask.detectors import build
from unmask.detectors.effort import SplitLinear
from unmask.training.options import config_dir

SMALL = {"backbone": "test_vit", "input_size": 160}


class TestEffort(DetectorContract):
    name = "effort"
    arguments: ClassVar[dict[str, object]] = {"backbone": "test_vit", "input_size": 64}
    parameters: ClassVar[dict[str, int]] = {
        # CLIP ViT-L/14 (OpenAI's code): class token, 257 positions, patches of 14, two norms, 24 blocks of 1,024; for
        # each of 4 x 24 matrices two vectors of 1,024 and a singular value more; one logit.
        "effort": 258 * 1024
        + 3 * 14 * 14 * 1024
        + 2 * 2048
        + 24 * (12 * 1024**2 + 13 * 1024)
        + 4 * 24 * (2 * 1024 + 1)
        + 1025,
    }


@pytest.fixture
def file(tmp_path):
    torch.manual_seed(0)
    torch.save(timm.create_model("test_vit", num_classes=0).state_dict(), tmp_path / "w.pth")
    return tmp_path / "w.pth"


def batch(size=160):
    labels = torch.tensor([0.0, 1.0])
    return {"images": torch.rand(2, 3, size, size), "labels": labels, "targets": labels}


def test_the_trained_ones_are_the_public_code_s():
    """Two vectors and a singular value of each matrix, 0.2 M in all, and the head."""
    arguments = yaml.safe_load((config_dir() / "detector" / "effort.yaml").read_text())["arguments"]
    with torch.device("meta"):
        built = build("effort", **arguments)
    trained = {name: value.numel() for name, value in built.named_parameters() if value.requires_grad}
    assert sum(trained.values()) == 4 * 24 * (2 * 1024 + 1) + 1025 == 196_704 + 1025
    assert {name.rpartition(".")[2] for name in trained if not name.startswith("head")} == {"left", "values", "right"}


@pytest.mark.parametrize("rank", [1, 7])
def test_at_the_start_it_says_what_the_frozen_one_says(rank, file):
    reference = timm.create_model("test_vit", num_classes=0).eval()
    reference.load_state_dict(torch.load(file, weights_only=True))
    built = build("effort", **SMALL, rank=rank, weights=file).eval()
    images = torch.rand(2, 3, 160, 160)
    with torch.no_grad():
        torch.testing.assert_close(built.features(images), reference(images * 2 - 1), rtol=1e-4, atol=1e-5)
    terms = built.losses(batch())
    assert terms["orthogonality"] < 1e-4
    assert terms["singular_values"] < 1e-4


def test_a_step_leaves_the_principal_part_alone(file):
    built = build("effort", **SMALL, weights=file).train()
    before = {name: value.clone() for name, value in built.state_dict().items()}
    optimizer = torch.optim.Adam(built.parameters(), lr=0.01)
    for _ in range(2):
        optimizer.zero_grad()
        sum(built.losses(batch()).values()).backward()
        optimizer.step()
    trained = {name for name, value in built.named_parameters() if value.requires_grad}
    changed = {name for name, value in built.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == trained
    assert not any("principal" in name for name in trained)


def test_a_state_dict_is_enough_to_rebuild_it(file):
    """Losses too, though the rebuilt one never sees the weights that were decomposed."""
    built = build("effort", **SMALL, weights=file).eval()
    with torch.no_grad():
        for value in built.parameters():
            if value.requires_grad:
                value += 0.1 * torch.randn_like(value)
    other = build("effort", **SMALL).eval()
    other.load_state_dict(built.state_dict())
    given = batch()
    for name, value in built.losses(given).items():
        assert torch.equal(value, other.losses(given)[name]), name


@pytest.mark.parametrize(("rank", "known"), [(1, True), (3, True), (2, False)])
def test_losses_equal_their_definitions(rank, known):
    """With all singular vectors at hand, as the public code has them."""
    torch.manual_seed(0)
    weight, bias = torch.randn(12, 12), torch.randn(12)
    layer = SplitLinear(weight, bias, rank=rank, known=known)
    left, values, right = torch.linalg.svd(layer.principal)
    frozen_left, frozen_right = left[:, :-rank], right[:-rank]
    assert values[-rank:].max() < 1e-5
    began = (layer.principal + layer.left * layer.values @ layer.right).square().sum()
    if known:
        torch.testing.assert_close(began, weight.square().sum())
        torch.testing.assert_close(layer.values, torch.linalg.svdvals(weight)[-rank:])
    with torch.no_grad():
        for part in (layer.left, layer.values, layer.right):
            part += 0.3 * torch.randn_like(part)
    all_left, all_right = torch.cat([frozen_left, layer.left], 1), torch.cat([frozen_right, layer.right])
    expected = 0.5 * (all_left @ all_left.T - torch.eye(12)).norm()
    expected = expected + 0.5 * (all_right @ all_right.T - torch.eye(12)).norm()
    torch.testing.assert_close(layer.orthogonality(), expected)
    now = layer.principal + layer.left * layer.values @ layer.right
    torch.testing.assert_close(layer.energy_change(), (now.square().sum() - began).abs(), rtol=1e-4, atol=1e-4)
    tokens = torch.randn(2, 5, 12)
    torch.testing.assert_close(layer(tokens), tokens @ now.T + bias)


@pytest.mark.parametrize("rank", [0, 64, -1, 1.5, "1", True])
def test_impossible_ranks(rank):
    with pytest.raises(ValueError, match="rank"):
        build("effort", **SMALL, rank=rank)


@pytest.mark.parametrize("backbone", ["vit_pe_core_tiny_patch16_384", "vit_small_patch16_18x2_224", "test_resnet"])
def test_another_kind_of_transformer_is_refused(backbone):
    """Rotary positions, attention side by side, no transformer at all."""
    with pytest.raises(ValueError, match="vision transformer"), torch.device("meta"):
        build("effort", backbone=backbone, input_size=64)
