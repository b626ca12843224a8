"""What an adapter has to say about a folder besides the manifest: what is missing, what is odd, what was decided."""

from __future__ import annotations

from dataclasses import dataclass, field


def printable(path: str) -> str:
    """A path as a message may carry it: what would break its line, or is no text, stands escaped."""
    return path if path.isprintable() else path.encode("unicode_escape").decode("ascii")


@dataclass(frozen=True)
class Count:
    """How much of one part of a dataset is there.

    Attributes:
        part: the part, as its users call it.
        expected: files that the dataset's own lists or papers give it.
        found: files that are there.
    """

    part: str
    expected: int
    found: int


@dataclass
class Report:
    """Filled by an adapter while it reads.

    Attributes:
        counts: the parts of the dataset with expected and found files.
        odd: what is odd -> the paths it is true of, relative to the root, as ``printable`` writes them.
        notes: decisions that the reader should know of, a sentence each.
        warnings: what may make numbers on this data untrue, and how to mend it, a sentence each.
    """

    counts: list[Count] = field(default_factory=list)
    odd: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def count(self, part: str, expected: int, found: int) -> None:
        """Note how much of a part is there."""
        self.counts.append(Count(part, expected, found))

    def add_odd(self, what: str, path: str) -> None:
        """Note one path of which ``what`` is true."""
        self.odd.setdefault(what, []).append(printable(path))

    def note(self, sentence: str) -> None:
        """Note a decision."""
        self.notes.append(sentence)

    def warn(self, sentence: str) -> None:
        """Note what may make numbers untrue."""
        self.warnings.append(sentence)
