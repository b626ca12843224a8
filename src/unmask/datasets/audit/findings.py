"""What an audit finds, in one form for the terminal, for JSON and for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import polars as pl

from unmask import __version__

#: A finding names at most this many places; it counts all of them.
SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One thing that should be mended, or known, before the data is trusted.

    Attributes:
        kind: short name: missing_file, empty_file, unreadable, incomplete, one_class, shared_id, shared_source,
            shared_subject, shared_donor, same_bytes, contradictory_labels, near_duplicate, trivial_feature.
        what: one sentence.
        where: examples: paths, ids or names of columns, at most ``SHOWN``.
        next_step: what the reader can do.
        count: how many places there are in all.
    """

    kind: str
    what: str
    where: tuple[str, ...]
    next_step: str
    count: int


def finding(kind: str, what: str, places: list[str], next_step: str, *, count: int | None = None) -> Finding:
    """A finding at ``places``, of which the first few are named; ``count`` where these are not all there are."""
    return Finding(kind, what, tuple(places[:SHOWN]), next_step, len(places) if count is None else count)


def files_are(count: int) -> str:
    """How a sentence about so many files begins."""
    return "1 file is" if count == 1 else f"{count:,} files are"


@dataclass(frozen=True)
class Side:
    """One file of a pair.

    Attributes:
        path: where it lies.
        place: what findings call it.
        split: its split.
        label: 1 = fake, 0 = real, None where it is not known.
    """

    path: str
    place: str
    split: str
    label: int | None


@dataclass(frozen=True)
class Pair:
    """Two files that look alike.

    Attributes:
        media: "image" or "video".
        frame: of a video, in which of its first, middle and last frame they do: 0, 1 or 2; of a picture 0.
        first: one of them.
        second: the other one.
    """

    media: str
    frame: int
    first: Side
    second: Side


@dataclass
class Audit:
    """The outcome of an audit.

    Attributes:
        findings: what was found; empty if the data is clean.
        balance: columns split, real, fake, unlabelled: numbers of rows.
        trivial: columns media, feature, auc, low, high, n_real, n_fake, finding: how well each feature alone tells real
            from fake (``unmask.datasets.audit.trivial``).
        notes: what was not checked, and what is no fault but should be known, a sentence each.
        pairs: files that look alike, to be shown: some of each such finding, by turns.
        manifests: path -> SHA-256 of the manifests.
    """

    findings: list[Finding]
    balance: pl.DataFrame
    trivial: pl.DataFrame
    notes: list[str] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    manifests: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """The same in plain types, for JSON."""
        return {
            "format": 1,
            "version": __version__,
            "manifests": list(self.manifests),
            "manifest_sha256": list(self.manifests.values()),
            "findings": [asdict(each) for each in self.findings],
            "balance": self.balance.to_dicts(),
            "trivial_features": self.trivial.to_dicts(),
            "notes": list(self.notes),
        }
