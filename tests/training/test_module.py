from __future__ import annotations

import shutil
from collections import namedtuple
from itertools import pairwise

import polars as pl
import pytest
import pytorch_lightning as lightning
import torch
from torch import nn

from tests.training.test_parts import batches_of
from tests.training.test_run import overrides, run, weights
from unmask.detectors import build
from unmask.tables.errors import ConfigError
from unmask.training.compose import run_with_overrides
from unmask.training.module import DetectorModule, parameter_groups
from unmask.training.run import train


def rates(detector: nn.Module, groups) -> dict[str, tuple[float, float]]:
    """Parameter to its learning rate, relative to the group's default of 1, and weight decay."""
    of = {id(value): (group.get("lr", 1.0), group["weight_decay"]) for group in groups for value in group["params"]}
    assert sum(len(group["params"]) for group in groups) == len(of)
    return {name: of[id(value)] for name, value in detector.named_parameters() if value.requires_grad}


@pytest.mark.parametrize("decay", [1.0, 0.5])
def test_every_parameter_is_in_one_group_and_normalisations_do_not_decay(decay):
    detector = build("timm", backbone="test_vit", input_size=160)
    found = rates(detector, parameter_groups(detector, 1.0, 0.05, decay))
    assert found.keys() == dict(detector.named_parameters()).keys()
    for name, value in detector.named_parameters():
        plain = value.ndim <= 1 or name.endswith("bias")
        assert found[name][1] == (0.0 if plain else 0.05) or name.endswith(("pos_embed", "cls_token")), name


def test_layers_further_from_the_last_learn_more_slowly():
    detector = build("timm", backbone="test_vit", input_size=160)
    found = rates(detector, parameter_groups(detector, 1.0, 0.0, 0.5))
    assert found["head.weight"][0] == 1.0
    blocks = [found[f"backbone.blocks.{number}.mlp.fc1.weight"][0] for number in range(len(detector.backbone.blocks))]
    assert [later / earlier for earlier, later in pairwise(blocks)] == [2.0] * (len(blocks) - 1)
    assert found["backbone.patch_embed.proj.weight"][0] == blocks[0] / 2
    xception = build("xception", input_size=64, width=0.1)
    found = rates(xception, parameter_groups(xception, 1.0, 0.0, 0.5))
    order = ["conv1", *[f"block{number}.rep.1.conv1" for number in (2, 7, 12)], "conv4.conv1"]
    slow = [found[f"backbone.{name}.weight"][0] for name in order]
    assert slow == sorted(slow)
    assert len(set(slow)) == 5
    with pytest.raises(ValueError, match="layers are known"):
        parameter_groups(build("spectrum", input_size=64, bands=16), 1.0, 0.0, 0.5)


class States(lightning.Callback):
    """Notes the detector's state at the beginning of each epoch, and at the end."""

    def __init__(self) -> None:
        self.states: list[dict[str, torch.Tensor]] = []

    def on_train_epoch_start(self, trainer, module) -> None:
        self.states.append({name: value.clone() for name, value in module.detector.state_dict().items()})

    def on_train_end(self, trainer, module) -> None:
        self.on_train_epoch_start(trainer, module)


def test_frozen_epochs_move_the_last_layer_alone(tmp_path):
    """Normalisation's running means stay as well."""
    detector = build("timm", backbone="test_resnet", input_size=32)
    module = DetectorModule(detector, frozen_epochs=1, warm_up=0, learning_rate=1e-2)
    batches = batches_of(torch.rand(8, 3, 32, 32), torch.tensor([0.0, 1.0] * 4), 4)
    noting = States()
    trainer = lightning.Trainer(
        max_epochs=2,
        accelerator="cpu",
        callbacks=[noting],
        default_root_dir=tmp_path,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, batches, batches)
    fresh, frozen, thawed = noting.states
    for name, value in fresh.items():
        assert torch.equal(value, frozen[name]) == (not name.startswith("head")), name
    assert not torch.equal(frozen["backbone.layer1.0.conv1.weight"], thawed["backbone.layer1.0.conv1.weight"])
    assert not torch.equal(frozen["backbone.bn1.running_mean"], thawed["backbone.bn1.running_mean"])


def test_frozen_epochs_need_a_last_layer_and_a_strategy_that_takes_them(prepared, tmp_path):
    detector = build("spectrum", input_size=64, bands=16)
    detector.head = None
    with pytest.raises(ValueError, match="linear last layer"):
        DetectorModule(detector, frozen_epochs=1)
    more = ("optimizer.frozen_epochs=1", "trainer=ddp", "trainer.accelerator=cpu")
    with pytest.raises(ConfigError, match="find_unused_parameters"):
        run(prepared, tmp_path / "out", *more)


