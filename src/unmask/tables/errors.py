"""Every error that a user of unmask can mend, and the shape in which it is told.

UnmaskError
├── TableError      a table (manifest, predictions, answer key, ...) breaks its schema; carries all its problems
├── DatasetError    a raw dataset folder is not what its adapter expects
├── MediaError      one video or picture cannot be read; carries a short machine-readable reason
├── AssetError      a file that is fetched by pip is missing, or is not the file that was expected
├── StoreError      a face store is missing, incomplete, or was made in another way than it is being read
├── ModelError      a model folder cannot be loaded or does not fit its input
├── ConfigError     a training configuration cannot work
└── ChallengeError  a challenge's definition or folder is not usable

Each message says what is wrong, where, and what to do next. Commands print it and leave with exit code 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


class UnmaskError(Exception):
    """Something that the user can mend.

    Args:
        what: one sentence that says what is wrong.
        where: the file, row or key that it is about.
        next_step: what the reader can do now.
    """

    def __init__(self, what: str, *, where: str | Path | None = None, next_step: str | None = None) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.next_step = next_step
        super().__init__(self.render())

    def __reduce__(self) -> tuple[object, ...]:
        # An exception is made again from its message alone otherwise, which no subclass takes: it would break the pool
        # of processes that it comes from.
        return _as_it_was, (type(self), self.args, self.__dict__)

    def render(self) -> str:
        """The message as people read it: what, where and the next step, a line each."""
        lines = [self.what]
        if self.where is not None:
            lines.append(f"  where: {self.where}")
        if self.next_step is not None:
            lines.append(f"  next:  {self.next_step}")
        return "\n".join(lines)


def _as_it_was(kind: type[UnmaskError], args: tuple[object, ...], said: dict[str, object]) -> UnmaskError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(said)
    return error


def told_differences(found: Mapping[str, object], wanted: Mapping[str, object]) -> str:
    """``frames is 8 instead of 16``, for each key of two settings where they differ; those of nested ones too."""
    told = []
    for key in {**wanted, **found}:
        one, other = found.get(key), wanted.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            told.append(told_differences(one, other))
        elif one != other:
            told.append(f"{key} is {one} instead of {other}")
    return ", ".join(filter(None, told))


@dataclass(frozen=True, order=True)
class Problem:
    """One fault of a table.

    Attributes:
        line: line in a CSV file (the header is line 1) or row in a Parquet file (the first is 1);
            0 where the fault is the whole file's.
        what: the fault, with the offending value shown escaped.
        remedy: what would mend it.
    """

    line: int
    what: str
    remedy: str


class TableError(UnmaskError):
    """A table breaks its schema.

    ``problems`` holds every fault that was found, in the order of the file, and the whole file's own faults last: there
    may be one for each missing row, and they must not crowd out the others.

    Args:
        path: the table's file.
        problems: its faults, in any order.
        unit: what ``Problem.line`` counts: "line" (CSV) or "row" (Parquet).
    """

    #: Messages list at most this many faults.
    SHOWN = 50
    #: More faults than these that differ in their values alone are told as one.
    ALIKE = 5

    def __init__(self, path: str | Path, problems: Iterable[Problem], *, unit: str = "line") -> None:
        self.problems = tuple(sorted(problems, key=_place))
        self.unit = unit
        count = len(self.problems)
        told = f"{count:,}{' or more' if count >= Faults.MOST else ''} problem{'' if count == 1 else 's'}"
        super().__init__(f"{told} in {Path(path).name}:", where=path, next_step="mend what is listed and run it again")

    def told(self, most: int = SHOWN) -> list[str]:
        """The first ``most`` faults, one a line, each with its place and remedy, and a line for those not listed.

        Where more than ``ALIKE`` lines have faults that differ in their values alone, the first stands for all.
        """
        kinds: dict[tuple[str, int], list[Problem]] = {}
        for number, problem in enumerate(self.problems):
            # Faults of the whole file stay apart: each has its own words.
            kinds.setdefault(("", number) if not problem.line else (_kind(problem), 0), []).append(problem)
        groups: list[list[Problem]] = []
        for kind in kinds.values():
            groups += [kind] if len(kind) > self.ALIKE else [[problem] for problem in kind]
        groups.sort(key=lambda group: _place(group[0]))
        lines = [self._told(group) for group in groups[:most]]
        if left := sum(map(len, groups[most:])):
            lines.append(f"... and {left:,} more")
        return lines

    def _told(self, group: list[Problem]) -> str:
        first = group[0]
        place = f"{self.unit} {first.line}: " if first.line else ""
        alike = f" (and {len(group) - 1:,} more like it: {self.unit}s {_ranges(group[1:])})" if len(group) > 1 else ""
        return f"{place}{first.what} — {first.remedy}{alike}"

    def render(self) -> str:
        """The faults, one a line, with the remedy of each."""
        listed = [f"  {line}" for line in self.told()]
        return "\n".join([self.what, *listed, f"  where: {self.where}", f"  next:  {self.next_step}"])


def _place(problem: Problem) -> tuple[bool, int, str, str]:
    return problem.line == 0, problem.line, problem.what, problem.remedy


def _kind(problem: Problem) -> str:
    """What two faults share that differ only in the values that they show."""
    return re.sub(r'"[^"]*"|[0-9][0-9.,]*', "_", f"{problem.what} — {problem.remedy}")


def _ranges(group: list[Problem], most: int = 10) -> str:
    """``2-4, 7``: the lines of faults in order, and how many are left out after ``most`` ranges."""
    ranges: list[list[int]] = []
    for problem in group:
        if ranges and problem.line <= ranges[-1][1] + 1:
            ranges[-1][1] = problem.line
        else:
            ranges.append([problem.line, problem.line])
    told = [f"{low}-{high}" if high > low else str(low) for low, high in ranges[:most]]
    return ", ".join(told) + (", ..." if len(ranges) > most else "")


class Faults(list[Problem]):
    """The problems of one table while it is read.

    A file of a few megabytes can hold millions of faults. Nobody reads them, and they must cost neither memory nor
    time: the fault that makes it ``MOST`` ends the reading.

    Args:
        path: the table's file.
        unit: what ``Problem.line`` counts.
    """

    MOST = 20_000

    def __init__(self, path: str | Path, unit: str = "line") -> None:
        super().__init__()
        self.path = path
        self.unit = unit

    def append(self, problem: Problem) -> None:
        """Note ``problem``; raise TableError where there are ``MOST``."""
        super().append(problem)
        if len(self) >= self.MOST:
            self.refuse()

    def refuse(self) -> None:
        """Raise TableError with all problems, if there are any."""
        if self:
            raise TableError(self.path, self, unit=self.unit)


class DatasetError(UnmaskError):
    """A raw dataset folder is not what its adapter expects."""


class MediaError(UnmaskError):
    """One video or picture cannot be read.

    Args:
        reason: a short name that tables carry, such as ``unreadable`` or ``no_frames``.
    """

    def __init__(
        self, what: str, *, reason: str, where: str | Path | None = None, next_step: str | None = None
    ) -> None:
        self.reason = reason
        super().__init__(what, where=where, next_step=next_step)


class AssetError(UnmaskError):
    """A file that is fetched by pip is missing, or is not the file that was expected."""


class StoreError(UnmaskError):
    """A face store is missing, incomplete, or was made in another way than it is being read."""


class ModelError(UnmaskError):
    """A model folder cannot be loaded or does not fit its input."""


class ConfigError(UnmaskError):
    """A training configuration cannot work."""


class ChallengeError(UnmaskError):
    """A challenge's definition or folder is not usable."""
