"""Crops of a face store as torch datasets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from unmask.faces.store import FaceStore
from unmask.forgery.self_blend import self_blend
from unmask.loading.pairs import Pair

#: (H, W, 3) uint8 to (S, S, 3) uint8; called as ``transform(image=...)["image"]``, like albumentations.
Transform = Callable[..., dict[str, Any]]


def to_tensor(image: np.ndarray) -> Tensor:
    """(S, S, 3) uint8 to (3, S, S) float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float() / 255


class EvaluationCrops(Dataset[Tensor]):
    """Crops as a detector is tested on them: resized, nothing else. An item is (3, S, S) float32 in [0, 1].

    Args:
        store: whose crops.
        rows: (N,) row numbers.
        size: S, in pixels.
    """

    def __init__(self, store: FaceStore, rows: np.ndarray, size: int) -> None:
        self.store, self.rows, self.size = store, rows, size

    def __len__(self) -> int:
        """Number of crops."""
        return len(self.rows)

    def __getitem__(self, index: int) -> Tensor:
        """One crop."""
        image = self.store.image(int(self.rows[index]))
        method = cv2.INTER_AREA if image.shape[0] > self.size else cv2.INTER_LINEAR
        return to_tensor(cv2.resize(image, (self.size, self.size), interpolation=method))


class LabelledCrops(Dataset[dict[str, Tensor]]):
    """Evaluation crops with labels, for validation.

    An item has "images", (3, S, S), "labels", float: 1 fake, 0 real, and "place", int64: which crop it is.
    """

    def __init__(self, crops: EvaluationCrops, labels: Sequence[int]) -> None:
        self.crops, self.labels = crops, labels

    def __len__(self) -> int:
        """Number of crops."""
        return len(self.crops)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """One crop and its label."""
        return {
            "images": self.crops[index],
            "labels": torch.tensor(float(self.labels[index])),
            "place": torch.tensor(index),
        }


class PairedCrops(Dataset[dict[str, Tensor]]):
    """A real crop and a forged one at a time, so that every batch is balanced.

    Augmentation falls the same way for both, so that it can never tell them apart.

    An item, indexed by a ``Pair``, has "images", (2, 3, S, S) float32 in [0, 1], "labels", (2,): 0, 1, and what
    ``wants`` names, of the shapes that ``unmask.detectors.base.WANTS`` gives for B = 2.

    Args:
        store: whose crops.
        footage: augmentation of what the camera saw, before a face is forged; must keep size and place.
        view: augmentation at the end, to the detector's input size.
        wants: any of "again", "masks" and "methods".
        methods: the manipulations that are numbered from 1; all others, those forged on the spot among them, come next.
    """

    def __init__(
        self,
        store: FaceStore,
        footage: Transform | None,
        view: Transform,
        *,
        wants: Sequence[str] = (),
        methods: Sequence[str] = (),
    ) -> None:
        self.store, self.footage, self.view, self.wants = store, footage, view, wants
        self.numbers = {name: number for number, name in enumerate(methods, start=1)}

    def __getitem__(self, pair: Pair) -> dict[str, Tensor]:
        """One pair."""
        rng = np.random.default_rng(pair.seed)
        seed, second = (int(value) for value in rng.integers(2**31, size=2))
        image = _changed(self.footage, self.store.image(pair.real), seed)
        mask = None
        if pair.fake is None:
            forged, mask = self_blend(image, self.store.landmarks(pair.real), rng)
        else:
            forged = _changed(self.footage, self.store.image(pair.fake), seed)
        both = (image, forged)
        found = {
            "images": torch.stack([to_tensor(_changed(self.view, picture, seed)) for picture in both]),
            "labels": torch.tensor([0.0, 1.0]),
        }
        if "again" in self.wants:
            found["again"] = torch.stack([to_tensor(_changed(self.view, picture, second)) for picture in both])
        if "masks" in self.wants:
            known = np.zeros(image.shape[:2], np.float32)
            masks = [known, known if mask is None else mask]
            found["masks"] = torch.stack([self._seen(*each, seed) for each in zip(both, masks, strict=True)])
            found["masks_known"] = torch.tensor([True, mask is not None])
        if "methods" in self.wants:
            found["methods"] = torch.tensor([0, self.numbers.get(pair.method, len(self.numbers) + 1)])
        return found

    def _seen(self, image: np.ndarray, mask: np.ndarray, seed: int) -> Tensor:
        """A mask as the view of its picture moves it: (H, W) to (1, S, S)."""
        if hasattr(self.view, "set_random_seed"):
            self.view.set_random_seed(seed)
        return torch.from_numpy(self.view(image=image, mask=mask)["mask"]).float().clamp(0, 1)[None]


def collate(pairs: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Pairs to a batch: their rows one after the other."""
    return {name: torch.cat([pair[name] for pair in pairs]) for name in pairs[0]}


def _changed(transform: Transform | None, image: np.ndarray, seed: int) -> np.ndarray:
    """The picture after a transform whose chance is decided by ``seed``."""
    if transform is None:
        return image
    if hasattr(transform, "set_random_seed"):  # albumentations draws from a generator of its own
        transform.set_random_seed(seed)
    changed: np.ndarray = transform(image=image)["image"]
    return changed
