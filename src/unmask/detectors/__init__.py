"""One file a detector: an ``nn.Module`` that turns a batch of crops, clips or sounds into logits.

Each is a ``Detector`` (``base.py``); ``tests/detectors/contract.py`` checks what that promises.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unmask.detectors.base import Detector

#: Name, as it stands in a config and in ``model.yaml``, to module and class.
DETECTORS = {
    "timm": "unmask.detectors.timm_backbone:TimmBackbone",
    "spectrum": "unmask.detectors.spectrum:Spectrum",
    "xception": "unmask.detectors.xception:Xception",
    "meso4": "unmask.detectors.meso:Meso4",
    "meso_inception4": "unmask.detectors.meso:MesoInception4",
    "capsule": "unmask.detectors.capsule:Capsule",
    "ffd": "unmask.detectors.ffd:FFD",
    "core": "unmask.detectors.core:Core",
    "recce": "unmask.detectors.recce:Recce",
    "ucf": "unmask.detectors.ucf:UCF",
}


def build(name: str, **arguments: object) -> Detector:
    """Build a detector by name.

    Args:
        name: a key of ``DETECTORS``.
        arguments: what its class takes.

    Raises:
        KeyError: no detector has this name.
        TypeError: it does not take these arguments.
    """
    module, class_name = DETECTORS[name].split(":")
    detector: Detector = getattr(import_module(module), class_name)(**arguments)
    return detector
