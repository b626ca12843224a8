"""Frame scores to one score a video."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def mean(logits: np.ndarray) -> float:
    """The mean logit, (N,) to one: the geometric mean of the odds; one wild frame moves it little."""
    return float(logits.mean())


def median(logits: np.ndarray) -> float:
    """The median logit, (N,) to one: indifferent to up to half of the frames."""
    return float(np.median(logits))


#: Name, as it stands in configs, ``model.yaml`` and scorecards, to function.
AGGREGATIONS: dict[str, Callable[[np.ndarray], float]] = {"mean": mean, "median": median}
