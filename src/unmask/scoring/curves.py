"""The curves of a scorecard, each with a band that says how far it would move if other files had been drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from unmask.scoring.intervals import Resampling, draw, tails
from unmask.scoring.sample import Floats, Sample

#: Most replicates of a band: it is looked at, not read off.
_REPLICATES = 200
#: Equally full bins of the reliability curve.
_BINS = 10


@dataclass(frozen=True)
class Curve:
    """One curve.

    Attributes:
        x: (K,), ascending.
        y: (K,).
        low: (K,), lower edge of the band: an interval for each x by itself.
        high: (K,), upper edge.
    """

    x: Floats
    y: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Curves:
    """All curves of one set of rows, which has both classes.

    Attributes:
        roc: share of fakes caught by share of reals called fake.
        precision: precision by recall, at the prevalence of the set.
        budget: recall by the share of the stream that people look at, at the stated prevalence.
        reliability: share of fakes by mean score, of equally full bins; tied scores stay together.
    """

    roc: Curve
    precision: Curve
    budget: Curve
    reliability: Curve


def curves(sample: Sample, resampling: Resampling, *, prevalence: float, confidence: float) -> Curves:
    """The curves of a sample.

    Args:
        sample: both classes, one column of ones.
        resampling: of its rows; at most 200 of its replicates are drawn.
        prevalence: share of fakes in the stream that people look at, in (0, 1).
        confidence: of the bands, between 0 and 1.
    """
    reals = float(sample.reals[0])
    rates = np.unique(np.concatenate([np.linspace(0, 1, 101), np.geomspace(1 / max(reals, 100), 1, 60)]))
    # A smaller budget than one false alarm is not resolved.
    least = min(max((1 - prevalence) / reals, 1e-5), 0.5)
    edges = _edges(sample)
    makers: dict[str, tuple[Floats, Callable[[Sample], Floats]]] = {
        "roc": (rates, lambda drawn: _roc(drawn, rates)),
        "precision": (recalls := np.linspace(0.01, 1, 100), lambda drawn: _precision(drawn, recalls)),
        "budget": (budgets := np.geomspace(least, 1, 60), lambda drawn: _budget(drawn, budgets, prevalence)),
        "reliability": (_mean_scores(sample, edges), lambda drawn: _shares(drawn, edges)),
    }
    count = min(resampling.replicates, _REPLICATES)
    fewer = replace(resampling, replicates=count)
    values = {name: np.empty((len(x), count)) for name, (x, _) in makers.items()}

    def fill(block: slice, samples: list[Sample]) -> None:
        for name, (_, make) in makers.items():
            values[name][:, block] = make(samples[0])

    draw([sample.ordering], fewer, fill)
    edges_of_bands = tails(confidence, max(resampling.fewest, 2))
    bands = {name: np.nanpercentile(drawn, edges_of_bands, axis=1) for name, drawn in values.items()}
    return Curves(**{name: Curve(x, make(sample)[:, 0], *bands[name]) for name, (x, make) in makers.items()})


def _by_column(function: Callable[[Floats, Floats], Floats], caught: Floats, alarms: Floats) -> Floats:
    """(K, B): the function of what fakes and reals have at each threshold, (G,) each, column by column."""
    return np.stack([function(*each) for each in zip(caught.T, alarms.T, strict=True)], axis=1)


def _roc(sample: Sample, rates: Floats) -> Floats:
    return _by_column(lambda caught, alarms: np.interp(rates, alarms, caught), *sample.rates)


def _precision(sample: Sample, recalls: Floats) -> Floats:
    def at(caught: Floats, alarms: Floats) -> Floats:
        # A rounding less than the wanted recall, which would otherwise miss the row that just attains it.
        place = np.searchsorted(caught, recalls * caught[-1] * (1.0 - 1e-12), side="left")
        return np.asarray(caught[place] / (caught[place] + alarms[place]))

    return _by_column(at, *sample.curve)


def _budget(sample: Sample, budgets: Floats, prevalence: float) -> Floats:
    def at(caught: Floats, alarms: Floats) -> Floats:
        return np.interp(budgets, prevalence * caught + (1.0 - prevalence) * alarms, caught)

    return _by_column(at, *sample.rates)


def _edges(sample: Sample) -> Floats:
    """Lowest score of each bin, descending."""
    ordering = sample.ordering
    places = np.ceil(len(ordering.order) * np.arange(1, _BINS + 1) / _BINS).astype(int) - 1
    return np.unique(ordering.scores[ordering.order[places]])[::-1]


def _inside(sample: Sample, edges: Floats, what: Floats) -> Floats:
    """Sum of (N, B) over the rows of each bin: (bins, B)."""
    place = np.searchsorted(-edges, -sample.ordering.scores, side="left")
    sums = np.zeros((len(edges), what.shape[1]))
    np.add.at(sums, np.minimum(place, len(edges) - 1), what)
    return sums


def _mean_scores(sample: Sample, edges: Floats) -> Floats:
    total = _inside(sample, edges, sample.weights)
    return np.asarray((_inside(sample, edges, sample.weights * sample.ordering.scores[:, None]) / total)[::-1, 0])


def _shares(sample: Sample, edges: Floats) -> Floats:
    fakes = _inside(sample, edges, sample.weights * sample.ordering.labels[:, None])
    total = _inside(sample, edges, sample.weights)
    return np.divide(fakes, total, out=np.full_like(fakes, np.nan), where=total > 0)[::-1]
