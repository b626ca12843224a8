"""Metrics of a queue that people work off from the top: what is found in it, and at which price."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from unmask.scoring.metrics.metric import Metric, Settings
from unmask.scoring.sample import Floats, Sample

#: Real videos that stand behind each one of the DFDC's set.
ALPHA = 100.0


def _recall_at_budget(sample: Sample, settings: Settings) -> Floats:
    caught, alarms = sample.rates
    column = np.arange(caught.shape[1])
    flagged = settings.prevalence * caught + (1.0 - settings.prevalence) * alarms
    budget = np.minimum(settings.budget, flagged[-1])
    right = np.argmax(flagged >= budget, axis=0)
    left = right - 1
    share = (budget - flagged[left, column]) / (flagged[right, column] - flagged[left, column])
    return np.asarray(caught[left, column] + share * (caught[right, column] - caught[left, column]))


def _below_resolution(fakes: float, reals: float, settings: Settings) -> str | None:
    if (1.0 - settings.prevalence) / reals <= settings.budget:
        return None
    return f"one false alarm among {reals:,g} reals takes more than the budget of {settings.budget:g}"


def _queue(sample: Sample, settings: Settings) -> dict[str, float]:
    recall = float(_recall_at_budget(sample, settings)[0])
    stated = {"prevalence": settings.prevalence, "budget": settings.budget}
    return stated | {"queue_precision": settings.prevalence * recall / settings.budget}


def _weighted_precision(recall: float) -> Callable[[Sample, Settings], Floats]:
    def batch(sample: Sample, settings: Settings) -> Floats:
        rates, (caught, alarms) = sample.rates[0][1:], sample.curve
        place = np.argmax(rates >= np.minimum(recall, rates[-1]), axis=0), np.arange(rates.shape[1])
        return np.asarray(np.log(caught[place] / (caught[place] + ALPHA * alarms[place])))

    return batch


def _its_prevalence(sample: Sample, settings: Settings) -> dict[str, float]:
    fakes, reals = float(sample.fakes[0]), float(sample.reals[0])
    return {"prevalence": fakes / (fakes + ALPHA * reals)}


def recall_at_budget(
    labels: ArrayLike,
    scores: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    budget: float = 0.01,
    prevalence: float = 0.001,
) -> float:
    """Share of the fakes that are found if people look at the share ``budget`` of a stream, highest scores first.

    That is the TPR where π TPR + (1 - π) FPR is the budget, on straight lines between the points of the ROC curve.
    Higher is better; range [0, 1]. A constant gives the budget; a perfect order gives 1 at a budget of π or more. Of
    what people then look at, the share π recall / budget is fake (``queue_precision`` in the scorecard).

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), finite; only their order counts.
        weights: (N,), not negative; None for ones.
        budget: in (0, 1].
        prevalence: π, share of fakes in the stream, in (0, 1).

    Raises:
        Undefined: one class only, or so few reals that a single false alarm takes more than the budget.
        ValueError: wrong shapes, labels, budget or prevalence.
    """
    settings = Settings(budget=budget, prevalence=prevalence)
    return RECALL_AT_BUDGET.value(Sample.of(labels, scores, weights), settings)


def log_weighted_precision(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None, *, recall: float = 0.5
) -> float:
    """The DFDC's log of weighted precision: ln(TP / (TP + 100 FP)) at the highest threshold that reaches the recall.

    Tied scores are called alike. Higher is better; range (-inf, 0]. The weighted precision itself is the precision at
    a prevalence of P / (P + 100 N) for P fakes and N reals (``prevalence`` in the scorecard). Source: Dolhansky et al.
    2020, "The DeepFake Detection Challenge dataset".

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), finite; only their order counts.
        weights: (N,), not negative; None for ones.
        recall: in (0, 1].

    Raises:
        Undefined: one class only.
        ValueError: wrong shapes, labels or recall.
    """
    if not 0.0 < recall <= 1.0:
        raise ValueError(f"recall {recall!r} is not in (0, 1]")
    return _log_weighted_precision(recall).value(Sample.of(labels, scores, weights))


def _log_weighted_precision(recall: float) -> Metric:
    percent = f"{100 * recall:g}"
    return Metric(
        name=f"log_wp_{percent.replace('.', '_')}pct",
        title=f"Log weighted precision at {percent} % recall",
        function=lambda labels, scores, weights=None: log_weighted_precision(labels, scores, weights, recall=recall),
        batch=_weighted_precision(recall), direction="higher", low=None, high=0.0,
        description=f"The DFDC's: how pure the calls are that catch {percent} % of the fakes, reals counted 100 times.",
        details=_its_prevalence, defined_by=log_weighted_precision,
    )  # fmt: skip


RECALL_AT_BUDGET = Metric(
    name="recall_at_budget", title="Recall at review budget", function=recall_at_budget, batch=_recall_at_budget,
    direction="higher", low=0.0, high=1.0,
    description="Share of the fakes that people find who look at as much of the stream's top as the budget says.",
    headline=True, gap=_below_resolution, details=_queue,
)  # fmt: skip
LOG_WEIGHTED_PRECISION_10, LOG_WEIGHTED_PRECISION_50, LOG_WEIGHTED_PRECISION_90 = (
    _log_weighted_precision(recall) for recall in (0.1, 0.5, 0.9)
)
