from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import polars as pl
import pytest
import yaml

from unmask.tables.errors import ConfigError
from unmask.training.compose import compose_config, run_with_overrides
from unmask.training.run import train

GIVEN = ["manifest=m.parquet", "store=faces"]
TINY = [
    "detector=spectrum",
    "detector.arguments.input_size=64",
    "detector.arguments.bands=16",
    "data.pairs_per_batch=2",
    "trainer.max_epochs=2",
    "test=false",
]


def needs(package: str, extra: str) -> pytest.MarkDecorator:
    reason = f"the extra {extra!r} is not installed"
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=reason)


OPTUNA, SUBMITIT = needs("optuna", "sweep"), needs("submitit", "slurm")


def leave_figure(config, out: Path, figure: float) -> None:
    """What a run leaves for a search, without the run."""
    (out / "model").mkdir()
    (out / "model" / "model.yaml").write_text(yaml.safe_dump({"data": {"val_auc": figure}}))


def search(out: Path, *more: str) -> list[str]:
    return ["-m", *GIVEN, f"out={out}", "sweep=optuna", *more]


@OPTUNA
def test_two_runs_that_optuna_proposes(prepared, tmp_path):
    words = search(tmp_path, *TINY, f"manifest={prepared.manifest}", f"store={prepared.store}")
    rate = "optimizer.learning_rate=tag(log, interval(1e-5, 1e-2))"
    jobs = run_with_overrides([*words[:1], *words[3:], rate, "hydra.sweeper.n_trials=2"], train)
    assert [job.error for job in jobs] == [None, None]
    figures, rates = [], []
    for job in jobs:
        config = yaml.safe_load((job.out / "config.yaml").read_text())
        rates.append(config["optimizer"]["learning_rate"])
        figures.append(pl.read_csv(job.out / "logs" / "metrics.csv")["val_auc"].max())
    assert len(set(rates)) == 2
    assert all(1e-5 <= rate <= 1e-2 for rate in rates)
    found = yaml.safe_load((tmp_path / "optimization_results.yaml").read_text())
    assert found["best_value"] == pytest.approx(max(figures))
    assert found["best_params"]["optimizer.learning_rate"] in [
        rate for rate, figure in zip(rates, figures, strict=True) if figure == pytest.approx(max(figures))
    ]


@OPTUNA
def test_a_search_goes_up_and_past_what_fails(tmp_path):
    """The figure is highest at 0.3 of a range; each fifth run fails."""

    def run(config, out):
        if out.name in ("0", "5", "10"):
            raise KeyError("its own")
        leave_figure(config, out, 1 - abs(config.optimizer.warm_up - 0.3))

    words = search(tmp_path, "optimizer.warm_up=interval(0.0, 1.0)", "hydra.sweeper.n_trials=15")
    jobs = run_with_overrides(words, run)
    assert [job.number for job in jobs if job.error] == [0, 5, 10]
    assert len(jobs) == 15
    found = yaml.safe_load((tmp_path / "optimization_results.yaml").read_text())
    tried = [float(job.overrides["optimizer.warm_up"]) for job in jobs if not job.error]
    assert found["best_params"]["optimizer.warm_up"] == pytest.approx(min(tried, key=lambda each: abs(each - 0.3)))


@OPTUNA
def test_a_search_is_repeated_by_its_seed(tmp_path):
    def proposed(name: str, seed: int) -> list[str]:
        more = ("optimizer.warm_up=interval(0.0, 1.0)", "hydra.sweeper.n_trials=3", f"seed={seed}")
        run = lambda config, out: leave_figure(config, out, 0.5)  # noqa: E731
        return [job.overrides["optimizer.warm_up"] for job in run_with_overrides(search(tmp_path / name, *more), run)]

    assert proposed("a", 1) == proposed("b", 1) != proposed("c", 2)


@OPTUNA
@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["~sweep", "hydra/sweeper=optuna"], "lowest validation AUC"),
        (["hydra.sweeper.direction=minimize"], "lowest validation AUC"),
        (["fit=head"], "fit=head has no epochs"),
    ],
)
def test_a_search_for_the_wrong_thing(more, message, tmp_path):
    ran = []
    words = [word for word in search(tmp_path, "seed=1,2", "hydra.sweeper.n_trials=2") if more[0] != f"~{word[:5]}"]
    jobs = run_with_overrides([*words, *more[more[0] == "~sweep" :]], lambda *_: ran.append(1))
    assert ran == []
    assert {type(job.error) for job in jobs} == {ConfigError}
    assert message in str(jobs[0].error)


@OPTUNA
def test_when_every_run_fails_each_says_why(tmp_path):
    def fail(config, out):
        raise KeyError("its own")

    jobs = run_with_overrides(search(tmp_path, "seed=1,2", "hydra.sweeper.n_trials=2"), fail)
    assert [str(job.error) for job in jobs] == ["'its own'"] * 2


