"""Face swaps: the face of one person on the head of another, by classical means."""

from __future__ import annotations

import cv2
import numpy as np

from unmask.forgery.masks import TEMPLATE, apply, fit, hull, soften
from unmask.forgery.self_blend import blend

#: Pixels a cell of the grid on which a face is bent.
_COARSE = 8


def align_onto(
    donor: np.ndarray, donor_marks: np.ndarray, target_marks: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """The donor's picture turned, scaled and bent so that its five landmarks lie on the target's.

    Args:
        donor: (H, W, 3) uint8 RGB.
        donor_marks: (5, 2) in the donor's pixels.
        target_marks: (5, 2) in the target's pixels.
        shape: height and width of the target.

    Returns:
        (shape[0], shape[1], 3) uint8 RGB; edges repeated beyond the donor's picture.
    """
    matrix = fit(donor_marks, target_marks)
    height, width = shape
    # The bend is smooth: a coarse grid of it is enough.
    coarse = (max(height // _COARSE, 2), max(width // _COARSE, 2))
    y, x = ((np.arange(count) + 0.5) * side / count - 0.5 for count, side in zip(coarse, shape, strict=True))
    points = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    # What the similarity leaves over is spread around each landmark.
    left_over = apply(matrix, donor_marks) - target_marks
    spread = np.linalg.norm(target_marks[0] - target_marks[1]) * 0.6 + 1e-6
    near = np.exp(-((np.linalg.norm(points[:, None] - target_marks[None], axis=2) / spread) ** 2))
    bend = (near / np.maximum(near.sum(1, keepdims=True), 1.0)) @ left_over
    bend = cv2.resize(bend.reshape(*coarse, 2), (width, height), interpolation=cv2.INTER_LINEAR)
    place = bend + np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1)
    grid = cv2.transform(place, cv2.invertAffineTransform(matrix)).astype(np.float32)
    return cv2.remap(
        _prefiltered(donor, matrix), grid[..., 0], grid[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


def _prefiltered(donor: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The donor blurred as far as it is about to shrink, since ``remap`` does not average."""
    shrink = 1.0 / max(float(np.sqrt(abs(np.linalg.det(matrix[:, :2])))), 1e-6)
    return cv2.GaussianBlur(donor, (0, 0), 0.4 * shrink) if shrink > 1.5 else donor


def match_colour(inside: np.ndarray, outside: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """``inside`` with the mean and spread of ``outside`` under the mask, channel by channel in Lab.

    Source: Reinhard et al., "Color Transfer between Images", IEEE CG&A 2001.
    """
    chosen = mask > 0.5
    if chosen.sum() < 16:
        return inside
    lab, other = (cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32) for picture in (inside, outside))
    mean, spread = lab[chosen].mean(0), lab[chosen].std(0) + 1e-3
    wanted_mean, wanted_spread = other[chosen].mean(0), other[chosen].std(0) + 1e-3
    matched = (lab - mean) * (wanted_spread / spread).clip(0.6, 1.6) + wanted_mean
    return cv2.cvtColor(matched.clip(0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB)


def _swap_alpha(
    target: np.ndarray, target_marks: np.ndarray, donor: np.ndarray, donor_marks: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Colour-matched, softly masked swap, as the tools of 2018 to 2020 finish theirs.

    The donor's face first goes through a low resolution, like the output of an autoencoder of 48 to 256 pixels.
    """
    mask = hull(target_marks, target.shape[:2], str(rng.choice(["face", "inner"])))
    face = align_onto(donor, donor_marks, target_marks, target.shape[:2])
    face = _through_low_resolution(face, target_marks, rng.uniform(48, 256))
    face = match_colour(face, target, mask)
    eyes = float(np.linalg.norm(target_marks[0] - target_marks[1]))
    return blend(face, target, soften(mask, eyes * rng.uniform(0.1, 0.35)))


def _swap_poisson(
    target: np.ndarray, target_marks: np.ndarray, donor: np.ndarray, donor_marks: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Gradient-domain swap: no seam in brightness, but light and texture of two pictures.

    Source: Pérez et al., "Poisson Image Editing", SIGGRAPH 2003, in OpenCV's ``seamlessClone``.
    """
    mask = hull(target_marks, target.shape[:2], str(rng.choice(["face", "inner"])))
    mask[:2], mask[-2:], mask[:, :2], mask[:, -2:] = 0, 0, 0, 0
    face = align_onto(donor, donor_marks, target_marks, target.shape[:2])
    face = match_colour(face, target, mask)
    left, top, width, height = cv2.boundingRect((mask * 255).astype(np.uint8))
    if min(width, height) < _SMALLEST // 2:
        return target  # seamlessClone has nothing to solve for there, and fails
    centre = (left + width // 2, top + height // 2)
    return cv2.seamlessClone(face, target, (mask * 255).astype(np.uint8), centre, cv2.NORMAL_CLONE)


def _through_low_resolution(face: np.ndarray, marks: np.ndarray, pixels: float) -> np.ndarray:
    """Shrink the picture until the face is ``pixels`` wide, and enlarge it again; a smaller face stays as it is."""
    eyes = float(np.linalg.norm(marks[0] - marks[1]))
    width = eyes / float(np.linalg.norm(TEMPLATE[0] - TEMPLATE[1]))
    if width <= pixels:
        return face
    factor = pixels / width
    small = cv2.resize(face, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (face.shape[1], face.shape[0]), interpolation=cv2.INTER_CUBIC)


#: Name of each way to swap a face, as it stands in the manifest's ``method`` column.
SWAPS = {"swap_alpha": _swap_alpha, "swap_poisson": _swap_poisson}

#: Half the side of the square that a swap works on, in distances between the eyes: the face with room to blend.
_REACH = 3.0
#: A face of which less than this many pixels can be seen either way is left alone.
_SMALLEST = 16


def swap_face(
    method: str,
    target: np.ndarray,
    target_marks: np.ndarray,
    donor: np.ndarray,
    donor_marks: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Put one person's face on another's head.

    Args:
        method: a key of ``SWAPS``.
        target: (H, W, 3) uint8 RGB, whose head stays.
        target_marks: (5, 2) in its pixels.
        donor: (h, w, 3) uint8 RGB, whose face is shown.
        donor_marks: (5, 2) in its pixels.
        rng: the source of chance; for the frames of one video, give each a generator of the same seed.

    Returns:
        (H, W, 3) uint8 RGB, equal to the target away from its face; all of it, where the face lies outside.
    """
    reach = _REACH * float(np.linalg.norm(target_marks[0] - target_marks[1]))
    centre = target_marks.mean(0)
    height, width = target.shape[:2]
    left, top = np.maximum(np.floor(centre - reach), 0).astype(int)
    right, bottom = np.minimum(np.ceil(centre + reach), [width, height]).astype(int)
    swapped = target.copy()
    if min(right - left, bottom - top) < _SMALLEST:
        return swapped
    part = target[top:bottom, left:right]
    swapped[top:bottom, left:right] = SWAPS[method](part, target_marks - [left, top], donor, donor_marks, rng)
    return swapped