def test_a_moving_average_is_validated_and_handed_on(prepared, tmp_path):
    more = (
        "optimizer.learning_rate=1e-2",
        "optimizer.warm_up=0",
        "data.repeats=2",
        "test=false",
        "data.pairs_per_batch=4",
    )
    run(prepared, tmp_path / "plain", *more, "checkpoints.every_steps=1")
    averaged = run(prepared, tmp_path / "mean", *more, "average=0.75")
    last = torch.load(averaged / "checkpoints" / "last.ckpt", weights_only=True)
    current = {name: value for name, value in last["current_model_state"].items() if value.is_floating_point()}
    assert any(not torch.equal(value, last["state_dict"][name]) for name, value in current.items())
    for name, value in weights(averaged).items():
        assert torch.equal(value, last["state_dict"][f"detector.{name}"]), name
    # The plain run takes the same steps, so its last weights are what the average has been moving towards.
    plain = torch.load(tmp_path / "plain" / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    assert all(torch.equal(value, plain[name]) for name, value in current.items())


def test_accumulated_batches_make_one_step(prepared, tmp_path):
    more = ("data.repeats=2", "trainer.accumulate_grad_batches=3", "test=false")
    out = run(prepared, tmp_path / "out", *more)
    assert torch.load(out / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 2  # of six batches


def test_a_disk_without_room_is_told_at_once(prepared, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 1000))
    with pytest.raises(ConfigError, match="the disk has room for 0 MB") as caught:
        run(prepared, tmp_path / "out")
    assert caught.value.where == str(tmp_path / "out")


def test_files_that_were_never_prepared_are_told_at_once(prepared, tmp_path):
    rows = prepared.rows()
    more = rows.filter(pl.col("split") == "validation").with_columns(id=pl.col("id") + "x", subject_id=pl.lit("new"))
    pl.concat([rows, more.head(3)]).write_parquet(tmp_path / "m.parquet")
    with pytest.raises(ConfigError, match=r"3 files were never prepared \(3 of validation\)") as caught:
        run(prepared, tmp_path / "out", f"manifest={tmp_path}/m.parquet")
    assert "goes on where it was" in str(caught.value.next_step)


def test_crops_that_are_enlarged_are_told(prepared, tmp_path, capsys):
    run(prepared, tmp_path / "small", "test=false")
    assert "enlarged" not in capsys.readouterr().out
    run(prepared, tmp_path / "large", "test=false", "detector.arguments.input_size=128")
    assert "crops of 96 px are enlarged to 128" in capsys.readouterr().out


def test_weights_that_are_not_there(prepared, tmp_path):
    with pytest.raises(ConfigError, match="weights cannot be read") as caught:
        run(prepared, tmp_path / "out", f"detector.weights={tmp_path}/absent.pth")
    assert "absent.pth" in str(caught.value)


@pytest.mark.parametrize("name", ["ffd", "core", "ucf"])
def test_losses_that_want_more_of_a_batch(name, prepared, tmp_path):
    arguments = {"ffd": (), "core": (), "ucf": ("detector.arguments.methods=3",)}[name]
    given = [each for each in overrides(prepared, tmp_path / "out") if not each.startswith("detector")]
    small = (
        f"detector={name}",
        "detector.arguments.input_size=64",
        "+detector.arguments.width=0.1",
        "trainer.log_every_n_steps=1",
        *arguments,
    )
    run_with_overrides([*given, *small], train)
    log = pl.read_csv(tmp_path / "out" / "logs" / "metrics.csv")
    terms = [column for column in log.columns if column.startswith("train_") and column != "train_loss"]
    assert len(terms) > 1
    assert pl.read_csv(tmp_path / "out" / "predictions.csv").drop_nulls("score")["score"].len() == 11


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("detector=ucf", "detector.arguments.methods=2"), "self_blend, swap_alpha, self-blends of the real ones"),
        (("detector=core", "optimizer.layer_decay=0.9"), None),
        (("detector=meso4", "optimizer.layer_decay=0.9"), "layers are known"),
        (("detector=meso4", "detector.arguments.input_size=64", "optimizer.layer_decay=0"), "layer_decay=0"),
        (("detector=meso4", "average=1"), "average=1"),
        (("detector=meso4", "data.balance=method"), "data.balance=method"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_trained(more, message, prepared, tmp_path):
    given = [each for each in overrides(prepared, tmp_path / "out") if not each.startswith("detector")]
    small = (
        "detector.arguments.input_size=64",
        *(["+detector.arguments.width=0.1"] if more[0] != "detector=meso4" else []),
    )
    if message is None:
        run_with_overrides([*given, *more, *small, "test=false"], train)
        return
    with pytest.raises(ConfigError, match=message):
        run_with_overrides([*given, *more, *small], train)
    assert not (tmp_path / "out" / "checkpoints").exists()
