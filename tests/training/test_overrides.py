from __future__ import annotations

import pytest

from unmask.tables.errors import ConfigError
from unmask.training.compose import compose_config
from unmask.training.options import groups
from unmask.training.overrides import faults

DETECTORS = ", ".join(groups()["detector"])


@pytest.mark.parametrize(
    ("override", "meant"),
    [
        ("trainer.max_epoch=3", "trainer.max_epochs?"),
        ("optimiser.learning_rate=1", "optimizer.learning_rate?"),
        ("detector.arguments.input_sise=160", "detector.arguments.input_size?"),
        ("detectr=timm", "detector?"),
        ("learning_rate=1", "optimizer.learning_rate?"),
        ("epochs=3", "trainer.max_epochs?"),
        ("sed=3", "seed?"),
        ("trainer=gpuu", "gpu? trainer can be: cpu, ddp, gpu"),
        ("experiment=dmeo", "demo?"),
        ("detector=", f"detector can be: {DETECTORS}"),
        ("detector=null", f"detector can be: {DETECTORS}"),
        ("optimizer.lr=1", "there are: optimizer.learning_rate, "),
        ("nose=1", "there are: data, "),
        ("logger.wandb.offline=false", "with logger=csv"),
        ("trainer.limit_train_batches=2", "+trainer.limit_train_batches=2"),
        ("+experiment=demo", "leave out the +"),
        ("seed=1,2", "-m"),
        ("seed", "KEY=VALUE"),
        ("seed=[1", "KEY=VALUE"),
        ("~nose", "no key nose"),
    ],
)
def test_a_fault_names_the_override_and_what_may_have_been_meant(override, meant):
    (found,) = faults([override])
    assert found.startswith(f"{override}: ")
    assert meant in found


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "+nose=1",
        "++trainer.limit_train_batches=2",
        "~logger",
        "trainer=ddp",
        "experiment=demo",
        "out=${oc.env:HOME}",
        "hydra.sweep.subdir=x",
        "trainer.max_epochs=null",
        "logger.csv.name=here",
        "data.workers=2",
    ],
)
def test_what_composes_has_no_fault(override):
    compose_config([override])
    assert faults([override]) == []


def test_keys_are_those_of_the_options_that_are_given():
    assert faults(["detector=spectrum", "detector.arguments.bands=3"]) == []
    assert faults(["logger=wandb", "logger.wandb.offline=false"]) == []
    assert "with detector=efficientnet_lite0" in faults(["detector.arguments.bands=3"])[0]


def test_all_are_told_at_once_in_their_order():
    given = ["seed=1", "trainer=gpuu", "sed=1", "oops", "data.worker=2"]
    with pytest.raises(ConfigError) as caught:
        compose_config(given)
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0].strip() for line in lines[1:5]] == ["trainer=gpuu", "sed=1", "oops", "data.worker=2"]
    assert "seed=1" not in str(caught.value)


def test_in_a_sweep_every_job_counts():
    assert faults(["seed=1,2", "detector=spectrum,timm", "data.workers=1"], sweep=True) == []
    (key,) = faults(["detector=spectrum,timm", "detector.arguments.bands=3"], sweep=True)
    assert "with detector=timm" in key
    (option,) = faults(["trainer=gpuu,cpu"], sweep=True)
    assert "did you mean gpu?" in option
