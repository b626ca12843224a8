from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

from tests.detectors.contract import DetectorContract
from unmask.detectors import build
from unmask.detectors.meso import _SamePool

PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "mesonet_weights"
needs_weights = pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published weights are not on this machine")


class TestMeso4(DetectorContract):
    name = "meso4"
    arguments: ClassVar[dict[str, object]] = {"input_size": 64, "drop_rate": 0.1}
    # By the paper's figure: convolutions with bias, two numbers a channel of each norm, dense layers.
    parameters: ClassVar[dict[str, int]] = {
        "meso4": (3 * 9 + 1) * 8
        + (8 * 25 + 1) * 8
        + (8 * 25 + 1) * 16
        + (16 * 25 + 1) * 16
        + 2 * (8 + 8 + 16 + 16)
        + (8 * 8 * 16 + 1) * 16
        + 17
    }
    assert parameters["meso4"] == 27_977  # as the paper says


class TestMesoInception4(DetectorContract):
    name = "meso_inception4"
    arguments: ClassVar[dict[str, object]] = {"input_size": 64, "drop_rate": 0.1}
    parameters: ClassVar[dict[str, int]] = {
        # The paper's number: two blocks of four branches in place of Meso-4's first two convolutions and their norms.
        "meso_inception4": 28_615
    }


# A transcription of the two networks into numpy, in Keras's order of axes: pictures are (H, W, C).


