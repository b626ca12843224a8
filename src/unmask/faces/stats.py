"""The numbers of a face store: what it holds, how good its crops are, and whose faces were not found.

Pictures stay on the disk: of each crop some twenty bytes are held, of each file a line, so that a store of millions of
crops needs no more memory than a model. What a function gives is documented with it, and ``faces.json`` is
``FaceStats.to_dict``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from unmask import __version__
from unmask.faces.coverage import Coverage, count_reasons, cover
from unmask.faces.store import FaceStore

#: Crops that are shown as pictures: so many of the least confidence, and so many with the smallest faces.
SHOWN = 10
#: Bins of a histogram; of one without an end, the last takes all that is larger.
_BINS = 20
#: What stands for a reason where a row has neither a crop nor a reason.
_NO_REASON = "not_stated"


@dataclass(frozen=True)
class Spread:
    """How some numbers are spread; all but ``n`` are None where there are none.

    Attributes:
        n: how many numbers, those alone that are finite.
        least: the smallest.
        q05, q25, median, q75, q95: quantiles, linear between two numbers.
        most: the largest.
    """

    n: int
    least: float | None = None
    q05: float | None = None
    q25: float | None = None
    median: float | None = None
    q75: float | None = None
    q95: float | None = None
    most: float | None = None

    @classmethod
    def of(cls, values: np.ndarray) -> Spread:
        """The spread of (N,) numbers."""
        values = values[np.isfinite(values)]
        if not len(values):
            return cls(0)
        places = 0, 0.05, 0.25, 0.5, 0.75, 0.95, 1
        return cls(len(values), *map(float, np.quantile(values.astype(np.float64), places)))


@dataclass(frozen=True)
class Histogram:
    """How many crops lie between two edges, those at the lower edge counted in.

    Attributes:
        edges: (B + 1,), ascending; the last edge belongs to the last bin.
        first: (B,) crops of track 0, "the" face.
        others: (B,) crops of further tracks.
    """

    edges: tuple[float, ...]
    first: tuple[int, ...]
    others: tuple[int, ...]

    @classmethod
    def of(cls, values: np.ndarray, first: np.ndarray, edges: np.ndarray) -> Histogram:
        """Count (N,) numbers, of which ``first`` says whether they are of track 0; what is not finite is left out."""
        known = np.isfinite(values)
        counts = [np.histogram(values[known & part].clip(edges[0], edges[-1]), edges)[0] for part in (first, ~first)]
        return cls(tuple(edges.tolist()), tuple(counts[0].tolist()), tuple(counts[1].tolist()))


@dataclass(frozen=True)
class Measured:
    """One number of each crop.

    Attributes:
        all: its spread over the crops of all tracks.
        first: over those of track 0, "the" face.
        histogram: of both.
    """

    all: Spread
    first: Spread
    histogram: Histogram

    @classmethod
    def of(cls, values: np.ndarray, first: np.ndarray, edges: np.ndarray) -> Measured:
        """Of (N,) numbers, of which ``first`` says whether they are of track 0."""
        return cls(Spread.of(values), Spread.of(values[first]), Histogram.of(values, first, edges))


@dataclass(frozen=True)
class Crops:
    """What is computed of each of N crops.

    Attributes:
        row: (N,) int64, of the store, ascending.
        first: (N,) bool, whether it is of track 0.
        side: (N,) float32, the longer side of the face's box in the frame's pixels; NaN where there is no box.
        confidence: (N,) float32; NaN where there is none.
        size: (N,) int32, bytes of the encoded picture.
    """

    row: np.ndarray
    first: np.ndarray
    side: np.ndarray
    confidence: np.ndarray
    size: np.ndarray

    @classmethod
    def of(cls, table: pa.Table) -> Crops:
        """Read them from a store's table, a batch at a time; of the pictures, only where each begins and ends."""
        columns = ["image", "track", "box", "confidence"]
        parts, start = [_of_batch(pa.RecordBatch.from_pylist([], schema=table.select(columns).schema), 0)], 0
        for batch in table.select(columns).to_batches():
            parts.append(_of_batch(batch, start))
            start += batch.num_rows
        return cls(*map(np.concatenate, zip(*parts, strict=True)))


