from __future__ import annotations

import json
import os
import socket
import struct
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from pytorch_lightning.loggers import CSVLogger, WandbLogger

from unmask.faces.store import FaceStore
from unmask.training.copies import WorstError, end_wandb, send_copies, worst_errors

wandb = pytest.importorskip("wandb", reason="the extra 'train' is not installed")


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A server that everything would go to, and that nobody may call; wandb writes below ``tmp_path``."""
    for name in list(os.environ):
        if name.startswith("WANDB"):
            monkeypatch.delenv(name)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        for name in ("WANDB_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, address)
        monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
        monkeypatch.setenv("WANDB_SILENT", "true")
        monkeypatch.setenv("WANDB_MODE", "")
        for name in ("CACHE", "CONFIG", "DATA"):
            monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / "wandb_home" / name))
        yield listening
        end_wandb()


@pytest.fixture
def out(tmp_path) -> Path:
    """The files of a run."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.yaml").write_text("seed: 3\noptimizer:\n  learning_rate: 0.5\n")
    (folder / "scorecard.json").write_text('{"metrics": {}}')
    (folder / "scorecard.html").write_text("<!doctype html><title>a scorecard</title>")
    (folder / "predictions.csv").write_text("id,score,reason\na,0.25,\nb,,no_face\n007,0.75,\n")
    return folder


def crop(value: int) -> np.ndarray:
    return np.full((12, 12, 3), value, np.uint8)


WORST = [WorstError("r", 0, 0.9, crop(10)), WorstError("s", 0, 0.8, crop(20)), WorstError("f", 1, 0.1, crop(30))]


def records(path: Path) -> list[object]:
    """What wandb has written of a run, for itself to send later; a process of its own may still be at it."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = records_by_now(path)
        if any(record.WhichOneof("record_type") == "exit" for record in found):
            return found
        time.sleep(0.05)
    raise AssertionError("wandb has not ended its file")


def records_by_now(path: Path) -> list[object]:
    """Protocol buffers in LevelDB's log format."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, found, part, place = path.read_bytes(), [], b"", 7  # after wandb's own header
    while place + 7 <= len(data):
        if 32768 - place % 32768 < 7:  # the rest of a block is too short for a header
            place += 32768 - place % 32768
            continue
        length, kind = struct.unpack_from("<HB", data, place + 4)
        part += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # the whole, or the last part
            found.append(Record.FromString(part))
            part = b""
    return found


def sent(out: Path, worst: list[WorstError], **settings) -> Path:
    """Send copies by a real logger; the run's folder."""
    logger = WandbLogger(save_dir=str(out), project="unmask", **settings)
    folder = Path(logger.experiment.dir)
    send_copies([CSVLogger(str(out)), logger], out, worst)
    end_wandb()
    return folder


def test_an_offline_run_holds_copies_of_the_files(server, out):
    files = sent(out, WORST, offline=True)
    for name in ("config.yaml", "scorecard.json", "scorecard.html"):
        assert not (files / "unmask" / name).is_symlink()
        assert (files / "unmask" / name).read_bytes() == (out / name).read_bytes()
    (html,) = (files / "media" / "html").iterdir()
    assert html.read_text() == (out / "scorecard.html").read_text()
    (table,) = (files / "media" / "table").iterdir()
    read = json.loads(table.read_text())
    assert read["columns"] == ["id", "score", "reason"]
    assert read["data"] == [["a", 0.25, None], ["b", None, "no_face"], ["007", 0.75, None]]
    with pytest.raises(BlockingIOError):
        server.accept()


def test_an_offline_run_shows_the_worst_errors(server, out):
    from PIL import Image

    files = sent(out, WORST, offline=True)
    (log,) = files.parent.glob("*.wandb")
    rows: list[dict[str, dict]] = []
    for record in records(log):
        if record.WhichOneof("record_type") == "history":
            rows.append({})
            for item in record.history.item:
                first, *rest = item.nested_key or [item.key]
                rows[-1].setdefault(first, {})[".".join(rest)] = json.loads(item.value_json)
    (row,) = [row for row in rows if "worst_reals" in row]
    assert row["worst_reals"]["captions"] == ["0.900 r", "0.800 s"]
    assert row["worst_fakes"]["captions"] == ["0.100 f"]
    shown = [name for key in ("worst_reals", "worst_fakes") for name in row[key]["filenames"]]
    for name, error in zip(shown, WORST, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(files / name)), error.crop)
    named = {
        each.path
        for record in records(log)
        if record.WhichOneof("record_type") == "files"
        for each in record.files.files
    }
    assert {"unmask/config.yaml", "unmask/scorecard.json", "unmask/scorecard.html"} <= named


