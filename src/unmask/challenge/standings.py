"""The standings of a challenge, and their two files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from unmask import __version__
from unmask.challenge.definition import Definition
from unmask.challenge.folder import CONFIDENCE
from unmask.scoring.metrics import METRICS, Metric
from unmask.tables.writing import write_text


@dataclass(frozen=True)
class Entry:
    """One team.

    Attributes:
        team: stem of its file's name, unprintable signs escaped.
        file: name of its file.
        status: "scored" or "refused".
        rank: from 1; teams with the same score share it. None where refused or undefined.
        score: the primary metric, rounded as shown.
        low: lower end of its interval.
        high: upper end of its interval.
        public_score: the primary metric on the public part.
        rank_low: best rank in the middle 95 % of the replicates, never worse than ``rank``.
        rank_high: worst rank in the middle 95 % of the replicates, never better than ``rank``.
        problems: why it was refused, or why its score is undefined.
    """

    team: str
    file: str
    status: str
    rank: int | None = None
    score: float | None = None
    low: float | None = None
    high: float | None = None
    public_score: float | None = None
    rank_low: int | None = None
    rank_high: int | None = None
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
        rows: how many rows it has.
        entries: by rank; refused ones last.
    """

    definition: Definition
    usage: str
    rows: int
    entries: list[Entry]

    @property
    def metric(self) -> Metric:
        """The primary metric."""
        return METRICS[self.definition.metric]

    def to_dict(self) -> dict[str, object]:
        """The content of ``standings.json``; every number is finite."""
        said = self.definition
        return {
            "format": 1,
            "challenge": said.name,
            "primary": said.metric,
            "direction": self.metric.direction,
            "usage": self.usage,
            "rows": self.rows,
            "digits": said.digits,
            "confidence": CONFIDENCE,
            "replicates": said.replicates,
            "seed": said.seed,
            "clip": said.clip,
            "threshold": said.threshold,
            "answers_sha256": said.sha256,
            "version": __version__,
            "entries": [asdict(entry) for entry in self.entries],
        }


def write_standings(standings: Standings, folder: str | Path) -> None:
    """Write ``standings.json`` and ``standings.html`` into ``folder``."""
    from unmask.challenge.page import render  # pygal and jinja2 are slow to import

    page = render(standings)
    text = json.dumps(standings.to_dict(), indent=2, allow_nan=False) + "\n"
    write_text(text, Path(folder) / "standings.json")
    write_text(page, Path(folder) / "standings.html")
