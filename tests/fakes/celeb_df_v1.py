"""Celeb-DF v1 with twelve people who were swapped in pairs, one of them under the test list, and YouTube reals."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.celeb_df_v2 import build_release
from tests.fakes.made import Made

SWAPS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (10, 11))


def build(root: Path) -> list[Made]:
    return build_release(root, SWAPS, 6)
