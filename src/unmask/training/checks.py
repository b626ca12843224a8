"""What a composed configuration may say: every value that would fail later, told at once."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from unmask.detectors import DETECTORS, class_of
from unmask.inference.aggregate import AGGREGATIONS
from unmask.loading.blending import BLENDINGS
from unmask.loading.data_module import PairDataModule
from unmask.tables.errors import ConfigError
from unmask.training.module import DetectorModule

#: Key to the kind of number that it must be, its least and its most.
_WHOLE, _ANY = (int,), (int, float)
_NUMBERS: dict[str, tuple[tuple[type, ...], float, float]] = {
    "seed": (_WHOLE, 0, 2**32 - 1),
    "optimizer.learning_rate": (_ANY, 0, math.inf),
    "optimizer.weight_decay": (_ANY, 0, math.inf),
    "optimizer.warm_up": (_ANY, 0, 1),
    "optimizer.label_smoothing": (_ANY, 0, 1),
    "optimizer.layer_decay": (_ANY, 0.01, 1),
    "optimizer.frozen_epochs": (_WHOLE, 0, math.inf),
    "checkpoints.every_steps": (_WHOLE, 0, math.inf),
    "stop.patience": (_WHOLE, 0, math.inf),
    "data.pairs_per_batch": (_WHOLE, 1, math.inf),
    "data.blends": (_ANY, 0, 1),
    "data.repeats": (_WHOLE, 1, math.inf),
    "data.workers": (_WHOLE, 0, math.inf),
    "trainer.max_epochs": (_WHOLE, 1, math.inf),
}

#: Key to the words that it can be.
_WORDS: dict[str, tuple[object, ...]] = {
    "fit": ("all", "head"),
    "aggregation": tuple(sorted(AGGREGATIONS)),
    "test": (True, False),
    "data.twins": (True, False),
    "data.blending": tuple(BLENDINGS),
    "allow_leaks": (True, False),
    "detector.name": tuple(sorted(DETECTORS)),
}

#: Section to what takes its keys as arguments; None: anything, checked elsewhere.
_SECTIONS: dict[str, type | None] = {
    "data": PairDataModule,
    "optimizer": DetectorModule,
    "stop": None,
    "checkpoints": None,
    "detector": None,
    "detector.arguments": None,
    "augment": None,
    "trainer": None,
}


def check_values(config: DictConfig) -> None:
    """Refuse a configuration that cannot work.

    Args:
        config: composed from ``configs/train.yaml``.

    Raises:
        ConfigError: with every value that cannot be.
    """
    flat = [name for name in _SECTIONS if not OmegaConf.is_dict(OmegaConf.select(config, name))]
    if flat:
        raise ConfigError(
            f"not a section: {', '.join(flat)}", next_step=f"give its keys one by one, such as {flat[0]}.KEY=..."
        )
    missing = set(OmegaConf.missing_keys(config))
    if config.store is None and _takes(config) != ("sound",):
        missing.add("store")
    if missing:
        raise ConfigError(
            f"the configuration lacks: {', '.join(sorted(missing))}", next_step=f"give each: {min(missing)}=..."
        )
    faults = [] if config.out else ["out is empty; give a folder"]
    faults += _data_faults(config)
    for key, words in _WORDS.items():
        value = OmegaConf.select(config, key)
        if value not in words:
            faults.append(f"{key}={value} is not known; use one of: {', '.join(str(word).lower() for word in words)}")
    faults += [fault for key in _NUMBERS if (fault := _number_fault(config, key))]
    faults += _further_faults(config)
    for name, taker in _SECTIONS.items():
        if taker is not None:
            unknown = sorted(set(OmegaConf.select(config, name)) - set(inspect.signature(taker).parameters))
            faults += [f"{name}.{key} is not known; take it out" for key in unknown]
    if config.resume and config.fit == "head":
        faults.append("resume goes on from a checkpoint, and fit=head writes none; leave resume out")
    elif config.resume and not Path(config.resume).is_file():
        faults.append(f"there is no checkpoint at resume={config.resume}; a run writes checkpoints/last.ckpt")
    if faults:
        listed = faults[0] if len(faults) == 1 else "\n  ".join([f"{len(faults)} values cannot be:", *faults])
        raise ConfigError(listed, next_step="mend what is listed; unmask train --help says what each key means")


def _takes(config: DictConfig) -> tuple[str, ...]:
    """What the detector takes; nothing where there is no such detector, which is told elsewhere."""
    name = config.detector.get("name")
    return class_of(name).takes if name in DETECTORS else ()


def _data_faults(config: DictConfig) -> list[str]:
    """What is wrong with how manifests and stores are given: one of each, or several of each by name."""
    kinds = {key: OmegaConf.select(config, key) for key in ("manifest", "store")}
    if _takes(config) == ("sound",) and kinds.pop("store") is not None:
        return [f"store={config.store} holds faces, and the detector takes sound alone; leave it out"]
    named = {key: OmegaConf.is_dict(value) for key, value in kinds.items()}
    faults = [
        f"{key}={value} is neither a path nor paths by name, such as {key}={{ff: PATH}}"
        for key, value in kinds.items()
        if not named[key] and not isinstance(value, str)
    ]
    if not faults and len(set(named.values())) > 1:
        faults.append("give manifest and store both as one path, or both as paths by name")
    if config.use is not None and not OmegaConf.is_dict(config.use):
        faults.append(f"use={config.use} is not lists of splits by name, such as use={{celeb: [test]}}")
    elif config.use and not named["manifest"]:
        faults.append("use is for several manifests by name; leave it out")
    return faults


def _further_faults(config: DictConfig) -> list[str]:
    """What is wrong with values that are more than a number or one of some words."""
    faults = []
    average = config.average
    if average is not None and not (type(average) in _ANY and 0 < average < 1):
        faults.append(f"average={average} is neither null nor a number between 0 and 1, such as 0.999")
    balance = config.data.balance
    if not OmegaConf.is_list(balance) or not all(isinstance(name, str) for name in balance):
        faults.append(f"data.balance={balance} is not a list of columns, such as [dataset,method]")
    name = config.detector.get("name")
    rests = "optimizer.frozen_epochs" if config.optimizer.frozen_epochs else ""
    if name in DETECTORS and class_of(name).rests:
        rests = f"detector.name={name}"
    if rests and config.trainer.get("strategy") == "ddp":
        faults.append(
            f"{rests} leaves parameters without a gradient in some steps, which trainer.strategy=ddp does not take; "
            "give trainer.strategy=ddp_find_unused_parameters_true"
        )
    return faults


def _number_fault(config: DictConfig, key: str) -> str | None:
    kinds, least, most = _NUMBERS[key]
    value: Any = OmegaConf.select(config, key)
    if type(value) in kinds and least <= value <= most:
        return None
    extent = f"from {least:g} to {most:.10g}" if math.isfinite(most) else f"of at least {least:g}"
    return f"{key}={value} is not a {'whole ' if kinds is _WHOLE else ''}number {extent}"
