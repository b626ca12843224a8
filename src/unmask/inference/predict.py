"""A model and media become predictions, one row a file; on request one row a frame as well."""

from __future__ import annotations

import tempfile
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
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
from unmask.media import image
from unmask.media.kinds import count_endings, files_below, media_kind
from unmask.media.video import VideoReader
from unmask.tables.errors import MediaError, ModelError, UnmaskError, told_differences
from unmask.tables.manifest import read_manifest
from unmask.tables.reading import shown


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
        told = told_differences(store.settings.crop.to_dict(), wanted.crop.to_dict())
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


@dataclass(frozen=True)
class Inputs:
    """What there is to predict.

    Attributes:
        files: columns id, path, media, root.
        passed_over: files that get no score because of their kind, and why: reason -> paths.
    """

    files: pl.DataFrame
    passed_over: dict[str, list[str]]


#: Reasons for passing over a file of a folder or a row of a manifest.
SOUND = "sound"
UNKNOWN = "ending of neither video nor picture"
HIDDEN = "hidden"
UNWRITABLE = "characters in the name that no table can carry"

#: Beside media lie tables that describe them, and what desktops leave behind: these are no media and not told of.
_TABLES = (".csv", ".json", ".parquet")
_SYSTEM = (".ds_store", "thumbs.db", "desktop.ini")
#: Characters of the longest path that a system takes: a message shows it whole.
_LONGEST = 4096
#: Text that ffmpeg would draw on a screen and call a video.
_DRAWN_TEXT = ("ansi", "bintext", "idf", "xbin")
_COLUMNS = {"id": pl.String, "path": pl.String, "media": pl.String, "root": pl.String}


def inputs_of(given: Sequence[str | Path], *, split: str | None = None) -> Inputs:
    """The files of whatever is given: manifests, folders, single videos and pictures.

    Args:
        given: ``.csv`` or ``.parquet`` manifests; folders, searched through by the endings of files; media files, which
            may have any ending or none.
        split: of manifests, take only this split's rows; then nothing but manifests may be given.

    Returns:
        The files and what was passed over. The id of a file in a folder is its path below the folder; of a single file,
        its name.

    Raises:
        UnmaskError: with every input that is not there or of no known kind; or nothing was found; or two files have one
            id.
    """
    parts, faults = [], []
    for each in given:
        try:
            parts.append(_one_input(Path(each), split))
        except UnmaskError as error:
            faults.append(error)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        told = "\n".join(f"{number}. {error}" for number, error in enumerate(faults, start=1))
        raise UnmaskError(f"{len(faults)} of the inputs cannot be used:\n{told}")
    files = pl.concat([part.files for part in parts])
    passed_over: dict[str, list[str]] = {}
    for part in parts:
        for reason, paths in part.passed_over.items():
            passed_over.setdefault(reason, []).extend(paths)
    if not files.height:
        raise UnmaskError(
            "\n  ".join(["there is nothing to predict", *told_passed_over(passed_over)]),
            where=", ".join(map(str, given)),
            next_step="give videos or pictures with their usual endings, or a manifest with rows of them",
        )
    twice = files.filter(pl.col("id").is_duplicated())["id"].unique().sort().to_list()
    if twice:
        raise UnmaskError(
            f"an id stands for more than one file: {twice[0]!r}"
            + (f", and {len(twice) - 1} more" if twice[1:] else ""),
            next_step="predict the inputs one at a time",
        )
    return Inputs(files, passed_over)


def told_passed_over(passed_over: dict[str, list[str]]) -> list[str]:
    """What ``Inputs.passed_over`` holds, a line for each reason: how many files, and of which endings."""
    return [
        f"passed over, {reason}: {len(paths):,} ({count_endings(paths)}), such as {shown(paths[0], _LONGEST)}"
        for reason, paths in passed_over.items()
    ]


def _one_input(given: Path, split: str | None) -> Inputs:
    if given.suffix.lower() in (".csv", ".parquet", ".gz") and not given.is_dir():
        return _of_manifest(given, split)
    if split is not None:
        raise UnmaskError(
            f"{given.name} is no manifest, so it has no splits",
            where=given,
            next_step="give --split with manifests only",
        )
    if given.is_dir():
        return _of_folder(given)
    if not given.is_file():
        raise UnmaskError("there is no such file or folder", where=given, next_step="check the path")
    if not _is_writable(given.name):
        raise UnmaskError(
            f"the name {shown(given.name)} has characters that no table can carry",
            where=shown(str(given.parent), _LONGEST),
            next_step="rename the file",
        )
    if media_kind(given) == "audio":  # a song with a cover could be read as a video
        raise UnmaskError(f"{given.name} is a sound file", where=given, next_step="give videos and pictures only")
    media = _kind_by_content(given)
    if media is None:
        raise UnmaskError(
            f"{given.name} is neither a video, a picture nor a manifest: nothing of it could be read as one",
            where=given,
            next_step="convert it, to .mp4 or .jpg say: kinds that need their own library, such as .heic, are not read",
        )
    return Inputs(_rows([(given.name, media)], given.parent), {})


def _of_manifest(given: Path, split: str | None) -> Inputs:
    rows = read_manifest(given)
    if split is not None:
        splits = rows["split"].unique().sort().to_list()
        if split not in splits:
            raise UnmaskError(
                f"no row is of the split {split!r}", where=given, next_step=f"its splits: {', '.join(splits) or 'none'}"
            )
        rows = rows.filter(pl.col("split") == split)
    sounds = rows.filter(pl.col("media") == "audio")["path"].to_list()
    files = rows.filter(pl.col("media") != "audio").select(list(_COLUMNS))
    return Inputs(files, {SOUND: sounds} if sounds else {})


def _of_folder(given: Path) -> Inputs:
    found: list[tuple[str, str]] = []
    passed_over: dict[str, list[str]] = {}
    for path in sorted(files_below(given)):
        name = path.relative_to(given).as_posix()
        if path.name.lower() in _SYSTEM or path.suffix.lower() in _TABLES:
            continue
        media = media_kind(path)
        if any(part.startswith(".") for part in path.relative_to(given).parts):
            passed_over.setdefault(HIDDEN, []).append(name)
        elif not _is_writable(name):
            passed_over.setdefault(UNWRITABLE, []).append(name)
        elif media in ("video", "image"):
            found.append((name, media))
        else:
            passed_over.setdefault(SOUND if media == "audio" else UNKNOWN, []).append(name)
    return Inputs(_rows(found, given), passed_over)


def _is_writable(name: str) -> bool:
    """Whether a table can carry a name as an id: no control characters, nothing that is not Unicode."""
    return name.isprintable() or not any(unicodedata.category(sign) in ("Cc", "Cf", "Cs") for sign in name)


def _kind_by_content(path: Path) -> str | None:
    """What a single file is, whatever it is called: "video", "image", or None where it can be read as neither.

    One that cannot be read but has the ending of a video or a picture is taken for that: its row will say why.
    """
    called = media_kind(path)
    for media in ("video", "image") if called == "video" else ("image", "video"):
        with suppress(MediaError):
            if media == "image":
                image.probe(path)
                return media
            if VideoReader(path).info.codec not in _DRAWN_TEXT:
                return media
    return called


def _rows(files: Sequence[tuple[str, str]], root: Path) -> pl.DataFrame:
    where = str(root.resolve())
    return pl.DataFrame([(name, name, media, where) for name, media in files], schema=_COLUMNS, orient="row")
