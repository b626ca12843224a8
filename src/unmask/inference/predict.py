"""A model and media become predictions, one row a file; on request one row a frame as well."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from rich.progress import Progress
from torch.utils.data import DataLoader

from unmask.detectors.base import Detector
from unmask.faces.prepare import prepare
from unmask.faces.store import FaceStore, StoreSettings
from unmask.inference.aggregate import AGGREGATIONS
from unmask.inference.model_folder import Model, device
from unmask.loading.crops import PlainExamples
from unmask.loading.examples import Examples, Form, examples_of
from unmask.tables.errors import ModelError, told_differences

#: What a detector takes -> the kinds of files that it can be given.
MEDIA: dict[tuple[str, ...], tuple[str, ...]] = {
    ("images",): ("video", "image"),
    ("clips",): ("video",),
    ("sound",): ("audio", "video"),
    ("clips", "sound"): ("video",),
}


@dataclass(frozen=True)
class Predictions:
    """What a model says.

    Attributes:
        files: columns id, score (probability of fake, null where there is none), reason (why there is none).
        frames: columns id, frame, score: one row a crop, a clip (by its first frame) or a window of sound.
    """

    files: pl.DataFrame
    frames: pl.DataFrame


def predict(
    model: Model, manifest: pl.DataFrame, store: FaceStore | None = None, *, progress: Progress | None = None
) -> Predictions:
    """Predict every file of a manifest: videos and pictures, or, by a detector of sound alone, whatever has sound.

    Args:
        model: as ``load_model`` gives it.
        manifest: needs columns id, media, path and root.
        store: the faces of these files; None to find them now.
        progress: where to show bars.

    Raises:
        ModelError: the store's crops were made in another way than the model's.
    """
    settings = model.spec.store
    if settings is None or store is not None:
        return _predicted(model, manifest, store, progress)
    with tempfile.TemporaryDirectory(prefix="unmask-") as scratch:
        prepare(manifest, scratch, settings, progress=progress)
        return _predicted(model, manifest, FaceStore(scratch), progress)


def form_of(detector: Detector) -> Form:
    """The form in which a detector takes examples."""
    sides = {"size": "input_size", "frames": "frames", "samples": "samples"}
    known = {name: getattr(detector, attribute, 0) for name, attribute in sides.items()}
    form = Form(detector.takes)
    return Form(
        detector.takes,
        known["size"] if form.pictures else 0,
        known["frames"] if form.pictures == "clips" else 0,
        known["samples"] if "sound" in detector.takes else 0,
    )


def check_crops(wanted: StoreSettings, store: FaceStore) -> None:
    """Refuse crops that a model was not trained on.

    Raises:
        ModelError: margin, size, detector or quality differ.
    """
    if store.settings.crop != wanted.crop:
        told = told_differences(store.settings.crop.to_dict(), wanted.crop.to_dict())
        raise ModelError(
            f"the store's crops were made in another way than the model's: {told}",
            where=store.folder,
            next_step="run unmask prepare with the model's settings into another folder, or leave --store out",
        )


def _predicted(model: Model, manifest: pl.DataFrame, store: FaceStore | None, progress: Progress | None) -> Predictions:
    if store is not None and model.spec.store is not None:
        check_crops(model.spec.store, store)
    ids = manifest["id"].to_list()
    examples = examples_of(manifest, form_of(model.detector), store)
    calibration = model.spec.calibration
    logits = logits_of(model.detector, examples, store, progress=progress) * calibration.slope + calibration.shift
    frames = pl.DataFrame(
        {"id": examples.ids, "frame": examples.frames, "logit": logits},
        schema={"id": pl.String, "frame": pl.Int32, "logit": pl.Float64},
    )
    aggregate = AGGREGATIONS[model.spec.aggregation]
    by_file = {str(key[0]): aggregate(part["logit"].to_numpy()) for key, part in frames.group_by("id")}
    scores = [float(_sigmoid(by_file[name])) if name in by_file else None for name in ids]
    files = pl.DataFrame(
        {
            "id": ids,
            "score": scores,
            "reason": [None if name in by_file else examples.missing.get(name) for name in ids],
        },
        schema={"id": pl.String, "score": pl.Float64, "reason": pl.String},
    )
    return Predictions(
        files, frames.select("id", "frame", pl.Series("score", _sigmoid(frames["logit"].to_numpy()), dtype=pl.Float64))
    )


def _sigmoid(logits: np.ndarray | float) -> np.ndarray:
    return np.asarray(torch.tensor(logits, dtype=torch.float64).sigmoid())


@torch.inference_mode()
def logits_of(
    detector: Detector,
    examples: Examples,
    store: FaceStore | None,
    *,
    features: bool = False,
    progress: Progress | None = None,
) -> np.ndarray:
    """Run a detector over examples, in eval mode.

    Args:
        detector: see ``unmask.detectors``.
        examples: in its form.
        store: their crops; None where it takes sound alone.
        features: give what the last layer sees instead of its logit.
        progress: where to show a bar.

    Returns:
        (N,) float64 logits, or (N, F) float64 features.
    """
    where, form = device(), form_of(detector)
    detector.to(where).eval()
    batches = DataLoader(PlainExamples(examples, form, store), batch_size=form.batch_size)
    bar = progress.add_task(detector.takes[0].replace("images", "crops"), total=len(examples)) if progress else None
    # Made once: small results kept between large batches would pin the heap, and memory would grow with every batch.
    found = np.zeros((len(examples),))
    for number, batch in enumerate(batches):
        inputs = [batch[name].to(where) for name in detector.takes]
        out = (detector.features if features else detector)(*inputs)
        if number == 0:
            found = np.zeros((len(examples), *out.shape[1:]))
        found[number * form.batch_size :][: len(out)] = out.double().cpu().numpy()
        if progress and bar is not None:
            progress.advance(bar, len(out))
    return found
