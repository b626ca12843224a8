from __future__ import annotations

from collections import Counter

import albumentations
import numpy as np
import polars as pl
import pytest
import torch

from unmask.faces.store import FaceStore
from unmask.forgery.self_blend import self_blend
from unmask.loading.crops import PairedExamples, PlainExamples, to_tensor
from unmask.loading.data_module import PairDataModule, split_of
from unmask.loading.examples import Form, examples_of
from unmask.loading.pairs import Pair
from unmask.tables.errors import ConfigError


@pytest.fixture(scope="module")
def store(prepared) -> FaceStore:
    return FaceStore(prepared.store)


def resized(image: np.ndarray) -> dict[str, np.ndarray]:
    import cv2

    return {"image": cv2.resize(image, (48, 48), interpolation=cv2.INTER_AREA)}


FORM = Form(("images",), 48)


def module(prepared, store, **options: object) -> PairDataModule:
    chosen: dict[str, object] = {"pairs_per_batch": 3} | options
    return PairDataModule(prepared.rows(), store, FORM, None, lambda image: resized(image), **chosen)  # type: ignore[arg-type]


def test_to_tensor():
    image = np.random.default_rng(0).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    found = to_tensor(image)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), image.transpose(2, 0, 1) / 255, rtol=1e-6)


@pytest.mark.parametrize("size", [16, 96, 200])
def test_plain_crops_are_the_store_s(size, prepared, store):
    rows = store.crops(prepared.rows("test")["id"].to_list())
    form = Form(("images",), size)
    crops = PlainExamples(examples_of(prepared.rows("test"), form, store), form, store)
    assert len(crops) == len(rows)
    assert crops[0]["images"].shape == (3, size, size)
    if size == 96:
        assert torch.equal(crops[2]["images"], to_tensor(store.image(int(rows[2]))))
    else:
        assert abs(crops[2]["images"].mean() - store.image(int(rows[2])).mean() / 255) < 0.02


def test_labels_and_methods_come_from_the_manifest(prepared, store):
    found = split_of(prepared.rows(), store, "train", FORM)
    truth = {row["id"]: row for row in prepared.rows("train").to_dicts()}
    shown = found.examples
    assert len(shown.rows) == len(shown.ids) == len(found.labels) == len(shown.frames) > 17
    names, frames = store.table["id"].to_pylist(), store.table["frame"].to_pylist()
    for row, name, label, frame in zip(shown.rows, shown.ids, found.labels, shown.frames, strict=True):
        assert names[row] == name
        assert frames[row] == frame
        assert truth[name]["label"] == label
    for label in (0, 1):
        files = found.crop_files(label, ["method", "colour"])
        assert sorted(place for each in files for place in each.rows) == np.flatnonzero(found.labels == label).tolist()
        for each in files:
            stated = truth[shown.ids[each.rows[0]]]
            assert each.group == (stated["method"] or "", "")
            assert each.method == (stated["method"] or "")
            assert each.source is None or each.source[-1] == stated["source_id"]
    crops = PlainExamples(shown, FORM, store, found.labels.tolist())
    assert [float(crops[place]["labels"]) for place in range(5)] == found.labels[:5].tolist()


@pytest.mark.parametrize(("label", "name"), [(0, "real"), (1, "fake")])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_split_without_a_class_is_told(split, label, name, prepared, store):
    manifest = prepared.rows().filter((pl.col("split") != split) | (pl.col("label") != label))
    with pytest.raises(ConfigError, match=f"the {split} split has no crop of a {name} face") as caught:
        split_of(manifest, store, split, FORM)
    assert "unmask prepare" in (caught.value.next_step or "")


def test_files_without_a_label_are_left_out(prepared, store):
    hidden = prepared.rows("train")["id"][0]
    manifest = prepared.rows().with_columns(
        pl.when(pl.col("id") == hidden).then(None).otherwise(pl.col("label")).alias("label")
    )
    assert hidden not in split_of(manifest, store, "train", FORM).examples.ids


def test_every_batch_is_balanced(prepared, store):
    for batch in module(prepared, store, repeats=3).train_dataloader():
        images = batch["images"]
        assert images.shape == (6, 3, 48, 48)
        assert batch["labels"].tolist() == [0, 1] * 3
        assert 0 <= float(images.min()) <= float(images.max()) <= 1


def shown(prepared, store, **options: object) -> list[str]:
    """Names of the files whose crops the training batches show, found again by their pixels."""
    train = split_of(prepared.rows(), store, "train", FORM).examples
    known = {
        to_tensor(resized(store.image(int(row)))["image"]).numpy().tobytes(): name
        for row, name in zip(train.rows, train.ids, strict=True)
    }
    batches = module(prepared, store, **options).train_dataloader()
    return [known.get(image.numpy().tobytes(), "self-blend") for batch in batches for image in batch["images"]]


