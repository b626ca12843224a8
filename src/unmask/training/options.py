"""What ``configs/`` offers, read from its files alone: help must not wait for Hydra."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

import unmask

_LINE = re.compile(r"(?P<indent> *)(?P<name>\w+):(?: +(?P<value>[^ #][^#]*?))?(?: +# (?P<comment>.+))?")


@dataclass(frozen=True)
class Key:
    """A key of the configuration that a comment explains.

    Attributes:
        name: as in an override, such as ``optimizer.learning_rate``.
        value: its default, as the file has it; ``???`` must be given.
        comment: what the file says of it.
    """

    name: str
    value: str
    comment: str


def config_dir() -> Path:
    """The folder that holds ``train.yaml``: ``configs/`` of a checkout, ``unmask/configs`` of an installed wheel."""
    package = Path(unmask.__file__).parent
    places = (package / "configs", package.parent.parent / "configs")
    return next((place for place in places if (place / "train.yaml").is_file()), places[0])


def groups(folders: Sequence[Path] = ()) -> dict[str, list[str]]:
    """Config group to its options, both sorted.

    Args:
        folders: further folders of configurations, as ``--config-dir`` names them.
    """
    found: dict[str, set[str]] = {}
    for folder in (config_dir(), *folders):
        for path in folder.glob("*/*.yaml"):
            found.setdefault(path.parent.name, set()).add(path.stem)
    return {group: sorted(found[group]) for group in sorted(found)}


def defaults() -> dict[str, str | None]:
    """Config group to the option that is taken where none is given, in the order of ``train.yaml``."""
    listed = yaml.safe_load((config_dir() / "train.yaml").read_text(encoding="utf-8"))["defaults"]
    chosen = {group: option for each in listed if isinstance(each, dict) for group, option in each.items()}
    return {group: option for group, option in chosen.items() if not group.startswith("override ")}


def explained_keys() -> list[Key]:
    """The keys of ``train.yaml`` and of its default options that have a comment, in the order of the files."""
    files = {f"{group}.": f"{group}/{option}.yaml" for group, option in defaults().items() if option}
    return [key for prefix, name in {"": "train.yaml", **files}.items() for key in _read(config_dir() / name, prefix)]


def _read(path: Path, prefix: str) -> list[Key]:
    """A YAML parser drops comments, and these files nest two levels at most."""
    found, section = [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        match = _LINE.fullmatch(line)
        if not match:
            continue
        if not match["indent"]:
            section = match["name"]
        if match["comment"]:
            name = f"{section}.{match['name']}" if match["indent"] else section
            found.append(Key(prefix + name, match["value"] or "", match["comment"]))
    return found
