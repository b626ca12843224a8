"""How far the thresholds of a policy land from what they promised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from unmask.scoring.estimates import Protocol
from unmask.scoring.intervals import Resampling
from unmask.scoring.joining import Joined
from unmask.scoring.metrics.decisions import share_of_fakes
from unmask.scoring.policy import Policy, Threshold, hash_ids
from unmask.scoring.rates import Rate, Tally
from unmask.scoring.sample import Floats
from unmask.tables.answers import read_answers
from unmask.tables.errors import UnmaskError


@dataclass(frozen=True)
class OperatingPoint:
    """One frozen threshold on scored rows.

    Attributes:
        threshold: as it was frozen.
        fpr: share of the reals that it calls fake here.
        tpr: share of the fakes that it calls fake here.
        prevalence: share of fakes in the stream that the detector is meant for.
    """

    threshold: Threshold
    fpr: Rate
    tpr: Rate
    prevalence: float

    @property
    def precision(self) -> float | None:
        """Share of fakes among what it calls fake in that stream; None where that cannot be told."""
        return None if self.fpr.value is None else self._precision(self.fpr.value)

    @property
    def precision_bound(self) -> float | None:
        """The precision at the upper end of the FPR's interval: at least so much, but for bad luck."""
        return None if self.fpr.interval is None else self._precision(self.fpr.interval[1])

    @property
    def promise(self) -> str | None:
        """Whether the FPR's interval is "above" the promise, "below" it, or has it "inside"; None without reals."""
        if self.fpr.interval is None:
            return None
        promised, (low, high) = self.threshold.promised_fpr, self.fpr.interval
        return "above" if low > promised else "below" if high < promised else "inside"

    def to_dict(self) -> dict[str, object]:
        """As in ``scorecard.json``."""
        ends = None if self.fpr.interval is None else [1e6 * end for end in self.fpr.interval]
        million = None if self.fpr.value is None else 1e6 * self.fpr.value
        return asdict(self.threshold) | {
            "fpr": self.fpr.to_dict(),
            "tpr": self.tpr.to_dict(),
            "promise": self.promise,
            "precision": {"value": self.precision, "bound": self.precision_bound, "prevalence": self.prevalence},
            "fpr_per_million": {"value": million, "low": ends and ends[0], "high": ends and ends[1]},
        }

    def _precision(self, alarms: float) -> float | None:
        if self.tpr.value is None:
            return None
        share = float(share_of_fakes(self.tpr.value, alarms, self.prevalence))
        return None if np.isnan(share) else share


def operate(rows: pl.DataFrame, policy: Policy, thresholds: Floats, protocol: Protocol) -> list[OperatingPoint]:
    """Every threshold of ``policy`` on ``rows``.

    Args:
        rows: label, cluster and score, calibrated.
        policy: whose thresholds they are.
        thresholds: (T,), calibrated together with the scores.
        protocol: bootstrap and confidence of the intervals.
    """
    labels = rows["label"].to_numpy().astype(np.int64)
    called = rows["score"].to_numpy()[:, None] >= thresholds
    of_class = np.repeat(np.stack([labels == 0, labels == 1], axis=1), len(thresholds), axis=1)
    resampling = Resampling.of(labels, rows["cluster"], replicates=protocol.replicates, seed=protocol.seed)
    tally = Tally(np.tile(called, 2) & of_class, of_class, labels, resampling)
    clustered = resampling.varies and not resampling.single
    rates = tally.rates(protocol.confidence, tally.replicate() if clustered else None)
    count = len(policy.thresholds)
    return [
        OperatingPoint(threshold, fpr, tpr, policy.prevalence)
        for threshold, fpr, tpr in zip(policy.thresholds, rates[:count], rates[count:], strict=True)
    ]


@dataclass(frozen=True)
class Application:
    """A policy that was applied to some rows.

    Attributes:
        policy: that was applied.
        points: its thresholds on these rows, in its order.
        overlap: how many of the rows the policy was fitted on; None where that cannot be told, because validation's
            answer key is another file.
    """

    policy: Policy
    points: list[OperatingPoint]
    overlap: int | None

    def to_dict(self) -> dict[str, object]:
        """What ``scorecard.json`` says of the policy itself."""
        calibration = self.policy.calibration
        return {
            "hash": self.policy.sha256,
            "method": calibration.method,
            "parameters": dict(calibration.parameters),
            "overlap": self.overlap,
        }


def apply_policy(
    policy: Policy,
    scored: pl.DataFrame,
    protocol: Protocol,
    asked: Mapping[str, float],
    joined: Joined,
    answers: str | Path | pl.DataFrame,
) -> tuple[pl.DataFrame, Protocol, Application]:
    """Calibrate the scores of ``scored`` and measure the thresholds on them.

    Args:
        policy: to apply.
        scored: the rows with a score, raw.
        protocol: as far as the policy does not say otherwise.
        asked: settings that were asked for by name; they may not contradict the policy.
        joined: all rows that are to be scored.
        answers: the file or frame that they came from.

    Returns:
        The rows with calibrated scores; the protocol with the policy's settings, its first threshold on the scale of
        those scores; and the policy with its operating points.

    Raises:
        UnmaskError: it was fitted on these very ids, or does not say what was asked for.
    """
    _refuse_contradictions(policy, asked, joined.aggregation)
    overlap = _overlap(policy, joined, answers)
    if hash_ids(joined.rows["id"]) == policy.validation.ids_sha256 or overlap == joined.rows.height:
        raise UnmaskError(
            "these are the very files that the policy was fitted on: on them it keeps its promises by construction",
            next_step="score others, such as those of --split test",
        )  # fmt: skip
    scores, thresholds = policy.apply(scored["score"].to_numpy())
    scored = scored.with_columns(score=pl.Series(scores, dtype=pl.Float64))
    settings = replace(
        protocol.settings, threshold=float(thresholds[0]), clip=policy.calibration.clip, prevalence=policy.prevalence,
        trained_prevalence=policy.trained_prevalence,
    )  # fmt: skip
    protocol = replace(protocol, settings=settings)
    return scored, protocol, Application(policy, operate(scored, policy, thresholds, protocol), overlap)


def _refuse_contradictions(policy: Policy, asked: Mapping[str, float], aggregation: str) -> None:
    says = {
        "clip": policy.calibration.clip, "prevalence": policy.prevalence,
        "trained_prevalence": policy.trained_prevalence,
    }  # fmt: skip
    wrong = [
        f"the {name.replace('_', ' ')} {asked[name]:g} is asked for, and the policy says {said:g}"
        for name, said in says.items()
        if name in asked and asked[name] != said
    ]
    if "threshold" in asked:
        # On either scale it would be another one than those that were frozen.
        frozen = ", ".join(f"{each.raw_score:g} (raw)" for each in policy.thresholds)
        wrong.append(f"the threshold {asked['threshold']:g} is asked for, and the policy has its own: {frozen}")
    if aggregation != policy.aggregation:
        wrong.append(f"the aggregation of frames is {aggregation!r}, and the policy says {policy.aggregation!r}")
    if wrong:
        raise UnmaskError("; ".join(wrong), next_step="leave out what the policy settles, or calibrate another policy")


def _overlap(policy: Policy, joined: Joined, answers: str | Path | pl.DataFrame) -> int | None:
    """How many of the rows are among validation's; None where its answers are another file than these."""
    if joined.hashes["answers"] is None or joined.hashes["answers"] != policy.validation.answers_sha256:
        return None
    fitted = read_answers(answers, split=policy.validation.split).filter(pl.col("usage") != "ignored")
    return joined.rows.join(fitted, on="id", how="semi").height
