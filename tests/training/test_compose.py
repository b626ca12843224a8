from __future__ import annotations

import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from unmask.detectors import DETECTORS
from unmask.tables.errors import ConfigError
from unmask.training.compose import compose_config, config_dir, run_with_overrides

OPTIONS = [
    f"{path.parent.relative_to(config_dir()).as_posix()}={path.stem}"
    for path in sorted(config_dir().rglob("*.yaml"))
    if path.parent != config_dir()
]
GIVEN = ["manifest=m.parquet", "store=faces"]


def test_there_are_options():
    assert {"detector=timm", "trainer=ddp", "logger=wandb", "augment=faces"} <= set(OPTIONS)


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_composes(option):
    more = ["detector.arguments.backbone=test_resnet"] if option == "detector=timm" else []
    config = compose_config([*GIVEN, option, *more])
    assert OmegaConf.missing_keys(config) == set()
    assert config.detector.name in DETECTORS
    assert config.trainer._target_ == "pytorch_lightning.Trainer"


@pytest.mark.parametrize("option", [each for each in OPTIONS if each.startswith("augment=")])
def test_every_augmentation_ends_in_the_detector_s_size(option):
    import numpy as np
    from hydra.utils import instantiate

    config = compose_config([*GIVEN, option, "detector.arguments.input_size=72"])
    transform = instantiate(config.augment.view)
    rng = np.random.default_rng(0)
    for side in (64, 96, 256):
        for _ in range(5):
            image = transform(image=rng.integers(0, 256, (side, side, 3), dtype=np.uint8))["image"]
            assert image.shape == (72, 72, 3)
            assert image.dtype == np.uint8


@pytest.mark.parametrize(
    "wrong", [["nose=1"], ["detector=oracle"], ["experiment=absent"], ["optimizer.learning_rate"], ["seed=[1"]]
)
def test_wrong_overrides_are_one_error(wrong):
    with pytest.raises(ConfigError) as caught:
        compose_config([*GIVEN, *wrong])
    assert caught.value.next_step
    ran = []
    with pytest.raises(ConfigError):
        run_with_overrides([*GIVEN, *wrong], lambda *_: ran.append(1))
    assert ran == []


def test_the_command_line_is_left_as_it_was(tmp_path):
    before = list(sys.argv)
    seen: list[Path] = []
    run_with_overrides([*GIVEN, f"out={tmp_path}/here", "seed=7"], lambda config, out: seen.append(out))
    assert seen == [tmp_path / "here"]
    assert sys.argv == before