def _of_batch(batch: pa.RecordBatch, start: int) -> tuple[np.ndarray, ...]:
    held = np.flatnonzero(pc.is_valid(batch["image"]).to_numpy(zero_copy_only=False))
    left, top, right, bottom = (_floats(pc.list_element(batch["box"], place))[held] for place in range(4))
    first = pc.equal(batch["track"], 0).fill_null(False).to_numpy(zero_copy_only=False)[held]
    size = pc.binary_length(batch["image"]).fill_null(0).to_numpy(zero_copy_only=False)[held]
    return held + start, first, np.maximum(right - left, bottom - top), _floats(batch["confidence"])[held], size


def _floats(column: pa.Array) -> np.ndarray:
    """As float32, NaN for null."""
    return column.cast(pa.float32()).to_numpy(zero_copy_only=False).astype(np.float32, copy=False)


@dataclass(frozen=True)
class Shown:
    """One crop that is worth a look: its cells in the store, and the longer side of its face's box in pixels."""

    row: int
    id: str
    frame: int | None
    track: int | None
    time_s: float | None
    confidence: float | None
    side: float | None


@dataclass(frozen=True)
class FaceStats:
    """The numbers of a store.

    Attributes:
        settings: how the store was made, as ``store.yaml`` says.
        files: ids that the store holds.
        without: those of them without a crop.
        reasons: reason -> how many of those, the most frequent first.
        crops: how many, of all tracks.
        borrowed: those of them that were cut where the face of the file's real twin is, with its confidence.
        tracks_per_file: number of tracks -> files with a crop that have so many, ascending.
        crops_per_file: crops of all tracks of each file that has one.
        first_per_file: the same of track 0 alone, "the" face; a file may lack it.
        side: longer side of the face's box, in the frame's pixels.
        enlarged_below: a face whose ``side`` is shorter than this many pixels was enlarged to fill its crop.
        enlarged_exact: whether that is so to the pixel: for crops that were aligned by landmarks it is so by and large.
        enlarged: how many crops were.
        enlarged_first: how many of track 0.
        confidence: of the face detector, 0 to 1.
        bytes_per_crop: of the encoded picture.
        total_bytes: of all of them.
        least_sure: crops of the least confidence, the least first; of those that are alike, the first in the store.
        smallest: crops of the smallest faces, the same way.
        coverage: of a manifest's files; None where none was given.
    """

    settings: Mapping[str, object]
    files: int
    without: int
    reasons: Mapping[str, int]
    crops: int
    borrowed: int
    tracks_per_file: Mapping[int, int]
    crops_per_file: Spread
    first_per_file: Spread
    side: Measured
    enlarged_below: float
    enlarged_exact: bool
    enlarged: int
    enlarged_first: int
    confidence: Measured
    bytes_per_crop: Spread
    total_bytes: int
    least_sure: tuple[Shown, ...]
    smallest: tuple[Shown, ...]
    coverage: Coverage | None

    @property
    def several(self) -> bool:
        """Whether the store holds further tracks beside track 0."""
        return bool(sum(self.side.histogram.others) or any(count > 1 for count in self.tracks_per_file))

    def to_dict(self) -> dict[str, Any]:
        """As it stands in ``faces.json``."""
        cells = asdict(self) | {"coverage": self.coverage.to_dict() if self.coverage else None}
        # The keys of a JSON object are text.
        cells["tracks_per_file"] = {str(count): files for count, files in self.tracks_per_file.items()}
        return {"format": 1, "version": __version__, **cells}


