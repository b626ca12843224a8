"""What an audit finds, in one form for the terminal, for JSON and for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import polars as pl

#: A finding names at most this many places; it counts all of them.
SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One thing that should be mended, or known, before the data is trusted.

    Attributes:
        kind: short name: missing_file, empty_file, unreadable, one_class, shared_id, shared_source, shared_subject,
            shared_donor, same_bytes, contradictory_labels, near_duplicate, trivial_feature.
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


def finding(kind: str, what: str, places: list[str], next_step: str) -> Finding:
    """A finding at ``places``, of which the first few are named."""
    return Finding(kind, what, tuple(places[:SHOWN]), next_step, len(places))


@dataclass
class Audit:
    """The outcome of an audit.

    Attributes:
        findings: what was found; empty if the data is clean.
        balance: columns split, real, fake, unlabelled: numbers of rows.
        trivial: columns media, feature, auc, low, high, n_real, n_fake, finding: how well each feature alone tells real
            from fake (``unmask.datasets.audit.trivial``).
        notes: what was not checked, a sentence each.
    """

    findings: list[Finding]
    balance: pl.DataFrame
    trivial: pl.DataFrame
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """The same in plain types, for JSON."""
        return {
            "findings": [asdict(each) for each in self.findings],
            "balance": self.balance.to_dicts(),
            "trivial_features": self.trivial.to_dicts(),
            "notes": list(self.notes),
        }
