"""Examples as torch datasets: as they are for evaluation, in pairs with augmentation for training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from unmask.faces.store import FaceStore
from unmask.loading.blending import Forger
from unmask.loading.examples import Examples, Form
from unmask.loading.pairs import Pair
from unmask.loading.sound import window

#: (H, W, 3) uint8 to (S, S, 3) uint8; called as ``transform(image=...)["image"]``, like albumentations.
Transform = Callable[..., dict[str, Any]]


def to_tensor(image: np.ndarray) -> Tensor:
    """(S, S, 3) uint8 to (3, S, S) float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float() / 255


class PlainExamples(Dataset[dict[str, Tensor]]):
    """Examples as a detector is tested on them: crops resized, nothing else.

    An item has what ``form.takes`` names, of the shapes that ``unmask.detectors.base.TAKES`` gives without B; "place",
    int64: which example it is; and, where labels are given, "labels", float: 1 fake, 0 real.

    Args:
        examples: which ones.
        form: the detector's.
        store: their crops; None where the detector takes sound alone.
        labels: (N,) of the examples.
    """

    def __init__(
        self, examples: Examples, form: Form, store: FaceStore | None, labels: Sequence[int] | None = None
    ) -> None:
        self.examples, self.form, self.store, self.labels = examples, form, store, labels

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.examples)

    def __getitem__(self, place: int) -> dict[str, Tensor]:
        """One example."""
        found = {"place": torch.tensor(place)}
        if self.labels is not None:
            found["labels"] = torch.tensor(float(self.labels[place]))
        if self.store is not None and self.examples.rows is not None:
            row = self.examples.rows[place]
            crops = [to_tensor(resized(self.store.image(int(each)), self.form.size)) for each in np.atleast_1d(row)]
            found[str(self.form.pictures)] = torch.stack(crops) if row.ndim else crops[0]
        if "sound" in self.form.takes:
            found["sound"] = sound_of(self.examples, place, self.form)
        return found


def resized(image: np.ndarray, size: int) -> np.ndarray:
    """A crop at a detector's size: (H, H, 3) uint8 to (S, S, 3)."""
    method = cv2.INTER_AREA if image.shape[0] > size else cv2.INTER_LINEAR
    return cv2.resize(image, (size, size), interpolation=method)


def sound_of(examples: Examples, place: int, form: Form) -> Tensor:
    """The sound of one example: (N,) float32 in [-1, 1]."""
    return window(examples.paths[place], float(examples.starts[place]), form.samples)


class PairedExamples(Dataset[dict[str, Tensor]]):
    """A real example and a forged one at a time, so that every batch is balanced.

    Augmentation falls the same way for both, so that it can never tell them apart, and for all crops of a clip. A fake
    that is forged on the spot has the sound of its real.

    An item, indexed by a ``Pair``, has what ``form.takes`` and ``wants`` name, of the shapes that
    ``unmask.detectors.base`` gives for B = 2, and "labels", (2,): 0, 1.

    Args:
        examples: what the places of pairs mean.
        form: the detector's.
        store: their crops; None where the detector takes sound alone.
        footage: augmentation of what the camera saw, before a face is forged; must keep size and place.
        view: augmentation at the end, to the detector's input size; None where the detector takes sound alone.
        forger: makes the fakes that are not stored; None for self-blending.
        wants: any of "again", "masks" and "methods"; masks of crops alone.
        methods: the manipulations that are numbered from 1; all others, those forged on the spot among them, come next.
    """

    def __init__(
        self,
        examples: Examples,
        form: Form,
        store: FaceStore | None,
        footage: Transform | None,
        view: Transform | None,
        *,
        forger: Forger | None = None,
        wants: Sequence[str] = (),
        methods: Sequence[str] = (),
    ) -> None:
        self.examples, self.form, self.store = examples, form, store
        self.forger = forger
        self.footage, self.view, self.wants = footage, view, wants
        self.numbers = {name: number for number, name in enumerate(methods, start=1)}

    def __getitem__(self, pair: Pair) -> dict[str, Tensor]:
        """One pair."""
        found = {"labels": torch.tensor([0.0, 1.0])}
        if self.store is not None and self.examples.rows is not None:
            found |= self._pictures(pair, self.store, self.examples.rows)
        if "sound" in self.form.takes:
            places = (pair.real, pair.real if pair.fake is None else pair.fake)
            found["sound"] = torch.stack([sound_of(self.examples, place, self.form) for place in places])
        if "methods" in self.wants:
            made = len(self.numbers) + 1
            found["methods"] = torch.tensor([0, made if pair.fake is None else self.numbers.get(pair.method, made)])
        return found

    def _pictures(self, pair: Pair, store: FaceStore, rows: np.ndarray) -> dict[str, Tensor]:
        """The crops, or the clips, of a pair, and what losses want of them."""
        seed, second = (int(value) for value in np.random.default_rng(pair.seed).integers(2**31, size=2))
        own = np.atleast_1d(rows[pair.real]).tolist()
        reals = [changed(self.footage, store.image(row), seed) for row in own]
        nothing = np.zeros(reals[0].shape[:2], np.float32)
        if pair.fake is None:
            forge = self.forger or Forger("self", store, {})
            forged = [forge(row, image, pair.seed) for row, image in zip(own, reals, strict=True)]
        else:
            stored = np.atleast_1d(rows[pair.fake]).tolist()
            forged = [(changed(self.footage, store.image(row), seed), nothing) for row in stored]
        both = (reals, [image for image, _ in forged])
        found = {str(self.form.pictures): self._seen(both, seed)}
        if "again" in self.wants:
            found["again"] = self._seen(both, second)
        if "masks" in self.wants:
            masks = ((reals[0], nothing), forged[0])
            found["masks"] = torch.stack([self._moved(image, mask, seed) for image, mask in masks])
            found["masks_known"] = torch.tensor([True, pair.fake is None])
        return found

    def _seen(self, both: Sequence[Sequence[np.ndarray]], seed: int) -> Tensor:
        """The view of two crops, (2, 3, S, S), or of two clips, (2, T, 3, S, S)."""
        clips = [torch.stack([to_tensor(changed(self.view, image, seed)) for image in clip]) for clip in both]
        found = torch.stack(clips)
        return found if self.form.pictures == "clips" else found[:, 0]

    def _moved(self, image: np.ndarray, mask: np.ndarray, seed: int) -> Tensor:
        """A mask as the view of its picture moves it: (H, W) to (1, S, S)."""
        found = _applied(self.view, seed, image=image, mask=mask)["mask"]
        return torch.from_numpy(found).float().clamp(0, 1)[None]


def collate(pairs: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Pairs to a batch: their rows one after the other."""
    return {name: torch.cat([pair[name] for pair in pairs]) for name in pairs[0]}


def changed(transform: Transform | None, image: np.ndarray, seed: int) -> np.ndarray:
    """The picture after a transform whose chance is decided by ``seed``."""
    found: np.ndarray = _applied(transform, seed, image=image)["image"]
    return found


def _applied(transform: Transform | None, seed: int, **given: np.ndarray) -> dict[str, Any]:
    if transform is None:
        return given
    if hasattr(transform, "set_random_seed"):  # albumentations draws from a generator of its own
        transform.set_random_seed(seed)
    return transform(**given)
