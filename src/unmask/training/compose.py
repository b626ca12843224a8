"""Composing the Hydra configuration, and running what Hydra's command line asks for."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from unmask.tables.errors import ConfigError
from unmask.training.figures import validation_auc
from unmask.training.options import config_dir
from unmask.training.overrides import faults

_SWEEP = {"-m", "--multirun"}

#: What plugins bring -> the extra that has the plugin.
_EXTRAS = {"hydra/sweeper/optuna": "sweep", "hydra/launcher/submitit_": "slurm"}

#: Of each sweep that this process waits for, the jobs that have ended.
_ended: dict[str, list[Job]] = {}


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


class _Returned:
    """What a job gives back to Hydra: how it went, and its validation AUC as the number that a search wants.

    A launcher may have sent the job to a process, or a machine, of its own. It brings back what the job returned, and
    Hydra shows that to the sweeper alone: so it enters itself where ``run_with_overrides`` waits.
    """

    def __init__(self, sweep: str, job: Job, value: float | None) -> None:
        self.sweep, self.job, self.value = sweep, job, value

    def __float__(self) -> float:
        if self.value is None:
            raise TypeError("no figure")
        return self.value

    def __repr__(self) -> str:
        return str(self.value if self.job.error is None else self.job.error)

    def __reduce__(self) -> tuple[object, ...]:
        job = self.job
        try:
            pickle.dumps(job.error)
        except Exception:  # it holds something that no other process can have
            job = replace(job, error=RuntimeError(f"{type(job.error).__name__}: {job.error}"))
        return _arrived, (self.sweep, job, self.value)


def _arrived(sweep: str, job: Job, value: float | None) -> _Returned:
    jobs = _ended.get(sweep, [])
    if job.number not in [each.number for each in jobs]:  # several tasks may have worked on one
        jobs.append(job)
    return _Returned(sweep, job, value)


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
        run: called with the configuration and the job's output folder; a launcher may do so in another process, where
            what it changes is lost.

    Returns:
        The jobs, by number. In a sweep, one that fails does not keep the next from running: look at each job's
        ``error``. A sweeper that searches is given the validation AUC of each that went well.

    Raises:
        ConfigError: an override names something that does not exist, a value has the wrong form, or a sweep's launcher
            could not run its jobs.
        Exception: whatever the job raised, where it is not one of a sweep.
    """
    sweep = uuid4().hex
    jobs = _ended[sweep] = []
    swept = bool(_SWEEP & set(words))

    # An error that leaves a job would make Hydra print a line of its own, so none does.
    def job(config: DictConfig) -> _Returned:
        state = HydraConfig.get()
        out = Path(state.runtime.output_dir)
        if swept:
            config.out = str(out)
        given = dict(text.partition("=")[::2] for text in state.overrides.task)
        again = [*(set(_options(words)) - _SWEEP), *state.overrides.task, _override("out", config.out)]
        error: Exception | None = None
        try:
            _check_search(state.sweeper, config)
            with _started_again_as(again):
                run(config, out)
        except Exception as caught:
            error = caught
            if out.resolve() != Path.cwd():
                with suppress(OSError):  # Hydra made the folder; a job that was refused has nothing in it
                    out.rmdir()
        jobs.append(Job(int(state.job.num) if swept else 0, given, out, error))
        return _Returned(sweep, jobs[-1], None if error else validation_auc(out))

    entry = hydra.main(version_base="1.3", config_path=str(config_dir()), config_name="train")(job)
    # Hydra reads overrides, sweeps included, from the command line alone, and prints errors itself unless told not to.
    arguments, sys.argv = sys.argv, [sys.argv[0], *words]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        with _explained(words):
            entry()
    except ConfigError:
        if not jobs or not all(job.error for job in jobs):  # else they say why, and the search only that none went well
            raise
    except RuntimeError as error:  # no job's, which none leaves
        raise ConfigError(
            f"the launcher could not run the jobs: {error}",
            where=jobs[0].out.parent if jobs else None,
            next_step="look into .submitit in the sweep's folder, or leave launch=... out to run them one by one here",
        ) from error
    finally:
        sys.argv = arguments
        _ended.pop(sweep)
    jobs = [replace(job, error=_explanation(job.error, words)) for job in sorted(jobs, key=lambda job: job.number)]
    if not swept and jobs and jobs[0].error:
        raise jobs[0].error
    return jobs


def _check_search(sweeper: DictConfig, config: DictConfig) -> None:
    """Refuse a search for the worst, or for what a run does not give."""
    if "direction" not in sweeper:
        return
    if config.fit == "head":
        raise ConfigError(
            "a search goes by the validation AUC of the best epoch, and fit=head has no epochs",
            next_step="leave sweep=optuna or fit=head out",
        )
    if getattr(sweeper.direction, "name", sweeper.direction) != "maximize":
        raise ConfigError(
            "the search would look for the lowest validation AUC",
            next_step="give sweep=optuna in place of hydra/sweeper=optuna, or hydra.sweeper.direction=maximize",
        )


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
        # One by one, and only what changed: a thread that looks one up while all are cleared would crash.
        for name in set(os.environ) - set(environment):
            del os.environ[name]
        for name, value in environment.items():
            if os.environ.get(name) != value:
                os.environ[name] = value


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
    lacking = [extra for name, extra in _EXTRAS.items() if f"Could not find '{name}" in told]
    remedy = "mend what is listed; unmask train --cfg job shows every key"
    return ConfigError(
        "\n  ".join(["the configuration cannot be composed:", *(found or told.splitlines())]),
        where=config_dir(),
        next_step=f"it may need the packages of an extra: pip install -e '.[{lacking[0]}]'" if lacking else remedy,
    )
