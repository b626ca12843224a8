from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
import yaml
from safetensors.torch import load_file

from unmask.faces.store import FaceStore
from unmask.inference.model_folder import load_model
from unmask.inference.predict import predict
from unmask.tables.errors import ConfigError, UnmaskError
from unmask.tables.manifest import read_manifest
from unmask.training.compose import run_with_overrides
from unmask.training.run import train

TINY = [
    "detector=timm",
    "detector.arguments.backbone=test_resnet",
    "detector.arguments.input_size=64",
    "data.pairs_per_batch=2",
    "trainer.enable_progress_bar=false",
    "trainer.max_epochs=1",
]


def overrides(prepared, out: Path, *more: str) -> list[str]:
    return [f"manifest={prepared.manifest}", f"store={prepared.store}", f"out={out}", *TINY, *more]


def run(prepared, out: Path, *more: str) -> Path:
    run_with_overrides(overrides(prepared, out, *more), train)
    return out


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "model" / "model.safetensors")


def metrics(run: Path) -> pl.DataFrame:
    return pl.read_csv(run / "logs" / "metrics.csv")


@pytest.fixture(scope="module")
def three_epochs(prepared, tmp_path_factory) -> Path:
    more = ("trainer.max_epochs=3", "optimizer.learning_rate=3e-2", "seed=3", "data.repeats=2")
    return run(prepared, tmp_path_factory.mktemp("run") / "out", *more)


def test_the_run_s_folder(three_epochs, prepared):
    for name in (
        "config.yaml",
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
        "logs/metrics.csv",
        "model/model.safetensors",
        "model/model.yaml",
        "model/README.md",
        "predictions.csv",
        "scorecard.json",
        "scorecard.html",
    ):
        assert (three_epochs / name).stat().st_size > 0, name
    config = yaml.safe_load((three_epochs / "config.yaml").read_text())
    assert config["seed"] == 3
    assert config["detector"]["arguments"]["backbone"] == "test_resnet"
    predictions = pl.read_csv(three_epochs / "predictions.csv")
    assert set(predictions["id"]) == set(prepared.rows("test")["id"])
    assert dict(predictions.drop_nulls("reason").select("id", "reason").iter_rows()) == {"test/nobody.jpg": "no_face"}
    scorecard = json.loads((three_epochs / "scorecard.json").read_text())
    assert 0 <= scorecard["metrics"]["roc_auc"]["value"] <= 1


def test_the_log_has_every_epoch(three_epochs):
    log = metrics(three_epochs)
    assert log["val_loss"].drop_nulls().len() == 3
    assert log["val_auc"].drop_nulls().is_between(0, 1).all()


def test_the_best_checkpoint_is_handed_on(three_epochs):
    areas = metrics(three_epochs).drop_nulls("val_auc").sort("epoch")["val_auc"].to_list()
    best = torch.load(three_epochs / "checkpoints" / "best.ckpt", weights_only=True)
    assert best["epoch"] == int(np.argmax(areas))
    handed_on = weights(three_epochs)
    for name, value in handed_on.items():
        torch.testing.assert_close(value, best["state_dict"][f"detector.{name}"], rtol=0, atol=0)


def test_the_model_gives_the_run_s_predictions(three_epochs, prepared):
    found = predict(load_model(three_epochs / "model"), prepared.rows("test"), FaceStore(prepared.store)).files
    written = pl.read_csv(three_epochs / "predictions.csv")
    np.testing.assert_allclose(
        found["score"].to_numpy().astype(float), written["score"].to_numpy().astype(float), rtol=1e-9
    )


def test_the_model_card_says_what_it_was_trained_on(three_epochs):
    card = (three_epochs / "model" / "README.md").read_text()
    assert "test_resnet" in card
    assert "| train | 6 | 11 | self_blend, swap_alpha, self-blends of the real ones, made in training |" in card
    assert "Seed: 3" in card
    auc = json.loads((three_epochs / "scorecard.json").read_text())["metrics"]["roc_auc"]
    assert f"| all | 4 | 7 | {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f}) | " in card
    recipe = yaml.safe_load(card.split("```yaml\n")[1].split("```")[0])
    assert recipe["detector"]["arguments"]["backbone"] == "test_resnet"
    assert recipe["optimizer"]["learning_rate"] == 0.03
    assert str(three_epochs) not in card


def test_the_weights_moved(three_epochs):
    import timm

    fresh = timm.create_model("test_resnet", num_classes=0).state_dict()
    trained = {name.removeprefix("backbone."): value for name, value in weights(three_epochs).items()}
    assert int(trained["bn1.num_batches_tracked"]) > int(fresh["bn1.num_batches_tracked"])


