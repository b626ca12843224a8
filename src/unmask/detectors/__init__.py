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
    "frame_transformer": "unmask.detectors.frame_transformer:FrameTransformer",
    "r3d": "unmask.detectors.r3d:R3d",
    "i3d": "unmask.detectors.i3d:I3d",
    "ftcn": "unmask.detectors.ftcn:Ftcn",
    "altfreezing": "unmask.detectors.altfreezing:AltFreezing",
    "late_fusion": "unmask.detectors.late_fusion:LateFusion",
    "av_joint": "unmask.detectors.av_joint:AvJoint",
    "tall": "unmask.detectors.tall:Tall",
    "lfcc_lcnn": "unmask.detectors.lfcc_lcnn:LfccLcnn",
    "rawnet2": "unmask.detectors.rawnet2:RawNet2",
    "aasist": "unmask.detectors.aasist:Aasist",
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
    "gend": "unmask.detectors.gend:GenD",
    "effort": "unmask.detectors.effort:Effort",
    "f3net": "unmask.detectors.f3net:F3Net",
    "spsl": "unmask.detectors.spsl:SPSL",
    "srm": "unmask.detectors.srm:SRM",
    "multi_attentional": "unmask.detectors.multi_attentional:MultiAttentional",
    "face_xray": "unmask.detectors.face_xray:FaceXray",
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
    return class_of(name)(**arguments)


def class_of(name: str) -> type[Detector]:
    """The class of a detector.

    Raises:
        KeyError: no detector has this name.
    """
    module, class_name = DETECTORS[name].split(":")
    found: type[Detector] = getattr(import_module(module), class_name)
    return found
