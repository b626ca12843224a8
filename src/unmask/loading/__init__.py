"""Manifest and face store become batches: datasets, transforms, samplers, the data module."""

import os

# albumentations would ask PyPI for a newer version of itself, at each start.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
