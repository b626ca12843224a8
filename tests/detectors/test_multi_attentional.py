from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import timm
import torch

from tests.detectors.contract import DetectorContract
from unmask.detectors import build
from unmask.detectors.multi_attentional import AttentionMaps, Texture, degraded, pooled

SMALL = {"backbone": "test_efficientnet", "input_size": 64}


class TestMultiAttentional(DetectorContract):
    name = "multi_attentional"
    arguments: ClassVar[dict[str, object]] = SMALL
    parameters: ClassVar[dict[str, int]] = {
        # By the public code's layers, with biases only where no batch norm follows: EfficientNet-B4 (Tan and Le's code)
        # without its classifier; maps from 160 channels; the dense block of 32; vectors of 256; one logit.
        "multi_attentional": (19_341_616 - 1793 * 1000)
        + (160 * 160 * 9 + 2 * 160 + 160 * 4 + 2 * 4)
        + (32 * 32 + (1 + 2 + 3) * 32 * 32 * 9 + 128 * 128 + 2 * 32 * (1 + 2 + 3 + 4 + 4))
        + (4 * 128 + 1) * 256
        + (256 + 1) * 256
        + (1792 + 1) * 256
        + (512 + 1) * 256
        + 257,
    }


def test_b4_is_tapped_where_the_paper_says():
    """Texture from stage 2, 32 channels; attention from stage 5, 160 channels."""
    with torch.device("meta"):
        built = build("multi_attentional", input_size=380).eval()
        shallow, attention, deep = built._see(torch.zeros(1, 3, 380, 380))
    assert (built.shallow_stage, built.attention_stage) == (1, 4)
    assert shallow.shape == (1, 32, 95, 95)
    assert attention.shape == (1, 4, 24, 24)
    assert deep.shape == (1, 1792, 12, 12)


def test_the_whole_is_timm_s_features_where_attention_is_even():
    torch.manual_seed(0)
    built = build("multi_attentional", **SMALL).eval()
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        deep = built._see(built._normalised(images))[2]
        torch.testing.assert_close(deep.mean((2, 3)), built.backbone(built._normalised(images)))


def test_pooling_equals_a_loop():
    chance = np.random.default_rng(0)
    maps, attention = chance.normal(size=(2, 5, 4, 4)), chance.random((2, 3, 4, 4))
    found = pooled(torch.tensor(maps), torch.tensor(attention))
    for row in range(2):
        for each in range(3):
            expected = (maps[row] * attention[row, each]).sum((1, 2))
            np.testing.assert_allclose(found[row, each], expected / np.linalg.norm(expected), rtol=1e-5)


def test_attention_is_positive_inside_and_nothing_at_the_border():
    torch.manual_seed(0)
    maps = AttentionMaps(6, 4)(torch.randn(2, 6, 24, 24))
    assert (maps[..., 2:-2, 2:-2] > 0).all()
    assert (maps != 0).sum() == maps[..., 2:-2, 2:-2].numel()


def test_what_is_even_has_no_texture():
    """Steps as large as the means' windows leave nothing over."""
    torch.manual_seed(0)
    layer = Texture(4).eval()
    steps = torch.rand(1, 4, 3, 3).repeat_interleave(4, 2).repeat_interleave(4, 3)
    given = []
    layer.first.register_forward_pre_hook(lambda _, arguments: given.append(arguments[0]))
    _, plain = layer(steps, torch.zeros(1, 2, 3, 3))
    torch.testing.assert_close(plain, steps[..., ::4, ::4])
    assert given[0].abs().max() < 1e-6


@pytest.mark.parametrize("training", [True, False])
def test_independence_equals_a_loop(training):
    torch.manual_seed(0)
    built = build("multi_attentional", **SMALL, attentions=3).train(training)
    built.centres.copy_(torch.randn_like(built.centres) * 0.1)
    centres = built.centres.clone().double().numpy()
    regions = torch.nn.functional.normalize(torch.randn(4, 3, centres.shape[1]) + 2, dim=2)
    found = built._independence(regions, torch.tensor([0.0, 1.0, 0.0, 1.0])).item()
    values = regions.double().numpy()
    moved = centres - 0.05 * (centres - values.mean(0))
    inner = [
        max(np.linalg.norm(values[row, each] - moved[each]) - (0.05, 0.1)[row % 2], 0)
        for row in range(4)
        for each in range(3)
    ]
    outer = [max(0.2 - np.linalg.norm(moved[one] - moved[two]), 0) for one in range(3) for two in range(one)]
    assert found == pytest.approx(np.mean(inner) + sum(outer) / 3 / 0.05, rel=1e-4)
    np.testing.assert_allclose(built.centres, moved if training else centres, rtol=1e-5)


def test_pictures_are_degraded_where_a_map_looks_and_nowhere_else():
    torch.manual_seed(0)
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    attention = torch.zeros(2, 2, 16, 16)
    attention[:, :, 4:12, :8] = 1.0  # all maps look left
    torch.manual_seed(1)
    changed = degraded(images, attention)
    torch.testing.assert_close(changed[..., 40:], images[..., 40:])
    seen = (slice(None), slice(None), slice(24, 40), slice(0, 24))
    assert (changed - images)[seen].abs().mean() > 0.1
    assert changed[seen].std() < images[seen].std()
    torch.manual_seed(1)
    assert torch.equal(degraded(images, attention), changed)
    assert not torch.equal(degraded(images, attention), changed)


def test_chance_and_centres_belong_to_training_alone():
    torch.manual_seed(0)
    built = build("multi_attentional", **SMALL).eval()
    labels = torch.tensor([0.0, 1.0])
    batch = {"images": torch.rand(2, 3, 64, 64), "labels": labels, "targets": labels}
    first, second = built.losses(batch), built.losses(batch)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not built.centres.any()
    built.train().losses(batch)
    assert built.centres.any()


def test_weights_from_a_file(tmp_path):
    reference = timm.create_model("test_efficientnet", num_classes=0)
    torch.save(reference.state_dict(), tmp_path / "w.pth")
    state = build("multi_attentional", **SMALL, weights=tmp_path / "w.pth").backbone.state_dict()
    for name, value in reference.state_dict().items():
        assert torch.equal(state[name], value), name


@pytest.mark.parametrize("backbone", ["hf-hub:a/b", "local-dir:/etc", "", None, 3, "test_resnet"])
def test_what_is_no_efficientnet_of_timm(backbone):
    with pytest.raises(ValueError, match=r"timm has no model|no EfficientNet"):
        build("multi_attentional", backbone=backbone, input_size=64)


@pytest.mark.parametrize("attentions", [0, 1, 65, 2.0, "4", True])
def test_impossible_numbers_of_maps(attentions):
    with pytest.raises(ValueError, match="attentions"):
        build("multi_attentional", **SMALL, attentions=attentions)
