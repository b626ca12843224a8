"""Parts of a face made black, so that a detector does not lean on one of them alone: an albumentations transform."""

from __future__ import annotations

from typing import Any

import albumentations
import numpy as np
from albumentations.core.type_definitions import Targets

from unmask.faces.crop import TEMPLATE, check_choice
from unmask.forgery.masks import hull

#: Eyes, nose tip and mouth corners, in sides of a square face box: the mean over 80 portraits with CenterFace's boxes,
#: made symmetrical. Of 40 of them, a cutout hides 19 of 20 eyes and corners of mouths, but only 7 of 10 tips of noses.
BOX_LANDMARKS = np.array([[0.324, 0.396], [0.676, 0.396], [0.5, 0.592], [0.353, 0.745], [0.647, 0.745]])
_EXPECTED = {"box": BOX_LANDMARKS, "landmarks": TEMPLATE}
PARTS = ("eyes", "nose", "mouth", "half of the face", "half of the picture")


class FaceCutout(albumentations.DualTransform):
    """One part of the face, or of the picture, made black, where the crop's making leads to expect it.

    A transform is not told the landmarks of its crop. Crops of a store are all made one way, so that eyes, nose and
    mouth lie at much the same place in each: nearly exactly with ``align`` "landmarks", roughly with "box". A mask
    becomes 0 where it is hidden: what cannot be seen cannot be found.

    Eyes and mouth are a thick line between two landmarks, the nose one from its tip to between the eyes. Half of the
    face is its outline above, below, left or right of its centre; half of the picture may be two opposite quarters too.

    Args:
        part: one of ``PARTS``.
        align: how the crops were aligned, as in ``CropSettings``.
        margin: of the crops, as in ``CropSettings``.
        p: how often it is applied, 0 to 1.
    """

    _targets = (Targets.IMAGE, Targets.MASK)

    def __init__(self, part: str, align: str = "box", margin: float = 1.3, p: float = 0.5) -> None:
        super().__init__(p=p)
        check_choice("part", part, PARTS)
        check_choice("align", align, tuple(_EXPECTED))
        self.part, self.align, self.margin = part, align, margin

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """Draw what is hidden, for a picture of this size."""
        height, width = params["shape"][:2]
        marks = (0.5 + (_EXPECTED[self.align] - 0.5) / self.margin) * [width, height] - 0.5
        if self.part == "half of the picture":
            hidden = self._half((height, width), (height - 1) / 2, (width - 1) / 2, quarters=True)
        elif self.part == "half of the face":
            face = hull(marks, (height, width), "face") > 0
            down, right = (float(each.mean()) for each in np.nonzero(face))
            hidden = face & self._half((height, width), down, right)
        else:
            hidden = _line(marks, (height, width), self.part)
        return {"hidden": hidden}

    def _half(self, shape: tuple[int, int], down: float, right: float, *, quarters: bool = False) -> np.ndarray:
        """(H, W) bool: a random side of a point, or, if ``quarters``, maybe two opposite corners."""
        rows, columns = np.indices(shape)
        above, before = rows < down, columns < right
        half = self.py_random.choice([above, before, above == before] if quarters else [above, before])
        return half if self.py_random.random() < 0.5 else ~half

    def apply(self, img: np.ndarray, hidden: np.ndarray, **_: Any) -> np.ndarray:
        """Make what is hidden black, in an (H, W, 3) or (H, W) picture."""
        shown = img.copy()
        shown[hidden] = 0
        return shown

    def apply_to_mask(self, mask: np.ndarray, hidden: np.ndarray, **_: Any) -> np.ndarray:
        """Make what is hidden 0, in an (H, W) or (H, W, 1) mask."""
        return self.apply(mask, hidden)


def _line(marks: np.ndarray, shape: tuple[int, int], part: str) -> np.ndarray:
    """(H, W) bool: a line along eyes, nose or mouth, as thick as they need."""
    between = (marks[0] + marks[1]) / 2
    start, end = {"eyes": (marks[0], marks[1]), "nose": (marks[2], between), "mouth": (marks[3], marks[4])}[part]
    reach = np.linalg.norm(start - end) / 3 if part == "mouth" else np.linalg.norm(marks[0] - marks[1]) / 4
    rows, columns = np.indices(shape)
    points = np.stack([columns, rows], -1) - start
    along = np.clip(points @ (end - start) / np.sum((end - start) ** 2), 0, 1)
    return np.linalg.norm(points - along[..., None] * (end - start), axis=2) <= reach
