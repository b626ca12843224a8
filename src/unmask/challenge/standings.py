"""The standings of a challenge: who entered, with which score, at which place."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from unmask import __version__
from unmask.challenge.definition import Definition
from unmask.challenge.folder import CONFIDENCE
from unmask.scoring.basis import Basis
from unmask.scoring.metrics import METRICS, Metric


@dataclass(frozen=True)
class Entry:
    """One team.

    Attributes:
        team: stem of its file's name, unprintable signs escaped.
        file: name of its file.
        status: "scored" or "refused".
        rank: from 1; teams with the same score share it. None where refused or undefined.
        score: the primary metric, rounded as shown.
        ties: the tie-breakers, rounded as shown; None where undefined.
        low: lower end of its interval.
        high: upper end of its interval.
        public_score: the primary metric on the public part.
        rank_low: best rank in the middle 95 % of the replicates, never worse than ``rank``.
        rank_high: worst rank in the middle 95 % of the replicates, never better than ``rank``.
        tier: from 1: entries that cannot be told apart from the first of their tier; None where there are too few
            replicates to tell so many apart.
        problems: why it was refused, or why its score is undefined.
    """

    team: str
    file: str
    status: str
    rank: int | None = None
    score: float | None = None
    ties: list[float | None] = field(default_factory=list)
    low: float | None = None
    high: float | None = None
    public_score: float | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    tier: int | None = None
    problems: list[str] = field(default_factory=list)

    def place(self) -> tuple[bool, bool, int, str]:
        """Sort key: by rank, then those without a score, then those that were refused; by name within each."""
        return self.status == "refused", self.rank is None, self.rank or 0, self.team


@dataclass(frozen=True)
class Standings:
    """All entries of a challenge, in order.

    Attributes:
        definition: of the challenge.
        usage: the part that was ranked: public, private or all.
        rows: how many files it has.
        files: how many files the challenge has, without ignored ones.
        basis: what its intervals rest on.
        entries: by rank; refused ones last.
    """

    definition: Definition
    usage: str
    rows: int
    files: int
    basis: Basis
    entries: list[Entry]

    @property
    def metric(self) -> Metric:
        """The primary metric."""
        return METRICS[self.definition.metric]

    @property
    def stem(self) -> str:
        """Name of their files without the ending: no part's standings overwrite another part's."""
        return "standings" if self.usage == "private" else f"standings-{self.usage}"

    def to_dict(self) -> dict[str, object]:
        """The content of the JSON file; every number is finite."""
        said = self.definition
        return {
            "format": 1,
            "challenge": said.name,
            "primary": said.metric,
            "tie_breakers": list(said.tie_breakers),
            "direction": self.metric.direction,
            "usage": self.usage,
            "rows": self.rows,
            "files": self.files,
            "clusters": self.basis.clusters,
            "people": self.basis.people,
            "digits": said.digits,
            "confidence": CONFIDENCE,
            "replicates": said.replicates,
            "seed": said.seed,
            "clip": said.clip,
            "threshold": said.threshold,
            "prevalence": said.prevalence,
            "budget": said.budget,
            "answers_sha256": said.sha256,
            "version": __version__,
            "entries": [asdict(entry) for entry in self.entries],
        }
