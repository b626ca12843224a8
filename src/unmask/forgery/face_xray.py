"""Blended faces of Face X-ray: another person's real face on this one's head, and whose faces suit each other.

Both sides of the border are real, so only the border and the difference between its sides can tell. Idea: Li et al.,
"Face X-ray for More General Face Forgery Detection", CVPR 2020, https://arxiv.org/abs/1912.13458; the implementation is
ours and needs five landmarks only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from unmask.forgery.masks import distort, hull, soften
from unmask.forgery.self_blend import blend
from unmask.forgery.swap import align_onto, match_colour
from unmask.forgery.warping import face_side, is_face, tidy

_REGION_ODDS = {"face": 0.5, "inner": 0.3, "head": 0.2}
#: Fewer pixels of the face than this in the picture are not worth a forgery.
_FEWEST = 64
#: So many rows are compared pair by pair; more are divided first.
_BLOCK = 512


def blend_faces(
    image: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator, donor: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Put another real face on this one.

    As published: the face's outline, bent at random over a grid of 4 x 4 and blurred by a random width, is the mask;
    the donor's colours are brought to this face's. Departs: the donor is warped by its landmarks, so that it fits even
    where the nearest face is not near; the outline is one of three by chance, all from five landmarks.

    Args:
        image: (H, W, 3) uint8 RGB, a real face crop.
        landmarks: (5, 2) in its pixels.
        rng: the source of chance.
        donor: another real face: (h, w, 3) uint8 RGB, and its (5, 2) landmarks in its own pixels.

    Returns:
        (H, W, 3) uint8 RGB, and the mask it was blended by: (H, W) float32 from 0 to 1. Where the mask is 0, the forged
        picture equals the given one exactly. Where either's landmarks are none of a face of at least 16 pixels that can
        be seen, the donor's all in its picture, nothing is forged, and the mask is 0 everywhere.
    """
    picture, marks = donor
    shape = image.shape[:2]
    unforged = image.copy(), np.zeros(shape, np.float32)
    if not (is_face(landmarks, shape) and is_face(marks, picture.shape[:2])):
        return unforged
    if (marks < 0).any() or (marks > np.array(picture.shape[1::-1]) - 1).any():
        return unforged
    mask = _bent_hull(landmarks, shape, rng)
    if (mask > 0.5).sum() < _FEWEST:
        return unforged
    face = match_colour(align_onto(picture, marks, landmarks, shape), image, mask)
    return blend(face, image, mask), mask


