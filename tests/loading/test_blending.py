from __future__ import annotations

import numpy as np
import pytest

from unmask.faces.store import FaceStore
from unmask.loading.blending import BLENDINGS, Forger
from unmask.loading.data_module import PairDataModule
from unmask.loading.examples import Form


@pytest.fixture(scope="module")
def store(prepared) -> FaceStore:
    return FaceStore(prepared.store)


@pytest.fixture(scope="module")
def reals(prepared, store) -> tuple[np.ndarray, list[str]]:
    files = prepared.rows("train").filter(label=0)
    rows = store.crops(files["id"].to_list())
    whose = dict(files.select("id", "subject_id").iter_rows())
    return rows, [whose[name] for name in store.table["id"].take(rows).to_pylist()]


@pytest.mark.parametrize("kind", BLENDINGS)
def test_every_fake_is_forged_where_its_mask_says_so(kind, store, reals):
    forger = Forger.of(kind, store, *reals)
    for row in reals[0][:6]:
        image = store.image(int(row))
        forged, mask = forger(int(row), image, 3)
        again, _ = forger(int(row), image, 3)
        assert (forged == again).all()
        assert (forged != image).any()
        assert mask.any()
        if kind != "self":
            assert (forged == image)[mask == 0].all()


def test_the_face_on_top_is_another_person_s(store, reals):
    rows, people = reals
    forger = Forger.of("face_xray", store, rows, people)
    whose = dict(zip(rows.tolist(), people, strict=True))
    for row, donors in forger.donors.items():
        assert len(donors)
        assert whose[row] not in {whose[int(donor)] for donor in donors}


@pytest.mark.parametrize("kind", BLENDINGS)
def test_nobody_to_choose_from_and_no_landmarks_are_no_unforged_fake(kind, store, reals, monkeypatch):
    rows, _ = reals
    alone = Forger.of(kind, store, rows, ["anna"] * len(rows))
    image = store.image(int(rows[0]))
    assert (alone(int(rows[0]), image, 1)[0] != image).any()
    monkeypatch.setattr(FaceStore, "landmarks", lambda *_: np.zeros((5, 2)))
    assert (Forger.of(kind, store, rows, None)(int(rows[0]), image, 1)[0] != image).any()


@pytest.mark.parametrize("kind", BLENDINGS)
def test_training_batches_are_made_so(kind, prepared, films):
    for each, form in ((prepared, Form(("images",), 48)), (films, Form(("clips",), 48, frames=4))):
        import albumentations

        view = albumentations.Compose([albumentations.Resize(48, 48)])
        data = PairDataModule(each.rows(), FaceStore(each.store), form, None, view, blends=1.0, blending=kind)
        batch = next(iter(data.train_dataloader()))[form.pictures]
        pairs = batch.unflatten(0, (-1, 2))
        assert ((pairs[:, 0] - pairs[:, 1]).abs().flatten(1).amax(1) > 0).all()
