"""Predictions and an answer key become a scorecard: metrics, intervals, slices, and the page that shows them."""

from unmask.scoring.comparison import Comparison, compare
from unmask.scoring.freezing import calibrate
from unmask.scoring.scorecard import Scorecard, score

__all__ = ["Comparison", "Scorecard", "calibrate", "compare", "score"]
