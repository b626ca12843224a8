"""``calibrate``: validation becomes a policy. What is fitted here is never fitted again where it is tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from unmask.scoring.calibration import METHODS, Calibration, fit
from unmask.scoring.joining import USUAL_AGGREGATION, Joined, join
from unmask.scoring.metrics import METRICS, SMALLEST_CLIP, Settings, Undefined, tpr_at_fpr
from unmask.scoring.policy import Policy, Threshold, Validation, hash_ids
from unmask.scoring.sample import Sample
from unmask.scoring.versions import versions
from unmask.tables.errors import UnmaskError

#: Rates that are tried where none is asked for; those that there are too few reals for are left out.
USUAL_FPRS = (0.1, 0.01, 0.001)
#: Metrics that are told before and after.
COMPARED = ("log_loss", "brier", "ece_width", "ece_mass")


@dataclass(frozen=True)
class Frozen:
    """A policy, and what is worth knowing about how it was made.

    Attributes:
        policy: as ``policy.json`` has it.
        before: of the raw scores: the metrics of ``COMPARED``, and ``mean``, the mean score.
        after: the same of the calibrated ones. The fit saw these rows: others will gain less.
        unclaimed: rate -> why it has no threshold, of the usual rates.
    """

    policy: Policy
    before: dict[str, float]
    after: dict[str, float]
    unclaimed: dict[float, str]


def calibrate(
    predictions: str | Path | pl.DataFrame,
    answers: str | Path | pl.DataFrame,
    *,
    split: str | None = None,
    method: str = "temperature",
    fprs: Sequence[float] | None = None,
    prevalence: float = 0.001,
    clip: float = SMALLEST_CLIP,
    aggregation: str = USUAL_AGGREGATION,
) -> Frozen:
    """Fit a calibration and freeze thresholds, on validation only.

    A threshold is the lowest score at or above which the share of reals is at most the promised rate: a fake's or a
    real's, whole groups of ties. The calibrated scores take validation's share of fakes for granted, since every row
    counts the same in the fit; without a fit ("none"), one half, as in ``score``.

    Args:
        predictions: file or frame, with a row for each id, or for each of its frames.
        answers: file or frame: the answer key of validation, or a manifest.
        split: keep only this split, where ``answers`` is a manifest with several.
        method: "temperature", "platt" or "none".
        fprs: rates that are to be promised, each between 0 and 1; calls are made at the first. None for those of 0.1,
            0.01 and 0.001 that there are enough reals for.
        prevalence: share of fakes in the stream that the detector is meant for, between 0 and 1.
        clip: of scores of which a logarithm is taken, from 1e-15, below 0.5.
        aggregation: of frames to one score: mean, median, max, top or confident. The policy then holds for that one.

    Raises:
        TableError: with every fault of one of the two files.
        UnmaskError: a file is missing; the rows are of several splits; the fit has no optimum; rates that were asked
            for cannot be promised.
        ValueError: a parameter out of its range.
    """
    check(method, fprs, prevalence, clip)
    joined = join(predictions, answers, split=split, aggregation=aggregation)
    _refuse_several_splits(joined)
    rows = joined.rows.drop_nulls("score")
    labels, scores = rows["label"].to_numpy(), rows["score"].to_numpy()
    calibration = fit(method, labels, scores, clip=clip)
    found, unclaimed = _thresholds(Sample.of(labels, scores), calibration, USUAL_FPRS if fprs is None else fprs)
    if unclaimed and (fprs is not None or not found):
        raise UnmaskError(
            "not every threshold can be frozen:\n  " + "\n  ".join(unclaimed.values()),
            next_step="ask for higher rates with --fpr, or validate on more reals",
        )
    fakes = int(labels.sum())
    policy = Policy(
        aggregation=joined.aggregation,
        calibration=calibration,
        thresholds=tuple(found),
        prevalence=prevalence,
        trained_prevalence=Settings().trained_prevalence if method == "none" else fakes / len(labels),
        validation=Validation(
            fakes=fakes,
            reals=len(labels) - fakes,
            unanswered=joined.rows.height - rows.height,
            split=split,
            ids_sha256=hash_ids(joined.rows["id"]),
            predictions_sha256=joined.hashes["predictions"],
            answers_sha256=joined.hashes["answers"],
        ),
        versions=versions(),
    )
    after = Sample.of(labels, calibration.apply(scores))
    return Frozen(policy, _measure(Sample.of(labels, scores), clip), _measure(after, clip), unclaimed)


def check(method: str, fprs: Sequence[float] | None, prevalence: float, clip: float) -> None:
    """Raise ValueError for a parameter of ``calibrate`` that is out of its range."""
    Settings(clip=clip, prevalence=prevalence)
    if method not in METHODS:
        raise ValueError(f"method {method!r} is none of {', '.join(METHODS)}")
    if fprs is not None and (not fprs or len(set(fprs)) < len(fprs) or not all(0.0 < fpr < 1.0 for fpr in fprs)):
        raise ValueError(f"rates {list(fprs)} are not between 0 and 1, or one of them stands twice")


def _refuse_several_splits(joined: Joined) -> None:
    if len(joined.splits) > 1:
        raise UnmaskError(
            f"the rows are of the splits {', '.join(joined.splits)}: what is fitted on a test set is no test of it",
            next_step=f"fit on one of them, such as --split {joined.splits[-1]}",
        )


def _thresholds(
    sample: Sample, calibration: Calibration, fprs: Sequence[float]
) -> tuple[list[Threshold], dict[float, str]]:
    """The thresholds of the rates that can be claimed, and why the others cannot."""
    found, unclaimed = [], {}
    for fpr in fprs:
        try:
            tpr_at_fpr(sample.ordering.labels, sample.ordering.scores, fpr=fpr)
        except Undefined as undefined:
            unclaimed[fpr] = undefined.reason
            continue
        caught, alarms = (rates[1:, 0] for rates in sample.rates)
        place = int((alarms <= fpr).sum()) - 1
        highest = sample.ordering.thresholds[0]
        if place < 0:
            unclaimed[fpr] = f"{fpr:g} of the reals is exceeded at once: {alarms[0]:.3g} share the score {highest:g}"
            continue
        raw = float(sample.ordering.thresholds[place])
        calibrated = float(calibration.apply([raw])[0])
        found.append(Threshold(fpr, raw, calibrated, float(alarms[place]), float(caught[place])))
    return found, unclaimed


def _measure(sample: Sample, clip: float) -> dict[str, float]:
    told = {name: METRICS[name].value(sample, Settings(clip=clip)) for name in COMPARED}
    return told | {"mean": float(sample.ordering.scores.mean())}
