"""Crops of a face store as torch datasets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from unmask.faces.store import FaceStore
from unmask.forgery.self_blend import self_blend

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


class LabelledCrops(Dataset[tuple[Tensor, Tensor]]):
    """Evaluation crops with labels, for validation. An item is (crop, label as float32: 1 fake, 0 real)."""

    def __init__(self, crops: EvaluationCrops, labels: Sequence[int]) -> None:
        self.crops, self.labels = crops, labels

    def __len__(self) -> int:
        """Number of crops."""
        return len(self.crops)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """One crop and its label."""
        return self.crops[index], torch.tensor(float(self.labels[index]))


class PairedCrops(Dataset[tuple[Tensor, Tensor]]):
    """One real crop and one forged one at a time, so that every batch is balanced.

    One pass shows one frame of every real file, by chance. The forged crop is, with probability ``self_blends``, made
    of the real one on the spot, else drawn from the stored fakes: each method as often as any other, and of a method
    each file. Augmentation falls the same way for both, so that it can never tell them apart.

    An item is ((2, 3, S, S) float32 in [0, 1], (2,) labels: 0, 1).

    Args:
        store: whose crops.
        real: for each real file, the rows of its crops.
        fake: method to the same of its files; may be empty if ``self_blends`` is 1.
        footage: augmentation of what the camera saw, before a face is forged; must keep size and place.
        view: augmentation at the end, to the detector's input size.
        self_blends: 0 to 1.
        repeats: how often one pass shows each real file.
    """

    def __init__(
        self,
        store: FaceStore,
        real: Sequence[np.ndarray],
        fake: Mapping[str, Sequence[np.ndarray]],
        footage: Transform | None,
        view: Transform,
        *,
        self_blends: float,
        repeats: int = 1,
    ) -> None:
        self.store, self.real, self.fake, self.footage, self.view = store, real, fake, footage, view
        self.self_blends, self.repeats = self_blends if fake else 1.0, repeats

    def __len__(self) -> int:
        """Number of pairs in one pass."""
        return len(self.real) * self.repeats

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """One pair."""
        # torch's generator is the one that Lightning seeds in every worker and for every epoch.
        rng = np.random.default_rng(int(torch.randint(2**62, ())))
        row = int(rng.choice(self.real[index % len(self.real)]))
        seed = int(rng.integers(2**31))
        image = _changed(self.footage, self.store.image(row), seed)
        if rng.random() < self.self_blends:
            forged = self_blend(image, self.store.landmarks(row), rng)
        else:
            files = self.fake[str(rng.choice(sorted(self.fake)))]
            stored = self.store.image(int(rng.choice(files[int(rng.integers(len(files)))])))
            forged = _changed(self.footage, stored, seed)
        pair = [to_tensor(_changed(self.view, picture, seed)) for picture in (image, forged)]
        return torch.stack(pair), torch.tensor([0.0, 1.0])


def _changed(transform: Transform | None, image: np.ndarray, seed: int) -> np.ndarray:
    """The picture after a transform whose chance is decided by ``seed``."""
    if transform is None:
        return image
    if hasattr(transform, "set_random_seed"):  # albumentations draws from a generator of its own
        transform.set_random_seed(seed)
    changed: np.ndarray = transform(image=image)["image"]
    return changed
