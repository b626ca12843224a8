from __future__ import annotations

import os
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
    if option.startswith("sweep="):
        pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    if option.startswith("launch="):
        pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
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
    "wrong",
    [
        ["nose=1"],
        ["detector=oracle"],
        ["experiment=absent"],
        ["optimizer.learning_rate"],
        ["seed=[1"],
        ["logger=null"],
        ["seed=1,2"],
        ["+seed=1"],
    ],
)
def test_wrong_overrides_are_one_error(wrong):
    with pytest.raises(ConfigError) as caught:
        compose_config([*GIVEN, *wrong])
    assert caught.value.next_step
    ran = []
    with pytest.raises(ConfigError):
        run_with_overrides([*GIVEN, *wrong], lambda *_: ran.append(1))
    assert ran == []


def test_a_job_s_own_error_arrives_as_it_was(tmp_path, capsys):
    def fail(config, out):
        raise KeyError("its own")

    with pytest.raises(KeyError, match="its own"):
        run_with_overrides([*GIVEN, f"out={tmp_path}/here"], fail)
    assert capsys.readouterr() == ("", "")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_job_of_a_sweep_that_fails_does_not_stop_the_next(tmp_path, capsys):
    def fail_first(config, out):
        if config.seed == 4:
            raise KeyError("its own")

    jobs = run_with_overrides(["-m", *GIVEN, f"out={tmp_path}/sweep", "seed=4,5"], fail_first)
    assert [(job.number, job.overrides["seed"], job.out.name) for job in jobs] == [(0, "4", "0"), (1, "5", "1")]
    assert isinstance(jobs[0].error, KeyError)
    assert jobs[1].error is None
    assert capsys.readouterr().err == ""


def test_a_job_leaves_nothing_to_the_next(tmp_path):
    seen = []

    def job(config, out):
        seen.append(os.environ.get("LOCAL_RANK"))
        os.environ["LOCAL_RANK"] = "1"

    run_with_overrides(["-m", *GIVEN, f"out={tmp_path}", "seed=4,5"], job)
    assert seen == [None, None]
    assert "LOCAL_RANK" not in os.environ


def test_what_lightning_starts_again_is_the_same_job(tmp_path):
    seen, again = [], []
    folder = tmp_path / 'a, "b=1" here'
    quoted = str(folder).replace('"', '\\"')

    def job(config, out):
        seen.append((config, out, sys.argv[1:]))

    run_with_overrides(["-m", *GIVEN, f'out="{quoted}"', "seed=4,5", "trainer=cpu,ddp"], job)
    assert len(seen) == 4
    for config, out, words in seen:
        run_with_overrides([*words, f"hydra.run.dir={tmp_path}/x"], lambda config, _: again.append(config))
        assert Path(config.out) == out
        assert again[-1] == config


def test_options_from_a_folder_of_one_s_own(tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\ntrainer:\n  max_epochs: 77\n")
    epochs = []
    words = [f"--config-dir={tmp_path}", *GIVEN, f"out={tmp_path}/out"]
    run_with_overrides([*words, "experiment=mine"], lambda config, _: epochs.append(config.trainer.max_epochs))
    assert epochs == [77]
    with pytest.raises(ConfigError, match="did you mean mine"):
        run_with_overrides([*words, "experiment=mine2"], lambda *_: None)
    with pytest.raises(ConfigError, match="did you mean seed") as caught:
        run_with_overrides([*words, "experiment=mine", "sed=1"], lambda *_: None)
    assert "experiment=mine:" not in str(caught.value)


def test_the_command_line_is_left_as_it_was(tmp_path):
    before = list(sys.argv)
    seen: list[Path] = []
    run_with_overrides([*GIVEN, f"out={tmp_path}/here", "seed=7"], lambda config, out: seen.append(out))
    assert seen == [tmp_path / "here"]
    assert sys.argv == before
