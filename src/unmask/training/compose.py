"""Composing the Hydra configuration, and running what Hydra's command line asks for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from unmask.tables.errors import ConfigError
from unmask.training.options import config_dir
from unmask.training.overrides import faults

_SWEEP = {"-m", "--multirun"}


@dataclass(frozen=True)
class Job:
    """One job of a sweep, after it was run.

    Attributes:
        number: its place in the sweep, from 0.
        overrides: key to value, as they were given to it.
        out: its folder.
        error: what ended it; None where it went well.
    """

    number: int
    overrides: dict[str, str]
    out: Path
    error: Exception | None = None


def compose_config(overrides: Sequence[str]) -> DictConfig:
    """Compose ``train.yaml`` with overrides, without a run.

    Args:
        overrides: such as ``["experiment=demo", "seed=1"]``.

    Raises:
        ConfigError: an override names something that does not exist, or a value has the wrong form.
    """
    with _explained(overrides), hydra.initialize_config_dir(str(config_dir()), version_base="1.3"):
        return hydra.compose("train", overrides=list(overrides))


def run_with_overrides(words: Sequence[str], run: Callable[[DictConfig, Path], object]) -> list[Job]:
    """Compose ``train.yaml`` with overrides as Hydra's command line takes them (``-m`` sweeps), and run each job.

    Args:
        words: such as ``["-m", "--config-dir=mine", "experiment=demo", "seed=1,2"]``; an option is one word and stands
            before the overrides.
        run: called with the configuration and the job's output folder.

    Returns:
        The jobs. In a sweep, one that fails does not keep the next from running: look at each job's ``error``.

    Raises:
        ConfigError: an override names something that does not exist, or a value has the wrong form.
        Exception: whatever the job raised, where it is not one of a sweep.
    """
    jobs: list[Job] = []
    swept = False

    # An error that leaves a job would make Hydra print a line of its own, so none does.
    def job(config: DictConfig) -> None:
        nonlocal swept
        state = HydraConfig.get()
        swept, out = state.mode == RunMode.MULTIRUN, Path(state.runtime.output_dir)
        if swept:
            config.out = str(out)
        given = dict(text.partition("=")[::2] for text in state.overrides.task)
        again = [*(set(_options(words)) - _SWEEP), *state.overrides.task, _override("out", config.out)]
        error: Exception | None = None
        try:
            with _started_again_as(again):
                run(config, out)
        except Exception as caught:
            error = caught
            if out.resolve() != Path.cwd():
                with suppress(OSError):  # Hydra made the folder; a job that was refused has nothing in it
                    out.rmdir()
        jobs.append(Job(int(state.job.num) if swept else 0, given, out, error))

    entry = hydra.main(version_base="1.3", config_path=str(config_dir()), config_name="train")(job)
    # Hydra reads overrides, sweeps included, from the command line alone, and prints errors itself unless told not to.
    arguments, sys.argv = sys.argv, [sys.argv[0], *words]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        with _explained(words):
            entry()
    finally:
        sys.argv = arguments
    jobs = [replace(job, error=_explanation(job.error, words)) for job in jobs]
    if not swept and jobs and jobs[0].error:
        raise jobs[0].error
    return jobs


@contextmanager
def _started_again_as(overrides: Sequence[str]) -> Iterator[None]:
    """Let what Lightning starts for ``trainer=ddp`` be this job alone, and leave nothing of it to the next job.

    Lightning starts each further process by running ``sys.argv`` once more, which must name a script, and tells it its
    place by environment variables, which a next job would take for its own.
    """
    arguments, environment = sys.argv, dict(os.environ)
    sys.argv = [str(Path(__file__).with_name("__main__.py")), *overrides]
    try:
        yield
    finally:
        sys.argv = arguments
        os.environ.clear()
        os.environ.update(environment)


def _options(words: Sequence[str]) -> list[str]:
    return [word for word in words if word.startswith("-")]


def _override(key: str, value: object) -> str:
    return f"{key}={QuotedString(str(value), Quote.double).with_quotes()}"


@contextmanager
def _explained(words: Sequence[str]) -> Iterator[None]:
    """Make one ConfigError of what Hydra and OmegaConf raise while they compose."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise _config_error(error, words) from error


def _explanation(error: Exception | None, words: Sequence[str]) -> Exception | None:
    """What a job's error is to its user: OmegaConf may refuse a value only when the job reads it."""
    if not isinstance(error, (HydraException, OmegaConfBaseException)):
        return error
    explained = _config_error(error, words)
    explained.__cause__ = error
    return explained


def _config_error(error: Exception, words: Sequence[str]) -> ConfigError:
    """One error that names every override at fault; where none is, Hydra's own words."""
    options = _options(words)
    found = faults(
        [word for word in words if not word.startswith("-")],
        sweep=bool(_SWEEP & set(options)),
        folders=[Path(word.partition("=")[2]) for word in options if word.startswith("--config-dir=")],
    )
    # Hydra's own message ends in its search path, or in a link.
    told = str(error).split("\nConfig search path")[0].split("\nSee https://")[0]
    return ConfigError(
        "\n  ".join(["the configuration cannot be composed:", *(found or told.splitlines())]),
        where=config_dir(),
        next_step="mend what is listed; unmask train --cfg job shows every key",
    )
