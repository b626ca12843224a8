"""What every detector must do: inherit ``DetectorContract`` and say how it is built."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from unmask.detectors import DETECTORS, build
from unmask.detectors.base import Detector


class DetectorContract:
    """Tests on a small instance.

    Attributes:
        name: key of ``DETECTORS``.
        arguments: what builds a small one.
        frozen_features: whether only the head can be trained.
    """

    name: str
    arguments: ClassVar[dict[str, object]]
    frozen_features = False

    @pytest.fixture
    def detector(self) -> Detector:
        torch.manual_seed(0)
        return build(self.name, **self.arguments).eval()

    @pytest.fixture
    def images(self, detector) -> Tensor:
        return torch.rand(6, 3, detector.input_size, detector.input_size, generator=torch.Generator().manual_seed(1))

    def test_it_is_listed(self):
        assert self.name in DETECTORS

    def test_shapes_and_types(self, detector, images):
        for count in (1, 6):
            logits, features = detector(images[:count]), detector.features(images[:count])
            assert logits.shape == (count,)
            assert logits.dtype == torch.float32
            assert features.shape == (count, detector.head.in_features)
            assert logits.isfinite().all()
        assert detector.head.out_features == 1
        assert detector.input_size == self.arguments["input_size"]

    def test_the_head_sees_the_features(self, detector, images):
        features = detector.features(images)
        expected = features @ detector.head.weight[0] + detector.head.bias[0]
        torch.testing.assert_close(detector(images), expected, rtol=1e-4, atol=1e-5)

    def test_nobody_s_neighbours_matter(self, detector, images):
        together = detector(images)
        alone = torch.cat([detector(image[None]) for image in images])
        torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
        order = torch.tensor([3, 1, 5, 0, 2, 4])
        torch.testing.assert_close(detector(images[order]), together[order], rtol=1e-4, atol=1e-5)

    def test_it_is_deterministic(self, detector, images):
        assert torch.equal(detector(images), detector(images))

    @pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
    def test_lower_precision_changes_little(self, kind, detector, images):
        with torch.autocast("cpu", dtype=kind):
            low = detector(images).float()
            features = detector.features(images).float()
        full = detector.features(images)
        assert features.isfinite().all()
        assert (features - full).abs().max() <= 0.1 * full.abs().max()
        assert (low - detector(images)).abs().max() < 0.2

    @pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
    def test_blank_crops_give_a_number(self, level, detector, images):
        assert detector(torch.full_like(images, level)).isfinite().all()

    def test_every_parameter_learns(self, detector, images):
        detector.train()
        functional.binary_cross_entropy_with_logits(detector(images), torch.tensor([0.0, 1, 0, 1, 0, 1])).backward()
        for name, parameter in detector.named_parameters():
            if parameter.requires_grad:
                assert parameter.grad is not None, name
                assert parameter.grad.isfinite().all(), name
        assert detector.head.weight.grad.abs().max() > 0

    def test_weights_there_and_back(self, detector, images, tmp_path: Path):
        state = {name: value.contiguous() for name, value in detector.state_dict().items()}
        save_file(state, tmp_path / "w.safetensors")
        torch.manual_seed(99)
        other = build(self.name, **self.arguments).eval()
        assert not torch.equal(other.head.weight, detector.head.weight)
        other.load_state_dict(load_file(tmp_path / "w.safetensors"))
        assert torch.equal(other(images), detector(images))

    def test_it_can_learn_eight_crops_by_heart(self, detector):
        generator = torch.Generator().manual_seed(2)
        images = torch.rand(8, 3, detector.input_size, detector.input_size, generator=generator)
        labels = torch.tensor([0.0, 1] * 4)
        images[1::2] = functional.interpolate(functional.avg_pool2d(images[1::2], 2), scale_factor=2)  # smoother
        detector.train()
        optimizer = torch.optim.Adam(detector.parameters(), lr=0.01)
        for _ in range(60):
            optimizer.zero_grad()
            loss = functional.binary_cross_entropy_with_logits(detector(images), labels)
            loss.backward()
            optimizer.step()
        assert loss.item() < 0.3
        assert ((detector(images) > 0) == (labels > 0)).all()

    @pytest.mark.parametrize("size", [0, -1, 10**6, "64", 64.0, True, None])
    def test_impossible_sizes_are_refused(self, size):
        with pytest.raises(ValueError):
            build(self.name, **{**self.arguments, "input_size": size})

    def test_unknown_arguments_are_refused(self):
        with pytest.raises(TypeError):
            build(self.name, **self.arguments, nose=1)
