"""The standings as a CSV file, for spreadsheets and papers."""

from __future__ import annotations

from pathlib import Path

from unmask.challenge.exporting.answers import harmless, to_csv
from unmask.challenge.exporting.archive import require_ending
from unmask.challenge.folder import Challenge
from unmask.challenge.ranking import rank
from unmask.tables.writing import write_text

_COLUMNS = ("low", "high", "rank_low", "rank_high", "tier", "public_score")


def export_board(challenge: Challenge, out: Path, usage: str) -> list[str]:
    """Rank the submissions, which writes the standings anew, and write them as one row a team, too.

    Columns: rank, team, status (scored or refused), score, one for each tie-breaker, then the interval, the range of
    ranks, the tier and the public score, as in ``standings.json``; empty where there is none. A name that a spreadsheet
    would take for a formula has an apostrophe before it.

    Args:
        challenge: whose submissions.
        out: a .csv.
        usage: the part that decides: public, private or all.

    Raises:
        ChallengeError: the challenge cannot be used, or ``out`` is no .csv.
    """
    require_ending(out, ".csv")
    ties = challenge.definition.tie_breakers
    rows = [
        (
            entry.rank, harmless(entry.team), entry.status, entry.score,
            *(entry.ties or [None] * len(ties)), *(getattr(entry, column) for column in _COLUMNS),
        )
        for entry in rank(challenge.folder, usage=usage).entries
    ]  # fmt: skip
    write_text(to_csv(("rank", "team", "status", "score", *ties, *_COLUMNS), rows), out)
    return []
