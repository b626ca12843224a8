"""The metrics in plain Python, for programs that score where unmask is not installed.

Bundles for other platforms carry this file as it stands: it needs the standard library of Python 3.7 and no more.
Definitions, edge cases and the order of operations at every threshold are those of ``unmask.scoring.metrics``.

y = 1 is fake, p is the probability of fake. Rows with the same score are one point of a curve.
"""

# Of what Python 3.7 does not know, ruff would ask for these.
# ruff: noqa: B905, UP006, UP035

import math
from typing import Callable, Dict, List, NamedTuple, Sequence, Tuple

#: Bins of the calibration errors.
BINS = 15
#: Real videos that stand behind each one of the DFDC's set.
ALPHA = 100.0
#: What ASVspoof 5 asks for stopping all reals, and for letting all fakes pass.
STOP_ALL, PASS_ALL = 0.95, 0.5


class Undefined(Exception):  # noqa: N818  # a finding, not a fault
    """The metric has no value on these rows.

    Attributes:
        reason: why.
        own: whether that lies in the scores alone; if not, ``reason`` tells something of the labels.
        told: what the participant may read of it.
    """

    def __init__(self, reason: str, own: bool = False) -> None:
        self.reason = reason
        self.own = own
        self.told = "the score is undefined: " + (
            reason if own else "the fault is not yours, please tell the organizers"
        )
        super().__init__(reason)


class Settings(NamedTuple):
    """What metrics need to know beside the rows.

    Attributes:
        clip: scores are clipped to [clip, 1 - clip] where a logarithm is taken of them.
        threshold: a score at or above it is called fake.
        prevalence: share of fakes in the stream that the detector is meant for.
        budget: share of that stream that people can look at.
    """

    clip: float = 1e-15
    threshold: float = 0.5
    prevalence: float = 0.001
    budget: float = 0.01


class Rows:
    """Labels and scores, and the curve over the G distinct scores, the highest first.

    Args:
        labels: (N,), 1 = fake, 0 = real.
        scores: (N,), in [0, 1].

    Attributes:
        fakes: number of fakes.
        reals: number of reals.
        thresholds: (G,), the distinct scores.
        steps: (G,), how many fakes and reals have each.
        curve: (G,), how many fakes and reals have it or a higher one.
        rates: (1 + G,), the same as shares of all fakes and of all reals, behind a threshold above all scores; only
            where there are both.
    """

    def __init__(self, labels: Sequence[int], scores: Sequence[float]) -> None:
        self.labels = list(labels)
        self.scores = list(scores)
        self.fakes = sum(self.labels)
        self.reals = len(self.labels) - self.fakes
        counts: Dict[float, List[int]] = {}
        for label, score in zip(self.labels, self.scores):
            counts.setdefault(score, [0, 0])[1 - label] += 1
        self.thresholds = sorted(counts, reverse=True)
        self.steps = [(counts[score][0], counts[score][1]) for score in self.thresholds]
        self.curve: List[Tuple[int, int]] = []
        caught = alarms = 0
        for fakes, reals in self.steps:
            caught, alarms = caught + fakes, alarms + reals
            self.curve.append((caught, alarms))
        self.rates: List[Tuple[float, float]] = []
        if self.fakes and self.reals:
            self.rates = [(0.0, 0.0), *((one / self.fakes, other / self.reals) for one, other in self.curve)]

    def called(self, settings: Settings) -> Tuple[float, float]:
        """Share of the fakes, and of the reals, that are called fake at the threshold."""
        called = [label for label, score in zip(self.labels, self.scores) if score >= settings.threshold]
        return sum(called) / self.fakes, (len(called) - sum(called)) / self.reals


def _roc_auc(rows: Rows, settings: Settings) -> float:
    twice = sum(reals * (2 * caught - fakes) for (fakes, reals), (caught, _) in zip(rows.steps, rows.curve))
    return twice / (2 * rows.fakes * rows.reals)


def _partial_auc(rows: Rows, settings: Settings) -> float:
    most = 0.1
    parts = []
    for (fakes, reals), (caught, alarms) in zip(rows.steps, rows.rates):
        rise, step = fakes / rows.fakes, reals / rows.reals
        width = min(max(most - alarms, 0.0), step)
        share = width / step if step else 0.0
        parts.append(width * (caught + 0.5 * share * rise))
    guessing = most * most / 2.0
    return 0.5 * (1.0 + (math.fsum(parts) - guessing) / (most - guessing))


def _average_precision(rows: Rows, settings: Settings) -> float:
    parts = [fakes * caught / (caught + alarms) for (fakes, _), (caught, alarms) in zip(rows.steps, rows.curve)]
    return math.fsum(parts) / rows.fakes


