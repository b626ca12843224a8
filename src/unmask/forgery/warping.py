"""Warped faces: a real face shrunk, blurred, enlarged and put back where it was.

A generator makes faces of one small size, which a swap then enlarges and turns to fit the head. What that leaves is a
face that is less sharp than its surroundings, and a detector can learn it from real pictures alone. Idea: Li and Lyu,
"Exposing DeepFake Videos By Detecting Face Warping Artifacts" (FWA), CVPR Workshops 2019, https://arxiv.org/abs/1811.00656;
the implementation is ours and needs five landmarks only.
"""

from __future__ import annotations

import cv2
import numpy as np

from unmask.forgery.masks import TEMPLATE, apply, fit, hull, soften
from unmask.forgery.self_blend import blend

#: A face whose template square has a shorter side than this, in pixels, is left alone.
_SMALLEST = 16
#: How well five points must correlate with the template, 0 to 1: a mirrored face does by 0.2, a full profile by 0.75.
_LIKENESS = 0.65
#: How wide five points must be across, in their spread along; points on a line have 0, a full profile has 0.2 or more.
_SLIMMEST = 0.12
#: Left, top and side, in the template's square: what is shrunk, and the square from brows to chin that is put back.
_SEEN = (-0.1, 0.03, 1.2)
_SQUARE = (0.2, 0.33, 0.6)
#: Least side of the shrunk picture, in pixels.
_LEAST = 12


def warp_face(image: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Forge a face by taking it through a small size.

    As published: the aligned face at a random size, a Gaussian blur of 5 x 5 pixels there, the affine warp back, and in
    half of all cases only the polygon of brows and mouth in place of the whole square. Departs: the size is 0.3 to 0.8
    of the face's own, not 64 to 128 pixels, since crops differ in size; the edge may be soft. The published change of
    colour is missing here on purpose: real pictures get it too, so it belongs to the augmentation of both.

    Args:
        image: (H, W, 3) uint8 RGB, a real face crop.
        landmarks: (5, 2) in its pixels.
        rng: the source of chance.

    Returns:
        (H, W, 3) uint8 RGB, and the mask it was blended by: (H, W) float32 from 0 to 1. Where the mask is 0, the forged
        picture equals the given one exactly. Where landmarks are none of a face of at least 16 pixels that can be seen,
        nothing is forged, and the mask is 0 everywhere.
    """
    shape = image.shape[:2]
    if not is_face(landmarks, shape):
        return image.copy(), np.zeros(shape, np.float32)
    scale = rng.uniform(0.3, 0.8)
    square = cv2.convexHull(np.round(apply(fit(TEMPLATE, landmarks), _corners(*_SQUARE))).astype(np.int32))
    mask = np.zeros(shape, np.float32)
    cv2.fillConvexPoly(mask, square, 1.0)
    if rng.random() < 0.5:
        mask *= hull(landmarks, shape, "inner")
    mask = tidy(soften(mask, face_side(landmarks) * rng.uniform(0.0, 0.09)))
    return blend(_through_small_size(image, landmarks, scale), image, mask), mask


def is_face(landmarks: np.ndarray, shape: tuple[int, int]) -> bool:
    """Whether five points are those of a face that is large enough to be forged in a picture of (height, width).

    They are finite, in or near the picture, and of a face's shape: not in one place or on one line, not mirrored.
    """
    if not (np.isfinite(landmarks).all() and np.abs(landmarks).max() <= 4 * max(shape)):
        return False
    side = face_side(landmarks)
    if side < _SMALLEST or np.linalg.norm(landmarks[0] - landmarks[1]) < 1:
        return False
    along, across = np.linalg.svd(landmarks - landmarks.mean(0), compute_uv=False)
    # What is left of the face's size after the best turn is the two shapes' correlation.
    return bool(across >= _SLIMMEST * along and np.linalg.norm(fit(landmarks, TEMPLATE)[:2, 0]) * side >= _LIKENESS)


def face_side(landmarks: np.ndarray) -> float:
    """Side in pixels of the template's square for (5, 2) landmarks, by their root mean square distance from their mean.

    Unlike the distance between the eyes it hardly shrinks as a face turns away.
    """
    return float((landmarks - landmarks.mean(0)).std() / (TEMPLATE - TEMPLATE.mean(0)).std())


def tidy(mask: np.ndarray) -> np.ndarray:
    """An (H, W) mask in [0, 1], and 0 where it is too faint to change a grey level."""
    return np.where(mask < 1 / 512, 0, np.minimum(mask, 1)).astype(np.float32)


def _corners(left: float, top: float, side: float) -> np.ndarray:
    return np.array([[left, top], [left + side, top], [left + side, top + side], [left, top + side]])


def _through_small_size(image: np.ndarray, landmarks: np.ndarray, scale: float) -> np.ndarray:
    """The whole picture with the face, and something around it, as it comes back from ``scale`` of its size."""
    left, top, side = _SEEN
    size = max(round(face_side(landmarks) * side * scale), _LEAST)
    there = fit(landmarks, (TEMPLATE - [left, top]) / side * size - 0.5)
    shrink = 1 / max(float(np.linalg.norm(there[:2, 0])), 1e-6)
    # Nothing finer than the small picture's pixels may be sampled: no generator's output shows such a pattern.
    smooth = cv2.GaussianBlur(image, (0, 0), 0.4 * shrink) if shrink > 1.5 else image
    small = cv2.warpAffine(smooth, there, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    small = cv2.GaussianBlur(small, (5, 5), 0)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(small, there, image.shape[1::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
