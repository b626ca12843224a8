"""Self-blended pictures: a real face blended with a slightly changed copy of itself.

What remains visible is what every face swap leaves behind: a border, and statistics that differ on its two sides. A
detector that learns it from one person's pictures alone cannot lean on identity. Idea: Shiohara and Yamasaki,
"Detecting Deepfakes with Self-Blended Images", CVPR 2022; the implementation is ours and needs five landmarks only.
"""

from __future__ import annotations

import cv2
import numpy as np

from unmask.forgery.masks import distort, hull, soften

_REGION_ODDS = {"face": 0.45, "head": 0.25, "inner": 0.2, "mouth": 0.1}
_RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)


def self_blend(image: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Forge a face out of itself.

    Args:
        image: (H, W, 3) uint8 RGB, a real face crop.
        landmarks: (5, 2) in its pixels.
        rng: the source of chance.

    Returns:
        (H, W, 3) uint8 RGB, and the mask it was blended by: (H, W) float32, 0 where nothing is forged, to 1.
    """
    if rng.random() < 0.5:
        inside, outside = _change(image, rng), image
    else:
        inside, outside = image, _change(image, rng)
    mask = blending_mask(landmarks, image.shape[:2], rng)
    inside = _move(inside, rng)
    return blend(inside, outside, mask), mask


def blend(inside: np.ndarray, outside: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mix two (H, W, 3) uint8 pictures by an (H, W) mask in [0, 1]: 1 shows ``inside``."""
    weight = mask[..., None]
    return np.rint(inside * weight + outside * (1 - weight)).astype(np.uint8)


def blending_mask(landmarks: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A random region of the face, bent, shrunk, softened and made partly transparent: (H, W) float32 in [0, 1]."""
    region = rng.choice(list(_REGION_ODDS), p=list(_REGION_ODDS.values()))
    mask = distort(hull(landmarks, shape, str(region)), rng, rng.uniform(0.0, 0.03))
    eyes = float(np.linalg.norm(landmarks[0] - landmarks[1]))
    if rng.random() < 0.5:
        reach = max(int(eyes * rng.uniform(0.02, 0.15)), 1)
        mask = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    mask = soften(mask, eyes * rng.uniform(0.02, 0.5))
    top = mask.max()
    return mask / top * rng.choice(_RATIOS) if top > 0 else mask


def _change(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Colour and sharpness of one side, changed a little: what another camera or a network's decoder would do."""
    changed = _shift_colour(image, rng)
    kind = rng.random()
    if kind < 0.45:
        return _soften_by_scaling(changed, rng)
    if kind < 0.6:
        return cv2.GaussianBlur(changed, (0, 0), rng.uniform(0.4, 1.6) * image.shape[0] / 256)
    if kind < 0.8:
        amount = rng.uniform(0.3, 1.2)
        return cv2.addWeighted(changed, 1 + amount, cv2.GaussianBlur(changed, (0, 0), 1.5), -amount, 0)
    return changed


def _shift_colour(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(-4, 4)) % 180
    hsv[..., 1] *= rng.uniform(0.8, 1.2)
    hsv[..., 2] = hsv[..., 2] * rng.uniform(0.88, 1.12) + rng.uniform(-10, 10)
    shifted = cv2.cvtColor(hsv.clip(0, [179, 255, 255]).astype(np.uint8), cv2.COLOR_HSV2RGB)
    return (shifted + rng.uniform(-12, 12, 3)).clip(0, 255).astype(np.uint8)


def _soften_by_scaling(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = image.shape[:2]
    factor = rng.uniform(0.25, 0.75)
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    method = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
    return cv2.resize(small, (width, height), interpolation=method)


def _move(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shift and scale by up to a few per cent, so that features do not quite meet at the border."""
    height, width = image.shape[:2]
    scale = rng.uniform(0.95, 1.05)
    centre = np.array([width, height]) / 2
    shift = rng.uniform(-0.03, 0.03, 2) * [width, height] + centre * (1 - scale)
    matrix = np.array([[scale, 0.0, shift[0]], [0.0, scale, shift[1]]])
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
