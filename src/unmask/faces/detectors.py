"""The face detectors by name, and the name under which what they found is recorded."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from unmask.faces.face import FaceDetector
from unmask.faces.finding import METHOD
from unmask.tables.errors import StoreError


def _centerface() -> FaceDetector:
    from unmask.faces.centerface import CenterFace

    return CenterFace()


def _mtcnn() -> FaceDetector:
    try:
        from unmask.faces.mtcnn import Mtcnn
    except ModuleNotFoundError as error:
        raise StoreError(
            "the face detector mtcnn is not installed", next_step="run: pip install -e '.[mtcnn]'"
        ) from error
    return Mtcnn()


#: Name -> what makes the detector; each imports what it needs when it is made.
DETECTORS: dict[str, Callable[[], FaceDetector]] = {"centerface": _centerface, "mtcnn": _mtcnn}


@cache
def detector(name: str) -> FaceDetector:
    """One of ``DETECTORS``, made once a process.

    Raises:
        StoreError: its package is not installed.
    """
    return DETECTORS[name]()


def recorded(name: str) -> str:
    """The name of a detector with its weights and the way it is used, as a face store records it."""
    return f"{detector(name).name}-{METHOD}"


def detector_of(record: str) -> FaceDetector:
    """The detector that a store or a model records.

    Raises:
        StoreError: this version of unmask has no such detector, or not with these weights and this way.
    """
    name = record.partition("-")[0]
    if name not in DETECTORS or recorded(name) != record:
        here = recorded(name) if name in DETECTORS else ", ".join(DETECTORS)
        raise StoreError(
            f"faces are wanted that {record!r} found; this version of unmask has {here}",
            next_step="use the version of unmask that made the model or the store, or prepare and train again",
        )
    return detector(name)
