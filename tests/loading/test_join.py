from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.fakes.media import noise
from unmask.faces.crop import CropSettings
from unmask.faces.store import FaceStore, StoreSettings, StoreWriter
from unmask.loading.join import join
from unmask.media.encode import encode_jpeg
from unmask.media.image import decode_image
from unmask.tables.errors import ConfigError, StoreError

ROWS = [  # file, label, split, source, subject
    ("r1.jpg", 0, "train", "1", "ann"),
    ("r2.jpg", 0, "validation", "2", "bob"),
    ("r3.jpg", 0, "test", "3", "cy"),
    ("f1.jpg", 1, "train", "1", "ann"),
    ("f3.jpg", 1, "test", "3", "cy"),
]


def write(folder: Path, dataset: str, rows=ROWS, *, size: int = 32, root: Path | None = None) -> tuple[Path, Path]:
    """A manifest and its store; each crop tells dataset and id."""
    root = root or folder / dataset
    root.mkdir(parents=True, exist_ok=True)
    cells = [
        {
            "id": name, "path": name, "media": "image", "label": label, "split": split, "dataset": dataset,
            "root": str(root), "source_id": source, "subject_id": subject,
        }
        for name, label, split, source, subject in rows
    ]  # fmt: skip
    for row in cells:
        path = root / row["path"]
        if not path.exists():
            path.write_bytes(f"{dataset}/{row['id']}".encode())
    manifest = folder / f"{dataset}.parquet"
    pl.DataFrame(cells).write_parquet(manifest)
    writer = StoreWriter(folder / f"{dataset}-faces", StoreSettings(CropSettings(size=size), 1, 1))
    image = {row["id"]: encode_jpeg(noise(f"{dataset}{row['id']}"), 95) for row in cells}
    writer.add([{"id": row["id"], "frame": 0, "track": 0, "image": image[row["id"]]} for row in cells])
    return manifest, folder / f"{dataset}-faces"


def joined(use=None, **parts: tuple[Path, Path]) -> tuple[pl.DataFrame, FaceStore]:
    return join({name: part[0] for name, part in parts.items()}, {name: part[1] for name, part in parts.items()}, use)


def test_two_datasets_with_the_same_ids_stay_apart(tmp_path):
    rows, faces = joined(a=write(tmp_path, "one"), b=write(tmp_path, "two"))
    assert rows["id"].to_list() == [f"{name}:{row[0]}" for name in "ab" for row in ROWS]
    assert rows["subject_id"].n_unique() == rows["source_id"].n_unique() == 6
    assert set(rows["dataset"]) == {"one", "two"}
    for name, dataset in (("a", "one"), ("b", "two")):
        (row,) = faces.crops([f"{name}:f1.jpg"])
        expected = decode_image(encode_jpeg(noise(f"{dataset}f1.jpg"), 95))
        assert (faces.image(int(row)) == expected).all()
    assert faces.missing(["a:r1.jpg", "a:x", "r1.jpg"]) == {"a:x": "not_prepared", "r1.jpg": "not_prepared"}


def test_reals_that_repeat_are_kept_once_and_share_their_people(tmp_path):
    one = write(tmp_path, "one")
    other = [row for row in ROWS if row[1] == 0] + [("g1.jpg", 1, "train", "1", "ann")]
    rows, _ = joined(a=one, b=write(tmp_path, "two", other, root=tmp_path / "one"))
    assert rows["id"].to_list() == [*(f"a:{row[0]}" for row in ROWS), "b:g1.jpg"]
    assert rows.filter(pl.col("source_id") == "a:1")["id"].to_list() == ["a:r1.jpg", "a:f1.jpg", "b:g1.jpg"]


def test_a_copy_of_a_real_is_known_by_id_and_bytes(tmp_path):
    one, two = write(tmp_path, "one"), write(tmp_path, "two")
    (tmp_path / "two" / "r2.jpg").write_bytes((tmp_path / "one" / "r2.jpg").read_bytes())
    rows, _ = joined(a=one, b=two)
    assert [name for name in rows["id"] if "r2" in name] == ["a:r2.jpg"]
    assert [name for name in rows["id"] if "r1" in name] == ["a:r1.jpg", "b:r1.jpg"]


def test_a_real_in_two_splits_is_refused_unless_one_is_left_out(tmp_path):
    one = write(tmp_path, "one")
    two = write(tmp_path, "two", [("r1.jpg", 0, "test", "1", "ann"), ROWS[4]], root=tmp_path / "one")
    with pytest.raises(ConfigError, match=r"r1.jpg: train of a, test of b") as caught:
        joined(a=one, b=two)
    assert "use=" in str(caught.value.next_step)
    rows, _ = joined(use={"a": ["validation"]}, a=one, b=two)
    assert rows["id"].to_list() == ["a:r2.jpg", "b:r1.jpg", "b:f3.jpg"]


def test_splits_may_be_chosen(tmp_path):
    rows, _ = joined(
        use={"a": ["train", "validation"], "b": ["test"]}, a=write(tmp_path, "one"), b=write(tmp_path, "two")
    )
    assert rows["id"].to_list() == ["a:r1.jpg", "a:r2.jpg", "a:f1.jpg", "b:r3.jpg", "b:f3.jpg"]


def test_names_that_do_not_fit_are_told_all_at_once(tmp_path):
    manifest, store = write(tmp_path, "one")
    with pytest.raises(ConfigError) as caught:
        join({"a": manifest, "b": manifest}, {"a": store, "c": store}, {"d": ["test"], "a": ["dev"]})
    for word in ("'b'", "'c'", "'d'", "'dev'"):
        assert word in str(caught.value)


def test_crops_made_in_different_ways_do_not_mix(tmp_path):
    with pytest.raises(StoreError, match="size is 64 instead of 32"):
        joined(a=write(tmp_path, "one"), b=write(tmp_path, "two", size=64))
