"""The model card: what a stranger must know before using a model."""

from __future__ import annotations

import polars as pl

from unmask import __version__
from unmask.inference.model_folder import ModelSpec

_CARD = """# {detector}: a deepfake detector made with unmask {version}

Gives the probability that a face in a video or picture was manipulated.

    unmask predict THIS_FOLDER video.mp4 --out predictions.csv

## Trained on

| split | real | fake | manipulations |
|---|---|---|---|
{rows}

Manifest SHA-256: `{manifest}`. Seed: {seed}. What was fitted: {fit}.

## Input

Faces found by `{face_detector}`, the most prominent one of each file, cut with {margin} times the face box to
{size} px; {frames} frames of each video. Frame scores become one by their {aggregation}. Probabilities were fitted on
the validation split with both classes weighted alike.

## Before you rely on it

It has seen the manipulations listed above and no others. On other footage, other compressions and other people it will
do worse: score it on your own data first, and look at the interval, not only at the number.
"""


def model_card(spec: ModelSpec, manifest: pl.DataFrame) -> str:
    """Markdown.

    Args:
        spec: what ``model.yaml`` says.
        manifest: what the model was trained on.
    """
    return _CARD.format(
        detector=spec.arguments.get("backbone", spec.detector),
        version=__version__,
        rows="\n".join(_row(manifest, split) for split in ("train", "validation")),
        manifest=spec.data["manifest_sha256"],
        seed=spec.data["seed"],
        fit={"all": "the whole network", "head": "the last layer alone"}[str(spec.data["fit"])],
        face_detector=spec.store.crop.detector,
        margin=spec.store.crop.margin,
        size=spec.store.crop.size,
        frames=spec.store.frames,
        aggregation=spec.aggregation,
    )


def _row(manifest: pl.DataFrame, split: str) -> str:
    part = manifest.filter(pl.col("split") == split)
    methods: list[str] = []
    if "method" in part.columns:
        methods = part.filter(pl.col("label") == 1)["method"].drop_nulls().unique().sort().to_list()
    real, fake = ((part["label"] == label).sum() for label in (0, 1))
    return f"| {split} | {real} | {fake} | {', '.join(methods) or 'not stated'} |"
