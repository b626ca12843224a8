from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from unmask.detectors import build
from unmask.faces.crop import CropSettings
from unmask.faces.store import StoreSettings
from unmask.inference.model_folder import Calibration, ModelSpec, load_model, save_model
from unmask.tables.errors import ModelError

ARGUMENTS: dict[str, object] = {"backbone": "test_resnet", "input_size": 64}
SPEC = ModelSpec(
    "timm",
    ARGUMENTS,
    StoreSettings(CropSettings(size=96, margin=1.4, detector="d"), 8, 1),
    "median",
    Calibration(1.25, -0.5),
    {"seed": 3},
)


@pytest.fixture
def folder(tmp_path) -> Path:
    save_model(tmp_path / "model", build("timm", **ARGUMENTS), SPEC, "# a card\n")
    return tmp_path / "model"


def test_there_and_back(tmp_path):
    detector = build("timm", **ARGUMENTS).eval()
    save_model(tmp_path, detector, SPEC, "# a card\n")
    model = load_model(tmp_path)
    images = torch.rand(3, 3, 64, 64)
    assert torch.equal(model.detector(images), detector(images))
    assert model.spec == SPEC
    assert not model.detector.training
    assert (tmp_path / "README.md").read_text() == "# a card\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "model.safetensors", "model.yaml"]


def test_model_yaml_names_the_versions(folder):
    stated = yaml.safe_load((folder / "model.yaml").read_text())
    assert stated["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert stated["format"] == 1


def refused(folder: Path) -> ModelError:
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    assert caught.value.next_step
    assert caught.value.where
    return caught.value


def change(folder: Path, *keys: str, to: object) -> None:
    stated = yaml.safe_load((folder / "model.yaml").read_text())
    place = stated
    for key in keys[:-1]:
        place = place[key]
    if to is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = to
    (folder / "model.yaml").write_text(yaml.safe_dump(stated))


@pytest.mark.parametrize(
    ("keys", "to"),
    [
        (["format"], 2),
        (["format"], None),
        (["detector"], None),
        (["detector"], "timm"),
        (["detector", "name"], "oracle"),
        (["detector", "name"], "os:system"),
        (["detector", "name"], ["timm"]),
        (["detector", "arguments"], "x"),
        (["detector", "arguments", "weights"], "/etc/passwd"),
        (["detector", "arguments", "pretrained"], True),
        (["detector", "arguments", "backbone"], "hf-hub:someone/something"),
        (["detector", "arguments", "backbone"], "local-dir:/etc"),
        (["detector", "arguments", "backbone"], "../../x"),
        (["detector", "arguments", "backbone"], "test_vit"),
        (["detector", "arguments", "backbone"], None),
        (["detector", "arguments", "input_size"], 10**9),
        (["detector", "arguments", "input_size"], "64"),
        (["detector", "arguments", "input_size"], -1),
        (["detector", "arguments", "drop_rate"], 1e9),
        (["detector", "arguments", "drop_rate"], "much"),
        (["detector", "arguments", "mean"], "grey"),
        (["detector", "arguments", "mean"], [1.0]),
        (["detector", "arguments", "name"], "timm"),
        (["detector", "arguments", "1"], "timm"),
        (["store"], None),
        (["store", "frames"], 10**12),
        (["store", "frames"], float("inf")),
        (["store", "tracks"], 0),
        (["store", "crop", "size"], 10**9),
        (["store", "crop", "margin"], float("nan")),
        (["store", "crop", "path"], "../../etc"),
        (["aggregation"], "max"),
        (["aggregation"], None),
        (["calibration", "slope"], float("nan")),
        (["calibration", "slope"], "steep"),
        (["calibration", "bend"], 1),
        (["calibration"], [1, 2]),
        (["data"], "x"),
    ],
    ids=str,
)
def test_hostile_descriptions(keys, to, folder):
    change(folder, *keys, to=to)
    refused(folder)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "a: [", "3", "\x00", "[" * 1500, "a: &a [*a]", "!!python/object/apply:pathlib.Path.touch [{ran}]"],
)
def test_hostile_yaml(text, folder, tmp_path):
    (folder / "model.yaml").write_text(text.replace("{ran}", str(tmp_path / "ran")))
    refused(folder)
    assert not (tmp_path / "ran").exists()


def test_bytes_that_are_no_text(folder):
    (folder / "model.yaml").write_bytes(b"\xff\xfe\x00garbage\x80")
    refused(folder)


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_under_another_name_is_refused_and_not_executed(folder, tmp_path):
    (folder / "model.safetensors").write_bytes(pickle.dumps({"a": Evil(tmp_path / "ran")}))
    refused(folder)
    torch.save({"a": Evil(tmp_path / "ran")}, folder / "model.safetensors")
    refused(folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("keep", [0, 7, 1000, -1])
def test_weights_that_break_off(keep, folder):
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[:keep])
    refused(folder)


def test_weights_of_another_network(folder):
    state = load_file(folder / "model.safetensors")
    save_file({**state, "extra": torch.zeros(1)}, folder / "model.safetensors")
    assert "extra" in str(refused(folder))
    state.pop("head.bias")
    save_file(state, folder / "model.safetensors")
    refused(folder)


def test_weights_that_are_not_finite(folder):
    state = load_file(folder / "model.safetensors")
    state["head.bias"] = torch.tensor([float("nan")])
    save_file(state, folder / "model.safetensors")
    assert "finite" in str(refused(folder))


def test_missing_files(folder, tmp_path):
    assert "no model here" in str(refused(tmp_path / "absent"))
    assert "no model here" in str(refused(tmp_path))
    (folder / "model.safetensors").unlink()
    assert "no weights" in str(refused(folder))
    (folder / "model.safetensors").mkdir()
    refused(folder)
