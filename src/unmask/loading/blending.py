"""Fakes that are made on the spot out of real crops, in training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from unmask.faces.store import FaceStore
from unmask.forgery.face_xray import blend_faces, nearest_donors
from unmask.forgery.self_blend import self_blend
from unmask.forgery.warping import is_face, warp_face

#: How a fake is made -> what it is, in the plural.
BLENDINGS = {
    "self": "self-blends of the real ones",
    "face_xray": "blends of other people's faces onto the real ones",
    "fwa": "real ones with the face through a small size and back",
}
#: Faces to choose from that suit a face.
_DONORS = 10
#: Where the landmarks of most crops lie, in shares of the side: for crops whose own are none of a face.
_USUAL = np.array([[0.36, 0.42], [0.64, 0.42], [0.5, 0.58], [0.39, 0.71], [0.61, 0.71]])


@dataclass(frozen=True)
class Forger:
    """Makes a fake out of a real crop.

    Attributes:
        kind: a key of ``BLENDINGS``.
        store: whose crops.
        donors: row -> rows of other people's real faces that suit it; of "face_xray" alone.
    """

    kind: str
    store: FaceStore
    donors: dict[int, np.ndarray]

    @classmethod
    def of(cls, kind: str, store: FaceStore, rows: np.ndarray, people: Sequence[str]) -> Forger:
        """What makes fakes out of some real crops.

        Args:
            kind: a key of ``BLENDINGS``.
            store: whose crops.
            rows: (N,) the real ones.
            people: (N,) whose faces they are; no face is put on another of the same person.
        """
        if kind != "face_xray":
            return cls(kind, store, {})
        near = nearest_donors(np.array([store.landmarks(int(row)) for row in rows]), people, _DONORS)
        suited = {int(row): rows[own[own >= 0]] for row, own in zip(rows, near, strict=True)}
        return cls(kind, store, suited)

    def __call__(self, row: int, image: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Forge a crop.

        Args:
            row: which crop of the store it is.
            image: what augmentation has made of it, (H, W, 3) uint8 RGB.
            seed: of all chance: the crops of a clip are forged alike.

        Returns:
            (H, W, 3) uint8 RGB, and (H, W) float32 from 0 to 1: the share of each pixel that is forged. What a kind
            cannot forge, because the landmarks are none of a face or nobody's face suits, is self-blended: no picture
            that passes for a fake is unforged.
        """
        rng = np.random.default_rng([seed, 1])
        marks = self.store.landmarks(row)
        if not is_face(marks, image.shape[:2]):
            return self_blend(image, _USUAL * image.shape[0], rng)
        make: dict[str, Callable[[], tuple[np.ndarray, np.ndarray] | None]] = {
            "self": lambda: None,
            "fwa": lambda: warp_face(image, marks, rng),
            "face_xray": lambda: self._blended(row, image, marks, rng),
        }
        found = make[self.kind]()
        return found if found is not None and found[1].any() else self_blend(image, marks, rng)

    def _blended(
        self, row: int, image: np.ndarray, marks: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray] | None:
        donors = self.donors.get(row, ())
        if not len(donors):
            return None
        donor = int(rng.choice(donors))
        return blend_faces(image, marks, rng, (self.store.image(donor), self.store.landmarks(donor)))
