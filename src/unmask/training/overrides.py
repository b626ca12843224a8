"""What is wrong with overrides that Hydra refused: all of it, each with the names that may have been meant."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import product
from pathlib import Path
from typing import Any

import hydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from unmask.training.options import config_dir, defaults, groups

#: Names that a message proposes.
_NEAR = 3


def faults(overrides: Sequence[str], *, sweep: bool = False, folders: Sequence[Path] = ()) -> list[str]:
    """One line for each override that cannot be, in the order of the overrides.

    Args:
        overrides: such as ``["trainer=gpuu", "trainer.max_epoch=3"]``.
        sweep: whether one may hold several values.
        folders: further folders of configurations.
    """
    found: dict[str, str] = {}
    parsed: list[Override] = []
    for text in overrides:
        try:
            parsed.append(OverridesParser.create().parse_override(text))
        except HydraException:
            quoted = "in quotes of its own, such as 'out=\"a, b\"'"
            found[text] = f"cannot be read; write KEY=VALUE, a value with special characters {quoted}"
    offered = groups(folders)
    found |= {str(each.input_line): fault for each in parsed if (fault := _misused(each, offered, sweep))}
    good = [each for each in parsed if each.input_line not in found]
    found |= _unknown_keys(good, offered, folders)
    return [f"{text}: {found[text]}" for text in overrides if text in found]


def _misused(override: Override, offered: dict[str, list[str]], sweep: bool) -> str | None:
    """What is wrong with one override by itself: an option that its group lacks, or several values without a sweep."""
    name = override.key_or_group
    if override.is_sweep_override() and not sweep:
        return f"several values are a sweep, which wants -m; one value with a comma is written '{name}=\"...\"'"
    if name not in offered or override.is_delete():
        return None
    if override.is_add() and name in defaults():
        return f"{name} has its option already; leave out the +"
    wrong = [value for value in _options(override) if value not in offered[name]]
    if not wrong:
        return None
    near = get_close_matches(wrong[0], offered[name], _NEAR)
    proposal = f"did you mean {_either(near)}? " if near else ""
    return f"there is no {name} {wrong[0]!r}; {proposal}{name} can be: {', '.join(offered[name])}"


def _options(override: Override) -> list[str]:
    """The options that an override of a group names."""
    value: Any = override.value()
    if override.is_choice_sweep():
        value = value.list
    values = value if isinstance(value, list) else [value]
    return ["null" if each is None else str(each) for each in values]


def _unknown_keys(overrides: list[Override], offered: dict[str, list[str]], folders: Sequence[Path]) -> dict[str, str]:
    """The overrides of keys that are not in the configuration, with what is wrong; in a sweep, in one of its jobs."""
    chosen = [each for each in overrides if each.key_or_group in offered]
    changed = [
        each
        for each in overrides
        if each not in chosen
        and not (each.is_add() or each.is_force_add())
        and not each.key_or_group.startswith("hydra")
    ]
    # Which keys there are depends on the options alone.
    texts = [
        [f"{each.key_or_group}={option}" for option in _options(each)]
        if each.is_sweep_override()
        else [each.input_line]
        for each in chosen
    ]
    search = [f"hydra.searchpath=[{','.join(f'file://{folder.resolve()}' for folder in folders)}]"] if folders else []
    found: dict[str, str] = {}
    for options in product(*texts):
        try:
            with hydra.initialize_config_dir(str(config_dir()), version_base="1.3"):
                config = hydra.compose("train", [*map(str, options), *search], return_hydra_config=True)
        except HydraException:
            continue  # these options do not go together, which Hydra tells well
        choices = config.hydra.runtime.choices
        known = list(_keys({name: part for name, part in config.items_ex(resolve=False) if name != "hydra"}))
        for each in changed:
            if each.key_or_group not in known:
                found.setdefault(str(each.input_line), _unknown(each, config, known, choices))
    return found


def _keys(part: Any, prefix: str = "") -> Iterator[str]:
    """The dotted names of a configuration, those of sections among them."""
    if isinstance(part, DictConfig):
        part = dict(part.items_ex(resolve=False)) if not (part._is_none() or part._is_missing()) else {}
    if isinstance(part, dict):
        for name, value in part.items():
            yield f"{prefix}{name}"
            yield from _keys(value, f"{prefix}{name}.")


def _unknown(override: Override, config: DictConfig, known: list[str], choices: DictConfig) -> str:
    name = override.key_or_group
    group = name.partition(".")[0]
    what = f"there is no key {name}" + (f" with {group}={choices[group]}" if group in choices else "")
    if _accepts(config, name):
        return f"{what}, but it can be added: +{override.input_line}"
    near = _near(name, known)
    if near:
        return f"{what}; did you mean {_either(near)}?"
    section = name
    while section and section not in known:
        section = section.rpartition(".")[0]
    prefix = f"{section}." if section else ""
    here = [key for key in known if key.startswith(prefix) and "." not in key[len(prefix) :]]
    return f"{what}; there are: {', '.join(here)}" if here else what


def _accepts(config: DictConfig, name: str) -> bool:
    """Whether the key would become an argument of what its section builds, such as Lightning's Trainer."""
    section, _, last = name.rpartition(".")
    target = OmegaConf.select(config, f"{section}._target_") if section else None
    return isinstance(target, str) and last in inspect.signature(get_object(target)).parameters


def _near(name: str, known: Sequence[str]) -> list[str]:
    """The known names that are written alike; if none is, those whose last part is."""
    others = [key for key in known if not name.startswith(f"{key}.")]  # not the section that it was looked for in
    near = get_close_matches(name, others, _NEAR, cutoff=0.8)
    if not near:
        last = name.rpartition(".")[2]
        ends = get_close_matches(last, {key.rpartition(".")[2] for key in others}, _NEAR, cutoff=0.7)
        near = [key for end in ends for key in others if key.rpartition(".")[2] == end][:_NEAR]
    return near


def _either(names: Sequence[str]) -> str:
    return " or ".join(names)
