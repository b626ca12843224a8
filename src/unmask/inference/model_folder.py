"""The model folder: all that prediction needs, and nothing that can run code.

``model.safetensors`` holds the weights, ``model.yaml`` says which detector they belong to and how crops must be made,
``README.md`` is the model card. A folder from a stranger is safe to load: detectors are looked up by name in
``DETECTORS``, YAML is read with the safe loader, and weights are never unpickled.
"""

from __future__ import annotations

import math
import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from unmask import __version__
from unmask.detectors import DETECTORS, build, class_of
from unmask.detectors.base import Detector
from unmask.faces.store import StoreSettings
from unmask.inference.aggregate import AGGREGATIONS
from unmask.tables.errors import ModelError
from unmask.tables.writing import replacing, write_text

_FORMAT = 1


@dataclass(frozen=True)
class Calibration:
    """How a logit becomes a probability: sigmoid(slope * logit + shift), fitted on validation."""

    slope: float = 1.0
    shift: float = 0.0


@dataclass(frozen=True)
class ModelSpec:
    """What ``model.yaml`` says.

    Attributes:
        detector: a name in ``DETECTORS``.
        arguments: what builds it.
        store: how its crops must be made; None where the detector takes sound alone.
        aggregation: how frame scores become one, a name in ``unmask.inference.aggregate.AGGREGATIONS``.
        calibration: fitted on validation.
        data: hashes of the manifests it was trained on, by role, and other notes for the reader.
    """

    detector: str
    arguments: dict[str, object]
    store: StoreSettings | None
    aggregation: str = "mean"
    calibration: Calibration = field(default_factory=Calibration)
    data: dict[str, object] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """As it stands in ``model.yaml``."""
        return {
            "format": _FORMAT,
            "detector": {"name": self.detector, "arguments": self.arguments},
            "store": None if self.store is None else self.store.to_dict(),
            "aggregation": self.aggregation,
            "calibration": {"slope": self.calibration.slope, "shift": self.calibration.shift},
            "data": self.data,
            "versions": {
                "unmask": __version__,
                "python": platform.python_version(),
                "torch": version("torch"),
                "timm": version("timm"),
            },
        }


@dataclass(frozen=True)
class Model:
    """A detector that is ready to predict, and what is known about it."""

    detector: Detector
    spec: ModelSpec


def save_model(folder: str | Path, detector: Detector, spec: ModelSpec, card: str) -> None:
    """Write a model folder.

    Args:
        folder: where to.
        detector: whose weights are kept.
        spec: what ``model.yaml`` says.
        card: the model card, Markdown.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().cpu().contiguous() for name, value in detector.state_dict().items()}
    with replacing(folder / "model.safetensors") as temporary:
        save_file(state, temporary)
    write_text(yaml.safe_dump(spec.to_dict(), sort_keys=False), folder / "model.yaml")
    write_text(card, folder / "README.md")


def load_model(folder: str | Path) -> Model:
    """Load a model folder, in eval mode, on the CPU.

    Raises:
        ModelError: a file is missing or damaged, the detector is unknown, or the weights do not fit it.
    """
    folder = Path(folder)
    spec = _read_spec(folder)
    try:
        detector = build(spec.detector, **spec.arguments)
        state = load_file(folder / "model.safetensors")
        detector.load_state_dict(state)
        if not all(bool(value.isfinite().all()) for value in state.values()):
            raise ValueError("some weights are not finite")
    except FileNotFoundError as error:
        raise ModelError(
            "the model has no weights", where=error.filename or folder, next_step="copy the whole folder"
        ) from error
    except (SafetensorError, RuntimeError, TypeError, ValueError, AssertionError, OSError) as error:
        told = " ".join(str(error).split()) or type(error).__name__
        raise ModelError(
            f"the weights do not fit model.yaml ({told[:300]})", where=folder, next_step="copy the whole folder again"
        ) from error
    return Model(detector.eval(), spec)


def _read_spec(folder: Path) -> ModelSpec:
    path = folder / "model.yaml"
    if not path.is_file():
        raise ModelError(
            "there is no model here",
            where=folder,
            next_step="give a model folder, such as run/model: it holds model.yaml",
        )
    try:
        stated = yaml.safe_load(path.read_text(encoding="utf-8"))
        if stated["format"] != _FORMAT:
            raise ModelError(
                f"model.yaml has format {stated['format']}", where=path, next_step="use the unmask it names"
            )
        name = str(stated["detector"]["name"])
        arguments = dict(stated["detector"]["arguments"])
        store = None if stated["store"] is None else StoreSettings.of(stated["store"])
        calibration = Calibration(**{key: float(value) for key, value in stated["calibration"].items()})
        if not math.isfinite(calibration.slope) or not math.isfinite(calibration.shift):
            raise ValueError("the calibration is not finite")
        spec = ModelSpec(name, arguments, store, str(stated["aggregation"]), calibration, dict(stated["data"]))
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise ModelError(
            f"model.yaml is damaged ({type(error).__name__}: {error})", where=path, next_step="copy the folder again"
        ) from error
    if name not in DETECTORS:
        raise ModelError(
            f"no detector is called {name!r}",
            where=path,
            next_step=f"this version knows: {', '.join(sorted(DETECTORS))}",
        )
    if spec.aggregation not in AGGREGATIONS:
        raise ModelError(
            f"no aggregation is called {spec.aggregation!r}",
            where=path,
            next_step=f"this version knows: {', '.join(sorted(AGGREGATIONS))}",
        )
    if (spec.store is None) != (class_of(name).takes == ("sound",)):
        raise ModelError(
            "model.yaml does not say how the detector's crops are made"
            if spec.store is None
            else "model.yaml says how crops are made, and the detector takes sound alone",
            where=path,
            next_step="copy the folder again",
        )
    if any(key in arguments for key in ("weights", "pretrained")):
        raise ModelError(
            "model.yaml asks for other files", where=path, next_step="take arguments 'weights' and 'pretrained' out"
        )
    return spec


def device() -> torch.device:
    """The first CUDA device where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
