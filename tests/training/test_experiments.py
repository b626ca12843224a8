"""Every published run is built and runs: one batch of training, one of validation, and the model folder."""

from __future__ import annotations

import pytest

from unmask.inference.model_folder import load_model
from unmask.tables.manifest import write_manifest
from unmask.training.compose import compose_config, run_with_overrides
from unmask.training.options import groups
from unmask.training.run import train

#: Weights are downloaded nowhere in tests, and there is no GPU.
HERE = (
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",
    "+trainer.fast_dev_run=true",
    "data.pairs_per_batch=1",
    "data.workers=0",
    "test=false",
)


@pytest.mark.parametrize("experiment", groups()["experiment"])
def test_an_experiment_runs(experiment, prepared, tmp_path):
    few = prepared.rows().filter(media="image").unique(["split", "label"], maintain_order=True)
    write_manifest(few, tmp_path / "m.parquet")
    given = [
        f"manifest={tmp_path}/m.parquet",
        f"store={prepared.store}",
        f"out={tmp_path}/out",
        f"experiment={experiment}",
    ]
    stated = compose_config(given).detector.arguments
    plain = ["detector.arguments.pretrained=false"] if "pretrained" in stated else []
    run_with_overrides([*given, *HERE, *plain], train)
    assert load_model(tmp_path / "out" / "model").detector.input_size == stated.input_size
