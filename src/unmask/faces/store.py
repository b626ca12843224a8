"""The face store: a folder of Arrow IPC shards of encoded crops, readable by pyarrow, polars and Hugging Face datasets.

One row is one face crop, or one file without any: then ``image`` is null and ``reason`` says why. ``store.yaml`` states
how the crops were made. Shards appear whole or not at all, so that a stopped run leaves a store that can be continued.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from unmask.faces.crop import CropSettings, check_choice, check_whole
from unmask.media.image import decode_image
from unmask.media.sampling import SAMPLINGS
from unmask.tables.errors import StoreError, told_differences
from unmask.tables.writing import hidden_beside, write_text

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("frame", pa.int32()),  # index in the video; 0 for a picture
        pa.field("track", pa.int32()),  # 0 is "the" face: the most prominent one
        pa.field("box", pa.list_(pa.float32(), 4)),  # left, top, right, bottom in the frame's pixels
        pa.field("landmarks", pa.list_(pa.float32(), 10)),  # x, y of five points in the crop's pixels
        pa.field("confidence", pa.float32()),
        pa.field("time_s", pa.float64()),
        pa.field("image", pa.binary()),  # encoded as store.yaml says
        pa.field("boxes_from", pa.string()),  # path of the real twin whose boxes these are; null where they are its own
        pa.field("reason", pa.string()),  # why there is no crop; null where there is one
    ]
)
_FORMAT = 2

#: Where faces of a fake may be cut.
BOXES = ("own", "source")


@dataclass(frozen=True)
class StoreSettings:
    """How a store was made.

    Attributes:
        crop: how crops were cut.
        frames: evenly spaced frames taken of each video.
        tracks: at most this many faces of each file are kept, the most prominent first.
        sampling: how frames are chosen, one of ``media.sampling.SAMPLINGS``.
        boxes: where the faces of a fake are cut out: where its "own" lie, or those of its "source", its real twin.
        run: so many of a video's frames at a time follow each other; detectors that look at clips need that.
    """

    crop: CropSettings
    frames: int
    tracks: int
    sampling: str = "even"
    boxes: str = "own"
    run: int = 1

    @classmethod
    def of(cls, stated: Mapping[str, Any]) -> StoreSettings:
        """What ``to_dict`` gave.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        further = {key: stated[key] for key in ("sampling", "boxes", "run") if key in stated}
        return cls(CropSettings(**stated["crop"]), stated["frames"], stated["tracks"], **further)

    def __post_init__(self) -> None:
        """Raise ValueError for what no store can be made with."""
        check_whole("frames", self.frames, 1, 100_000)
        check_whole("tracks", self.tracks, 1, 1000)
        check_choice("sampling", self.sampling, SAMPLINGS)
        check_choice("boxes", self.boxes, BOXES)
        check_whole("run", self.run, 1, self.frames)
        if self.run > 1 and self.sampling != "even":
            raise ValueError("frames that follow each other are evenly sampled: run is for sampling even")

    def to_dict(self) -> dict[str, object]:
        """As it stands in ``store.yaml``."""
        return {"format": _FORMAT, **asdict(self)}


class StoreWriter:
    """Adds shards to a store, which is made if it is not there.

    Args:
        folder: the store.
        settings: must equal those of a store that is there already.

    Raises:
        StoreError: the folder holds a store that was made in another way, or something else.
    """

    def __init__(self, folder: str | Path, settings: StoreSettings) -> None:
        self.folder = Path(folder)
        self._read: set[Path] = set()
        self._held: set[str] = set()
        description = self.folder / "store.yaml"
        if description.is_file():
            if (found := _read_settings(self.folder)) != settings:
                told = told_differences(found.to_dict(), settings.to_dict())
                raise StoreError(
                    f"this face store was made with other settings: {told}",
                    where=description,
                    next_step="use the same settings, or give another folder",
                )
        elif self.folder.is_dir() and any(not path.name.startswith(".store.yaml") for path in self.folder.iterdir()):
            raise StoreError(
                "the folder is not empty and holds no face store", where=self.folder, next_step="give another folder"
            )
        else:
            write_text(yaml.safe_dump(settings.to_dict(), sort_keys=False), description)

    def done(self) -> set[str]:
        """The ids that the store holds already."""
        self._look()
        return set(self._held)

    def add(self, rows: Sequence[dict[str, object]], *, once: bool = False) -> None:
        """Write one more shard, beside those that other processes write into the same store.

        Args:
            rows: as ``SCHEMA`` has them; what is not given is null.
            once: leave out files that the store holds by now: two processes may work on the same ones.

        Raises:
            StoreError: it cannot be written, or another shard cannot be read.
        """
        with hidden_beside(self.folder / "shard.arrow") as temporary:
            while True:  # a shard that comes in between takes the next number, and is looked at
                number = self._look()
                fresh = [row for row in rows if not (once and row["id"] in self._held)]
                if rows and not fresh:
                    return
                _write(pa.Table.from_pylist(fresh, schema=SCHEMA), temporary)
                if _moved(temporary, self.folder / f"shard-{number:05d}.arrow"):
                    return

    def _look(self) -> int:
        """Take in the ids of shards that have come since; the number that the next one has."""
        shards = _shards(self.folder)
        for shard in shards:
            if shard not in self._read:
                self._held.update(_table(shard)["id"].to_pylist())
                self._read.add(shard)
        return int(shards[-1].stem.removeprefix("shard-")) + 1 if shards else 0  # an earlier one may be gone


