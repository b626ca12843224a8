"""The ranking: every file in ``submissions/`` is scored by the same rows and the same replicates, or refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from unmask.challenge.folder import SUBMISSIONS, Challenge, open_challenge
from unmask.challenge.report import write_standings
from unmask.challenge.standings import Entry, Standings
from unmask.challenge.submission import read_submission
from unmask.scoring.basis import Basis
from unmask.scoring.comparison.names import printable, stem
from unmask.scoring.comparison.ranks import rank_interval, ranks
from unmask.scoring.intervals import Resampling, bootstrap, percentile_interval
from unmask.scoring.metrics import METRICS, Undefined
from unmask.scoring.sample import Floats, Ints, Ordering, Sample
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
    scored = _scored(challenge, rows, entries, answers) if entries else []
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


def _scored(challenge: Challenge, rows: pl.DataFrame, entries: list[Entry], answers: list[pl.DataFrame]) -> list[Entry]:
    """The accepted entries with score, interval and rank; all of them rounded as shown."""
    said = challenge.definition
    metric = METRICS[said.metric]
    settings = challenge.protocol.settings
    public = challenge.key.filter(pl.col("usage") == "public").sort("id")
    entries = [
        replace(entry, public_score=_value(challenge, _order(public, given))[0])
        for entry, given in zip(entries, answers, strict=True)
    ]
    orderings = [_order(rows, given) for given in answers]
    found = [_value(challenge, ordering) for ordering in orderings]
    without = [
        replace(entry, problems=[why or ""])
        for entry, (value, why) in zip(entries, found, strict=True)
        if value is None
    ]
    orderings = [ordering for ordering, (value, _) in zip(orderings, found, strict=True) if value is not None]
    if not orderings:
        return without
    values = np.array([value for value, _ in found if value is not None])
    sign = 1.0 if metric.direction == "lower" else -1.0
    order = ranks(sign * values[:, None])[:, 0]
    with_value = [entry for entry, (value, _) in zip(entries, found, strict=True) if value is not None]
    entries = [
        replace(entry, score=float(value), rank=int(place))
        for entry, value, place in zip(with_value, values, order, strict=True)
    ]
    labels, clusters = rows["label"].to_numpy(), rows["cluster"]
    resampling = Resampling.of(labels, clusters, replicates=said.replicates, seed=said.seed)
    if not resampling.varies:
        return [*entries, *without]
    replicates = bootstrap([metric], orderings, resampling, settings)[:, 0]
    # Who has no value in a replicate is last in it.
    places = ranks(np.nan_to_num(sign * np.round(replicates, said.digits), nan=np.inf))
    ranked = [
        _with_intervals(entry, drawn, drawn_places, resampling.fewest, challenge)
        for entry, drawn, drawn_places in zip(entries, replicates, places, strict=True)
    ]
    return [*ranked, *without]


def _order(rows: pl.DataFrame, given: pl.DataFrame) -> Ordering:
    joined = rows.select("id", "label").join(given, on="id", how="left", maintain_order="left")
    return Ordering(joined["label"].to_numpy(), joined["score"].to_numpy())


def _value(challenge: Challenge, ordering: Ordering) -> tuple[float | None, str | None]:
    """The primary metric as shown, or the reason why there is none."""
    sample = Sample(ordering, np.ones((len(ordering.scores), 1)))
    try:
        value = METRICS[challenge.definition.metric].value(sample, challenge.protocol.settings)
    except Undefined as error:
        return None, f"the score is undefined: {error.reason}"
    return round(value, challenge.definition.digits), None


def _with_intervals(entry: Entry, replicates: Floats, places: Ints, clusters: int, challenge: Challenge) -> Entry:
    confidence, digits = challenge.protocol.confidence, challenge.definition.digits
    best, worst = rank_interval(entry.rank or 1, places, confidence)
    entry = replace(entry, rank_low=best, rank_high=worst)
    if np.isnan(replicates).any():
        return entry
    low, high = percentile_interval(replicates, confidence, clusters)
    return replace(entry, low=round(low, digits), high=round(high, digits))