def test_one_pass_shows_every_real_file_once_and_stored_fakes(prepared, store):
    names = shown(prepared, store, blends=0.0, pairs_per_batch=2)
    truth = dict(prepared.rows("train").select("id", "label").iter_rows())
    real = [name for name in names if truth[name] == 0]
    fake = [name for name in names if truth[name] == 1]
    assert sorted(real) == sorted(name for name, label in truth.items() if label == 0)
    assert len(fake) == len(real)


def test_every_method_is_drawn_as_often(prepared, store):
    names = shown(prepared, store, blends=0.0, repeats=10, pairs_per_batch=2)
    methods = dict(prepared.rows("train").select("id", "method").iter_rows())
    drawn = Counter(methods[name] for name in names if methods[name])
    assert set(drawn) == {"self_blend", "swap_alpha"}
    assert abs(drawn["self_blend"] - drawn["swap_alpha"]) <= 2


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_share_of_self_blends(share, prepared, store):
    names = shown(prepared, store, blends=share, repeats=10, pairs_per_batch=2)
    blends = sum(name == "self-blend" for name in names)
    # A blend that is transparent all over is its real picture.
    assert 0.9 * share * len(names) / 2 <= blends <= share * len(names) / 2


def test_the_seed_decides(prepared, store):
    def first(seed: int) -> torch.Tensor:
        return next(iter(module(prepared, store, seed=seed).train_dataloader()))["images"]

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))


def test_validation_shows_every_crop_once_in_order(prepared, store):
    data = module(prepared, store)
    batches = list(data.val_dataloader())
    labels, places = (torch.cat([batch[name] for batch in batches]) for name in ("labels", "place"))
    assert places.tolist() == list(range(len(data.validation.examples)))
    assert labels.tolist() == data.validation.labels.tolist()


def test_a_run_that_forges_all_of_its_own_needs_no_stored_fakes(prepared, store):
    reals = prepared.rows().filter((pl.col("split") != "train") | (pl.col("label") == 0))
    with pytest.raises(ConfigError, match="no crop of a fake"):
        split_of(reals, store, "train", FORM)
    assert set(split_of(reals, store, "train", FORM, fakes=False).labels) == {0}


def test_augmentation_falls_the_same_way_for_both_of_a_pair(store, prepared):
    compose = albumentations.Compose(
        [albumentations.GaussNoise(std_range=(0.2, 0.2), p=1), albumentations.Resize(48, 48)]
    )
    # The "fake" is the real crop itself: whatever differs within the pair, augmentation put there.
    pairs = PairedExamples(examples_of(prepared.rows("train"), FORM, store), FORM, store, compose, compose)
    first, second = pairs[Pair(0, 0, "", 1)]["images"]
    assert torch.equal(first, second)
    assert torch.equal(first, pairs[Pair(0, 0, "", 1)]["images"][0])
    assert not torch.equal(first, pairs[Pair(0, 0, "", 2)]["images"][0])


def test_what_losses_want(store, prepared):
    noise = albumentations.GaussNoise(std_range=(0.02, 0.05), p=1)
    view = albumentations.Compose([albumentations.HorizontalFlip(p=1), noise])
    examples = examples_of(prepared.rows("train"), FORM, store)
    real, fake = 0, len(examples) - 1
    wants = ("again", "masks", "methods")
    pairs = PairedExamples(examples, FORM, store, None, view, wants=wants, methods=("one", "two"))
    plain = PairedExamples(examples, FORM, store, None, view)
    stored, blended = pairs[Pair(real, fake, "two", 5)], pairs[Pair(real, None, "", 5)]
    assert torch.equal(stored["images"], plain[Pair(real, fake, "two", 5)]["images"])
    assert stored["methods"].tolist() == [0, 2]
    assert blended["methods"].tolist() == [0, 3]
    assert stored["masks_known"].tolist() == [True, False]
    assert blended["masks_known"].tolist() == [True, True]
    assert not stored["masks"].any()
    # A manipulation that is not stated is not one that was made on the spot.
    unstated = PairedExamples(examples, FORM, store, None, view, wants=("methods",), methods=("", "one"))
    assert unstated[Pair(real, fake, "", 5)]["methods"].tolist() == [0, 1]
    assert unstated[Pair(real, None, "", 5)]["methods"].tolist() == [0, 3]
    # The same picture under other noise.
    assert not torch.equal(stored["again"], stored["images"])
    assert (stored["again"] - stored["images"]).abs().mean() < 0.2
    # The mask lies where the view has put the forged part.
    row = int(examples.rows[real])
    _, mask = self_blend(store.image(row), store.landmarks(row), np.random.default_rng([5, 1]))
    np.testing.assert_allclose(blended["masks"][1, 0].numpy(), mask[:, ::-1], atol=1e-6)
    assert not blended["masks"][0].any()
