from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from tests.fakes.media import noise
from unmask.faces.crop import ENCODINGS, CropSettings
from unmask.faces.store import FaceStore, StoreSettings, StoreWriter, rows_of
from unmask.media.encode import encode_jpeg, encode_picture
from unmask.media.image import decode_image
from unmask.tables.errors import MediaError, StoreError

SETTINGS = StoreSettings(CropSettings(size=64, detector="d"), frames=4, tracks=2)


def crop(name: str, frame: int = 0, track: int = 0) -> dict[str, object]:
    return {
        "id": name,
        "frame": frame,
        "track": track,
        "box": [1.0, 2.0, 3.0, 4.0],
        "landmarks": [float(value) for value in range(10)],
        "confidence": 0.75,
        "time_s": frame / 25,
        "image": encode_jpeg(noise(f"{name}{frame}{track}", width=64, height=64), 95),
        "reason": None,
    }


def without(name: str, reason: str) -> dict[str, object]:
    return {"id": name, "reason": reason}


@pytest.fixture
def folder(tmp_path) -> Path:
    writer = StoreWriter(tmp_path / "store", SETTINGS)
    writer.add([crop("a", 0), crop("a", 5), crop("a", 5, 1), without("b", "no_face")])
    writer.add([without("c", "unreadable"), crop("d", 2)])
    return tmp_path / "store"


def test_what_was_written_is_read(folder):
    store = FaceStore(folder)
    assert store.settings == SETTINGS
    assert len(store) == 6
    rows = store.crops(["d", "a", "b"])
    assert list(rows_of(store, rows)) == [("a", 0), ("a", 5), ("d", 2)]
    assert list(rows_of(store, store.crops(["a"], track=1))) == [("a", 5)]
    expected = decode_image(crop("a", 5)["image"])  # type: ignore[arg-type]
    np.testing.assert_array_equal(store.image(int(rows[1])), expected)
    np.testing.assert_array_equal(store.landmarks(int(rows[1])), np.arange(10).reshape(5, 2))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_crops_have_the_pixels_that_others_see_in_them(encoding, tmp_path):
    images = [np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8) for seed in range(5)]
    images += [noise(seed, width=64, height=64) for seed in range(5)]
    rows = [{"id": str(at), "image": encode_picture(image, encoding, 95)} for at, image in enumerate(images)]
    StoreWriter(tmp_path / "s", SETTINGS).add(rows)
    store = FaceStore(tmp_path / "s")
    for at, row in enumerate(rows):
        np.testing.assert_array_equal(store.image(at), decode_image(row["image"]))  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"", b"x" * 100, encode_jpeg(noise(0), 90)[:300]])
def test_a_damaged_crop_is_told(data, tmp_path):
    StoreWriter(tmp_path / "s", SETTINGS).add([{"id": "a", "image": data}])
    with pytest.raises(MediaError):
        FaceStore(tmp_path / "s").image(0)


def test_why_crops_are_missing(folder):
    store = FaceStore(folder)
    assert store.missing(["a", "b", "c", "e"]) == {"b": "no_face", "c": "unreadable", "e": "not_prepared"}
    assert store.missing(["a", "d"]) == {}
    assert store.missing([]) == {}
    assert len(store.crops([])) == 0


def test_others_can_read_it(folder):
    shards = sorted(folder.glob("*.arrow"))
    frame = pl.concat([pl.read_ipc(shard) for shard in shards])
    assert frame["id"].to_list() == ["a", "a", "a", "b", "c", "d"]
    assert frame["reason"].null_count() == 4
    with pa.memory_map(str(shards[0])) as source:
        table = pa.ipc.open_file(source).read_all()
    assert table["image"][0].as_py().startswith(b"\xff\xd8\xff")
    assert table.schema.field("landmarks").type == pa.list_(pa.float32(), 10)