def test_the_same_seed_gives_the_same_weights(prepared, tmp_path):
    one, two, other = (
        weights(run(prepared, tmp_path / name, f"seed={seed}", "test=false"))
        for name, seed in zip("abc", (5, 5, 6), strict=True)
    )
    for name, value in one.items():
        torch.testing.assert_close(value, two[name], rtol=0, atol=0)
    assert any(not torch.equal(value, other[name]) for name, value in one.items())


def test_a_run_goes_on_from_its_last_checkpoint(prepared, tmp_path):
    first = run(prepared, tmp_path / "first", "test=false")
    more = (f"resume={first}/checkpoints/last.ckpt", "trainer.max_epochs=3", "test=false")
    second = run(prepared, tmp_path / "second", *more)
    assert metrics(second).drop_nulls("val_loss")["epoch"].to_list() == [1, 2]
    before, after = (torch.load(each / "checkpoints" / "last.ckpt", weights_only=True) for each in (first, second))
    assert after["global_step"] == 3 * before["global_step"] > 0


def test_a_run_goes_on_in_its_own_folder_and_keeps_what_was_logged(prepared, tmp_path):
    out = run(prepared, tmp_path / "out", "test=false")
    before = (out / "logs" / "metrics.csv").read_text()
    run(prepared, out, f"resume={out}/checkpoints/last.ckpt", "trainer.max_epochs=2", "test=false")
    assert metrics(out).drop_nulls("val_loss")["epoch"].to_list() == [1]
    assert (out / "logs" / "metrics.1.csv").read_text() == before


@pytest.mark.parametrize("killed", ["after the last epoch", "in the first epoch"])
def test_a_killed_run_is_started_again(killed, prepared, tmp_path):
    out = run(prepared, tmp_path / "out", "test=false")
    shutil.rmtree(out / "model")
    more = [f"resume={out}/checkpoints/last.ckpt"]
    if killed == "in the first epoch":
        (out / "checkpoints" / "last.ckpt").unlink()
        more = []
    run(prepared, out, "test=false", *more)
    assert (out / "model" / "README.md").is_file()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("made_by", "left", "remedy"),
    [
        ("trainer.max_epochs=1", "model", "resume="),
        ("trainer.max_epochs=1", "checkpoints", "resume="),
        ("fit=head", "model", "delete the folder"),
    ],
)
def test_a_folder_that_holds_a_run_is_not_written_over(made_by, left, remedy, prepared, tmp_path):
    out = run(prepared, tmp_path / "out", made_by, "test=false")
    if left == "checkpoints":
        shutil.rmtree(out / "model")
    before = contents(out)
    other = run(prepared, tmp_path / "other", "test=false")
    for more in ([], [f"resume={other}/checkpoints/last.ckpt"]):
        with pytest.raises(ConfigError, match="holds a run") as caught:
            run(prepared, out, "seed=9", *more)
        assert caught.value.where == str(out)
        assert remedy in str(caught.value.next_step)
    assert contents(out) == before


def test_no_file_of_a_run_is_empty(prepared, tmp_path):
    for name, more in (("head", ["fit=head"]), ("all", [])):
        out = run(prepared, tmp_path / name, *more)
        assert all(path.stat().st_size for path in out.rglob("*") if path.is_file())
        assert not list(out.glob("*.log"))


def test_model_yaml_notes_the_best_epoch_s_figure(three_epochs):
    noted = yaml.safe_load((three_epochs / "model" / "model.yaml").read_text())["data"]["val_auc"]
    assert noted == pytest.approx(metrics(three_epochs)["val_auc"].max())


def test_a_sweep(prepared, tmp_path):
    done = []
    run_with_overrides(
        ["-m", *overrides(prepared, tmp_path / "sweep", "seed=1,2", "test=false")],
        lambda config, out: done.append((config.seed, train(config, out))),
    )
    assert [seed for seed, _ in done] == [1, 2]
    one, two = (yaml.safe_load((model / "model.yaml").read_text())["data"]["seed"] for _, model in done)
    assert (one, two) == (1, 2)
    assert done[0][1].is_relative_to(tmp_path / "sweep")
    assert yaml.safe_load((tmp_path / "sweep" / "1" / "config.yaml").read_text())["out"] == str(
        tmp_path / "sweep" / "1"
    )


