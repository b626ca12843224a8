"""The whole road, as a newcomer runs it: ``unmask demo --quick``, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from unmask.datasets.audit import audit
from unmask.scoring.metrics import METRICS
from unmask.tables.manifest import media_path, read_manifest
from unmask.tables.predictions import read_predictions

NAMES = (
    *("manifest.parquet", "faces/store.yaml", "run/config.yaml", "run/checkpoints/best.ckpt", "run/logs/metrics.csv"),
    *("run/model/model.safetensors", "run/model/model.yaml", "run/model/README.md", "predictions.csv"),
    *("scorecard.json", "scorecard.html", "challenge/challenge.yaml", "challenge/answers.csv"),
    *("challenge/standings.json", "challenge/standings.html"),
)


def unmask(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "unmask", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("road") / "demo"
    done = unmask("demo", "--quick", "--out", out)
    assert done.returncode == 0, done.stderr
    return out


def test_everything_is_where_it_should_be(demo):
    assert [name for name in NAMES if not (demo / name).is_file()] == []
    assert len(list((demo / "challenge" / "submissions").glob("*.csv"))) == 5


def test_nobody_is_in_two_splits(demo):
    manifest = read_manifest(demo / "manifest.parquet")
    people = manifest.unpivot(["subject_id", "donor_id"], index="split", value_name="person").drop_nulls("person")
    assert people.group_by("person").agg(pl.col("split").n_unique())["split"].max() == 1
    assert set(manifest["split"]) == {"train", "validation", "test"}
    assert set(manifest["media"]) == {"image", "video"}


def test_the_audit_finds_nothing(demo):
    assert audit([demo / "manifest.parquet"]).findings == []


def test_a_forgery_has_the_size_of_its_original(demo):
    from unmask.media import image
    from unmask.media.video import VideoReader

    manifest = read_manifest(demo / "manifest.parquet")
    probe = {"image": image.probe, "video": lambda path: VideoReader(path).info}
    sizes: dict[str, set[tuple[int, int]]] = {}
    for row in manifest.to_dicts():
        info = probe[row["media"]](media_path(row))
        sizes.setdefault(row["source_id"], set()).add((info.width, info.height))
    assert len(sizes) > 60
    assert all(len(found) == 1 for found in sizes.values())


def test_a_manipulation_is_kept_for_the_test(demo):
    manifest = read_manifest(demo / "manifest.parquet")
    methods = {split: set(manifest.filter(split=split)["method"].drop_nulls()) for split in set(manifest["split"])}
    assert methods["test"] - methods["train"] - methods["validation"] == {"swap_poisson"}


def test_the_scorecard_holds_the_truth(demo):
    card = json.loads((demo / "scorecard.json").read_text())
    manifest = read_manifest(demo / "manifest.parquet").filter(split="test")
    rows = read_predictions(demo / "predictions.csv").join(manifest.select("id", "label"), on="id")
    auc = card["metrics"]["roc_auc"]
    assert auc["value"] == pytest.approx(roc_auc_score(rows["label"], rows["score"]))
    assert auc["n"] == manifest.height
    assert auc["low"] < auc["value"] < auc["high"]
    assert set(card["metrics"]) == set(METRICS)
    assert set(card["slices"]["method"]) == {"self_blend", "swap_alpha", "swap_poisson"}


def test_the_standings_rank_four_and_refuse_one(demo):
    entries = {
        entry["team"]: entry for entry in json.loads((demo / "challenge" / "standings.json").read_text())["entries"]
    }
    assert {team: entry["status"] for team, entry in entries.items()} == {
        "efficientnet": "scored",
        "frequencies": "scored",
        "constant": "scored",
        "random": "scored",
        "broken": "refused",
    }
    assert entries["constant"]["score"] == 0.5
    told = " ".join(entries["broken"]["problems"])
    for fault in ("1.7", "nan", "empty", "stood on line", "not asked for", "there is no row"):
        assert fault in told
    assert entries["broken"]["rank"] is None


def test_the_model_folder_states_how_crops_are_made(demo):
    model = yaml.safe_load((demo / "run" / "model" / "model.yaml").read_text())
    store = yaml.safe_load((demo / "faces" / "store.yaml").read_text())
    assert model["store"]["crop"] == store["crop"]


def test_the_model_predicts_a_single_video(demo, tmp_path):
    clip = next((demo / "data" / "dfdc_train_part_40").glob("*.mp4"))
    done = unmask("predict", demo / "run" / "model", clip, "--out", tmp_path / "p.csv", "--frames", tmp_path / "f.csv")
    assert done.returncode == 0, done.stderr
    found = read_predictions(tmp_path / "p.csv")
    assert found["id"].to_list() == [clip.name]
    # The same frames, found again, give the same answer as those of the demo's store.
    stored = read_predictions(demo / "predictions.csv").filter(id=clip.name)
    assert found["score"][0] == pytest.approx(stored["score"][0], abs=1e-3)
    assert pl.read_csv(tmp_path / "f.csv").height == 8


def test_a_second_run_does_nothing_twice(demo):
    before = {path: path.stat().st_mtime_ns for path in (demo / "run").rglob("*") if path.is_file()}
    done = unmask("demo", "--quick", "--out", demo)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("done before") == 5
    assert {path: path.stat().st_mtime_ns for path in (demo / "run").rglob("*") if path.is_file()} == before


def test_other_options_are_refused(demo):
    done = unmask("demo", "--out", demo)
    assert done.returncode == 2
    assert "made with other options: quick is True instead of False" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    done = unmask("demo", "--out", tmp_path)
    assert done.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
