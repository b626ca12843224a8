"""What made the numbers."""

from __future__ import annotations

import platform

import numpy as np
import polars as pl

from unmask import __version__


def versions() -> dict[str, str]:
    """Version of unmask, Python and the packages that the numbers depend on."""
    python = platform.python_version()
    return {"unmask": __version__, "python": python, "numpy": np.__version__, "polars": pl.__version__}
