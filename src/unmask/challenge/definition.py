"""``challenge.yaml``: what a challenge measures, and which answer key it measures against."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import yaml

from unmask.scoring.metrics import METRICS, SMALLEST_CLIP
from unmask.tables.errors import ChallengeError
from unmask.tables.reading import parse_number, shown
from unmask.tables.writing import write_text

DEFINITION = "challenge.yaml"
#: What ``standings.html`` may show of a team beside its rank and name.
SHOWABLE = ("score", "interval", "rank_interval", "public_score")
_MAX_BYTES = 65_536
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.(csv|csv\.gz|parquet)")


@dataclass(frozen=True)
class Definition:
    """A challenge as ``challenge.yaml`` states it.

    Attributes:
        name: as pages tell it.
        metric: name of the primary metric, one of ``METRICS``; its direction is the ranking's.
        answers: name of the answer key's file in the challenge's folder.
        sha256: of that file.
        digits: decimals of every score that is shown; ranks are made from scores rounded so.
        clip: of the log loss.
        threshold: of the balanced accuracy.
        seed: of the bootstrap.
        replicates: of the bootstrap.
        show: what the standings page shows of a team, from ``SHOWABLE``.
    """

    name: str
    metric: str
    answers: str
    sha256: str
    digits: int = 4
    clip: float = SMALLEST_CLIP
    threshold: float = 0.5
    seed: int = 0
    replicates: int = 1000
    show: tuple[str, ...] = SHOWABLE


@dataclass(frozen=True)
class _Rule:
    """What the value of a key must be: a test of the value, and the same in words."""

    holds: Callable[[object], bool]
    remedy: str


def _whole(low: int, high: int) -> _Rule:
    def holds(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return _Rule(holds, f"write a whole number from {low} to {high}")


def _decimal(low: float, high: float) -> _Rule:
    def holds(value: object) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high

    return _Rule(holds, f"write a number from {low:g} to {high:g}")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()


def _is_file_name(value: object) -> bool:
    # A plain name: nothing that this file says may lead out of the challenge's folder.
    return isinstance(value, str) and _FILE_NAME.fullmatch(value) is not None


def _is_show(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item in SHOWABLE for item in value)


_RULES = {
    "name": _Rule(_is_name, "write the challenge's name, at most 200 characters on one line"),
    "metric": _Rule(lambda v: isinstance(v, str) and v in METRICS, f"write one of {', '.join(METRICS)}"),
    "answers": _Rule(_is_file_name, "write the plain name of a .csv, .csv.gz or .parquet file in the same folder"),
    "sha256": _Rule(
        lambda v: isinstance(v, str) and re.fullmatch("[0-9a-f]{64}", v) is not None,
        "write the SHA-256 of the answers file: 64 hexadecimal digits, in quotes",
    ),
    "digits": _whole(1, 12),
    "clip": _decimal(SMALLEST_CLIP, 0.49),
    "threshold": _decimal(0, 1),
    "seed": _whole(0, 2**32 - 1),
    "replicates": _whole(1, 100_000),
    "show": _Rule(_is_show, f"write a list of any of {', '.join(SHOWABLE)}"),
}
_REQUIRED = ("name", "metric", "answers", "sha256")


class _Loader(yaml.SafeLoader):
    """The safe loader, which also refuses a key that stands twice, and aliases, which can blow a small file up."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it has an alias")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        keys = [key.value for key, _ in node.value]
        for key, _ in node.value:
            if isinstance(key.value, str) and keys.count(key.value) > 1:
                problem = f"the key {shown(key.value)} stands more than once"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)


def read_definition(folder: str | Path) -> Definition:
    """Read and check ``challenge.yaml`` in ``folder``.

    Raises:
        ChallengeError: it is missing or cannot work, with every fault, the key and what to write there.
    """
    path = Path(folder) / DEFINITION
    if not path.is_file():
        raise ChallengeError(
            f"there is no {DEFINITION} in {Path(folder).name or folder}", where=path,
            next_step="make a challenge with: unmask challenge init DIR --manifest M",
        )  # fmt: skip
    given = _load(path)
    problems = [
        f"{shown(str(key))}: not a key of a challenge — leave it out; keys are {', '.join(_RULES)}"
        for key in given
        if key not in _RULES
    ]
    problems += [f"{key}: missing — {_RULES[key].remedy}" for key in _REQUIRED if key not in given]
    for key, rule in _RULES.items():
        if key in ("clip", "threshold") and isinstance(given.get(key), str):
            given[key] = parse_number(str(given[key]))  # YAML reads 1e-15, without a point, as text
        if key in given and not rule.holds(given[key]):
            problems.append(f"{key}: {_told(given[key])} cannot be used — {rule.remedy}")
    refuse(path, problems)
    if "show" in given:
        given["show"] = tuple(given["show"])  # type: ignore[arg-type]  # the rule has made sure that it is a list
    return Definition(**given)  # type: ignore[arg-type]  # every key and type has been checked


def _told(value: object) -> str:
    return shown(str(value)) if isinstance(value, (str, int, float)) else f"a {type(value).__name__}"


def _load(path: Path) -> dict[str, object]:
    if path.stat().st_size > _MAX_BYTES:
        refuse(path, [f"more than {_MAX_BYTES:,} bytes — a definition is a few lines"])
    try:
        given = yaml.load(path.read_bytes(), _Loader)  # noqa: S506  # a child of the safe loader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}: " if mark else ""
        what = getattr(error, "problem", None) or error or type(error).__name__
        raise ChallengeError(
            f"1 problem in {path.name}:\n  {place}not YAML that can be used ({what})", where=path,
            next_step="mend what is listed and run the command again",
        ) from error  # fmt: skip
    if not isinstance(given, dict):
        refuse(path, ["it holds no keys — write lines such as 'metric: roc_auc'"])
    return dict(given)


def refuse(path: Path, problems: list[str]) -> None:
    """Raise ChallengeError with all ``problems``, if there are any."""
    if problems:
        count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'} in {path.name}:"
        raise ChallengeError(
            "\n".join([count, *(f"  {problem}" for problem in problems)]), where=path,
            next_step="mend what is listed and run the command again",
        )  # fmt: skip


def write_definition(definition: Definition, folder: str | Path) -> None:
    """Write ``challenge.yaml`` into ``folder``."""
    content = asdict(definition) | {"show": list(definition.show)}
    ordered = {field.name: content[field.name] for field in fields(definition)}
    write_text(yaml.safe_dump(ordered, sort_keys=False, allow_unicode=True), Path(folder) / DEFINITION)
