"""YAML from people who may be strangers: plain values only, and the line of each."""

from __future__ import annotations

from pathlib import Path

import yaml

from unmask.tables.errors import ChallengeError
from unmask.tables.reading import shown

_MAX_BYTES = 65_536

#: The keys and places that lead to a value: ``("phases", 0, "opens")``.
Place = tuple[str | int, ...]


_COLON = "mapping values are not allowed here"


class _TwiceError(yaml.MarkedYAMLError):
    """A key stands more than once."""


class _Loader(yaml.SafeLoader):
    """The safe loader, which also refuses a key that stands twice, and aliases, which can blow a small file up.

    A date that there is not, such as 2026-02-30, stays text: whoever looks at its key can tell what is wrong with it.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it has an alias")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        keys = [key.value for key, _ in node.value]
        for key, _ in reversed(node.value):
            if isinstance(key.value, str) and keys.count(key.value) > 1:
                problem = f"the key {shown(key.value)} stands more than once"
                raise _TwiceError(problem=problem, problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)

    def construct_moment(self, node: yaml.ScalarNode) -> object:
        """A date, or the text that stands in its place."""
        try:
            return self.construct_yaml_timestamp(node)
        except ValueError:
            return self.construct_scalar(node)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_moment)


def load(path: Path) -> tuple[dict[object, object], dict[Place, int]]:
    """The values of a YAML file, and the line of each, from 1.

    Raises:
        ChallengeError: it is too long, is not YAML, or holds something else than keys with plain values.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise _refused(path, f"more than {_MAX_BYTES:,} bytes — write a few lines; long texts have files of their own")
    try:
        loader = _Loader(path.read_bytes())
        node = loader.get_single_node()
        given = None if node is None else loader.construct_document(node)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}: " if mark else ""
        what = getattr(error, "problem", None) or error or type(error).__name__
        if isinstance(error, _TwiceError):
            raise _refused(path, f"{place}{what} — keep one of them") from error
        remedy = "write lines such as 'key: value'"
        if what == _COLON:
            remedy = "put a text that has a colon in quotes: name: 'Faces: the second'"
        raise _refused(path, f"{place}not YAML that can be used ({what}) — {remedy}") from error
    if node is None or not isinstance(given, dict):
        raise _refused(path, "it holds no keys — write lines such as 'metric: roc_auc'")
    lines: dict[Place, int] = {}
    _note(node, (), lines)
    return given, lines


def _note(node: yaml.Node, place: Place, lines: dict[Place, int]) -> None:
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _note(value, (*place, key.value), lines)
            lines[*place, key.value] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _note(value, (*place, number), lines)


def _refused(path: Path, problem: str) -> ChallengeError:
    return ChallengeError(
        f"1 problem in {path.name}:\n  {problem}", where=path, next_step="mend what is listed and run the command again"
    )