def test_hugging_face_datasets_reads_it_as_it_is(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    import datasets  # reads its folders from the environment when it is imported

    read = datasets.load_dataset(
        "arrow", data_files=str(folder / "*.arrow"), split="train", cache_dir=str(tmp_path / "cache")
    ).cast_column("image", datasets.Image())
    assert list(read["id"]) == ["a", "a", "a", "b", "c", "d"]
    assert read[3]["image"] is None
    np.testing.assert_array_equal(np.asarray(read[5]["image"]), decode_image(crop("d", 2)["image"]))  # type: ignore[arg-type]


def test_it_is_memory_mapped(tmp_path):
    writer = StoreWriter(tmp_path, SETTINGS)
    writer.add([crop("a") | {"image": bytes(30_000_000)}])
    before = pa.total_allocated_bytes()
    store = FaceStore(tmp_path)
    assert len(store) == 1
    assert pa.total_allocated_bytes() - before < 1_000_000


def test_it_goes_on_where_it_stopped(folder):
    (folder / ".shard-00002.arrow.x7.arrow").write_bytes(b"half a shard of a run that was killed")
    writer = StoreWriter(folder, SETTINGS)
    assert writer.done() == {"a", "b", "c", "d"}
    writer.add([crop("e")])
    store = FaceStore(folder)
    assert set(store.table["id"].to_pylist()) == {"a", "b", "c", "d", "e"}
    assert len(list(folder.glob("shard-*.arrow"))) == 3


@pytest.mark.parametrize(
    "other",
    [
        StoreSettings(CropSettings(size=96, detector="d"), 4, 2),
        StoreSettings(CropSettings(size=64, margin=1.31, detector="d"), 4, 2),
        StoreSettings(CropSettings(size=64, detector="e"), 4, 2),
        StoreSettings(CropSettings(size=64, detector="d", quality=90), 4, 2),
        StoreSettings(CropSettings(size=64, detector="d"), 5, 2),
        StoreSettings(CropSettings(size=64, detector="d"), 4, 1),
        StoreSettings(CropSettings(size=64, detector="d", align="landmarks"), 4, 2),
        StoreSettings(CropSettings(size=64, detector="d", encoding="png"), 4, 2),
        StoreSettings(CropSettings(size=64, detector="d"), 4, 2, sampling="reference"),
        StoreSettings(CropSettings(size=64, detector="d"), 4, 2, boxes="source"),
    ],
)
def test_other_settings_are_refused(other, folder):
    with pytest.raises(StoreError, match="other settings") as caught:
        StoreWriter(folder, other)
    assert caught.value.next_step


def test_other_folders_are_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("x")
    with pytest.raises(StoreError, match="not empty"):
        StoreWriter(tmp_path, SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("keep", [0, 100, 0.6])
def test_a_damaged_shard_is_named(keep, folder):
    shard = folder / "shard-00001.arrow"
    data = shard.read_bytes()
    shard.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(StoreError) as caught:
        FaceStore(folder)
    assert caught.value.where == str(shard)
    assert "delete it" in (caught.value.next_step or "")
    with pytest.raises(StoreError):
        StoreWriter(folder, SETTINGS).done()


def test_after_a_shard_is_deleted_no_other_is_overwritten(folder):
    """What the message about a damaged shard tells people to do must not cost the others."""
    (folder / "shard-00000.arrow").unlink()
    writer = StoreWriter(folder, SETTINGS)
    assert writer.done() == {"c", "d"}
    writer.add([crop("a"), without("b", "no_face")])
    assert set(FaceStore(folder).table["id"].to_pylist()) == {"a", "b", "c", "d"}


def test_a_full_disk_is_told_and_costs_nothing_that_was_there(folder):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(StoreError) as caught:
            StoreWriter(folder, SETTINGS).add([crop("e")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.where == str(folder)
    assert "run unmask prepare again" in (caught.value.next_step or "")
    assert sorted(path.name for path in folder.iterdir()) == ["shard-00000.arrow", "shard-00001.arrow", "store.yaml"]
    assert len(FaceStore(folder)) == 6


def test_no_store(tmp_path):
    with pytest.raises(StoreError, match="no face store") as caught:
        FaceStore(tmp_path / "absent")
    assert "unmask prepare" in (caught.value.next_step or "")
    StoreWriter(tmp_path / "new", SETTINGS)
    with pytest.raises(StoreError, match="empty"):
        FaceStore(tmp_path / "new")


GOOD = "format: 2\ncrop: {size: 64, margin: 1.3, detector: d, quality: 95}\nframes: 4\ntracks: 2\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "a: [",
        "x",
        GOOD.replace("format: 2", "format: 3"),
        GOOD + "sampling: random\n",
        GOOD + "boxes: mine\n",
        GOOD.replace("size: 64", "size: 64, align: nose"),
        GOOD.replace("size: 64", "size: 64, encoding: gif"),
        GOOD.replace("size: 64", "size: 1000000000"),
        GOOD.replace("size: 64", "size: [64]"),
        GOOD.replace("frames: 4", "frames: .inf"),
        GOOD.replace("frames: 4", "frames: -1"),
        GOOD.replace("frames: 4\n", ""),
        GOOD.replace("margin", "margins"),
        "[" * 1500,
        "!!python/object/apply:os.system [echo]",
    ],
)
def test_a_damaged_description_is_refused(text, folder):
    (folder / "store.yaml").write_text(text)
    with pytest.raises(StoreError) as caught:
        FaceStore(folder)
    assert caught.value.where == str(folder / "store.yaml")


def test_the_good_description_is_good(folder):
    (folder / "store.yaml").write_text(GOOD)
    assert FaceStore(folder).settings == SETTINGS


def test_writers_in_several_processes_lose_nothing(tmp_path):
    """Each adds shards to one store as fast as it can."""
    code = (
        "import sys; from tests.faces.test_store import SETTINGS, without; from unmask.faces.store import StoreWriter\n"
        "for n in range(40): StoreWriter(sys.argv[1], SETTINGS).add([without(f'{sys.argv[2]}-{n}', 'no_face')])"
    )
    folder = tmp_path / "store"
    running = [subprocess.Popen([sys.executable, "-c", code, str(folder), str(number)]) for number in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    names = FaceStore(folder).table["id"].to_pylist()
    assert sorted(names) == sorted(f"{number}-{n}" for number in range(3) for n in range(40))
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_writers_of_the_same_files_write_each_once(tmp_path):
    """As when a run is begun again while the first one still goes on."""
    code = (
        "import sys; from tests.faces.test_store import SETTINGS, without; from unmask.faces.store import StoreWriter\n"
        "writer = StoreWriter(sys.argv[1], SETTINGS)\n"
        "for n in range(40):\n"
        "    writer.add([without(f'{n}-{part}', 'no_face') for part in range(int(sys.argv[2]))], once=True)"
    )
    folder = tmp_path / "store"
    running = [subprocess.Popen([sys.executable, "-c", code, str(folder), str(parts)]) for parts in (2, 3, 3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    names = FaceStore(folder).table["id"].to_pylist()
    assert sorted(names) == sorted(f"{n}-{part}" for n in range(40) for part in range(3))
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_a_file_s_rows_are_those_of_the_faster_writer(folder):
    first, other = StoreWriter(folder, SETTINGS), StoreWriter(folder, SETTINGS)
    assert first.done() == other.done()
    first.add([crop("e", 1), crop("e", 2)], once=True)
    other.add([crop("e", 1), crop("e", 2), without("f", "no_face")], once=True)
    other.add([crop("e", 1)], once=True)
    assert FaceStore(folder).table["id"].to_pylist()[-3:] == ["e", "e", "f"]
    assert len(list(folder.glob("shard-*.arrow"))) == 4
