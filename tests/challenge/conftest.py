"""A small manifest and challenges made from it."""

import numpy as np
import polars as pl
import pytest

from unmask.challenge.create import create


def make_manifest(rows=120, seed=0):
    """Clusters of an original and two fakes by different methods, sorted by label as folders are; ids tell nothing."""
    labels = np.array([0] * (rows // 3) + [1] * (2 * rows // 3))
    names = [f"v{number:03d}" for number in np.random.default_rng(seed).permutation(rows)]
    method = [None if label == 0 else ("swap", "blend")[i // (rows // 3) - 1] for i, label in enumerate(labels)]
    return pl.DataFrame(
        {
            "id": names, "path": [f"{name}.mp4" for name in names], "media": "video", "label": labels, "split": "test",
            "dataset": "toy", "method": method, "source_id": [f"s{i % (rows // 3)}" for i in range(rows)],
        }
    )  # fmt: skip


def answers_of(quality, seed=0, rows=120):
    """Predictions that know the label to some degree."""
    manifest = make_manifest(rows)
    noise = np.random.default_rng(seed).random(rows)
    return pl.DataFrame({"id": manifest["id"], "score": quality * manifest["label"].to_numpy() + (1 - quality) * noise})


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "manifest.csv"
    make_manifest().write_csv(path)
    return path


@pytest.fixture
def challenge(tmp_path, manifest):
    return create(tmp_path / "challenge", manifest, name="Toy").folder
