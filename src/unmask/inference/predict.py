"""A model and media become predictions, one row a file; on request one row a frame as well."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from rich.progress import Progress
from torch.utils.data import DataLoader

from unmask.detectors.base import Detector
from unmask.faces.prepare import prepare
from unmask.faces.store import FaceStore, StoreSettings, rows_of
from unmask.inference.aggregate import AGGREGATIONS
from unmask.inference.model_folder import Model, device
from unmask.loading.crops import EvaluationCrops
from unmask.media.kinds import KINDS, media_kind
from unmask.tables.errors import ModelError, UnmaskError
from unmask.tables.manifest import read_manifest


@dataclass(frozen=True)
class Predictions:
    """What a model says.

    Attributes:
        files: columns id, score (probability of fake, null where there is none), reason (why there is none).
        frames: columns id, frame, score: one row a crop.
    """

    files: pl.DataFrame
    frames: pl.DataFrame


def predict(
    model: Model, manifest: pl.DataFrame, store: FaceStore | None = None, *, progress: Progress | None = None
) -> Predictions:
    """Predict every video and picture of a manifest.

    Args:
        model: as ``load_model`` gives it.
        manifest: needs columns id, media, path and root.
        store: the faces of these files; None to find them now.
        progress: where to show bars.

    Raises:
        ModelError: the store's crops were made in another way than the model's.
    """
    if store is not None:
        return _predict_store(model, manifest["id"].to_list(), store, progress)
    with tempfile.TemporaryDirectory(prefix="unmask-") as scratch:
        prepare(manifest, scratch, model.spec.store, progress=progress)
        return _predict_store(model, manifest["id"].to_list(), FaceStore(scratch), progress)


def check_crops(wanted: StoreSettings, store: FaceStore) -> None:
    """Refuse crops that a model was not trained on.

    Raises:
        ModelError: margin, size, detector or quality differ.
    """
    if store.settings.crop != wanted.crop:
        pairs = zip(wanted.crop.to_dict().items(), store.settings.crop.to_dict().values(), strict=True)
        told = ", ".join(f"{key} {is_} instead of {should}" for (key, should), is_ in pairs if should != is_)
        raise ModelError(
            f"the store's crops were made in another way than the model's: {told}",
            where=store.folder,
            next_step="run unmask prepare with the model's settings into another folder, or leave --store out",
        )


def _predict_store(model: Model, ids: Sequence[str], store: FaceStore, progress: Progress | None) -> Predictions:
    check_crops(model.spec.store, store)
    rows = store.crops(ids)
    calibration = model.spec.calibration
    logits = crop_logits(model.detector, store, rows, progress=progress) * calibration.slope + calibration.shift
    frames = pl.DataFrame(
        list(rows_of(store, rows)), schema={"id": pl.String, "frame": pl.Int32}, orient="row"
    ).with_columns(pl.Series("logit", logits, dtype=pl.Float64))
    aggregate = AGGREGATIONS[model.spec.aggregation]
    by_file = {str(key[0]): aggregate(part["logit"].to_numpy()) for key, part in frames.group_by("id")}
    reasons = store.missing(ids)
    scores = [float(_sigmoid(by_file[name])) if name in by_file else None for name in ids]
    files = pl.DataFrame(
        {"id": ids, "score": scores, "reason": [None if name in by_file else reasons.get(name) for name in ids]},
        schema={"id": pl.String, "score": pl.Float64, "reason": pl.String},
    )
    return Predictions(
        files, frames.select("id", "frame", pl.Series("score", _sigmoid(frames["logit"].to_numpy()), dtype=pl.Float64))
    )


def _sigmoid(logits: np.ndarray | float) -> np.ndarray:
    return np.asarray(torch.tensor(logits, dtype=torch.float64).sigmoid())


@torch.inference_mode()
def crop_logits(
    detector: Detector,
    store: FaceStore,
    rows: np.ndarray,
    *,
    features: bool = False,
    progress: Progress | None = None,
) -> np.ndarray:
    """Run a detector over crops, in eval mode.

    Args:
        detector: see ``unmask.detectors``.
        store: whose crops.
        rows: (N,) row numbers.
        features: give what the last layer sees instead of its logit.
        progress: where to show a bar.

    Returns:
        (N,) float64 logits, or (N, F) float64 features.
    """
    where = device()
    detector.to(where).eval()
    batches = DataLoader(EvaluationCrops(store, rows, detector.input_size), batch_size=64)
    bar = progress.add_task("crops", total=len(rows)) if progress else None
    found = []
    for images in batches:
        out = (detector.features if features else detector)(images.to(where))
        found.append(out.double().cpu().numpy())
        if progress and bar is not None:
            progress.advance(bar, len(images))
    return np.concatenate(found) if found else np.zeros(0)


def manifest_of(inputs: Sequence[str | Path], *, split: str | None = None) -> pl.DataFrame:
    """A manifest of whatever is given: manifests, folders, single videos and pictures.

    Args:
        inputs: ``.csv`` or ``.parquet`` manifests, folders (searched through), media files.
        split: of manifests, take only this split's rows.

    Returns:
        Columns id, path, media, root. The id of a file in a folder is its path below the folder; of a single file, its
        name.

    Raises:
        UnmaskError: an input is not there or of no known kind, nothing was found, or two files have one id.
    """
    parts = [_one_input(Path(given), split) for given in inputs]
    found = pl.concat(parts)
    if not found.height:
        raise UnmaskError(
            "there is nothing to predict",
            where=", ".join(map(str, inputs)),
            next_step="give videos, pictures or a manifest with rows",
        )
    twice = found.filter(pl.col("id").is_duplicated())["id"].unique().sort().to_list()
    if twice:
        raise UnmaskError(
            f"an id stands for more than one file: {twice[0]!r}"
            + (f", and {len(twice) - 1} more" if twice[1:] else ""),
            next_step="predict the inputs one at a time",
        )
    return found


def _one_input(given: Path, split: str | None) -> pl.DataFrame:
    columns = ["id", "path", "media", "root"]
    if given.is_dir():
        names = sorted(
            path.relative_to(given).as_posix()
            for path in given.rglob("*")
            if path.is_file() and media_kind(path) in ("video", "image")
        )
        return _rows(names, given)
    if given.suffix.lower() in (".csv", ".parquet", ".gz"):
        manifest = read_manifest(given)
        kept = manifest if split is None else manifest.filter(pl.col("split") == split)
        return kept.filter(pl.col("media") != "audio").select(columns)
    if not given.is_file():
        raise UnmaskError("there is no such file or folder", where=given, next_step="check the path")
    if media_kind(given) not in ("video", "image"):
        endings = sorted(ending for ending, kind in KINDS.items() if kind != "audio")
        raise UnmaskError(
            f"{given.name} is neither a video, a picture nor a manifest",
            where=given,
            next_step=f"known endings: {', '.join(endings)}, .csv, .parquet",
        )
    return _rows([given.name], given.parent)


def _rows(names: Sequence[str], root: Path) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": names,
            "path": names,
            "media": [media_kind(name) for name in names],
            "root": [str(root.resolve())] * len(names),
        },
        schema={"id": pl.String, "path": pl.String, "media": pl.String, "root": pl.String},
    )


def sha256(path: str | Path) -> str:
    """Hash of a file, as model cards and scorecards name it."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
