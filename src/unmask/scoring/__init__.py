"""Predictions and an answer key become a scorecard: metrics, intervals, slices, and the page that shows them."""

from unmask.scoring.scorecard import Scorecard, score

__all__ = ["Scorecard", "score"]
