"""Strict reading of ``policy.json``, which may come from a stranger or out of an editor."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from unmask.scoring.aggregation import AGGREGATIONS
from unmask.scoring.calibration import METHODS, Calibration
from unmask.scoring.joining import NO_FRAMES
from unmask.scoring.metrics import SMALLEST_CLIP
from unmask.scoring.policy import CLASS_WEIGHTING, FORMAT, Policy, Threshold, Validation
from unmask.tables.errors import Problem, TableError, UnmaskError
from unmask.tables.reading import shown

_MAX_BYTES = 1_048_576
#: How far a calibrated score may be from what the raw one gives: other machines round exp and log otherwise.
_ROUNDING = 1e-9
_AGAIN = "take the file as unmask calibrate wrote it"


def read_policy(path: str | Path) -> Policy:
    """Read and check a policy.

    Raises:
        TableError: it cannot work, with every fault, its place and what should stand there.
        UnmaskError: there is no such file.
    """
    path = Path(path)
    content = _load(path)
    faults = list(_faults(content, _schema(content), "")) or list(_contradictions(content))
    if faults:
        raise TableError(path, faults)
    return Policy(
        aggregation=content["aggregation"],
        calibration=_calibration(content),
        thresholds=tuple(Threshold(**each) for each in content["thresholds"]),
        prevalence=content["prevalence"],
        trained_prevalence=content["trained_prevalence"],
        validation=Validation(**content["validation"]),
        versions=content["versions"],
    )


def _load(path: Path) -> Any:
    if not path.is_file():
        raise UnmaskError(
            f"there is no policy {path.name}", where=path,
            next_step="make one with: unmask calibrate PREDICTIONS ANSWERS --split validation",
        )  # fmt: skip
    with path.open("rb") as stream:
        data = stream.read(_MAX_BYTES + 1)
    try:
        if len(data) > _MAX_BYTES:
            raise ValueError(f"more than {_MAX_BYTES:,} bytes")
        return json.loads(data.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise TableError(path, [Problem(0, f"not JSON that can be used ({error})", _AGAIN)]) from error


def _pairs(found: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the key {shown(name)} stands more than once")
    return dict(found)


def _constant(name: str) -> object:
    raise ValueError(f"{name} is no number")


@dataclass(frozen=True)
class _Rule:
    """What a value must be: a test, and the same in words."""

    holds: Callable[[object], bool]
    words: str


def _number(low: float, high: float, words: str) -> _Rule:
    def holds(value: object) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high

    return _Rule(holds, words)


def _text(pattern: str, words: str, *, empty: bool = False) -> _Rule:
    def holds(value: object) -> bool:
        return (empty and value is None) or (isinstance(value, str) and re.fullmatch(pattern, value) is not None)

    return _Rule(holds, words)


_ABOVE_0 = math.nextafter(0.0, 1.0)
_POSITIVE = _number(_ABOVE_0, 1e300, "a number above 0")
_PARAMETERS = {"temperature": _POSITIVE, "slope": _POSITIVE, "shift": _number(-1e300, 1e300, "a number")}
_SHARE = _number(_ABOVE_0, math.nextafter(1.0, 0.0), "a number between 0 and 1")
_RATE = _number(0.0, 1.0, "a number from 0 to 1")
_THRESHOLD = {field.name: _SHARE if field.name == "promised_fpr" else _RATE for field in fields(Threshold)}
_COUNT = _Rule(lambda value: type(value) is int and value >= 0, "a whole number from 0")
_HASH = _text("[0-9a-f]{64}", "64 hexadecimal digits")
_FILE = _text("[0-9a-f]{64}", "64 hexadecimal digits, or null", empty=True)
_VALIDATION = {
    "fakes": _COUNT, "reals": _COUNT, "unanswered": _COUNT, "split": _text("(?s).*", "text, or null", empty=True),
    "ids_sha256": _HASH, "predictions_sha256": _FILE, "answers_sha256": _FILE,
}  # fmt: skip
_VERSION = _text(r"[\x20-\x7e]{1,100}", "a version")


def _schema(content: object) -> dict[str, object]:
    """Key -> what must stand there: a rule; the keys of an object; or, in a list, the keys of each of its items."""
    method = content.get("method") if isinstance(content, dict) else None
    parameters = METHODS[method] if isinstance(method, str) and method in METHODS else ()
    return {
        "format": _Rule(lambda value: type(value) is int and value == FORMAT, f"{FORMAT}, or use the unmask it names"),
        "aggregation": _Rule(
            lambda value: isinstance(value, str) and value in (NO_FRAMES, *AGGREGATIONS),
            f"one of {', '.join(AGGREGATIONS)}, or {shown(NO_FRAMES)}",
        ),
        "method": _text("|".join(METHODS), f"one of {', '.join(METHODS)}"),
        "parameters": {name: _PARAMETERS[name] for name in parameters},
        "clip": _number(SMALLEST_CLIP, math.nextafter(0.5, 0.0), f"a number from {SMALLEST_CLIP:g}, below 0.5"),
        "thresholds": [_THRESHOLD],
        "prevalence": _SHARE,
        "trained_prevalence": _SHARE,
        "class_weighting": _Rule(lambda value: value == CLASS_WEIGHTING, shown(CLASS_WEIGHTING)),
        "validation": _VALIDATION,
        "versions": dict.fromkeys(("unmask", "python", "numpy", "polars"), _VERSION),
    }


def _faults(value: object, wanted: object, place: str) -> Iterator[Problem]:
    """Every fault of form below ``place``."""
    where = place or "the file"
    if isinstance(wanted, _Rule):
        if not wanted.holds(value):
            yield Problem(0, f"{where} is {_told(value)}", f"write {wanted.words}")
    elif isinstance(wanted, list):
        if not isinstance(value, list) or not value:
            yield Problem(0, f"{where} is {_told(value)}", "write a list with at least one threshold")
            return
        for number, item in enumerate(value):
            yield from _faults(item, wanted[0], f"{place}[{number}]")
    elif isinstance(wanted, dict):
        if not isinstance(value, dict):
            yield Problem(0, f"{where} is {_told(value)}", f"write an object with {', '.join(wanted)}")
            return
        for name in value:
            if name not in wanted:
                yield Problem(0, f"{where} has the key {shown(name)}", f"leave it out; keys are {', '.join(wanted)}")
        for name, rule in wanted.items():
            if name in value:
                yield from _faults(value[name], rule, f"{place}.{name}" if place else name)
            else:
                yield Problem(0, f"{where} has no key {shown(name)}", _AGAIN)


def _told(value: object) -> str:
    if value is None or isinstance(value, (str, int, float)):
        return shown(str(value)) if isinstance(value, str) else shown(json.dumps(value))[1:-1]
    return "empty" if not value else f"{'a list' if isinstance(value, list) else 'an object'}"


def _calibration(content: Any) -> Calibration:
    return Calibration(content["method"], content["parameters"], content["clip"])


def _contradictions(content: Any) -> Iterator[Problem]:
    """What cannot be true together in a policy of the right form."""
    promises = [each["promised_fpr"] for each in content["thresholds"]]
    calibrated = _calibration(content).apply([each["raw_score"] for each in content["thresholds"]])
    for number, (each, score) in enumerate(zip(content["thresholds"], calibrated.tolist(), strict=True)):
        place = f"thresholds[{number}]"
        if promises.index(each["promised_fpr"]) < number:
            yield Problem(0, f"{place} promises {each['promised_fpr']:g} once more", "keep one of the two")
        if each["validation_fpr"] > each["promised_fpr"]:
            what = f"{place} promises {each['promised_fpr']:g}, but validation has {each['validation_fpr']:g}"
            yield Problem(0, what, _AGAIN)
        if abs(each["calibrated_score"] - score) > _ROUNDING:
            what = f"{place}: the raw score {each['raw_score']:g} is {score:g} when it is calibrated"
            yield Problem(0, f"{what}, not {each['calibrated_score']:g}", _AGAIN)
