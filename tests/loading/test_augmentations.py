"""The recipes of others, transform by transform: what each does to a picture and to a mask beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import albumentations
import cv2
import numpy as np
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from tests.fakes.faces import portraits
from unmask.faces.centerface import CenterFace
from unmask.faces.crop import CropSettings, cut, to_crop
from unmask.forgery.masks import apply
from unmask.loading.cutout import PARTS, FaceCutout
from unmask.media.image import read_image
from unmask.training.compose import compose_config

RECIPES = ("dfdc", "sbi")
SIZE = 96
#: Transforms that move pixels.
MOVING = {"HorizontalFlip", "Affine", "RandomCropFromBorders", "Resize", "LongestMaxSize", "PadIfNeeded"}
#: With a crop of the detector's size there is nothing to resize or to pad.
IDLE = {"Resize", "LongestMaxSize", "PadIfNeeded"}


def view(recipe: str) -> dict[str, Any]:
    config = compose_config(["manifest=m", "store=s", f"augment={recipe}", f"detector.arguments.input_size={SIZE}"])
    assert config.augment.footage is None
    return OmegaConf.to_container(config.augment.view, resolve=True)  # type: ignore[return-value]


def leaves(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The transforms in a recipe, without what only composes them."""
    if "transforms" in node:
        for each in node["transforms"]:
            yield from leaves(each)
    else:
        yield node


def named(node: dict[str, Any]) -> str:
    return f"{node['_target_'].rsplit('.', 1)[-1]}{'-' + node['part'] if 'part' in node else ''}"


LEAVES = [pytest.param(leaf, id=f"{recipe}-{named(leaf)}") for recipe in RECIPES for leaf in leaves(view(recipe))]


@pytest.fixture(scope="module")
def crops() -> list[tuple[np.ndarray, np.ndarray]]:
    """Crops as a store has them by default, and landmarks in their pixels."""
    found, settings = [], CropSettings()
    for path in portraits(12):
        image = read_image(path)
        face = CenterFace().detect([image])[0][0]
        found.append((cut(image, face, settings), apply(to_crop(face, settings), face.landmarks)))
    return found


def seeded(transform: Any, seed: int, **given: np.ndarray) -> dict[str, np.ndarray]:
    transform.set_random_seed(seed)
    return transform(**given)  # type: ignore[no-any-return]


@pytest.mark.parametrize("leaf", LEAVES)
def test_each_transform_changes_pictures_and_keeps_their_kind(leaf, crops):
    transform = albumentations.Compose([instantiate({**leaf, "p": 1.0})])
    for side in (SIZE, 128):
        image = cv2.resize(crops[0][0], (side, side), interpolation=cv2.INTER_AREA)
        before = image.copy()
        found = [seeded(transform, seed, image=image)["image"] for seed in range(6)]
        np.testing.assert_array_equal(image, before)
        for each in found:
            assert each.dtype == np.uint8
            assert each.ndim == 3
            assert each.shape[2] == 3
        changed = any(each.shape != image.shape or (each != image).any() for each in found)
        name = named(leaf)
        assert changed == (name not in IDLE or (side != SIZE and name != "PadIfNeeded"))
        np.testing.assert_array_equal(found[0], seeded(transform, 0, image=image)["image"])


@pytest.mark.parametrize("leaf", LEAVES)
def test_what_moves_a_picture_moves_its_mask_and_nothing_else_does(leaf):
    """A picture of its own mask: after a move it still is, after a change of colour the mask is what it was."""
    y, x = np.mgrid[:128, :128]
    mask = np.exp(-(((x - 50) / 25) ** 2 + ((y - 75) / 35) ** 2)).astype(np.float32)
    image = np.repeat(np.rint(mask * 255).clip(1).astype(np.uint8)[..., None], 3, 2)
    transform = albumentations.Compose([instantiate({**leaf, "p": 1.0})])
    for seed in range(6):
        found = seeded(transform, seed, image=image, mask=mask)
        assert found["mask"].dtype == np.float32
        if named(leaf) in MOVING:
            assert found["mask"].shape == found["image"].shape[:2]
            assert np.abs(found["mask"] - found["image"][..., 0] / 255).max() < 0.05
        elif "part" in leaf:
            np.testing.assert_array_equal(found["mask"], np.where((found["image"] == image).all(2), mask, 0))
        else:
            np.testing.assert_array_equal(found["mask"], mask)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_treats_a_pair_alike(recipe, crops):
    transform = instantiate(view(recipe))
    real = crops[0][0]
    mask = np.zeros(real.shape[:2], np.float32)
    mask[90:150, 80:170] = 1
    forged = real.copy()
    forged[mask > 0] = 255 - forged[mask > 0]
    seen = 0
    for seed in range(12):
        one, other = (seeded(transform, seed, image=image, mask=mask) for image in (real, forged))
        assert one["image"].shape == other["image"].shape == (SIZE, SIZE, 3)
        np.testing.assert_array_equal(one["mask"], other["mask"])
        apart = np.abs(one["image"].astype(int) - other["image"]).max(2)
        if one["mask"].sum() > 100:
            seen += 1
            assert apart[one["mask"] > 0.99].mean() > 4 * apart[one["mask"] == 0].mean()
    assert seen > 6


