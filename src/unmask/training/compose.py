"""Composing the Hydra configuration: ``configs/`` of a checkout, ``unmask/configs`` of an installed wheel."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

import unmask
from unmask.tables.errors import ConfigError


def config_dir() -> Path:
    """The folder that holds ``train.yaml``."""
    package = Path(unmask.__file__).parent
    places = (package / "configs", package.parent.parent / "configs")
    return next((place for place in places if (place / "train.yaml").is_file()), places[0])


def compose_config(overrides: Sequence[str]) -> DictConfig:
    """Compose ``train.yaml`` with overrides, without a run.

    Args:
        overrides: such as ``["experiment=demo", "seed=1"]``.

    Raises:
        ConfigError: an override names something that does not exist, or a value has the wrong form.
    """
    with _explained(), hydra.initialize_config_dir(str(config_dir()), version_base="1.3"):
        return hydra.compose("train", overrides=list(overrides))


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(
            f"the configuration cannot be composed: {error}",
            where=config_dir(),
            next_step="check the names; unmask train --cfg job shows what would run",
        ) from error


def run_with_overrides(overrides: Sequence[str], run: Callable[[DictConfig, Path], object]) -> None:
    """Compose ``train.yaml`` with overrides as Hydra's command line takes them (``-m`` sweeps), and run each job.

    Args:
        overrides: such as ``["experiment=demo", "seed=1"]``.
        run: called with the configuration and the job's output folder.

    Raises:
        ConfigError: an override names something that does not exist, or a value has the wrong form.
    """

    def job(config: DictConfig) -> None:
        run(config, Path(HydraConfig.get().runtime.output_dir))

    entry = hydra.main(version_base="1.3", config_path=str(config_dir()), config_name="train")(job)
    # Hydra reads overrides, sweeps included, from the command line alone, and prints errors itself unless told not to.
    # Lightning starts the further processes of trainer=ddp by running sys.argv once more: it must name a script.
    arguments, sys.argv = sys.argv, [str(Path(__file__).with_name("__main__.py")), *overrides]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        with _explained():
            entry()
    finally:
        sys.argv = arguments