@pytest.mark.parametrize(
    "more",
    [
        ["trainer.precision=bf16-mixed"],
        ["data.workers=1"],
        ["aggregation=median"],
        ["augment=faces"],
        ["data.blends=1"],
        ["data.blends=0"],
        ["+trainer.fast_dev_run=true"],
        ["optimizer.warm_up=0", "optimizer.label_smoothing=0.1"],
        ["detector=spectrum", "detector.arguments.input_size=64", "detector.arguments.bands=16", "fit=head"],
    ],
    ids=lambda more: more[0],
)
def test_variants(more, prepared, tmp_path):
    chosen = [
        each
        for each in overrides(prepared, tmp_path / "out")
        if not each.startswith("detector") or "spectrum" not in more[0]
    ]
    run_with_overrides([*chosen, *more], train)
    model = load_model(tmp_path / "out" / "model")
    assert all(value.isfinite().all() for value in model.detector.state_dict().values())
    scores = pl.read_csv(tmp_path / "out" / "predictions.csv").drop_nulls("score")["score"]
    assert scores.len() == 11
    assert scores.is_between(0, 1).all()


def test_weights_from_a_file_of_one_s_own(prepared, tmp_path):
    import timm

    state = timm.create_model("test_resnet", num_classes=0).state_dict()
    torch.save(state, tmp_path / "own.pth")
    more = (f"detector.weights={tmp_path}/own.pth", "optimizer.learning_rate=0", "optimizer.weight_decay=0")
    found = weights(run(prepared, tmp_path / "out", *more, "test=false"))
    for name, value in state.items():
        if name.endswith(".weight"):
            torch.testing.assert_close(found[f"backbone.{name}"], value, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["fit=neck"], "fit=neck"),
        (["aggregation=max"], "aggregation=max"),
        (["manifest=/absent.parquet"], "absent.parquet"),
        (["store=/absent"], "no face store"),
        (["detector.arguments.backbone=resnet_of_nobody"], "resnet_of_nobody"),
        (["detector.arguments.backbone=hf-hub:someone/something"], "hf-hub"),
        (["detector.arguments.backbone=???"], "lacks"),
        (["detector.arguments.input_size=99999"], "input_size"),
        (["+detector.arguments.nose=1"], "nose"),
        (["detector.name=oracle"], "oracle"),
        (["optimizer.nose=1"], "nose"),
        (["augment=none"], "augment"),
        (["seed=abc", "trainer.max_epochs=0", "test=maybe"], "seed=abc"),
        (["seed=abc", "trainer.max_epochs=0", "test=maybe"], "trainer.max_epochs=0"),
        (["seed=abc", "trainer.max_epochs=0", "test=maybe"], "test=maybe"),
        (["seed=-1"], "seed=-1"),
        (["data.pairs_per_batch=0"], "pairs_per_batch"),
        (["data.blends=1.5"], "blends"),
        (["optimizer.learning_rate=fast"], "learning_rate"),
        (["+data.nose=1"], "data.nose"),
        (["stop=3"], "stop"),
        (["detector.arguments=3"], "detector.arguments"),
        (["trainer.accelerator=abacus"], "abacus"),
        (["+logger.csv.nose=1"], "logger.csv"),
        (["resume=/absent.ckpt"], "/absent.ckpt"),
        (["fit=head", "resume=/absent.ckpt"], "fit=head"),
    ],
)
def test_a_configuration_that_cannot_work(more, message, prepared, tmp_path):
    with pytest.raises(UnmaskError) as caught:
        run(prepared, tmp_path / "out", *more)
    assert message in str(caught.value)
    assert caught.value.next_step
    assert not (tmp_path / "out" / "model").exists()


@pytest.mark.parametrize("fit", ["all", "head"])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_split_without_one_class_is_told_at_once(split, fit, prepared, tmp_path):
    manifest = prepared.rows().filter((pl.col("split") != split) | (pl.col("label") == 0))
    manifest.write_parquet(tmp_path / "m.parquet")
    with pytest.raises(ConfigError, match=f"the {split} split has no crop of a fake face"):
        run(prepared, tmp_path / "out", f"manifest={tmp_path}/m.parquet", f"fit={fit}")


def test_a_manifest_without_a_test_split(prepared, tmp_path):
    prepared.rows().filter(pl.col("split") != "test").write_parquet(tmp_path / "m.parquet")
    out = run(prepared, tmp_path / "out", f"manifest={tmp_path}/m.parquet")
    assert (out / "model" / "model.yaml").is_file()
    assert not (out / "predictions.csv").exists()


def test_wandb_offline_stays_in_the_run_s_folder(prepared, tmp_path):
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    from unmask.assets.packages import cache_dir

    environment = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB", "XDG"))}
    environment |= {"HOME": str(home), "UNMASK_CACHE": str(cache_dir()), "TMPDIR": str(tmp_path / "tmp")}
    (tmp_path / "tmp").mkdir()
    command = [
        str(Path(sys.executable).parent / "unmask"),
        "train",
        *overrides(prepared, tmp_path / "out", "logger=wandb"),
    ]
    done = subprocess.run(command, env=environment, cwd=work, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "out").rglob("*.wandb"))
    assert (tmp_path / "out" / "logs" / "metrics.csv").is_file()
    assert list(work.iterdir()) == []
    assert [path for path in home.rglob("*") if path.is_file() and "wandb" in str(path.relative_to(home))] == []


