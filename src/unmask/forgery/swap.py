"""Face swaps: the face of one person on the head of another, by classical means."""

from __future__ import annotations

import cv2
import numpy as np

from unmask.forgery.masks import TEMPLATE, apply, fit, hull, soften
from unmask.forgery.self_blend import blend


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
    back = cv2.invertAffineTransform(matrix)
    x, y = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    points = np.stack([x.ravel(), y.ravel()], 1)
    # What the similarity leaves over is spread smoothly around each landmark.
    left_over = apply(matrix, donor_marks) - target_marks
    spread = np.linalg.norm(target_marks[0] - target_marks[1]) * 0.6 + 1e-6
    near = np.exp(-((np.linalg.norm(points[:, None] - target_marks[None], axis=2) / spread) ** 2))
    points = apply(back, points + (near / np.maximum(near.sum(1, keepdims=True), 1.0)) @ left_over)
    grid = points.reshape(height, width, 2).astype(np.float32)
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


def swap_alpha(
    target: np.ndarray, target_marks: np.ndarray, donor: np.ndarray, donor_marks: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Colour-matched, softly masked swap, as the tools of 2018 to 2020 finish theirs.

    The donor's face first goes through a low resolution, like the output of an autoencoder of 64 to 128 pixels.

    Args:
        target: (H, W, 3) uint8 RGB, whose head stays.
        target_marks: (5, 2) in its pixels.
        donor: (h, w, 3) uint8 RGB, whose face is shown.
        donor_marks: (5, 2) in its pixels.
        rng: the source of chance.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    mask = hull(target_marks, target.shape[:2], str(rng.choice(["face", "inner"])))
    face = align_onto(donor, donor_marks, target_marks, target.shape[:2])
    face = _through_low_resolution(face, target_marks, rng.uniform(64, 128))
    face = match_colour(face, target, mask)
    eyes = float(np.linalg.norm(target_marks[0] - target_marks[1]))
    return blend(face, target, soften(mask, eyes * rng.uniform(0.1, 0.35)))


def swap_poisson(
    target: np.ndarray, target_marks: np.ndarray, donor: np.ndarray, donor_marks: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Gradient-domain swap: no seam in brightness, but light and texture of two pictures. Arguments as ``swap_alpha``.

    Source: Pérez et al., "Poisson Image Editing", SIGGRAPH 2003, in OpenCV's ``seamlessClone``.
    """
    mask = hull(target_marks, target.shape[:2], str(rng.choice(["face", "inner"])))
    mask[:2], mask[-2:], mask[:, :2], mask[:, -2:] = 0, 0, 0, 0
    face = align_onto(donor, donor_marks, target_marks, target.shape[:2])
    face = match_colour(face, target, mask)
    left, top, width, height = cv2.boundingRect((mask * 255).astype(np.uint8))
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
SWAPS = {"swap_alpha": swap_alpha, "swap_poisson": swap_poisson}