def test_the_configuration_becomes_wandb_s_own(server, out):
    files = sent(out, [], offline=True)
    (log,) = files.parent.glob("*.wandb")
    config: dict[str, object] = {}
    for record in records(log):
        updates = {"config": record.config.update, "run": record.run.config.update}.get(
            record.WhichOneof("record_type")
        )
        config |= {item.key or item.nested_key[0]: json.loads(item.value_json) for item in updates or []}
    assert {key: config[key] for key in ("seed", "optimizer")} == yaml.safe_load((out / "config.yaml").read_text())


def test_files_that_are_not_there_are_left_out(server, tmp_path):
    (tmp_path / "run").mkdir()
    files = sent(tmp_path / "run", [], offline=True)
    assert not (files / "media").exists()
    assert not (files / "unmask").exists()


def test_nothing_is_written_where_wandb_is_disabled(server, out):
    before = sorted(out.rglob("*"))
    sent(out, WORST, mode="disabled")
    assert sorted(out.rglob("*")) == before
    with pytest.raises(BlockingIOError):
        server.accept()


def test_each_run_is_one_of_its_own(server, out, tmp_path):
    one, two = (sent(out, [], offline=True) for _ in range(2))
    assert one != two
    assert wandb.run is None


def test_the_worst_are_confident_and_wrong(prepared):
    store, rows = FaceStore(prepared.store), prepared.rows("test")
    rng = np.random.default_rng(0)
    scores = {name: round(float(score), 1) for name, score in zip(rows["id"], rng.random(rows.height), strict=True)}
    missing = set(store.missing(rows["id"].to_list()))
    frame = pl.DataFrame({"id": list(scores), "score": [None if name in missing else scores[name] for name in scores]})
    labels = dict(rows.select("id", "label").iter_rows())
    found = worst_errors(frame, labels, store, 2)
    for label, sign in ((0, -1), (1, 1)):
        ours = [name for name in scores if labels[name] == label and name not in missing]
        expected = sorted(ours, key=lambda name: (sign * scores[name], name))[:2]
        assert [each.id for each in found if each.label == label] == expected
    for each in found:
        assert each.score == scores[each.id]
        crops = [store.image(int(row)) for row in store.crops([each.id])]
        assert any(np.array_equal(each.crop, image) for image in crops)


def test_there_may_be_few_of_them_or_none(prepared):
    store, rows = FaceStore(prepared.store), prepared.rows("test")
    labels = dict(rows.select("id", "label").iter_rows())
    frame = rows.select("id", score=pl.lit(0.5))
    everything = worst_errors(frame, labels, store, 1000)
    assert sorted(each.id for each in everything) == sorted(set(labels) - set(store.missing(list(labels))))
    assert worst_errors(frame, labels, None, 5) == []
    assert worst_errors(frame, {}, store, 5) == []
    assert worst_errors(frame.with_columns(score=pl.lit(None, pl.Float64)), labels, store, 5) == []


def test_each_job_of_a_sweep_sends_its_own(server, prepared, tmp_path):
    from unmask.training.compose import run_with_overrides
    from unmask.training.run import train

    given = [f"manifest={prepared.manifest}", f"store={prepared.store}", f"out={tmp_path}/sweep", "logger=wandb"]
    tiny = ["detector=spectrum", "detector.arguments.input_size=64", "detector.arguments.bands=16"]
    jobs = run_with_overrides(["-m", *given, *tiny, "trainer.max_epochs=1", "seed=1,2"], train)
    for job in jobs:
        assert job.error is None
        (files,) = job.out.glob("wandb/offline-run-*/files")
        for name in ("config.yaml", "scorecard.json", "scorecard.html"):
            assert (files / "unmask" / name).read_bytes() == (job.out / name).read_bytes()
        (table,) = (files / "media" / "table").iterdir()
        assert len(json.loads(table.read_text())["data"]) == pl.read_csv(job.out / "predictions.csv").height
        assert len(list((files / "media" / "images").rglob("*.png"))) == prepared.rows("test").height - 1  # no face
    with pytest.raises(BlockingIOError):
        server.accept()