def _eer(rows: Rows, settings: Settings) -> float:
    gaps = [alarms + caught - 1.0 for caught, alarms in rows.rates]
    right = next(place for place, gap in enumerate(gaps) if gap >= 0.0)
    left = right - 1
    share = -gaps[left] / (gaps[right] - gaps[left])
    return rows.rates[left][1] + share * (rows.rates[right][1] - rows.rates[left][1])


def _eer_asvspoof(rows: Rows, settings: Settings) -> float:
    caught, alarms = min(rows.rates, key=lambda rates: abs(rates[1] + rates[0] - 1.0))
    return 0.5 * (alarms + 1.0 - caught)


def _tpr_at(most: float) -> Callable[[Rows, Settings], float]:
    least = round(10 / most)

    def metric(rows: Rows, settings: Settings) -> float:
        if rows.reals < least:
            raise Undefined(f"a false positive rate of {most:g} needs {least:,} reals; there are {rows.reals:,}")
        return max(caught for caught, alarms in rows.rates if alarms <= most)

    return metric


def _recall_at_budget(rows: Rows, settings: Settings) -> float:
    rare, rest = settings.prevalence, 1.0 - settings.prevalence
    if rest / rows.reals > settings.budget:
        told = f"one false alarm among {rows.reals:,} reals takes more than the budget of {settings.budget:g}"
        raise Undefined(told)
    flagged = [rare * caught + rest * alarms for caught, alarms in rows.rates]
    budget = min(settings.budget, flagged[-1])
    right = next(place for place, share in enumerate(flagged) if share >= budget)
    left = right - 1
    share = (budget - flagged[left]) / (flagged[right] - flagged[left])
    return rows.rates[left][0] + share * (rows.rates[right][0] - rows.rates[left][0])


def _log_weighted_precision(recall: float) -> Callable[[Rows, Settings], float]:
    def metric(rows: Rows, settings: Settings) -> float:
        place = next(place for place, (caught, _) in enumerate(rows.rates[1:]) if caught >= recall)
        caught, alarms = rows.curve[place]
        return math.log(caught / (caught + ALPHA * alarms))

    return metric


def _balanced_accuracy(rows: Rows, settings: Settings) -> float:
    caught, alarms = rows.called(settings)
    return 0.5 * (caught + 1.0 - alarms)


def _f1(rows: Rows, settings: Settings) -> float:
    caught, alarms = rows.called(settings)
    true, false = caught * rows.fakes, alarms * rows.reals
    return 2.0 * true / (true + false + rows.fakes)


def _precision_at_prevalence(rows: Rows, settings: Settings) -> float:
    caught, alarms = rows.called(settings)
    found, wrong = settings.prevalence * caught, (1.0 - settings.prevalence) * alarms
    if not found + wrong > 0:
        raise Undefined("nothing is called fake at the threshold", own=True)
    return found / (found + wrong)


def _fpr_per_million(rows: Rows, settings: Settings) -> float:
    return 1e6 * rows.called(settings)[1]


def _log_loss(rows: Rows, settings: Settings) -> float:
    return math.fsum(log_losses(rows.labels, rows.scores, settings.clip)) / len(rows.labels)


def _brier(rows: Rows, settings: Settings) -> float:
    return math.fsum(square_losses(rows.labels, rows.scores)) / len(rows.labels)


def log_losses(labels: Sequence[int], scores: Sequence[float], clip: float) -> List[float]:
    """The log loss of each row."""
    clipped = [min(max(score, clip), 1.0 - clip) for score in scores]
    return [-math.log(score if label else 1.0 - score) for label, score in zip(labels, clipped)]


def square_losses(labels: Sequence[int], scores: Sequence[float]) -> List[float]:
    """The squared error of each row."""
    return [(score - label) ** 2 for label, score in zip(labels, scores)]


def _evidence(rows: Rows, settings: Settings) -> List[float]:
    """The log odds of each score."""
    clipped = [min(max(score, settings.clip), 1.0 - settings.clip) for score in rows.scores]
    return [math.log(score) - math.log1p(-score) for score in clipped]


def _surprise(odds: float) -> float:
    """ln(1 + e^odds), whatever the size of the odds."""
    return max(odds, 0.0) + math.log1p(math.exp(-abs(odds)))


def _class_means(rows: Rows, odds: Sequence[float]) -> Tuple[float, float]:
    """The mean loss of the fakes, and of the reals, of log odds that are taken at their word."""
    fakes = [_surprise(-each) for label, each in zip(rows.labels, odds) if label]
    reals = [_surprise(each) for label, each in zip(rows.labels, odds) if not label]
    return math.fsum(fakes) / rows.fakes, math.fsum(reals) / rows.reals


