"""What every detector must do: inherit ``DetectorContract`` and say how it is built."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, ClassVar

import onnxruntime
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors import DETECTORS, build
from unmask.detectors.base import TAKES, WANTS, Batch, Detector
from unmask.training.options import config_dir


def example(detector: Detector, count: int, seed: int = 1) -> tuple[Tensor, ...]:
    """``count`` random examples of what a detector takes."""
    chance = torch.Generator().manual_seed(seed)
    found = []
    for name, shape in detector.shapes().items():
        values = torch.rand(count, *shape, generator=chance)
        found.append(values * 2 - 1 if name == "sound" else values)
    return tuple(found)


def batch_of(detector: Detector, count: int = 8, seed: int = 2) -> Batch:
    """A batch of pairs, real and fake, that differ in how smooth they are."""
    inputs = [values.clone() for values in example(detector, count, seed)]
    labels = torch.tensor([0.0, 1.0] * (count // 2))
    for values in inputs:
        fakes = values[1::2]
        if values.ndim > 2:  # pictures: the last two axes
            flat = fakes.flatten(0, -4)
            smooth = functional.interpolate(functional.avg_pool2d(flat, 2), size=flat.shape[-2:])
            values[1::2] = smooth.view_as(fakes)
        else:
            values[1::2] = functional.avg_pool1d(fakes[:, None], 5, 1, 2)[:, 0]
    batch: Batch = {**dict(zip(detector.takes, inputs, strict=True)), "labels": labels, "targets": labels.clone()}
    masks = torch.zeros(count, 1, 64, 64)
    masks[1::2, :, 16:48, 16:48] = 1.0
    side = getattr(detector, "input_size", 64)
    wanted = {
        "again": inputs[0].flip(-1),
        "masks": functional.interpolate(masks, (side, side), mode="bilinear"),
        "masks_known": torch.ones(count, dtype=torch.bool),
        "methods": (labels * torch.tensor([0, 1, 0, 2] * count)[:count]).long(),
    }
    return batch | {name: wanted[name] for name in detector.wants}


def _settle(detector: Detector) -> None:
    """Let every normalisation know what it normalises.

    As they are made, deep networks may shrink whatever they are given to nothing, and all comparisons would hold.
    """
    norms = [each for each in detector.modules() if isinstance(each, nn.modules.batchnorm._BatchNorm)]
    momenta = [each.momentum for each in norms]
    for each in norms:
        each.momentum = 1.0
    with torch.no_grad():
        detector.train()(*example(detector, 8, seed=3))
    for each, momentum in zip(norms, momenta, strict=True):
        each.momentum = momentum


class DetectorContract:
    """Tests on a small instance, and the number of parameters of the shipped ones.

    Attributes:
        name: key of ``DETECTORS``.
        arguments: what builds a small one, quick on a CPU: well under a second for a step on eight examples.
        parameters: name of a file in ``configs/detector`` -> the number of all parameters of what it builds, worked out
            from the paper or its public code as a comment beside it says, not by counting ours.
        rate: learning rate with which it learns eight examples by heart.
    """

    name: str
    arguments: ClassVar[dict[str, object]]
    parameters: ClassVar[dict[str, int]]
    rate: ClassVar[float] = 0.01

    @pytest.fixture
    def detector(self) -> Detector:
        torch.manual_seed(0)
        found = build(self.name, **self.arguments)
        _settle(found)
        return found.eval()

    @pytest.fixture
    def inputs(self, detector) -> tuple[Tensor, ...]:
        return example(detector, 4)

    def test_it_is_listed(self):
        assert self.name in DETECTORS

    def test_it_says_where_it_comes_from(self, detector):
        assert detector.paper.url.startswith("https://")
        assert all((detector.paper.title, detector.paper.parameters, detector.paper.departs))
        assert set(detector.takes) <= set(TAKES)
        assert set(detector.wants) <= set(WANTS)

    def test_the_shipped_ones_have_as_many_parameters_as_stated(self):
        for name, stated in self.parameters.items():
            config = yaml.safe_load((config_dir() / "detector" / f"{name}.yaml").read_text())
            assert config["name"] == self.name
            with torch.device("meta"):
                built = build(self.name, **config["arguments"])
            assert sum(value.numel() for value in built.parameters()) == stated, name

    def test_shapes_and_types(self, detector, inputs):
        for count in (1, 4):
            given = [values[:count] for values in inputs]
            logits, features = detector(*given), detector.features(*given)
            assert logits.shape == (count,)
            assert logits.dtype == torch.float32
            assert features.ndim == 2
            assert len(features) == count
            assert logits.isfinite().all()
        assert logits.std() > 1e-4, "all comparisons would hold"
        if detector.head is not None:
            assert isinstance(detector.head, nn.Linear)
            assert detector.head.out_features == 1
            expected = features @ detector.head.weight[0] + (
                0.0 if detector.head.bias is None else detector.head.bias[0]
            )
            torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)
        for name in {"input_size", "frames", "samples"} & set(self.arguments):
            assert getattr(detector, name) == self.arguments[name]

    def test_nobody_s_neighbours_matter(self, detector, inputs):
        together = detector(*inputs)
        alone = torch.cat([detector(*(values[place : place + 1] for values in inputs)) for place in range(4)])
        torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
        order = torch.tensor([3, 1, 0, 2])
        torch.testing.assert_close(
            detector(*(values[order] for values in inputs)), together[order], rtol=1e-4, atol=1e-5
        )
        assert torch.equal(detector(*inputs), together)

    @pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
    def test_lower_precision_changes_little(self, kind, detector, inputs):
        with torch.autocast("cpu", dtype=kind):
            low = detector(*inputs).float()
            features = detector.features(*inputs).float()
        full = detector.features(*inputs)
        assert features.isfinite().all()
        assert (features - full).abs().max() <= 0.1 * full.abs().max()
        assert (low - detector(*inputs)).abs().max() < 0.2

    @pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
    def test_blank_input_gives_a_number(self, level, detector, inputs):
        assert detector(*(torch.full_like(values, level) for values in inputs)).isfinite().all()

    def test_every_parameter_learns(self, detector):
        """In the second step: what starts at zero may keep others from learning in the first."""
        detector.train()
        learning = {name: value for name, value in detector.named_parameters() if value.requires_grad}
        optimizer = torch.optim.Adam(learning.values(), lr=1e-3)
        for _ in range(2):
            optimizer.zero_grad()
            terms = detector.losses(batch_of(detector))
            assert all(term.ndim == 0 and term.isfinite() for term in terms.values())
            sum(terms.values()).backward()
            optimizer.step()
        for name, parameter in learning.items():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.any(), name

    def test_lower_precision_can_train(self, detector):
        detector.train()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = sum(detector.losses(batch_of(detector)).values())
        assert loss.isfinite()
        loss.backward()
        assert all(value.grad.isfinite().all() for value in detector.parameters() if value.grad is not None)

    def test_weights_there_and_back(self, detector, inputs, tmp_path: Path):
        state = {name: value.contiguous() for name, value in detector.state_dict().items()}
        save_file(state, tmp_path / "w.safetensors")
        torch.manual_seed(99)
        other = build(self.name, **self.arguments).eval()
        assert not torch.equal(other(*inputs), detector(*inputs))
        other.load_state_dict(load_file(tmp_path / "w.safetensors"))
        assert torch.equal(other(*inputs), detector(*inputs))

    def test_it_can_learn_eight_examples_by_heart(self, detector):
        batch = batch_of(detector)
        detector.train()
        learning = [value for value in detector.parameters() if value.requires_grad]
        optimizer = torch.optim.Adam(learning, lr=self.rate)
        inputs = [batch[name] for name in detector.takes]
        for _ in range(100):
            optimizer.zero_grad()
            sum(detector.losses(batch).values()).backward()
            optimizer.step()
            with torch.no_grad():
                loss = functional.binary_cross_entropy_with_logits(detector(*inputs), batch["labels"])
            if loss < 0.2:
                break
        assert loss < 0.3
        assert ((detector(*inputs) > 0) == (batch["labels"] > 0)).all()

    def test_exported_it_says_the_same(self, detector, inputs):
        """By ``torch.export`` and as ONNX, for batches of any size."""
        dynamic: Any = tuple({0: torch.export.Dim("batch")} for _ in detector.takes)
        given = tuple(values[:3] for values in inputs)
        expected = detector(*inputs)
        sizes = {"inputs": dynamic} if type(detector).forward is Detector.forward else dynamic
        exported = torch.export.export(detector, given, dynamic_shapes=sizes)
        torch.testing.assert_close(exported.module()(*inputs), expected, rtol=1e-4, atol=1e-4)
        stored = io.BytesIO()
        torch.onnx.export(exported, (), dynamo=True, verbose=False, input_names=detector.takes).save(stored)
        session = onnxruntime.InferenceSession(stored.getvalue(), providers=["CPUExecutionProvider"])
        named = dict(zip(detector.takes, (values.numpy() for values in inputs), strict=True))
        (found,) = session.run(None, named)
        torch.testing.assert_close(torch.from_numpy(found), expected, rtol=1e-4, atol=1e-4)

    @pytest.mark.parametrize("size", [0, -1, 10**6, "64", 64.0, True, None])
    def test_impossible_sizes_are_refused(self, size):
        for name in {"input_size", "frames", "samples"} & set(self.arguments):
            with pytest.raises(ValueError):
                build(self.name, **{**self.arguments, name: size})

    def test_unknown_arguments_are_refused(self):
        with pytest.raises(TypeError):
            build(self.name, **self.arguments, nose=1)
