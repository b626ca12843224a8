"""The standings as HTML: one page that opens from disk, without scripts and without a network."""

from __future__ import annotations

from jinja2 import PackageLoader

from unmask.challenge.folder import CONFIDENCE
from unmask.challenge.standings import Standings
from unmask.scoring.page import environment

_PARTS = {"private": "Private part", "public": "Public part", "all": "Public and private part"}


def render(standings: Standings) -> str:
    """The page as HTML text."""
    scored = [entry for entry in standings.entries if entry.status == "scored"]
    ends = [end for entry in scored for end in (entry.score, entry.low, entry.high) if end is not None]
    first, last = (min(ends), max(ends)) if ends else (0.0, 1.0)
    # Some air on both sides; and a range of its own where all scores are one.
    margin = 0.05 * (last - first) or 0.05
    # Of the public part, the public score is the score itself.
    shown = [name for name in standings.definition.show if (name, standings.usage) != ("public_score", "public")]
    return environment(PackageLoader("unmask.challenge")).get_template("standings.html").render(
        standings=standings, said=standings.definition, show=shown, scored=scored, part=_PARTS[standings.usage],
        refused=[entry for entry in standings.entries if entry.status == "refused"], first=first - margin,
        last=last + margin, confidence=CONFIDENCE,
    )  # fmt: skip