def convolve(maps: np.ndarray, kernel: np.ndarray, bias: np.ndarray, dilation: int = 1) -> np.ndarray:
    reach = dilation * (len(kernel) - 1)
    padded = np.pad(maps, ((reach // 2,) * 2, (reach // 2,) * 2, (0, 0)))
    windows = sliding_window_view(padded, (reach + 1, reach + 1), axis=(0, 1))[..., ::dilation, ::dilation]
    return np.maximum(np.einsum("hwcij,ijco->hwo", windows, kernel, optimize=True) + bias, 0)


def pool(maps: np.ndarray, window: int) -> np.ndarray:
    side, _, channels = maps.shape
    return maps.reshape(side // window, window, side // window, window, channels).max((1, 3))


class Transcription:
    """Takes the layers of a file in the order of their numbers, as the authors' code makes them."""

    def __init__(self, path: Path) -> None:
        h5py = pytest.importorskip("h5py")
        with h5py.File(path) as file:
            self.layers = {
                kind: [
                    {key.partition(":")[0]: value[()] for key, value in file[name][name].items()}
                    for name in sorted((n for n in file if n.startswith(kind)), key=lambda n: int(n.split("_")[-1]))
                ]
                for kind in ("conv2d", "batch_normalization", "dense")
            }

    def conv(self, maps, dilation=1):
        layer = self.layers["conv2d"].pop(0)
        return convolve(maps, layer["kernel"], layer["bias"], dilation)

    def norm(self, maps):
        layer = self.layers["batch_normalization"].pop(0)
        scaled = (maps - layer["moving_mean"]) / np.sqrt(layer["moving_variance"] + 1e-3)
        return scaled * layer["gamma"] + layer["beta"]

    def dense(self, values):
        layer = self.layers["dense"].pop(0)
        return values @ layer["kernel"] + layer["bias"]

    def inception(self, maps):
        branches = [self.conv(maps)]
        branches += [self.conv(self.conv(maps), dilation) for dilation in (1, 2, 3)]
        return np.concatenate(branches, -1)

    def __call__(self, image: np.ndarray, *, inception: bool) -> float:
        """Probability of real."""
        maps = image
        for window, block in zip((2, 2, 2, 4), (inception, inception, False, False), strict=True):
            maps = pool(self.norm((self.inception if block else self.conv)(maps)), window)
        inner = self.dense(maps.reshape(-1))
        inner = np.where(inner > 0, inner, 0.1 * inner)
        return float(1 / (1 + np.exp(-self.dense(inner)[0])))


def blobs(seed: int) -> np.ndarray:
    """A smooth coloured picture, (256, 256, 3) in [0, 1]."""
    small = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(small, (256, 256), mode="bicubic")[0].clamp(0, 1).permute(1, 2, 0).numpy()


@needs_weights
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Meso4_DF", "meso4"),
        ("Meso4_F2F", "meso4"),
        ("MesoInception_DF", "meso_inception4"),
        ("MesoInception_F2F", "meso_inception4"),
    ],
)
def test_published_weights_say_what_a_transcription_says(file, name):
    pytest.importorskip("h5py")
    detector = build(name, input_size=256, weights=PUBLISHED / f"{file}.h5").eval()
    for seed in (0, 1):
        image = blobs(seed)
        real = Transcription(PUBLISHED / f"{file}.h5")(image.astype(float), inception="inception" in name)
        with torch.no_grad():
            fake = detector(torch.from_numpy(image).permute(2, 0, 1)[None]).sigmoid().item()
        assert fake == pytest.approx(1 - real, abs=1e-5)


@needs_weights
def test_published_weights_of_another_network_or_size_are_refused():
    pytest.importorskip("h5py")
    with pytest.raises(ValueError, match="16 layers conv2d, not 4"):
        build("meso4", input_size=256, weights=PUBLISHED / "MesoInception_DF.h5")
    with pytest.raises(ValueError, match=r"MesoInception4 at input_size 256: it has 4 layers"):
        build("meso_inception4", input_size=256, weights=PUBLISHED / "Meso4_DF.h5")
    with pytest.raises(ValueError, match=r"\(1024, 16\), not \(64, 16\).*published ones are for 256"):
        build("meso4", input_size=64, weights=PUBLISHED / "Meso4_DF.h5")


def test_files_that_hold_no_keras_weights_are_refused(tmp_path):
    h5py = pytest.importorskip("h5py")
    (tmp_path / "text.h5").write_bytes(b"hello")
    with pytest.raises(ValueError, match="does not hold Keras weights"):
        build("meso4", input_size=256, weights=tmp_path / "text.h5")
    with pytest.raises(OSError, match="absent"):
        build("meso4", input_size=256, weights=tmp_path / "absent.h5")
    with h5py.File(tmp_path / "flat.h5", "w") as file:
        for kind in ("conv2d", "batch_normalization"):
            for number in range(4):
                file[f"{kind}_{number}"] = [1.0]
        file["dense"] = file["dense_1"] = [1.0]
    with pytest.raises(ValueError, match="does not hold Keras weights"):
        build("meso4", input_size=256, weights=tmp_path / "flat.h5")


def test_without_h5py_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ValueError, match="pip install h5py"):
        build("meso4", input_size=256, weights=tmp_path / "a.h5")


@pytest.mark.parametrize("name", ["meso4", "meso_inception4"])
def test_weights_of_its_own_kind(name, tmp_path):
    own = build(name, input_size=64).eval()
    torch.save(own.state_dict(), tmp_path / "w.pth")
    other = build(name, input_size=64, weights=tmp_path / "w.pth").eval()
    images = torch.rand(2, 3, 64, 64)
    assert torch.equal(other(images), own(images))


@pytest.mark.parametrize(("side", "window"), [(7, 2), (8, 2), (9, 4), (10, 4), (11, 4), (12, 4)])
def test_pooling_of_odd_sides_is_keras_s(side, window):
    """Of TensorFlow's rule for "same": ceil(n / k) windows, the smaller half of what is short comes first."""
    maps = -torch.rand(1, 1, side, side) - 1  # below zero: the added rim must never win
    count = -(-side // window)
    start = -((count * window - side) // 2)
    expected = torch.empty(count, count)
    for row in range(count):
        for column in range(count):
            top, left = start + row * window, start + column * window
            expected[row, column] = maps[0, 0, max(top, 0) : top + window, max(left, 0) : left + window].max()
    assert torch.equal(_SamePool(window)(maps)[0, 0], expected)


def test_the_loss_is_the_squared_error_of_the_probability():
    detector = build("meso4", input_size=64).eval()
    images, labels = torch.rand(4, 3, 64, 64), torch.tensor([0.0, 1.0, 0.0, 1.0])
    found = detector.losses({"images": images, "labels": labels, "targets": labels})
    expected = np.mean((1 / (1 + np.exp(-detector(images).detach().numpy())) - labels.numpy()) ** 2)
    assert found["classification"].item() == pytest.approx(expected, abs=1e-6)
