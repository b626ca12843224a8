"""The ranking: every file in ``submissions/`` is scored by the same rows and the same replicates, or refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import polars as pl

from unmask.challenge.folder import SUBMISSIONS, Challenge, open_challenge
from unmask.challenge.marks import Marker
from unmask.challenge.places import place
from unmask.challenge.report import write_standings
from unmask.challenge.standings import Entry, Standings
from unmask.challenge.submission import read_submission
from unmask.scoring.basis import Basis
from unmask.scoring.comparison.names import printable, stem
from unmask.tables.errors import TableError, UnmaskError

#: Faults of a refused file that the standings list.
_LISTED = 1000


def rank(folder: str | Path, *, usage: str = "private") -> Standings:
    """Rank every submission, and write the standings into the challenge's folder.

    They are ``standings.json`` and ``standings.html`` for the private part, which decides at the end, and
    ``standings-public`` and ``standings-all`` for the others.

    A team is the stem of its file's name. Ranks are made from scores rounded to the definition's ``digits``, so that
    what is shown decides, and teams that show the same score share a rank. Refused files are listed and never ranked.

    Args:
        folder: the challenge's.
        usage: the part that decides: "public", "private" or "all".

    Raises:
        ChallengeError: the challenge cannot be used.
        TableError: its answer key breaks its schema.
    """
    challenge = open_challenge(folder)
    rows = challenge.rows(usage)
    files = _files(challenge.folder / SUBMISSIONS)
    entries: list[Entry] = []
    answers: list[pl.DataFrame] = []
    refused: list[Entry] = []
    repeated = Counter(stem(path) for path in files)
    for path in files:
        entry, given = _read(path, challenge.ids, alone=repeated[stem(path)] == 1)
        if given is None:
            refused.append(entry)
        else:
            entries.append(entry)
            answers.append(given)
    scored = _scored(challenge, usage, entries, answers) if entries else []
    standings = Standings(
        challenge.definition, usage, rows.height, challenge.rows("all").height, Basis.of(rows),
        sorted([*scored, *refused], key=Entry.place),
    )  # fmt: skip
    write_standings(standings, folder)
    return standings


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _read(path: Path, ids: list[str], *, alone: bool) -> tuple[Entry, pl.DataFrame | None]:
    """The entry of one file, with its answers where it is accepted."""
    entry = Entry(stem(path), printable(path.name), "refused")
    if not alone:
        return replace(entry, problems=["the team has more than one file — keep one of them"]), None
    try:
        return replace(entry, status="scored"), read_submission(path, ids)
    except TableError as error:
        return replace(entry, problems=error.told(_LISTED)), None
    except UnmaskError as error:
        problem = printable(f"{error.what} — {error.next_step}")
        return replace(entry, problems=[problem]), None
    except OSError as error:
        return replace(entry, problems=[f"the file cannot be read ({error.strerror}) — check its permissions"]), None


def _scored(challenge: Challenge, usage: str, entries: list[Entry], answers: list[pl.DataFrame]) -> list[Entry]:
    """The accepted entries with score, interval and rank; all of them rounded as shown."""
    marker = Marker(challenge, usage)
    marks = [marker.mark(given) for given in answers]
    public = _public_scores(challenge, answers)
    places = place(marks, challenge.definition, marker.fewest)
    return [
        replace(
            entry, rank=found.rank, score=found.score, ties=list(found.ties), low=found.low, high=found.high,
            rank_low=found.rank_low, rank_high=found.rank_high, tier=found.tier, public_score=shown,
            problems=[f"the score is undefined: {found.reason}"] if found.reason else [],
        )
        for entry, found, shown in zip(entries, places, public, strict=True)
    ]  # fmt: skip


def _public_scores(challenge: Challenge, answers: list[pl.DataFrame]) -> list[float | None]:
    """The primary metric on the public part, rounded as shown; None where there is none."""
    if challenge.key.filter(pl.col("usage") == "public").is_empty():
        return [None] * len(answers)
    definition = challenge.definition
    marker = Marker(replace(challenge, definition=replace(definition, tie_breakers=(), replicates=1)), "public")
    found = place([marker.mark(given) for given in answers], definition, marker.fewest)
    return [each.score for each in found]
