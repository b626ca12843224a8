"""Manifest and face store become batches: datasets, transforms, samplers, the data module."""