def _bent_hull(landmarks: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A random outline of the face, bent, shrunk or not, blurred: (H, W) float32 in [0, 1]."""
    side = face_side(landmarks)
    region = rng.choice(list(_REGION_ODDS), p=list(_REGION_ODDS.values()))
    mask = distort(hull(landmarks, shape, str(region)), rng, rng.uniform(0.01, 0.06) * min(side / max(shape), 1.0))
    return tidy(soften(mask, side * rng.uniform(0.03, 0.15)))


def nearest_donors(landmarks: np.ndarray, people: Sequence[str] | None, count: int) -> np.ndarray:
    """For each face, the faces of other people whose landmarks lie most alike.

    Place and scale are taken out: landmarks count from their mean, in units of their root mean square distance from it,
    because a donor is moved and scaled to fit in any case. The crop's side would leave how tightly a detector boxes a
    face in, and the distance between the eyes goes to nothing as a face turns away. Turn stays in: light falls on heads
    that are held alike alike.

    Args:
        landmarks: (N, 5, 2), of any crops.
        people: (N,) whose face each is; a row of the same name is no candidate. None, in place of a name or of all, is
            nobody's name: only the row itself is none.
        count: how many to find, at least 1.

    Returns:
        (N, count) int rows, nearest first; -1 where there are no more candidates.

    Raises:
        ValueError: landmarks of another shape or not finite, names of another number, a count below 1.
    """
    if landmarks.ndim != 3 or landmarks.shape[1:] != (5, 2) or not np.isfinite(landmarks).all():
        raise ValueError(f"landmarks are {landmarks.shape}, not (N, 5, 2) of finite numbers")
    if people is not None and len(people) != len(landmarks):
        raise ValueError(f"people has {len(people)} names, not one for each of {len(landmarks)} faces")
    if count < 1:
        raise ValueError(f"count is {count}, not a whole number from 1")
    numbers = _numbered(people, len(landmarks))
    order = np.argsort(numbers, kind="stable")
    found = _nearest_of_others(_shapes(landmarks)[order], numbers[order], count)
    nearest = np.empty_like(found)
    nearest[order] = np.where(found >= 0, order[found], -1) if len(order) else found
    return nearest


def _numbered(people: Sequence[str] | None, count: int) -> np.ndarray:
    """(N,) int: the same number for the same name, one of its own for each None."""
    numbers: dict[object, int] = {}
    names = [None] * count if people is None else people
    return np.array([numbers.setdefault(row if name is None else name, len(numbers)) for row, name in enumerate(names)])


def _shapes(landmarks: np.ndarray) -> np.ndarray:
    """(N, 5, 2) to (N, 10) float64 without place and scale."""
    centred = landmarks - landmarks.mean(1, keepdims=True, dtype=np.float64)
    scale = np.sqrt((centred**2).sum(2).mean(1))
    return (centred / np.maximum(scale, 1e-9)[:, None, None]).reshape(len(landmarks), 10)


def _nearest_of_others(shapes: np.ndarray, numbers: np.ndarray, count: int) -> np.ndarray:
    """(N, count) rows, -1 for none, for (N, 10) shapes in the order of their people's (N,) numbers.

    Rows are divided between two people again and again; each side looks for its nearest in a tree of the other. A tree
    thus never holds the rows of whoever asks, of which there may be very many, and all nearest.
    """
    distances, found = np.full((len(shapes), count), np.inf), np.full((len(shapes), count), -1)
    starts = np.flatnonzero(np.r_[True, numbers[1:] != numbers[:-1]])  # (P,) each person's first row
    parts = [(0, len(shapes))]
    while parts:
        low, high = parts.pop()
        borders = starts[np.searchsorted(starts, low, "right") : np.searchsorted(starts, high, "left")]
        if len(borders) == 0:
            continue
        if high - low <= _BLOCK:
            own = slice(low, high)
            apart = cdist(shapes[own], shapes[own])
            apart[numbers[own, None] == numbers[None, own]] = np.inf
            best = np.argsort(apart, axis=1, kind="stable")[:, :count]
            _keep(distances, found, own, np.take_along_axis(apart, best, 1), best + low)
            continue
        middle = int(borders[np.abs(borders - (low + high) / 2).argmin()])
        left, right = slice(low, middle), slice(middle, high)
        for own, other in ((left, right), (right, left)):
            # A list of ranks keeps two axes even for one.
            ranks = list(range(1, min(count, other.stop - other.start) + 1))
            apart, best = KDTree(shapes[other]).query(shapes[own], ranks, workers=-1)
            _keep(distances, found, own, apart, best + other.start)
        parts += [(low, middle), (middle, high)]
    return found


def _keep(distances: np.ndarray, found: np.ndarray, own: slice, apart: np.ndarray, rows: np.ndarray) -> None:
    """Merge candidates, (n, k) distances and rows, into the nearest of the rows ``own`` so far."""
    count = found.shape[1]
    apart = np.concatenate([distances[own], apart], axis=1)
    rows = np.concatenate([found[own], np.where(np.isfinite(apart[:, count:]), rows, -1)], axis=1)
    best = np.argsort(apart, axis=1, kind="stable")[:, :count]
    distances[own], found[own] = np.take_along_axis(apart, best, 1), np.take_along_axis(rows, best, 1)
