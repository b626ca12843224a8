"""A run that is killed goes on as if it had not been; the same seed gives the same bytes; processes add up to one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import pytorch_lightning as lightning
import torch

from tests.training.test_run import overrides, weights
from unmask.training.compose import run_with_overrides
from unmask.training.run import train

#: Three steps an epoch: dropout, a schedule, a moving average and augmentation, all of which have a state of their own.
WHOLE = (
    "trainer.max_epochs=3",
    "trainer.log_every_n_steps=1",
    "data.repeats=2",
    "data.pairs_per_batch=4",
    "detector.arguments.drop_rate=0.5",
    "average=0.9",
    "optimizer.learning_rate=1e-2",
    "checkpoints.every_steps=1",
    "test=false",
)
STEPS = 9


class _Killed(BaseException):
    """Nothing in a run catches it."""


def run(prepared, out: Path, *more: str) -> Path:
    run_with_overrides(overrides(prepared, out, *WHOLE, *more), train)
    return out


def losses(run: Path) -> dict[int, float]:
    """Step to training loss, over all parts of a run."""
    found: dict[int, float] = {}
    for path in sorted((run / "logs").glob("metrics*.csv")):
        found |= dict(pl.read_csv(path).drop_nulls("train_loss").select("step", "train_loss").iter_rows())
    return found


@pytest.fixture(scope="module")
def whole(prepared, tmp_path_factory) -> Path:
    return run(prepared, tmp_path_factory.mktemp("whole") / "out")


def test_every_step_is_logged(whole):
    assert sorted(losses(whole)) == list(range(STEPS))
    assert len(set(losses(whole).values())) == STEPS


@pytest.mark.parametrize(("killed_at", "workers"), [*((step, 0) for step in range(1, STEPS)), (5, 1)])
def test_killed_at_any_step_a_run_goes_on_to_the_same_bytes(killed_at, workers, whole, prepared, tmp_path, monkeypatch):
    step = lightning.LightningModule.optimizer_step

    def killing(module, *arguments, **more):
        if module.trainer.global_step == killed_at:
            raise _Killed
        return step(module, *arguments, **more)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(lightning.LightningModule, "optimizer_step", killing)
        with pytest.raises(_Killed):
            run(prepared, out, f"data.workers={workers}")
    run(prepared, out, f"resume={out}/checkpoints/last.ckpt", f"data.workers={workers}")
    after = {number: loss for number, loss in losses(out).items() if number >= killed_at}
    assert after == {number: loss for number, loss in losses(whole).items() if number >= killed_at}
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(out)[name]), name


def test_the_same_seed_gives_the_same_bytes(whole, prepared, tmp_path):
    again = run(prepared, tmp_path / "out")
    for name in ("model/model.safetensors", "model/README.md", "model/model.yaml"):
        assert (again / name).read_bytes() == (whole / name).read_bytes(), name
    one, two = (torch.load(each / "checkpoints" / "last.ckpt", weights_only=True) for each in (whole, again))
    assert one["state_dict"].keys() == two["state_dict"].keys()
    assert all(torch.equal(value, two["state_dict"][name]) for name, value in one["state_dict"].items())


def test_in_the_same_place_the_same_seed_gives_the_same_checkpoint_to_the_byte(prepared, tmp_path):
    found = []
    for number in range(2):
        out = run(prepared, tmp_path / "out")
        found.append({name: (out / "checkpoints" / name).read_bytes() for name in ("best.ckpt", "last.ckpt")})
        out.rename(tmp_path / str(number))
    assert found[0] == found[1]


def test_two_processes_come_to_what_one_does(prepared, tmp_path):
    """No batch norm, which looks at a process's own examples, and no dropout, which each process draws for itself."""
    plain = (
        "detector.arguments.backbone=test_vit",
        "detector.arguments.input_size=160",
        "detector.arguments.drop_rate=0",
        "average=null",
        "optimizer.learning_rate=1e-3",
        "checkpoints.every_steps=0",
        "trainer.max_epochs=2",
        "test=true",
    )
    one = run(prepared, tmp_path / "one", *plain)
    shared = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "trainer.log_every_n_steps=1")
    given = overrides(prepared, tmp_path / "two", *WHOLE, *plain, *shared, "data.pairs_per_batch=2")
    command = [str(Path(sys.executable).parent / "unmask"), "train", *given]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    first, second = (pl.read_csv(each / "logs" / "metrics.csv") for each in (one, tmp_path / "two"))
    for name in ("val_loss", "val_auc"):
        ours, theirs = (table[name].drop_nulls().to_list() for table in (first, second))
        assert len(ours) == 2
        assert theirs == pytest.approx(ours, rel=1e-4)
    scores = [pl.read_csv(each / "predictions.csv").drop_nulls("score")["score"] for each in (one, tmp_path / "two")]
    assert (scores[0] - scores[1]).abs().max() < 1e-3
    assert first["val_loss"].drop_nulls()[0] != first["val_loss"].drop_nulls()[1]
