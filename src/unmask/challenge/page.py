"""``standings.html``: one page that opens from disk, without scripts and without a network."""

from __future__ import annotations

from jinja2 import PackageLoader

from unmask.challenge.folder import CONFIDENCE
from unmask.challenge.standings import Standings
from unmask.scoring.page import environment

_PARTS = {"private": "the private part", "public": "the public part", "all": "the public and the private part"}


def render(standings: Standings) -> str:
    """The page as HTML text."""
    scored = [entry for entry in standings.entries if entry.status == "scored"]
    ends = [end for entry in scored for end in (entry.score, entry.low, entry.high) if end is not None]
    first, last = (min(ends), max(ends)) if ends else (0.0, 1.0)
    # Some air on both sides; and a range of its own where all scores are one.
    margin = 0.05 * (last - first) or 0.05
    return environment(PackageLoader("unmask.challenge")).get_template("standings.html").render(
        standings=standings, said=standings.definition, scored=scored, part=_PARTS[standings.usage],
        refused=[entry for entry in standings.entries if entry.status == "refused"], first=first - margin,
        last=last + margin, confidence=CONFIDENCE,
    )  # fmt: skip
