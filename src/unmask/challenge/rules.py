"""What may stand under each key of ``challenge.yaml``, and what to write where something else does."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from unmask.challenge.yaml_lines import Place
from unmask.scoring.metrics import METRICS, SMALLEST_CLIP
from unmask.tables.reading import parse_number, shown

#: What the board may show of a team beside its rank and name.
SHOWABLE = ("score", "interval", "rank_interval", "tier", "public_score")
#: The pages that a challenge may have of its own.
PAGES = ("overview", "rules", "data", "prizes")
MEDIA = ("video", "image", "audio")
REGISTRATION = ("invitation", "open")
_TABLE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.(csv|csv\.gz|parquet)")
_PAGE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.md")
_DATE = "write a date in UTC such as 2026-01-31T23:59:59Z"
#: More names than these are not listed in a message.
_MANY = 12


@dataclass(frozen=True)
class _Rule:
    """What a value must be: a test of the value, the same in words, what becomes of it; and names to choose from."""

    holds: Callable[[Any], bool]
    remedy: str
    becomes: Callable[[Any], Any] | None = None
    choices: tuple[str, ...] = ()

    def fault(self, value: object) -> str:
        """What is wrong with a value that does not hold, and what to write."""
        if value is None:
            return f"it is empty — {self.remedy}"
        items = value if isinstance(value, list) else [value]
        wrong = [item for item in items if isinstance(item, str) and self.choices and item not in self.choices]
        told = ", ".join(map(shown, wrong)) if wrong else _told(value)
        return f"{told} cannot be used — {meant(wrong[0], self.choices) if wrong else ''}{self.remedy}"


class _Moment(_Rule):
    """A rule for dates, which people write in many ways."""

    def fault(self, value: object) -> str:
        """See above."""
        if isinstance(value, datetime):
            return f"{_told(value)} has no time zone — add Z for UTC: {value.isoformat()}Z"
        if isinstance(value, date):
            return f"{_told(value)} has no time — write that, too: {value.isoformat()}T00:00:00Z"
        if isinstance(value, str) and re.match(r"\d{4}-\d\d?-\d\d?", value):
            try:
                datetime.fromisoformat(value)
            except ValueError:
                return f"{_told(value)} cannot be used: there is no such day, or no such time — {self.remedy}"
            return f"{_told(value)} is text — write it without quotes"
        return super().fault(value)


def meant(name: str, known: Collection[str]) -> str:
    """A question with the known names that are written alike, and a blank; "" where there are none."""
    near = get_close_matches(name, known, 3)
    return f"did you mean {' or '.join(near)}? " if near else ""


def _whole(low: int, high: int) -> _Rule:
    def holds(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return _Rule(holds, f"write a whole number from {low:,} to {high:,}")


def _decimal(low: float, high: float, *, ends: bool = True) -> _Rule:
    def read(value: object) -> object:
        return parse_number(value) if isinstance(value, str) else value  # YAML reads 1e-15, without a point, as text

    def holds(value: object) -> bool:
        number = read(value)
        if not isinstance(number, int | float) or isinstance(number, bool):
            return False
        return low <= number <= high if ends else low < number < high

    return _Rule(
        holds, f"write a number {'from' if ends else 'between'} {low:g} {'to' if ends else 'and'} {high:g}", read
    )


def _one_of(values: tuple[str, ...] | list[str]) -> _Rule:
    remedy = f"write one of {_listed(values)}"
    return _Rule(lambda value: isinstance(value, str) and value in values, remedy, choices=tuple(values))


def _some_of(values: tuple[str, ...] | list[str]) -> _Rule:
    def holds(value: object) -> bool:
        return _is_list(value, lambda item: item in values)

    remedy = f"write a list such as [{values[0]}], of any of {_listed(values)}, none twice"
    return _Rule(holds, remedy, tuple, tuple(values))


def _listed(values: tuple[str, ...] | list[str]) -> str:
    return ", ".join(values) if len(values) <= _MANY else "those that unmask metrics lists"


def _is_list(value: object, holds: Callable[[str], bool]) -> bool:
    if not isinstance(value, list) or not all(isinstance(item, str) and holds(item) for item in value):
        return False
    return len(set(value)) == len(value)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) == len(value) <= 200 and value.isprintable()


def _file(pattern: re.Pattern[str], remedy: str) -> _Rule:
    # A plain name: nothing that this file says may lead out of the challenge's folder.
    return _Rule(lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None, remedy)


_NAME = _Rule(_is_name, "write a name of at most 200 characters on one line")
_NAMES = _Rule(lambda value: _is_list(value, _is_name), "write a list of names, as [open, closed], none twice", tuple)
_WHEN = _Moment(lambda value: isinstance(value, datetime) and value.tzinfo is not None, _DATE)
_YES_NO = _Rule(lambda value: isinstance(value, bool), "write true or false")

#: Key to rule; a mapping of rules where the value has keys of its own.
_RULES: dict[str, _Rule | dict[str, _Rule]] = {
    "name": _NAME,
    "metric": _one_of(list(METRICS)),
    "answers": _file(_TABLE, "write the plain name of a .csv, .csv.gz or .parquet file in the same folder"),
    "sha256": _Rule(
        lambda value: isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None,
        "write the SHA-256 of the answers file: 64 hexadecimal digits, in quotes",
    ),
    "tie_breakers": _some_of(list(METRICS)),
    "digits": _whole(1, 12),
    "clip": _decimal(SMALLEST_CLIP, 0.49),
    "threshold": _decimal(0, 1),
    "prevalence": _decimal(0, 1, ends=False),
    "budget": _decimal(0, 1, ends=False),
    "seed": _whole(0, 2**32 - 1),
    "replicates": _whole(1, 100_000),
    "show": _some_of(SHOWABLE),
    "slices": _Rule(lambda value: _is_list(value, _is_name), "write a list of the key's columns, none twice", tuple),
    "media": _some_of(MEDIA),
    "tracks": _NAMES,
    "pages": dict.fromkeys(PAGES, _file(_PAGE, "write the plain name of a .md file in the same folder")),
    "limits": {
        "daily": _whole(1, 1000), "total": _whole(1, 1_000_000), "failures": _whole(1, 10_000),
        "megabytes": _whole(1, 1024), "minutes": _whole(1, 1440),
    },
    "finals": _whole(1, 100),
    "ladder": _YES_NO,
    "registration": _one_of(REGISTRATION),
}  # fmt: skip
_PHASE = {"name": _NAME, "opens": _WHEN, "closes": _WHEN}
_REQUIRED = ("name", "metric", "answers", "sha256")
_PHASES = "phases"


@dataclass
class Checked:
    """What the keys say, and every fault of them, a line each."""

    lines: Mapping[Place, int]
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def note(self, place: Place, told: str) -> None:
        """Note a fault of what stands at ``place``."""
        dotted = ".".join(part if part.isidentifier() or part.isdigit() else shown(part) for part in map(str, place))
        known = tuple(part if isinstance(part, int) else str(part) for part in place)
        # What is missing has no line; that of what it is missing in leads there.
        line = self.lines.get(known) or (self.lines.get(known[:-1]) if len(known) > 1 else None)
        self.problems.append(f"line {line}: {dotted}: {told}" if line else f"{dotted}: {told}")


def check(given: Mapping[Any, object], lines: Mapping[Place, int]) -> Checked:
    """Check every key.

    Args:
        given: what ``challenge.yaml`` holds.
        lines: of each value and key.
    """
    checked = Checked(lines)
    phases = given.get(_PHASES)
    plain = {key: value for key, value in given.items() if key != _PHASES}
    checked.values = _check_keys(checked, (), plain, _RULES, _REQUIRED)
    if _PHASES in given:
        checked.values[_PHASES] = _check_phases(checked, phases)
    metrics = [checked.values.get("metric"), *checked.values.get("tie_breakers", ())]
    if len(set(metrics)) < len(metrics):
        checked.note(("tie_breakers",), f"{shown(str(metrics[0]))} is the metric itself — leave it out here")
    return checked


def _check_keys(
    checked: Checked,
    place: Place,
    given: Mapping[Any, object],
    rules: Mapping[str, _Rule | dict[str, _Rule]],
    required: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The values of the keys that are in order."""
    values: dict[str, Any] = {}
    for key, value in given.items():
        rule = rules.get(key) if isinstance(key, str) else None
        if rule is None:
            known = [*rules, _PHASES] if not place else list(rules)
            remedy = meant(str(key), known) or f"leave it out; keys are {', '.join(known)}"
            checked.note((*place, str(key)), f"not a key that is known here — {remedy.rstrip()}")
        elif isinstance(rule, dict):
            if isinstance(value, dict):
                values[key] = _check_keys(checked, (*place, key), value, rule)
            else:
                checked.note((*place, key), f"{_told(value)} cannot be used — {_remedy(rule)}")
        elif rule.holds(value):
            values[key] = rule.becomes(value) if rule.becomes else value
        else:
            checked.note((*place, key), rule.fault(value))
    for key in required:
        if key not in given:
            checked.note((*place, key), f"missing — {_remedy(rules[key])}")
    return values