class FaceStore:
    """Random access to the crops of a store, memory-mapped.

    Args:
        folder: the store.

    Attributes:
        settings: how the crops were made.
        table: all shards as one table; see ``SCHEMA``.

    Raises:
        StoreError: there is no store, or it cannot be read.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.settings = _read_settings(self.folder)
        shards = _shards(self.folder)
        if not shards:
            raise StoreError(
                "the face store is empty", where=folder, next_step="run: unmask prepare MANIFEST --out STORE"
            )
        self.table = pa.concat_tables([_table(shard) for shard in shards])

    @classmethod
    def joined(cls, stores: Mapping[str, FaceStore]) -> FaceStore:
        """Several stores as one.

        Args:
            stores: what is put before the ids of a store -> the store.

        Raises:
            StoreError: their crops were made in different ways.
        """
        first, *others = stores.values()
        for other in others:
            if told := told_differences(other.settings.crop.to_dict(), first.settings.crop.to_dict()):
                raise StoreError(
                    f"the crops of two stores were made in different ways: {told}",
                    where=f"{other.folder} and {first.folder}",
                    next_step="prepare one of them again with the other's settings",
                )
        joined = copy(first)
        joined.folder = Path(" + ".join(str(store.folder) for store in stores.values()))
        joined.table = pa.concat_tables([_renamed(store.table, prefix) for prefix, store in stores.items()])
        return joined

    def __len__(self) -> int:
        """Number of rows, those without a crop included."""
        return int(self.table.num_rows)

    def crops(self, ids: Sequence[str], *, track: int = 0) -> np.ndarray:
        """Row numbers of one track's crops of these ids, in the store's order."""
        wanted = pc.and_(pc.is_in(self.table["id"], pa.array(ids, pa.string())), pc.equal(self.table["track"], track))
        return np.flatnonzero(wanted.fill_null(False).to_numpy())

    def missing(self, ids: Sequence[str]) -> dict[str, str]:
        """Ids without a crop, and why: the reason in the store, or ``not_prepared`` where the store has no such id."""
        held = pc.is_in(self.table["id"], pa.array(ids, pa.string()))
        rows = self.table.select(["id", "reason"]).filter(held).to_pylist()
        reasons = {str(row["id"]): row["reason"] for row in rows}
        found = {name: reasons.get(name, "not_prepared") for name in ids}
        return {name: reason for name, reason in found.items() if reason is not None}

    def image(self, row: int) -> np.ndarray:
        """Decode one crop: (size, size, 3) uint8 RGB."""
        data = self.table["image"][row].as_py()
        try:  # OpenCV takes three quarters of Pillow's time for the same pixels, but does not say why it fails
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
        except cv2.error:
            image = None
        return decode_image(data) if image is None else image

    def landmarks(self, row: int) -> np.ndarray:
        """The (5, 2) float64 landmarks of one crop, in its pixels."""
        return np.array(self.table["landmarks"][row].as_py(), dtype=np.float64).reshape(5, 2)


def _write(table: pa.Table, path: Path) -> None:
    try:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
            writer.write_table(table)
    except OSError as error:  # Arrow does not say which file
        raise StoreError(
            f"a shard cannot be written ({error})",
            where=path.parent,
            next_step="make room on the disk and run unmask prepare again: it goes on where it was",
        ) from error


def _moved(temporary: Path, path: Path) -> bool:
    """Give a file its name; False where another process was faster, whose file stays."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError:  # some disks know no second name for a file; there, one process a store
        temporary.rename(path)
    return True


def _renamed(table: pa.Table, prefix: str) -> pa.Table:
    ids = pc.binary_join_element_wise(pa.scalar(prefix), table["id"], pa.scalar(""))
    return table.set_column(0, SCHEMA.field("id"), ids)


def _shards(folder: Path) -> list[Path]:
    return sorted(folder.glob("shard-[0-9][0-9][0-9][0-9][0-9].arrow"))


def _table(shard: Path) -> pa.Table:
    try:
        with pa.memory_map(str(shard)) as source:
            return pa.ipc.open_file(source).read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise StoreError(
            f"the shard cannot be read ({error})", where=shard, next_step="delete it and run unmask prepare again"
        ) from error


def _read_settings(folder: Path) -> StoreSettings:
    path = folder / "store.yaml"
    if not path.is_file():
        raise StoreError(
            "there is no face store here", where=folder, next_step="run: unmask prepare MANIFEST --out STORE"
        )
    try:
        stated: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        if stated["format"] != _FORMAT:
            raise StoreError(f"the store has format {stated['format']}", where=path, next_step="prepare it again")
        return StoreSettings.of(stated)
    except (yaml.YAMLError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise StoreError(f"store.yaml is damaged ({error})", where=path, next_step="prepare the store again") from error


def rows_of(store: FaceStore, rows: np.ndarray) -> Iterator[tuple[str, int]]:
    """Id and frame of some rows, in order."""
    chosen = store.table.select(["id", "frame"]).take(pa.array(rows))
    yield from zip(chosen["id"].to_pylist(), chosen["frame"].to_pylist(), strict=True)
