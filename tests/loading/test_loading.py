from __future__ import annotations

from collections import Counter

import albumentations
import numpy as np
import polars as pl
import pytest
import torch

from unmask.faces.store import FaceStore
from unmask.loading.crops import EvaluationCrops, LabelledCrops, PairedCrops, to_tensor
from unmask.loading.data_module import FaceDataModule, crops_of
from unmask.tables.errors import ConfigError


@pytest.fixture(scope="module")
def store(prepared) -> FaceStore:
    return FaceStore(prepared.store)


def resized(image: np.ndarray) -> dict[str, np.ndarray]:
    import cv2

    return {"image": cv2.resize(image, (48, 48), interpolation=cv2.INTER_AREA)}


def module(prepared, store, **options: object) -> FaceDataModule:
    chosen: dict[str, object] = {"input_size": 48, "pairs_per_batch": 3} | options
    return FaceDataModule(prepared.rows(), store, None, lambda image: resized(image), **chosen)  # type: ignore[arg-type]


def test_to_tensor():
    image = np.random.default_rng(0).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    found = to_tensor(image)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), image.transpose(2, 0, 1) / 255, rtol=1e-6)


@pytest.mark.parametrize("size", [16, 96, 200])
def test_evaluation_crops_are_the_store_s(size, prepared, store):
    rows = store.crops(prepared.rows("test")["id"].to_list())
    crops = EvaluationCrops(store, rows, size)
    assert len(crops) == len(rows)
    assert crops[0].shape == (3, size, size)
    if size == 96:
        assert torch.equal(crops[2], to_tensor(store.image(int(rows[2]))))
    else:
        assert abs(crops[2].mean() - store.image(int(rows[2])).mean() / 255) < 0.02


def test_labels_and_methods_come_from_the_manifest(prepared, store):
    found = crops_of(prepared.rows(), store, "train")
    truth = {row["id"]: row for row in prepared.rows("train").to_dicts()}
    assert len(found.rows) == len(found.ids) == len(found.labels) == len(found.methods) > 17
    names = store.table["id"].to_pylist()
    for row, name, label, method in zip(found.rows, found.ids, found.labels, found.methods, strict=True):
        assert names[row] == name
        assert truth[name]["label"] == label
        assert (truth[name]["method"] or "") == method
    crops = LabelledCrops(EvaluationCrops(store, found.rows, 32), found.labels.tolist())
    assert [float(crops[place][1]) for place in range(5)] == found.labels[:5].tolist()


@pytest.mark.parametrize(("label", "name"), [(0, "real"), (1, "fake")])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_split_without_a_class_is_told(split, label, name, prepared, store):
    manifest = prepared.rows().filter((pl.col("split") != split) | (pl.col("label") != label))
    with pytest.raises(ConfigError, match=f"the {split} split has no crop of a {name} face") as caught:
        crops_of(manifest, store, split)
    assert "unmask prepare" in (caught.value.next_step or "")


def test_files_without_a_label_are_left_out(prepared, store):
    hidden = prepared.rows("train")["id"][0]
    manifest = prepared.rows().with_columns(
        pl.when(pl.col("id") == hidden).then(None).otherwise(pl.col("label")).alias("label")
    )
    assert hidden not in crops_of(manifest, store, "train").ids


def test_every_batch_is_balanced(prepared, store):
    for images, labels in module(prepared, store, repeats=3).train_dataloader():
        assert images.shape == (6, 3, 48, 48)
        assert labels.tolist() == [0, 1] * 3
        assert 0 <= float(images.min()) <= float(images.max()) <= 1


def shown(prepared, store, **options: object) -> list[str]:
    """Names of the files whose crops the training batches show, found again by their pixels."""
    train = crops_of(prepared.rows(), store, "train")
    known = {
        to_tensor(resized(store.image(int(row)))["image"]).numpy().tobytes(): name
        for row, name in zip(train.rows, train.ids, strict=True)
    }
    batches = module(prepared, store, **options).train_dataloader()
    return [known.get(image.numpy().tobytes(), "self-blend") for images, _ in batches for image in images]


def test_one_pass_shows_every_real_file_once_and_stored_fakes(prepared, store):
    torch.manual_seed(0)
    names = shown(prepared, store, self_blends=0.0, pairs_per_batch=2)
    truth = dict(prepared.rows("train").select("id", "label").iter_rows())
    real = [name for name in names if truth[name] == 0]
    fake = [name for name in names if truth[name] == 1]
    assert sorted(real) == sorted(name for name, label in truth.items() if label == 0)
    assert len(fake) == len(real)


def test_every_method_is_drawn_as_often(prepared, store):
    torch.manual_seed(0)
    names = shown(prepared, store, self_blends=0.0, repeats=100, pairs_per_batch=2)
    methods = dict(prepared.rows("train").select("id", "method").iter_rows())
    drawn = Counter(methods[name] for name in names if methods[name])
    total = sum(drawn.values())
    assert set(drawn) == {"self_blend", "swap_alpha"}
    for count in drawn.values():
        assert abs(count - total / 2) < 4 * (total / 4) ** 0.5  # four standard deviations


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_share_of_self_blends(share, prepared, store):
    torch.manual_seed(0)
    names = shown(prepared, store, self_blends=share, repeats=50, pairs_per_batch=2)
    blends = sum(name == "self-blend" for name in names)
    total = len(names) // 2
    assert abs(blends - share * total) <= 4 * (share * (1 - share) * total) ** 0.5 + 0.05 * total * share


def test_the_seed_decides(prepared, store):
    def first(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return next(iter(module(prepared, store).train_dataloader()))[0]

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))


def test_validation_shows_every_crop_once_in_order(prepared, store):
    data = module(prepared, store)
    images, labels = (torch.cat(part) for part in zip(*data.val_dataloader(), strict=True))
    assert len(images) == len(data.validation.rows)
    assert labels.tolist() == data.validation.labels.tolist()


def test_a_run_that_forges_all_of_its_own_needs_no_stored_fakes(prepared, store):
    reals = prepared.rows().filter((pl.col("split") != "train") | (pl.col("label") == 0))
    with pytest.raises(ConfigError, match="no crop of a fake"):
        crops_of(reals, store, "train")
    assert set(crops_of(reals, store, "train", fakes=False).labels) == {0}


def test_augmentation_falls_the_same_way_for_both_of_a_pair(store, prepared):
    compose = albumentations.Compose(
        [albumentations.GaussNoise(std_range=(0.2, 0.2), p=1), albumentations.Resize(48, 48)]
    )
    rows = store.crops(prepared.rows("train")["id"].to_list())[:1]
    # The "fake" is the real crop itself: whatever differs within the pair, augmentation put there.
    pairs = PairedCrops(store, [rows], {"": [rows]}, compose, compose, self_blends=0)
    first, second = pairs[0][0]
    assert torch.equal(first, second)
    assert not torch.equal(first, pairs[0][0][0])
