"""What one submission gets for one part of the answer key: the metrics that decide ranks, and all their replicates.

A submission is marked by itself, without the others; yet all submissions have the same replicates, so that marks can be
set against each other later.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from unmask.challenge.folder import Challenge
from unmask.scoring.intervals import Resampling, bootstrap
from unmask.scoring.metrics import Metric, Settings, Undefined
from unmask.scoring.sample import Floats, Ordering, Sample


@dataclass(frozen=True)
class Mark:
    """The numbers of one submission on one part.

    Attributes:
        values: the challenge's metrics in the order of ``Definition.metrics``, not rounded; None where undefined.
        reason: why the primary metric is undefined; None where it is not.
        replicates: (M, B), each metric in each replicate; NaN where it has no value there. B is 0 where nothing can be
            drawn anew.
    """

    values: tuple[float | None, ...]
    reason: str | None
    replicates: Floats

    @property
    def score(self) -> float | None:
        """The primary metric, not rounded."""
        return self.values[0]


class Marker:
    """Marks submissions on one part of a challenge.

    Args:
        challenge: whose metrics, clip, seed and so on hold.
        usage: the part: public, private or all.

    Attributes:
        fewest: clusters of the class that has fewer of them: what intervals rest on.

    Raises:
        ChallengeError: the part has no row.
    """

    def __init__(self, challenge: Challenge, usage: str) -> None:
        said = challenge.definition
        self._metrics, self._settings = said.metrics, said.settings
        self._rows = challenge.rows(usage).select("id", "label", "cluster")
        self._resampling = Resampling.of(
            self._rows["label"].to_numpy(), self._rows["cluster"], replicates=said.replicates, seed=said.seed
        )
        self.fewest = self._resampling.fewest

    def uninformed(self) -> Mark:
        """What a submission gets that says 0.5 of everything, as the sample submission does."""
        return self.mark(self._rows.select("id", score=pl.lit(0.5)))

    def mark(self, answers: pl.DataFrame) -> Mark:
        """Mark one submission.

        Args:
            answers: columns id, score, as ``read_submission`` gives them.
        """
        joined = self._rows.join(answers, on="id", how="left", maintain_order="left")
        ordering = Ordering(joined["label"].to_numpy(), joined["score"].to_numpy())
        sample = Sample(ordering, np.ones((joined.height, 1)))
        found = [_value(metric, sample, self._settings) for metric in self._metrics]
        values = tuple(value for value, _ in found)
        count = self._resampling.replicates if self._resampling.varies else 0
        replicates = np.full((len(values), count), np.nan)
        defined = [number for number, value in enumerate(values) if value is not None]
        if count and defined:
            metrics = [self._metrics[number] for number in defined]
            replicates[defined] = bootstrap(metrics, [ordering], self._resampling, self._settings, paired=True)[0]
        return Mark(values, found[0][1], replicates)


def _value(metric: Metric, sample: Sample, settings: Settings) -> tuple[float | None, str | None]:
    """A metric, or the reason why there is none."""
    try:
        return metric.value(sample, settings), None
    except Undefined as error:
        return None, error.reason