def _log_loss_at_prevalence(rows: Rows, settings: Settings) -> float:
    rare, rest = settings.prevalence, 1.0 - settings.prevalence
    shift = math.log(rare) - math.log1p(-rare)
    fakes, reals = _class_means(rows, [each + shift for each in _evidence(rows, settings)])
    return (rare * fakes + rest * reals) / (-rare * math.log(rare) - rest * math.log(rest))


def _cllr(rows: Rows, settings: Settings) -> float:
    fakes, reals = _class_means(rows, _evidence(rows, settings))
    return (fakes + reals) / (2.0 * math.log(2.0))


def _cost(caught: float, alarms: float) -> float:
    return (STOP_ALL * alarms + PASS_ALL * (1.0 - caught)) / min(STOP_ALL, PASS_ALL)


def _min_dcf(rows: Rows, settings: Settings) -> float:
    return min(_cost(caught, alarms) for caught, alarms in rows.rates)


def _act_dcf(rows: Rows, settings: Settings) -> float:
    worth = math.log(STOP_ALL / PASS_ALL)
    called = [label for label, each in zip(rows.labels, _evidence(rows, settings)) if each > worth]
    return _cost(sum(called) / rows.fakes, (len(called) - sum(called)) / rows.reals)


def _bin(value: float) -> int:
    """The last of the bins [0, 1/15), [1/15, 2/15), ... whose lower end is not above ``value``."""
    # The product is rounded, and yet never says another bin than the edges n / 15 do: a test looks next to each.
    return min(int(value * BINS), BINS - 1)


def _gaps(rows: Rows, bins: Sequence[int]) -> float:
    """Sum over bins of |fakes - what the scores promise|, as a share of all rows; ``bins`` of each distinct score."""
    parts: List[List[float]] = [[] for _ in range(BINS)]
    for number, score, (fakes, reals) in zip(bins, rows.thresholds, rows.steps):
        parts[number] += [fakes, -(fakes + reals) * score]
    return math.fsum(abs(math.fsum(each)) for each in parts) / len(rows.labels)


def _ece_width(rows: Rows, settings: Settings) -> float:
    return _gaps(rows, [_bin(score) for score in rows.thresholds])


def _ece_mass(rows: Rows, settings: Settings) -> float:
    steps = zip(rows.curve, rows.steps)
    middles = [(sum(total) - 0.5 * sum(step)) / len(rows.labels) for total, step in steps]
    return _gaps(rows, [_bin(middle) for middle in middles])


#: Metrics that have a value for one class, too.
ONE_CLASS = frozenset(["log_loss", "brier", "ece_width", "ece_mass"])

METRICS: Dict[str, Callable[[Rows, Settings], float]] = {
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "eer": _eer,
    "recall_at_budget": _recall_at_budget,
    "precision_at_prevalence": _precision_at_prevalence,
    "balanced_accuracy": _balanced_accuracy,
    "log_loss": _log_loss,
    "brier": _brier,
    "partial_auc": _partial_auc,
    "tpr_at_fpr_10pct": _tpr_at(0.1),
    "tpr_at_fpr_1pct": _tpr_at(0.01),
    "tpr_at_fpr_0_1pct": _tpr_at(0.001),
    "eer_asvspoof": _eer_asvspoof,
    "f1": _f1,
    "fpr_per_million": _fpr_per_million,
    "log_loss_at_prevalence": _log_loss_at_prevalence,
    "ece_width": _ece_width,
    "ece_mass": _ece_mass,
    "cllr": _cllr,
    "min_dcf": _min_dcf,
    "act_dcf": _act_dcf,
    "log_wp_10pct": _log_weighted_precision(0.1),
    "log_wp_50pct": _log_weighted_precision(0.5),
    "log_wp_90pct": _log_weighted_precision(0.9),
}


def measure(name: str, rows: Rows, settings: Settings) -> float:
    """The metric called ``name``.

    Raises:
        Undefined: it has no value on these rows.
    """
    if not rows.labels:
        raise Undefined("there is no scored row")
    if name not in ONE_CLASS:
        for count, missing in ((rows.fakes, "fake"), (rows.reals, "real")):
            if not count:
                raise Undefined(f"there is no {missing} among the scored rows")
    return METRICS[name](rows, settings)


def measure_all(
    names: Sequence[str], labels: Sequence[int], scores: Sequence[float], settings: Settings, digits: int
) -> Dict[str, float]:
    """Every metric of ``names``, with so many decimals.

    Raises:
        Undefined: one of them has no value on these rows.
    """
    rows = Rows(labels, scores)
    return {name: rounded(measure(name, rows, settings), digits) for name in names}


def rounded(value: float, digits: int) -> float:
    """``value`` with so many decimals, as numpy rounds it: ``round`` itself decides some halves otherwise."""
    scale = 10.0**digits
    return round(value * scale) / scale
