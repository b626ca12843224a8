"""Frame-level scores become one score for each video."""

from __future__ import annotations

import polars as pl

from unmask.tables.errors import UnmaskError
from unmask.tables.reading import shown

_SCORE = pl.col("score")
#: ``top`` takes the highest of so many of a video's frames.
_TOP_OF = 10
#: ``confident``: a frame above the first is surely fake, one below the second surely real. A video is fake where more
#: than _FEWEST frames, and more than one in 2.5, are surely fake; real where more than nine in ten are surely real.
_SURELY_FAKE, _SURELY_REAL, _FEWEST = 0.8, 0.2, 11


def _confident() -> pl.Expr:
    fakes, reals = _SCORE > _SURELY_FAKE, _SCORE < _SURELY_REAL
    frames = pl.len()
    return (
        pl.when((fakes.sum() > _FEWEST) & (fakes.sum() > (frames / 2.5).floor()))
        .then(_SCORE.filter(fakes).mean())
        .when(reals.sum() > 0.9 * frames)
        .then(_SCORE.filter(reals).mean())
        .otherwise(_SCORE.mean())
    )


#: Name -> what makes the scores of a video's frames one. ``confident`` is that of the DFDC's winner, selimsef: the mean
#: of the surely fake frames where there are many, of the surely real ones where they are nearly all, else of all.
AGGREGATIONS: dict[str, pl.Expr] = {
    "mean": _SCORE.mean(),
    "median": _SCORE.median(),
    "max": _SCORE.max(),
    "top": _SCORE.top_k((pl.len() + _TOP_OF - 1) // _TOP_OF).mean(),
    "confident": _confident(),
}


def check_aggregation(name: str) -> None:
    """Raise UnmaskError where there is no aggregation of this name."""
    if name not in AGGREGATIONS:
        raise UnmaskError(f"there is no aggregation {shown(name)}", next_step=f"give one of {', '.join(AGGREGATIONS)}")


def aggregate(frames: pl.DataFrame, name: str) -> pl.DataFrame:
    """One row for each id.

    Args:
        frames: id, frame, score (probability of fake, or null) and reason, many rows for one id.
        name: one of ``AGGREGATIONS``: ``mean``, ``median``, ``max``, ``top`` (mean of the highest tenth, rounded up) or
            ``confident``.

    Returns:
        id, score, reason: frames without a score count for nothing; an id of which no frame has one has no score, and
        the commonest reason of its frames, of equally common ones the first by alphabet.

    """
    having = frames.filter(_SCORE.is_not_null()).group_by("id").agg(score=AGGREGATIONS[name])
    without = frames.join(having, on="id", how="anti")
    commonest = (
        without.group_by("id", "reason").len().sort(["len", "reason"], descending=[True, False])
        .group_by("id", maintain_order=True).agg(pl.col("reason").first())
    )  # fmt: skip
    return pl.concat([having, commonest], how="diagonal").select("id", "score", "reason")
