"""Every configuration that is shipped composes, and what it describes can be built."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from unmask.detectors import DETECTORS, build
from unmask.inference.aggregate import AGGREGATIONS
from unmask.inference.predict import form_of
from unmask.training.compose import config_dir

CONFIGS = Path(__file__).parents[1] / "configs"
#: What a configuration leaves to its user.
GIVEN = {"timm": ["detector.arguments.backbone=test_resnet"]}
#: What is in none of the groups.
PLAIN = ["manifest=m.parquet", "store=faces"]


def names(group: str) -> list[str]:
    return sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))


GROUPS = sorted(path.name for path in CONFIGS.iterdir() if path.is_dir())
EXPERIMENTS = names("experiment")


def composed(*overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("train", [*PLAIN, *overrides])


def resolved(config: DictConfig, part: str) -> object:
    """One part of a configuration, with every reference in it followed."""
    return OmegaConf.to_container(OmegaConf.select(config, part), resolve=True, throw_on_missing=True)


def check_detector_and_augment(config: DictConfig) -> None:
    """Build both, the detector without weights or room for them, and let a crop pass through the augmentation."""
    arguments = resolved(config, "detector.arguments")
    arguments |= {"pretrained": False} if "pretrained" in arguments else {}  # what it would download is not needed here
    with torch.device("meta"):
        form = form_of(build(config.detector.name, **arguments))
    for name, given in {"input_size": form.size, "frames": form.frames, "samples": form.samples}.items():
        assert given == arguments.get(name, 0)
    if form.pictures is None:
        return
    crop = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    changed = instantiate(config.augment.view)(image=crop)["image"]
    assert changed.shape == (arguments["input_size"], arguments["input_size"], 3)
    assert changed.dtype == np.uint8


def test_the_commands_read_these_files():
    assert config_dir().resolve() == CONFIGS.resolve()


def test_every_file_is_reached_by_a_group():
    reached = {CONFIGS / "train.yaml"} | {CONFIGS / group / f"{name}.yaml" for group in GROUPS for name in names(group)}
    assert set(CONFIGS.rglob("*.yaml")) == reached
    assert {"detector", "augment", "trainer", "logger", "data", "experiment"} <= set(GROUPS)


@pytest.mark.parametrize(
    ("detector", "trainer", "logger", "augment"),
    [
        *product(names("detector"), ["cpu"], ["csv"], ["light"]),
        *product(["xception"], names("trainer"), names("logger"), names("augment")),
    ],
)
def test_groups_compose(detector, trainer, logger, augment):
    overrides = [f"detector={detector}", f"trainer={trainer}", f"logger={logger}", f"augment={augment}"]
    config = composed(*overrides, *GIVEN.get(detector, []))
    assert not OmegaConf.missing_keys(config)
    assert config.detector.name in DETECTORS
    assert config.aggregation in AGGREGATIONS
    for part in ("detector", "augment", "trainer", "data", "optimizer", "stop"):
        assert resolved(config, part)
    assert set(config.logger) == ({"csv"} if logger == "csv" else {"csv", logger})


@pytest.mark.parametrize("name", names("data"))
def test_data_composes(name):
    assert resolved(composed(f"data={name}"), "data")


@pytest.mark.parametrize(
    ("detector", "augment"),
    [*product(names("detector"), ["light"]), *product(["timm", "meso4"], names("augment"))],
)
def test_a_detector_and_its_augmentation_can_be_built(detector, augment):
    check_detector_and_augment(composed(f"detector={detector}", f"augment={augment}", *GIVEN.get(detector, [])))


@pytest.mark.parametrize("trainer", [name for name in names("trainer") if name != "gpu"])
def test_a_trainer_can_be_built(trainer):
    config = composed(f"trainer={trainer}", "trainer.accelerator=cpu")
    assert instantiate(config.trainer, logger=False, enable_checkpointing=False).max_epochs == config.trainer.max_epochs


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_composes_and_can_be_built(experiment):
    config = composed(f"experiment={experiment}")
    assert not OmegaConf.missing_keys(config)
    check_detector_and_augment(config)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_has_the_last_word(experiment):
    own = OmegaConf.load(CONFIGS / "experiment" / f"{experiment}.yaml")
    own.pop("defaults")
    composed_with_it = composed(f"experiment={experiment}")
    assert OmegaConf.merge(composed_with_it, own) == composed_with_it


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_names_its_source_and_what_to_expect(experiment):
    text = (CONFIGS / "experiment" / f"{experiment}.yaml").read_text(encoding="utf-8")
    comments = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    assert "Source:" in comments
    assert "Expected" in comments


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_file_is_plain_yaml(path):
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)
