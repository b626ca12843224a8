"""Fitting the step from logit to probability on validation."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from unmask.inference.model_folder import Calibration


def fit_calibration(logits: np.ndarray, labels: np.ndarray) -> Calibration:
    """Platt's scaling with both classes weighted alike, so that 1/2 means "as likely as not" at even odds.

    Args:
        logits: (N,) one a file, already aggregated.
        labels: (N,) 1 fake, 0 real; both classes.

    Returns:
        Slope and shift. The slope is at least a hundredth over the logits' spread, since validation may flatten a
        ranking but neither turn it round nor undo it.

    Source: Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    spread = float(logits.std()) or 1.0
    fitted = LogisticRegression(C=1.0, class_weight="balanced").fit(logits[:, None] / spread, labels)
    slope = max(float(fitted.coef_[0, 0]), 0.01) / spread
    return Calibration(slope, float(fitted.intercept_[0]))
