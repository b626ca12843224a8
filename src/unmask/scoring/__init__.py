"""Predictions and an answer key become a scorecard: metrics, intervals, slices, page."""
