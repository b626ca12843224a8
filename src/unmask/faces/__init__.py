"""Frames become detected, tracked, aligned crops in a face store."""
