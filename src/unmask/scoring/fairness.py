"""Fairness: how often groups of people are called fake at one threshold, rightly and wrongly, and how far they differ.

The largest gap of several groups is above 0 by chance alone, and a bootstrap adds to it: a replicate's gap has the
noise of the data and its own. So the interval is not made of the replicates' gaps, but of their drift: a replicate's
errors are its rates less those of the data, and its drift is the largest difference of two groups' errors. Whichever
groups make it, the true gap is no farther from the one that was seen than two groups drift apart. So the interval is
the gap less and plus what the drift stays below as often as the confidence says, and it reaches 0 unless chance does
not explain the gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from unmask.scoring.estimates import Protocol
from unmask.scoring.intervals import Resampling
from unmask.scoring.rates import Rate, Tally
from unmask.scoring.sample import Floats
from unmask.scoring.slices import SLICE
from unmask.tables.errors import UnmaskError
from unmask.tables.reading import shown

#: Columns that tell groups of people, wherever a key or a manifest has them.
KNOWN = ("age", "ethnicity", "gender", "race", "sex", "skin_tone")
#: Groups with fewer reals have no false positive rate that is worth comparing; nor with fewer fakes, a true one.
FEWEST = 100


@dataclass(frozen=True)
class Gap:
    """The largest difference of a rate between groups.

    Attributes:
        groups: the groups that were compared.
        value: of the highest rate less the lowest, in [0, 1]; None where undefined.
        highest: group of the highest rate.
        lowest: group of the lowest rate.
        low: lower end of the interval; 0 where chance explains the gap. None where there is no interval.
        high: upper end of the interval.
        by_chance: how large the largest gap is on average if all groups have the same true rate.
        reason: why there is no value, or no interval.
    """

    groups: list[str]
    value: float | None = None
    highest: str | None = None
    lowest: str | None = None
    low: float | None = None
    high: float | None = None
    by_chance: float | None = None
    reason: str | None = None

    def to_dict(self) -> dict[str, object]:
        """As in ``scorecard.json``."""
        if self.value is None:
            return {"value": None, "reason": self.reason, "groups": self.groups}
        told: dict[str, object] = {
            "value": self.value, "low": self.low, "high": self.high, "by_chance": self.by_chance,
            "highest": self.highest, "lowest": self.lowest, "groups": self.groups,
        }  # fmt: skip
        return told if self.reason is None else told | {"reason": self.reason}


@dataclass(frozen=True)
class Fairness:
    """The groups of one column.

    Attributes:
        fpr: group -> share of its reals that are called fake; groups in the order of their names.
        tpr: group -> share of its fakes that are called fake.
        fpr_gap: over all these groups.
        tpr_gap: over those with enough fakes.
        skipped: group -> how many reals it has, fewer than ``FEWEST``.
        unknown: rows whose cell is empty: they are in no group.
    """

    fpr: dict[str, Rate]
    tpr: dict[str, Rate]
    fpr_gap: Gap
    tpr_gap: Gap
    skipped: dict[str, int]
    unknown: int

    def to_dict(self) -> dict[str, object]:
        """As in ``scorecard.json``."""
        return {
            "groups": {
                name: {"fpr": self.fpr[name].to_dict(), "tpr": self.tpr[name].to_dict()} for name in self.fpr
            },
            "gaps": {"fpr": self.fpr_gap.to_dict(), "tpr": self.tpr_gap.to_dict()},
            "skipped": self.skipped,
            "unknown": self.unknown,
        }  # fmt: skip


def choose(columns: Sequence[str], asked: Sequence[str] | None, skipped: Mapping[str, str]) -> list[str]:
    """The columns whose groups are compared.

    Args:
        columns: the slice columns.
        asked: those that are wanted; None for the ``KNOWN`` ones that there are.
        skipped: slice column -> why it has no groups.

    Raises:
        UnmaskError: there is no such column, or it has too many groups, of all that were asked for.
    """
    if asked is None:
        return [name for name in columns if name in KNOWN and name not in skipped]
    wrong = [f"there is no column {shown(name)}" for name in asked if name not in columns]
    wrong += [f"the column {shown(name)} has {skipped[name]}" for name in asked if name in skipped]
    if wrong:
        usable = [name for name in columns if name not in skipped]
        remedy = f"take one of {', '.join(map(shown, usable))}" if usable else "add it to the answer key"
        raise UnmaskError(f"groups cannot be compared: {'; '.join(wrong)}", next_step=remedy)
    return list(dict.fromkeys(asked))


def compare_groups(rows: pl.DataFrame, columns: Sequence[str], protocol: Protocol) -> dict[str, Fairness]:
    """Column -> how its groups differ at the protocol's threshold.

    Args:
        rows: label, score, cluster, and the columns behind ``SLICE``. A row whose cell is empty is in no group: who is
            seen there is not known.
        columns: from ``choose``.
        protocol: threshold and bootstrap.
    """
    return {column: _compare(rows, rows[SLICE + column], protocol) for column in columns}


def _compare(rows: pl.DataFrame, cells: pl.Series, protocol: Protocol) -> Fairness:
    labels = rows["label"].to_numpy().astype(np.int64)
    names = sorted(cells.drop_nulls().unique())
    reals = dict(cells.filter(rows["label"] == 0).drop_nulls().value_counts().iter_rows())
    kept = [name for name in names if reals.get(name, 0) >= FEWEST]
    members = [(cells == name).fill_null(value=False).to_numpy() for name in kept]
    member = np.stack(members, axis=1) if members else np.zeros((len(labels), 0), dtype=np.bool_)
    called = (rows["score"] >= protocol.settings.threshold).to_numpy()[:, None]
    resampling = Resampling.of(labels, rows["cluster"], replicates=protocol.replicates, seed=protocol.seed)
    trials = np.concatenate([member & (labels == label)[:, None] for label in (0, 1)], axis=1)
    tally = Tally(trials & called, trials, labels, resampling)
    drawn = tally.replicate() if kept and resampling.varies else None
    rates, count = tally.rates(protocol.confidence, drawn), len(kept)
    fpr, tpr = dict(zip(kept, rates[:count], strict=True)), dict(zip(kept, rates[count:], strict=True))
    fpr_gap = _gap(fpr, "reals", None if drawn is None else drawn[:, :count], protocol)
    tpr_gap = _gap(tpr, "fakes", None if drawn is None else drawn[:, count:], protocol)
    skipped = {name: reals.get(name, 0) for name in names if name not in kept}
    return Fairness(fpr, tpr, fpr_gap, tpr_gap, skipped, cells.null_count())


def _gap(rates: dict[str, Rate], rows: str, drawn: Floats | None, protocol: Protocol) -> Gap:
    """The largest difference between groups with at least ``FEWEST`` rows, which are called ``rows``."""
    groups = [name for name, rate in rates.items() if rate.trials >= FEWEST]
    if len(groups) < 2:
        return Gap(groups, reason=f"fewer than two groups have {FEWEST} {rows}")
    compared = [rates[name] for name in groups]
    values = np.array([rate.events / rate.trials for rate in compared])
    found = Gap(groups, float(np.ptp(values)), groups[int(values.argmax())], groups[int(values.argmin())])
    if drawn is None:
        return replace(found, reason="no interval: all rows of a class belong to one cluster")
    chosen = drawn[:, [name in groups for name in rates]]
    nowhere = int(np.isnan(chosen).any(axis=1).sum())
    if nowhere:
        reason = f"no interval: a group has no {rows[:-1]} in {nowhere:,} of {len(drawn):,} replicates"
        return replace(found, reason=reason)
    alike = np.ptp(chosen, axis=0) == 0
    if any(same and 0 < rate.events < rate.trials for same, rate in zip(alike, compared, strict=True)):
        return replace(found, reason=f"no interval: the {rows} of a group all belong to one cluster")
    drift = np.ptp(_errors(compared, chosen, protocol.seed), axis=1)
    far, gap = float(np.quantile(drift, protocol.confidence)), float(np.ptp(values))
    return replace(found, low=max(0.0, gap - far), high=min(1.0, gap + far), by_chance=float(drift.mean()))


def _errors(rates: Sequence[Rate], drawn: Floats, seed: int) -> Floats:
    """(B, G) errors that G rates may have, from their (B, G) replicates.

    Of n clusters, a bootstrap's spread is too small by the square root of (n - 1) / n. A rate of 0 or 1 does not vary
    when rows are drawn anew: its errors come from Jeffreys' posterior, as if each cluster were one trial. Source:
    Brown, Cai and DasGupta 2001, "Interval estimation for a binomial proportion".
    """
    generator = np.random.default_rng((seed, len(drawn)))
    errors = np.empty_like(drawn)
    for g, rate in enumerate(rates):
        if rate.events in (0, rate.trials):
            missed = generator.beta(0.5, rate.clusters + 0.5, size=len(drawn))
            errors[:, g] = missed if rate.events else -missed
        else:
            widening = np.sqrt(rate.clusters / max(rate.clusters - 1, 1))
            errors[:, g] = (drawn[:, g] - rate.events / rate.trials) * widening
    return errors