def _check_phases(checked: Checked, given: object) -> list[dict[str, Any]]:
    """The phases that are in order; they must follow each other and must not overlap."""
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        checked.note((_PHASES,), f"{_told(given)} cannot be used — write a list with {', '.join(_PHASE)} for each")
        return []
    found = [_check_keys(checked, (_PHASES, number), each, _PHASE, tuple(_PHASE)) for number, each in enumerate(given)]
    for number, each in enumerate(found):
        if "opens" in each and "closes" in each and each["opens"] >= each["closes"]:
            checked.note((_PHASES, number, "closes"), f"not after it opens — {_DATE}")
    for number, (one, other) in enumerate(pairwise(found), start=1):
        if "closes" in one and "opens" in other and other["opens"] < one["closes"]:
            checked.note((_PHASES, number, "opens"), "before the phase above closes — let phases follow each other")
    names = [each.get("name") for each in found]
    for number, name in enumerate(names):
        if name is not None and name in names[:number]:
            checked.note((_PHASES, number, "name"), f"{shown(name)} is another phase's — give each its own")
    return found


def _remedy(rule: _Rule | dict[str, _Rule]) -> str:
    return rule.remedy if isinstance(rule, _Rule) else f"write keys of its own: {', '.join(rule)}"


def _told(value: object) -> str:
    """A value as its writer sees it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_told, value[:3]))}{', ...' if len(value) > 3 else ''}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: ..." if isinstance(key, str) else "..." for key in [*value][:3]) + "}"
    if isinstance(value, datetime):
        return value.isoformat()
    return shown(str(value))
