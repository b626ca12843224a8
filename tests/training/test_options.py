from __future__ import annotations

import subprocess
import sys

import yaml
from omegaconf import OmegaConf

from unmask.training.compose import compose_config
from unmask.training.options import config_dir, defaults, explained_keys, groups


def test_groups_are_the_folders():
    for group, options in groups().items():
        assert options == sorted(path.stem for path in (config_dir() / group).iterdir())
    assert len(groups()) == len([path for path in config_dir().iterdir() if path.is_dir()])


def test_further_folders_add_options_and_groups(tmp_path):
    for name in ("experiment/mine", "own/one"):
        path = tmp_path / f"{name}.yaml"
        path.parent.mkdir()
        path.write_text("a: 1\n")
    found = groups([tmp_path])
    assert {"demo", "mine"} <= set(found["experiment"])
    assert found["own"] == ["one"]


def test_defaults_are_what_a_plain_run_takes():
    config = compose_config([])
    assert set(defaults()) == set(groups())
    for group, option in defaults().items():
        if option is not None and group != "trainer":  # whose file is itself composed of another
            written = yaml.safe_load((config_dir() / group / f"{option}.yaml").read_text())
            assert OmegaConf.to_container(config[group]) == written


def test_explained_keys_are_keys_with_their_defaults():
    config = compose_config([])
    keys = explained_keys()
    assert {"manifest", "fit", "resume", "optimizer.learning_rate", "stop.patience"} <= {key.name for key in keys}
    assert {"data.workers", "trainer.max_epochs"} <= {key.name for key in keys}
    for key in keys:
        section, _, last = key.name.rpartition(".")
        holder = OmegaConf.select(config, section) if section else config
        value = holder._get_node(last)._value()
        assert value == yaml.safe_load(key.value), key
        assert key.comment


def test_every_plain_key_of_train_yaml_is_explained():
    written = yaml.safe_load((config_dir() / "train.yaml").read_text())
    plain = {
        name for name, value in written.items() if name not in ("defaults", "hydra", "optimizer", "stop", "checkpoints")
    }
    assert plain <= {key.name for key in explained_keys()}


def test_reading_them_does_not_wait_for_hydra():
    code = "import sys, unmask.training.options as o; o.explained_keys(), o.groups(); sys.exit('hydra' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
