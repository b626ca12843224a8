"""Submissions of two teams that are near copies of each other: a report for organizers, who judge.

Two files are compared by their bytes, and by the rank correlation of their scores (Spearman, ties share their mean
rank). A copy that was shifted, stretched, rounded or slightly blurred keeps its ranks. Labels are not looked at. Good
detectors agree on what is fake, but not on the order among the fakes: their ranks correlate well below ``LEAST``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import cast

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from unmask.host.records import SCORED, Submission

Floats = NDArray[np.float32]

#: Rank correlation from which on two submissions are told.
LEAST = 0.99
#: Of each team, so many submissions are compared by ranks: its final picks and its last ones.
EACH = 5
#: Ids by which they are compared at most, evenly taken: they tell one near ``LEAST`` to a few ten-thousandths.
_MOST_IDS = 4096


@dataclass(frozen=True)
class Lookalike:
    """Two teams, and the two submissions of theirs that are most alike.

    Attributes:
        one: a submission of the one team.
        other: a submission of the other.
        same_bytes: whether they are one and the same file.
        correlation: of their ranks, in [-1, 1]; None where one of the files says the same of every id, or the files
            were found by their bytes alone.
    """

    one: Submission
    other: Submission
    same_bytes: bool
    correlation: float | None


def packed_ranks(scores: pl.Series) -> bytes:
    """The ranks of a submission's scores on evenly taken ids, as ``Submission.ranks`` keeps them.

    Twice the rank, from 1, ties sharing their mean: a whole number, in 16 bits.
    """
    taken = scores.gather_every(-(-len(scores) // _MOST_IDS))
    return (2.0 * taken.rank("average").to_numpy()).astype("<u2").tobytes()


def find_lookalikes(session: Session) -> list[Lookalike]:
    """The closest pair of submissions of each two teams, where that is as close as ``LEAST`` or the same file.

    All submissions are compared by bytes; by ranks the ``EACH`` that count most of each team and track.

    Returns:
        The same files first, then by correlation, the highest first.
    """
    found: dict[tuple[int, int], Lookalike] = {}
    everything = list(session.scalars(select(Submission).order_by(Submission.id)))
    chosen = _chosen(everything)
    kept = select(Submission.id, Submission.ranks).where(Submission.id.in_([each.id for each in chosen]))
    ranks = dict(session.execute(kept).tuples().all())
    correlations = _correlations([_unpacked(cast(bytes, ranks[each.id])) for each in chosen])
    near = np.argwhere(np.triu(correlations >= LEAST, 1))
    pairs = [
        Lookalike(chosen[i], chosen[j], chosen[i].sha256 == chosen[j].sha256, float(correlations[i, j]))
        for i, j in near.tolist()
    ]
    for pair in sorted([*pairs, *_same_files(everything)], key=_closeness):
        teams = sorted((pair.one.team_id, pair.other.team_id))
        if teams[0] != teams[1]:
            found.setdefault((teams[0], teams[1]), pair)
    return list(found.values())


def _closeness(pair: Lookalike) -> tuple[bool, float, int, int]:
    return not pair.same_bytes, -(pair.correlation or 0.0), pair.one.id, pair.other.id


def _chosen(everything: Iterable[Submission]) -> list[Submission]:
    """The final picks and the last submissions of each team and track, ``EACH`` at most."""
    by_team: dict[tuple[int, str], list[Submission]] = defaultdict(list)
    for each in everything:
        if each.state == SCORED:
            by_team[each.team_id, each.track].append(each)
    return [
        each
        for own in by_team.values()
        for each in sorted(own, key=lambda each: (each.picked is None, -each.id))[:EACH]
    ]


def _same_files(everything: Iterable[Submission]) -> list[Lookalike]:
    by_bytes: dict[str, dict[int, Submission]] = defaultdict(dict)
    for each in everything:
        by_bytes[each.sha256].setdefault(each.team_id, each)
    return [
        Lookalike(one, other, True, None) for own in by_bytes.values() for one, other in combinations(own.values(), 2)
    ]


def _unpacked(ranks: bytes) -> Floats:
    """(K,) ranks, centred and of length 1; zeros where all scores are the same."""
    found = np.frombuffer(ranks, dtype="<u2").astype(np.float64)
    centred = found - found.mean()
    length = float(np.sqrt(centred @ centred))
    return np.asarray(centred / length if length else centred, dtype=np.float32)


def _correlations(ranks: Sequence[Floats]) -> Floats:
    """(S, S) rank correlations; 0 where a file says the same of every id."""
    if not ranks:
        return np.zeros((0, 0), dtype=np.float32)
    stacked = np.stack(ranks)
    return np.asarray(np.clip(stacked @ stacked.T, -1.0, 1.0))
