"""Fitting only a detector's last layer: logistic regression on what it sees, with nothing else trained."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from unmask.detectors.base import Detector
from unmask.faces.store import FaceStore
from unmask.inference.predict import logits_of
from unmask.loading.data_module import Split
from unmask.tables.errors import ConfigError


def fit_head(detector: Detector, store: FaceStore | None, train: Split, *, strength: float = 0.1) -> None:
    """Set ``detector.head`` by logistic regression on standardised features, classes weighted alike.

    Args:
        detector: see ``unmask.detectors``; everything but its head stays as it is.
        store: whose crops; None where it takes sound alone.
        train: the examples to fit on.
        strength: inverse of the L2 penalty (scikit-learn's C).

    Raises:
        ConfigError: the detector's last layer is not linear.
    """
    if detector.head is None:
        raise ConfigError("fit=head is for detectors with a linear last layer", next_step="take fit=all")
    features = logits_of(detector, train.examples, store, features=True)  # (N, F)
    centre, spread = features.mean(0), features.std(0) + 1e-6
    fitted = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)
    fitted.fit((features - centre) / spread, train.labels)
    weight = fitted.coef_[0] / spread
    bias = float(fitted.intercept_[0] - weight @ centre)
    with torch.no_grad():
        detector.head.weight.copy_(torch.from_numpy(np.atleast_2d(weight)))
        detector.head.bias.fill_(bias)