def test_an_empty_out_leaves_the_working_folder_alone(prepared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="out is empty"):
        run_with_overrides([*overrides(prepared, tmp_path), "out="], train)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["no checkpoint", "a checkpoint of another network"])
def test_a_checkpoint_that_does_not_fit(kind, prepared, tmp_path):
    path = tmp_path / "last.ckpt"
    if kind == "no checkpoint":
        path.write_text("no checkpoint")
    else:
        torch.save({"state_dict": {"detector.nose": torch.zeros(3)}}, path)
    with pytest.raises(ConfigError, match="does not fit") as caught:
        run(prepared, tmp_path / "out", f"resume={path}")
    assert caught.value.where == str(path)


def test_each_job_of_a_sweep_has_two_processes_of_its_own(prepared, tmp_path):
    more = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "seed=1,2")
    words = ["-m", *overrides(prepared, tmp_path / "out, x=1", *more)]
    words = [word if not word.startswith("out=") else f"out='{word[4:]}'" for word in words]
    command = [str(Path(sys.executable).parent / "unmask"), "train", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("MEMBER: 2/2") == 2
    assert done.stdout.count("sweep.csv") == 1
    assert pl.read_csv(tmp_path / "out, x=1" / "sweep.csv")["error"].null_count() == 2


def test_two_processes(prepared, tmp_path):
    more = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "trainer.max_epochs=2")
    command = [str(Path(sys.executable).parent / "unmask"), "train", *overrides(prepared, tmp_path / "out", *more)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "MEMBER: 2/2" in done.stderr
    assert done.stdout.count("model: ") == 1
    # 6 real files dealt to two processes, two a batch: one full batch each and one of the rest, or 3 = 2 + 1.
    best = torch.load(tmp_path / "out" / "checkpoints" / "last.ckpt", weights_only=True)
    assert best["global_step"] >= 2
    assert pl.read_csv(tmp_path / "out" / "predictions.csv").height == prepared.rows("test").height
    assert metrics(tmp_path / "out").drop_nulls("val_loss").height == 2


def test_redirected_output_holds_no_bar_and_no_advice(prepared, tmp_path, capfd):
    run(prepared, tmp_path / "out", "trainer.enable_progress_bar=true", "test=false")
    told = capfd.readouterr()
    assert "Epoch" not in told.out + told.err
    assert "logging interval" not in told.err


def test_two_datasets_by_name(prepared, tmp_path):
    """Trained on one, tested on the other; what was tested stands in the run's own manifest."""
    given = [
        f"manifest={{one: {prepared.manifest}, two: {prepared.manifest}}}",
        f"store={{one: {prepared.store}, two: {prepared.store}}}",
    ]
    use = "use={one: [train, validation], two: [test]}"
    out = tmp_path / "run"
    head = ["detector=spectrum", "detector.arguments.input_size=64", "detector.arguments.bands=16", "fit=head"]
    run_with_overrides([*given, use, f"out={out}", *head], train)
    rows = read_manifest(out / "manifest.parquet")
    single = read_manifest(prepared.manifest)
    assert set(rows.filter(pl.col("manifest") == "two")["split"]) == {"test"}
    assert rows.height == single.height
    tested = pl.read_csv(out / "predictions.csv")["id"].to_list()
    assert sorted(tested) == sorted(f"two:{name}" for name in single.filter(pl.col("split") == "test")["id"])
    assert json.loads((out / "scorecard.json").read_text())["metrics"]["roc_auc"]["value"] is not None
    # Both have a test set if both are used; here the second alone.
    assert [path.name for path in (out / "tests").iterdir()] == ["two"]
    for name in ("predictions.csv", "scorecard.json", "scorecard.html"):
        assert (out / "tests" / "two" / name).stat().st_size > 0
    own = json.loads((out / "tests" / "two" / "scorecard.json").read_text())["metrics"]["roc_auc"]["value"]
    assert own == json.loads((out / "scorecard.json").read_text())["metrics"]["roc_auc"]["value"]
    assert "| two | " in (out / "model" / "README.md").read_text()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["manifest={a: m.csv}", "store=faces"], "both"),
        (["manifest=m.csv", "store=faces", "use={a: [test]}"], "use is for several"),
        (["manifest=m.csv", "store=faces", "use=test"], "use=test is not"),
        (["manifest=[m.csv]", "store=faces"], "neither a path nor paths"),
        (["manifest={a: m.csv}", "store={b: faces}"], "store has no 'a'"),
    ],
)
def test_manifests_that_are_given_in_another_way(given, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        run_with_overrides([*given, f"out={tmp_path}/run"], train)
