"""Where a forged face is pasted: soft masks over the face, from five landmarks."""

from __future__ import annotations

import cv2
import numpy as np

#: An upright face in a unit square: left eye, right eye, nose tip, left and right corner of the mouth. The usual
#: five-point template of face recognition (InsightFace, 112 px), divided by 112.
TEMPLATE = np.array([[0.342, 0.462], [0.656, 0.460], [0.500, 0.641], [0.371, 0.825], [0.631, 0.824]])

#: Outline of the face in the template's square, from the left temple down round the chin to the right temple.
_JAW = np.array(
    [
        *([0.10, 0.40], [0.11, 0.55], [0.14, 0.70], [0.21, 0.85], [0.33, 0.98], [0.50, 1.03]),
        *([0.67, 0.98], [0.79, 0.85], [0.86, 0.70], [0.89, 0.55], [0.90, 0.40]),
    ]
)
_BROWS = np.array([[0.80, 0.30], [0.65, 0.27], [0.50, 0.29], [0.35, 0.27], [0.20, 0.30]])
_FOREHEAD = np.array([[0.84, 0.22], [0.68, 0.08], [0.50, 0.04], [0.32, 0.08], [0.16, 0.22]])
_INNER = np.array(
    [[0.20, 0.36], [0.22, 0.60], [0.30, 0.84], [0.42, 0.93], [0.58, 0.93], [0.70, 0.84], [0.78, 0.60], [0.80, 0.36]]
)
_MOUTH = np.array([[0.28, 0.76], [0.36, 0.93], [0.50, 0.99], [0.64, 0.93], [0.72, 0.76], [0.60, 0.70], [0.40, 0.70]])

#: Regions that forging methods replace, as polygons in the template's square.
REGIONS = {
    "face": np.concatenate([_JAW, _BROWS]),
    "head": np.concatenate([_JAW, _FOREHEAD]),
    "inner": np.concatenate([_INNER, _BROWS[1:4]]),
    "mouth": _MOUTH,
}


def fit(landmarks: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """The similarity (turn, scale, shift) that maps five points onto five others with the least squared error.

    Args:
        landmarks: (5, 2) from.
        onto: (5, 2) to.

    Returns:
        (2, 3) affine matrix. Source: Umeyama, "Least-squares estimation of transformation parameters", PAMI 1991.
    """
    mean_from, mean_to = landmarks.mean(0), onto.mean(0)
    centred = landmarks - mean_from
    left, scales, right = np.linalg.svd((onto - mean_to).T @ centred)
    sign = np.array([1.0, np.sign(np.linalg.det(left @ right))])
    turn = (left * sign) @ right
    scale = float(scales @ sign) / max(float((centred**2).sum()), 1e-9)
    return np.column_stack([scale * turn, mean_to - scale * turn @ mean_from])


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map (N, 2) points by a (2, 3) affine matrix."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def hull(landmarks: np.ndarray, shape: tuple[int, int], region: str) -> np.ndarray:
    """A hard mask of one region of a face.

    Args:
        landmarks: (5, 2) in pixels.
        shape: height and width of the mask.
        region: a key of ``REGIONS``.

    Returns:
        (H, W) float32, 0 or 1.
    """
    outline = apply(fit(TEMPLATE, landmarks), _turned(REGIONS[region], landmarks))
    # The template is one broad average face: where this one's landmarks sit otherwise, its outline moves with them.
    outline += _residual(landmarks, outline)
    mask = np.zeros(shape, np.float32)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(outline).astype(np.int32)), 1.0)
    return mask


def yaw(landmarks: np.ndarray) -> float:
    """How far a face is turned: the nose's offset from the middle of eyes and mouth, in distances between the eyes.

    About 0 when it looks at the camera, positive towards the picture's right; beyond 0.35 either way is a half profile.
    """
    upright = apply(fit(landmarks, TEMPLATE), landmarks)
    return float((upright[2, 0] - upright[[0, 1, 3, 4], 0].mean()) / np.linalg.norm(upright[0] - upright[1]))


def _turned(points: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Template points with the side that is turned away drawn in."""
    turn = np.clip(yaw(landmarks), -0.4, 0.4)
    away = np.sign(points[:, 0] - 0.5) == np.sign(turn)
    stretch = np.where(away, 1 - 1.2 * abs(turn), 1 + 0.2 * abs(turn))
    return np.column_stack([0.5 + (points[:, 0] - 0.5) * stretch, points[:, 1]])


def _residual(landmarks: np.ndarray, points: np.ndarray) -> np.ndarray:
    """How far the landmarks lie from the fitted template, carried over to other points by nearness."""
    fitted = apply(fit(TEMPLATE, landmarks), TEMPLATE)
    spread = np.linalg.norm(landmarks[0] - landmarks[1]) + 1e-6
    near = np.exp(-((np.linalg.norm(points[:, None] - fitted[None], axis=2) / spread) ** 2))
    return (near / (near.sum(1, keepdims=True) + 1e-6)) @ (landmarks - fitted)


def soften(mask: np.ndarray, width: float) -> np.ndarray:
    """Blur a mask's edge inwards and outwards over about ``width`` pixels; 0 leaves it hard."""
    if width < 0.5:
        return mask
    return cv2.GaussianBlur(mask, (0, 0), width / 2)


def distort(mask: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Bend a mask elastically.

    Args:
        mask: (H, W) float32.
        rng: the source of chance.
        strength: typical shift, as a fraction of the mask's side.
    """
    height, width = mask.shape
    coarse = rng.normal(0.0, 1.0, (2, 4, 4)).astype(np.float32)
    shift = [cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC) for part in coarse]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    reach = strength * max(height, width)
    return cv2.remap(mask, x + shift[0] * reach, y + shift[1] * reach, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
