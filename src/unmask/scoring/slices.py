"""Slices: the same metrics for each group of each further column of the answer key.

A real row whose cell is empty belongs to every group of that column. So where ``method`` is filled for fakes only, the
AUC of a method sets its fakes against all reals. A fake row whose cell is empty belongs to no group.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from unmask.scoring.estimates import Estimate, Protocol, estimate

#: What slice columns are called by in the joined rows: with it in front, they may have any name in the key.
SLICE = "slice:"
#: A column with more groups is not a slice (an id, a frame count) and is skipped, by name.
MOST_GROUPS = 50
#: A group with fewer fakes or fewer reals is marked as small: its numbers move much by chance.
SMALL = 30


@dataclass(frozen=True)
class Group:
    """One group of a slice column.

    Attributes:
        name: the cell.
        fakes: scored fakes.
        reals: scored reals, among them those that belong to every group.
        metrics: metric name to estimate.
    """

    name: str
    fakes: int
    reals: int
    metrics: dict[str, Estimate]

    @property
    def small(self) -> bool:
        """Whether it has fewer than ``SMALL`` fakes or reals."""
        return min(self.fakes, self.reals) < SMALL

    def badness(self) -> tuple[bool, float, str]:
        """Sort key, worst first: by AUC, or by log loss where there is no AUC; groups without AUC last."""
        auc, loss = self.metrics["roc_auc"].value, self.metrics["log_loss"].value
        return auc is None, auc if auc is not None else -(loss or 0.0), self.name


def slice_by(
    rows: pl.DataFrame, columns: list[str], protocol: Protocol
) -> tuple[dict[str, list[Group]], dict[str, str]]:
    """Every group of every slice column, worst first.

    Args:
        rows: the scored rows: label, score, cluster, and the slice columns behind ``SLICE``.
        columns: names of the slice columns, as in the key.
        protocol: settings and bootstrap.

    Returns:
        column to its groups; and column to the reason why it was skipped. A column without any cell is in neither.
    """
    found: dict[str, list[Group]] = {}
    skipped: dict[str, str] = {}
    for column in columns:
        cell = pl.col(SLICE + column)
        names = sorted(rows[SLICE + column].drop_nulls().unique().to_list())
        if len(names) > MOST_GROUPS:
            skipped[column] = f"{len(names)} groups, more than {MOST_GROUPS}"
        elif names:
            everywhere = (pl.col("label") == 0) & cell.is_null()
            groups = [_group(rows.filter((cell == name) | everywhere), name, protocol) for name in names]
            found[column] = sorted(groups, key=Group.badness)
    return found, skipped


def _group(rows: pl.DataFrame, name: str, protocol: Protocol) -> Group:
    fakes = int((rows["label"] == 1).sum())
    return Group(name, fakes, rows.height - fakes, estimate(rows, protocol))
