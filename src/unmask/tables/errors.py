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

from collections.abc import Sequence
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

    def render(self) -> str:
        """The message as people read it: what, where and the next step, a line each."""
        lines = [self.what]
        if self.where is not None:
            lines.append(f"  where: {self.where}")
        if self.next_step is not None:
            lines.append(f"  next:  {self.next_step}")
        return "\n".join(lines)


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
    """A table breaks its schema. ``problems`` holds every fault that was found, in the order of the file."""

    #: Messages list at most this many faults; ``problems`` always holds all of them.
    SHOWN = 50

    def __init__(self, path: str | Path, problems: Sequence[Problem], *, unit: str = "line") -> None:
        self.problems = tuple(sorted(problems))
        self.unit = unit
        count = len(self.problems)
        what = f"{count} problem{'' if count == 1 else 's'} in {Path(path).name}:"
        super().__init__(what, where=path, next_step="mend what is listed and run the command again")

    def render(self) -> str:
        """The faults, one a line, with the remedy of each."""
        lines = [self.what]
        for problem in self.problems[: self.SHOWN]:
            place = f"{self.unit} {problem.line}: " if problem.line else ""
            lines.append(f"  {place}{problem.what} — {problem.remedy}")
        if len(self.problems) > self.SHOWN:
            lines.append(f"  ... and {len(self.problems) - self.SHOWN} more")
        lines.append(f"  where: {self.where}")
        lines.append(f"  next:  {self.next_step}")
        return "\n".join(lines)


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