def measure(store: FaceStore, manifest: pl.DataFrame | None = None) -> FaceStats:
    """All numbers of a store.

    Args:
        store: which.
        manifest: as ``read_manifest`` gives it, for the shares of files without a face.

    Raises:
        StoreError: none of the manifest's files is in the store.
    """
    files, crops = files_of(store.table), Crops.of(store.table)
    coverage = None if manifest is None else cover(files, manifest, where=store.folder)
    having, bare = files.filter(pl.col("crops") > 0), files.filter(pl.col("crops") == 0)
    below = store.settings.crop.size / store.settings.crop.margin
    small = crops.side < below
    return FaceStats(
        settings=store.settings.to_dict(),
        files=files.height,
        without=bare.height,
        reasons=count_reasons(bare),
        crops=len(crops.row),
        borrowed=len(store) - store.table["boxes_from"].null_count,
        tracks_per_file=dict(having["tracks"].value_counts().sort("tracks").iter_rows()),
        crops_per_file=Spread.of(having["crops"].to_numpy()),
        first_per_file=Spread.of(having["first"].to_numpy()),
        side=Measured.of(crops.side, crops.first, open_edges(crops.side)),
        enlarged_below=below,
        enlarged_exact=store.settings.crop.align == "box",
        enlarged=int(small.sum()),
        enlarged_first=int((small & crops.first).sum()),
        confidence=Measured.of(crops.confidence, crops.first, np.linspace(0, 1, _BINS + 1)),
        bytes_per_crop=Spread.of(crops.size),
        total_bytes=int(crops.size.sum(dtype=np.int64)),
        least_sure=_lowest(store, crops, crops.confidence),
        smallest=_lowest(store, crops, crops.side),
        coverage=coverage,
    )


def files_of(table: pa.Table) -> pl.DataFrame:
    """One row for each id of a store's table, sorted.

    Returns:
        ``id``; how many ``crops`` it has of all tracks, how many of the ``first``, which is track 0, and of how many
        ``tracks``; ``reason``, null where it has a crop.
    """
    crop = pc.is_valid(table["image"])
    track = pc.if_else(crop, table["track"], pa.scalar(None, pa.int32()))
    first = pc.equal(track, 0).fill_null(False)
    light = pa.table({"id": table["id"], "crops": crop, "first": first, "tracks": track})
    # Grouped by Arrow: it reads the ids where they lie, and holds a line for each file, not for each crop.
    grouped = light.group_by("id").aggregate([("crops", "sum"), ("first", "sum"), ("tracks", "count_distinct")])
    files = pl.DataFrame(pl.from_arrow(grouped)).select(
        "id", *(pl.col(f"{name}_sum").cast(pl.Int64).alias(name) for name in ("crops", "first")),
        tracks=pl.col("tracks_count_distinct").cast(pl.Int64),
    )  # fmt: skip
    bare = pl.DataFrame(pl.from_arrow(table.select(["id", "reason"]).filter(pc.invert(crop))))
    why = bare.group_by("id").agg(pl.col("reason").drop_nulls().first())
    reason = pl.when(pl.col("crops") == 0).then(pl.col("reason").fill_null(_NO_REASON))
    return files.join(why, on="id", how="left").with_columns(reason).sort("id")


def open_edges(values: np.ndarray) -> np.ndarray:
    """Edges of at most twenty bins from 0 in round steps; a last, wider one takes what few crops lie far above.

    Args:
        values: (N,), what is not finite counts for nothing.
    """
    values = values[np.isfinite(values)].astype(np.float64)
    usual = max(float(np.quantile(values, 0.99)), 1.0) if len(values) else 1.0
    power = 10.0 ** max(np.floor(np.log10(usual / (_BINS - 1))), 0.0)
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if step * (_BINS - 1) >= usual)
    edges = step * np.arange(np.ceil(usual / step) + 1)
    most = values.max(initial=0.0)
    return np.append(edges, max(edges[-1] + step, most)) if most > edges[-1] else edges


def _lowest(store: FaceStore, crops: Crops, values: np.ndarray) -> tuple[Shown, ...]:
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")[:SHOWN]]
    return tuple(_shown(store, crops, int(place)) for place in order)


def _shown(store: FaceStore, crops: Crops, place: int) -> Shown:
    row = int(crops.row[place])
    cells = store.table.select(["id", "frame", "track", "time_s"]).slice(row, 1).to_pylist()[0]
    sure, side = (float(values[place]) for values in (crops.confidence, crops.side))
    return Shown(row, **cells, confidence=sure if np.isfinite(sure) else None, side=side if np.isfinite(side) else None)
