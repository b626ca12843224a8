"""unmask: the open stack for deepfake detection challenges."""

__version__ = "0.1.0"
