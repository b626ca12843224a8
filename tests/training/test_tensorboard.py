from __future__ import annotations

import polars as pl
import pytest

from unmask.training.compose import run_with_overrides
from unmask.training.run import train


def test_tensorboard_reads_what_the_csv_log_says(prepared, tmp_path):
    pytest.importorskip("tensorboard", reason="the extra 'tensorboard' is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    given = [f"manifest={prepared.manifest}", f"store={prepared.store}", f"out={tmp_path}/out", "test=false"]
    tiny = ["detector=spectrum", "detector.arguments.input_size=64", "detector.arguments.bands=16"]
    more = ["data.pairs_per_batch=2", "trainer.max_epochs=3", "trainer.log_every_n_steps=1", "logger=tensorboard"]
    run_with_overrides([*given, *tiny, *more], train)
    events = EventAccumulator(str(tmp_path / "out" / "tensorboard"))
    events.Reload()
    log = pl.read_csv(tmp_path / "out" / "logs" / "metrics.csv")
    for name in ("train_loss", "val_loss", "val_auc"):
        written = log.drop_nulls(name).select("step", name)
        assert written.height >= 3
        read = events.Scalars(name)
        assert [event.step for event in read] == written["step"].to_list()
        assert [event.value for event in read] == pytest.approx(written[name].to_list(), rel=1e-6)