@SUBMITIT
def test_two_runs_in_processes_of_their_own(prepared, tmp_path):
    given = [f"manifest={prepared.manifest}", f"store={prepared.store}", f"out={tmp_path}/sweep"]
    jobs = run_with_overrides(["-m", *given, *TINY, "launch=local", "seed=1,2"], train)
    assert [(job.number, job.overrides["seed"], job.error) for job in jobs] == [(0, "1", None), (1, "2", None)]
    for job in jobs:
        assert job.out == tmp_path / "sweep" / str(job.number)
        model = yaml.safe_load((job.out / "model" / "model.yaml").read_text())
        assert model["data"]["seed"] == job.number + 1
    assert (tmp_path / "sweep" / ".submitit").is_dir()


@SUBMITIT
def test_jobs_elsewhere_tell_how_they_went(tmp_path):
    home = os.getpid()

    def run(config, out):
        assert os.getpid() != home
        if config.seed == 2:
            raise ConfigError("it broke", next_step="mend it")
        if config.seed == 3:
            error = KeyError("its own")
            error.held = lambda: open  # submitit can send this, plain pickling cannot
            raise error

    jobs = run_with_overrides(["-m", *GIVEN, f"out={tmp_path}", "hydra/launcher=submitit_local", "seed=1,2,3"], run)
    assert [job.number for job in jobs] == [0, 1, 2]
    assert jobs[0].error is None
    assert isinstance(jobs[1].error, ConfigError)
    assert jobs[1].error.next_step == "mend it"
    assert "its own" in str(jobs[2].error)


@SUBMITIT
def test_a_job_elsewhere_that_dies(tmp_path):
    with pytest.raises(ConfigError, match="could not run the jobs") as caught:
        run_with_overrides(["-m", *GIVEN, f"out={tmp_path}", "launch=local", "seed=1"], lambda *_: os._exit(3))
    assert ".submitit" in str(caught.value.next_step)


@OPTUNA
@SUBMITIT
def test_a_search_side_by_side(tmp_path):
    more = ("optimizer.warm_up=interval(0.0, 1.0)", "hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=2")
    jobs = run_with_overrides(
        search(tmp_path, *more, "launch=local"), lambda config, out: leave_figure(config, out, config.optimizer.warm_up)
    )
    found = yaml.safe_load((tmp_path / "optimization_results.yaml").read_text())
    assert [job.number for job in jobs] == [0, 1]
    assert found["best_value"] == pytest.approx(max(float(job.overrides["optimizer.warm_up"]) for job in jobs))


@SUBMITIT
def test_the_cluster_s_options_become_those_of_sbatch(tmp_path, monkeypatch):
    """On a machine without Slurm: what would be submitted is written by commands of its names."""
    import submitit
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import RunMode

    from unmask.training.options import config_dir

    for name in ("srun", "sbatch"):
        (tmp_path / name).write_text('#!/bin/sh\nfor last; do :; done\ncp "$last" "$0.script"\necho "job 7"\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    words = ["launch=slurm", "trainer=ddp", "hydra.launcher.partition=gpu", "hydra.launcher.gpus_per_node=2"]
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        loaded = GlobalHydra.instance().hydra
        config = loaded.compose_config("train", [*GIVEN, *words], RunMode.MULTIRUN)
        launcher = dict(config.hydra.launcher)
    assert launcher.pop("_target_").endswith("SlurmLauncher")
    executor = submitit.AutoExecutor(cluster="slurm", folder=tmp_path / "log")
    shared = {"timeout_min", "cpus_per_task", "gpus_per_node", "tasks_per_node", "mem_gb", "nodes"}
    given = {key: value for key, value in launcher.items() if value is not None}
    executor.update_parameters(**{key: value for key, value in given.items() if key in shared})
    executor.update_parameters(slurm_partition=given["partition"], slurm_array_parallelism=given["array_parallelism"])
    executor.submit(print)
    script = (tmp_path / "sbatch.script").read_text()
    for line in ("partition=gpu", "gpus-per-node=2", "ntasks-per-node=2", "cpus-per-task=4", "time=1440", "mem=16GB"):
        assert f"#SBATCH --{line}\n" in script


@pytest.mark.parametrize(
    ("option", "extra"), [("sweep=optuna", "sweep"), ("launch=local", "slurm"), ("launch=slurm", "slurm")]
)
def test_an_extra_that_is_not_installed_is_named(option, extra, monkeypatch):
    from hydra.core.config_store import ConfigStore

    compose_config([])  # plugins enter what they bring
    stored = ConfigStore.instance().repo["hydra"]
    for name in ("sweeper", "launcher"):
        monkeypatch.setitem(stored, name, {"basic.yaml": stored[name]["basic.yaml"]})
    with pytest.raises(ConfigError) as caught:
        compose_config([*GIVEN, option])
    assert f".[{extra}]" in str(caught.value.next_step)