@pytest.mark.parametrize("recipe", RECIPES)
def test_chance_makes_many_views(recipe, crops):
    transform = instantiate(view(recipe))
    found = {seeded(transform, seed, image=crops[0][0])["image"].tobytes() for seed in range(20)}
    assert len(found) > 15  # few change by chance alike: flipped or not, and no more


def test_cutouts_fall_as_often_as_the_winner_s():
    """Their draws one after another: by 0.7 a landmark (eyes 1/2, mouth 1/4, nose 1/8), else hull 0.2, else 0.1."""
    (cutouts,) = [node for node in view("dfdc")["transforms"] if "FaceCutout" in str(node)]
    left = 1 - 0.7
    expected = {
        "eyes": 0.7 / 2,
        "mouth": 0.7 / 4,
        "nose": 0.7 / 8,
        "half of the face": left * 0.2,
        "half of the picture": left * 0.8 * 0.1,
    }
    assert {each["part"]: each["p"] for each in cutouts["transforms"]} == pytest.approx(expected)
    assert cutouts["p"] == pytest.approx(sum(expected.values()))
    transform = albumentations.Compose([instantiate(cutouts)])
    plain = np.full((48, 48, 3), 200, np.uint8)
    hidden = [bool((seeded(transform, seed, image=plain)["image"] == 0).any()) for seed in range(400)]
    assert np.mean(hidden) == pytest.approx(sum(expected.values()), abs=0.08)


def hidden_by(part: str, seed: int = 0, side: int = 256, **given: Any) -> np.ndarray:
    """(side, side) bool: what a cutout makes black."""
    found = seeded(
        albumentations.Compose([FaceCutout(part, p=1.0, **given)]), seed, image=np.ones((side, side, 3), np.uint8)
    )["image"]
    assert set(np.unique(found)) == {0, 1}
    assert (found == found[..., :1]).all()
    return found[..., 0] == 0


@pytest.mark.parametrize(("part", "marks"), [("eyes", (0, 1)), ("nose", (2,)), ("mouth", (3, 4))])
def test_cutouts_hit_the_parts_of_most_faces(part, marks, crops):
    hidden = hidden_by(part)
    assert 0.02 < hidden.mean() < 0.12
    places = np.concatenate([landmarks[list(marks)] for _, landmarks in crops]).round().astype(int)
    # A turned head's nose and mouth are off their place.
    assert np.mean(hidden[places[:, 1], places[:, 0]]) >= (0.95 if part == "eyes" else 0.8)
    others = [mark for mark in range(5) if mark not in marks]
    places = np.concatenate([landmarks[others] for _, landmarks in crops]).round().astype(int)
    assert np.mean(hidden[places[:, 1], places[:, 0]]) <= 0.2


@pytest.mark.parametrize("margin", [1.0, 1.3, 2.0])
@pytest.mark.parametrize("align", ["box", "landmarks"])
def test_cutouts_follow_how_crops_are_made(align, margin):
    """Made as ``CropSettings`` of that alignment make them; faces are nearly where the template has them."""
    settings = CropSettings(margin=margin, align=align)
    landmarks = []
    for path in portraits(8):
        face = CenterFace().detect([read_image(path)])[0][0]
        landmarks.append(apply(to_crop(face, settings), face.landmarks))
    for part, marks in (("eyes", [0, 1]), ("mouth", [3, 4])):
        hidden = hidden_by(part, align=align, margin=margin)
        found = np.argwhere(hidden).mean(0)[::-1]
        expected = np.concatenate([each[marks] for each in landmarks]).mean(0)
        assert np.abs(found - expected).max() < 256 * 0.04 / margin


def test_halves():
    wholes = {part: [hidden_by(part, seed, side=64) for seed in range(60)] for part in PARTS[3:]}
    pictures = {each.tobytes() for each in wholes["half of the picture"]}
    assert len(pictures) == 6  # two ways to halve it by each of rows, columns and quarters
    assert all(each.mean() == 0.5 for each in wholes["half of the picture"])
    faces = {each.tobytes(): each for each in wholes["half of the face"]}
    assert len(faces) == 4
    above, below = sorted((each for each in faces.values() if not _mirrored(each)), key=lambda each: each.sum())
    assert above.sum() == pytest.approx(below.sum(), rel=0.2)
    whole = np.any(list(faces.values()), axis=0)
    assert 0.2 < whole.mean() < 0.5
    assert whole[1:-1, 1:-1].sum() == whole.sum()


def _mirrored(half: np.ndarray) -> bool:
    """Whether it lies on one side, left or right, alone."""
    columns = np.flatnonzero(half.any(0))
    return bool(columns.max() < 34 or columns.min() > 29)


@pytest.mark.parametrize("given", [{"part": "ear"}, {"part": "eyes", "align": "nose"}])
def test_what_cannot_be_hidden_is_refused(given):
    with pytest.raises(ValueError, match=next(reversed(given))):
        FaceCutout(**given)
