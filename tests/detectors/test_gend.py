from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import timm
import torch
import yaml

from tests.detectors.contract import DetectorContract
from unmask.detectors import build
from unmask.detectors.gend import alignment, uniformity
from unmask.training.options import config_dir

# A transformer of width 1,024 and 24 blocks: four square matrices of attention and an MLP four times as wide, all with
# biases, and two layer norms.
BLOCKS = 24 * (12 * 1024**2 + (4 + 4 + 1 + 4) * 1024)
# CLIP ViT-L/14: class token, patches of 14 without bias, a norm before and one after (OpenAI's code). 303.2 M.
CLIP = BLOCKS + 1024 + 3 * 14 * 14 * 1024 + 2 * 2048
# Pooling by attention of the Perception Encoder: a query, four matrices, a norm, an MLP.
POOLING = 1024 + 4 * (1024**2 + 1024) + 2048 + 8 * 1024**2 + 5 * 1024


class TestGenD(DetectorContract):
    name = "gend"
    arguments: ClassVar[dict[str, object]] = {"backbone": "test_vit", "input_size": 64}
    parameters: ClassVar[dict[str, int]] = {
        # Positions of 16 x 16 patches and the class token; one logit.
        "gend": CLIP + 257 * 1024 + 1025,
        "gend_pe": CLIP + 257 * 1024 + POOLING + 1025,
        # DINOv3 ViT-L/16 as its authors publish it in transformers, less its mask token: 303,129,600 - 1,024.
        "gend_dino": 303_129_600 - 1024 + 1025,
    }
    rate: ClassVar[float] = 0.03


@pytest.mark.parametrize(("config", "norms"), [("gend", 50), ("gend_pe", 51), ("gend_dino", 49)])
def test_the_trained_share_is_the_published_one(config, norms):
    """0.03 %: two norms a block, those around the blocks and in the pooling, of 2 x 1,024 each, and the head."""
    arguments = yaml.safe_load((config_dir() / "detector" / f"{config}.yaml").read_text())["arguments"]
    with torch.device("meta"):
        built = build("gend", **arguments)
    trained = sum(value.numel() for value in built.parameters() if value.requires_grad)
    assert trained == norms * 2 * 1024 + 1025
    assert trained / sum(value.numel() for value in built.parameters()) == pytest.approx(0.0003, abs=5e-5)


def test_layer_norms_and_head_are_trained_and_nothing_else():
    built = build("gend", backbone="test_vit", input_size=64)
    expected = {f"backbone.blocks.{block}.norm{norm}" for block in range(6) for norm in (1, 2)}
    expected = {f"{name}.{kind}" for name in expected | {"backbone.norm", "head"} for kind in ("weight", "bias")}
    assert {name for name, value in built.named_parameters() if value.requires_grad} == expected


def test_a_step_leaves_the_frozen_ones_alone():
    torch.manual_seed(0)
    built = build("gend", backbone="test_vit", input_size=64).train()
    before = {name: value.clone() for name, value in built.named_parameters()}
    optimizer = torch.optim.AdamW(built.parameters(), lr=0.01)
    labels = torch.tensor([0.0, 1.0])
    batch = {"images": torch.rand(2, 3, 64, 64), "labels": labels, "targets": labels}
    sum(built.losses(batch).values()).backward()
    optimizer.step()
    for name, value in built.named_parameters():
        assert torch.equal(value, before[name]) != value.requires_grad, name


def test_losses_equal_a_plain_loop():
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(6, 5))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[3] = rows[0]
    labels = [0, 1, 0, 0, 1, 1]
    spread, together = [], []
    for one in range(6):
        for two in range(one):
            squared = ((rows[one] - rows[two]) ** 2).sum()
            spread.append(np.exp(-2 * squared))
            if labels[one] == labels[two]:
                together.append(squared)
    features = torch.tensor(rows, requires_grad=True)
    assert uniformity(features).item() == pytest.approx(np.log(np.mean(spread)))
    assert alignment(features, torch.tensor(labels)).item() == pytest.approx(np.mean(together))
    (uniformity(features) + alignment(features, torch.tensor(labels))).backward()
    assert features.grad.isfinite().all()
    assert alignment(features[:2], torch.tensor([0, 1])) == 0


@pytest.mark.parametrize("backbone", ["test_vit", "vit_pe_core_tiny_patch16_384", "vit_tiny_patch16_dinov3_qkvb"])
def test_features_are_timm_s_at_its_own_size(backbone, tmp_path):
    torch.manual_seed(0)
    pool = {} if "pe_core" in backbone else {"global_pool": "token"}
    reference = timm.create_model(backbone, num_classes=0, **pool).eval()
    torch.save(reference.state_dict(), tmp_path / "w.pth")
    size = reference.pretrained_cfg["input_size"][1]
    built = build("gend", backbone=backbone, input_size=size, weights=tmp_path / "w.pth").eval()
    images = torch.rand(1, 3, size, size)
    mean, std = (torch.tensor(reference.pretrained_cfg[name]).view(3, 1, 1) for name in ("mean", "std"))
    with torch.no_grad():
        expected = torch.nn.functional.normalize(reference((images - mean) / std), dim=1)
        torch.testing.assert_close(built.features(images), expected, rtol=1e-4, atol=1e-5)


def test_weights_of_another_size_are_resampled(tmp_path):
    """timm's own way with position embeddings when it builds a network at another size than that of its weights."""
    torch.manual_seed(0)
    torch.save(timm.create_model("test_vit", num_classes=0).state_dict(), tmp_path / "w.pth")
    built = build("gend", backbone="test_vit", input_size=64, weights=tmp_path / "w.pth")
    reference = timm.create_model(
        "test_vit", num_classes=0, img_size=64, pretrained=True, pretrained_cfg_overlay={"file": tmp_path / "w.pth"}
    )
    for name, value in reference.state_dict().items():
        torch.testing.assert_close(built.backbone.state_dict()[name], value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backbone", ["hf-hub:a/b", "local-dir:/etc", "", None, 3, "test_resnet", "vit_giant_of_mine"])
def test_what_is_no_transformer_of_timm(backbone):
    with pytest.raises(ValueError, match=r"timm has no model|no vision transformer"):
        build("gend", backbone=backbone, input_size=64)


def test_a_size_that_patches_do_not_fill():
    with pytest.raises(ValueError, match="multiple of the patch of 16"):
        build("gend", backbone="test_vit", input_size=72)
