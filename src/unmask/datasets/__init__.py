"""A raw public dataset folder becomes a manifest; splits, leak checks.

One file is one dataset. ``ADAPTERS`` is the list of them; ``index`` runs one by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from unmask.datasets import (
    celeb_df_v2,
    dfdc,
    faceforensics,
    folder,
)
from unmask.datasets.base import Adapter, Options
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError

ADAPTERS: dict[str, Adapter] = {
    "folder": folder.ADAPTER,
    "faceforensics": faceforensics.ADAPTER,
    "celeb_df_v2": celeb_df_v2.ADAPTER,
    "dfdc": dfdc.ADAPTER,
}


def index(
    name: str,
    root: str | Path,
    *,
    seed: int = 0,
    hold_out: Sequence[str] = (),
    subject_from: str | None = None,
    method_from: str | None = None,
    splits: str | Path | None = None,
    report: Report | None = None,
) -> pl.DataFrame:
    """Read a dataset's folder into a manifest. Nothing is decoded; what is missing is counted, not an error.

    Args:
        name: a key of ``ADAPTERS``.
        root: the dataset's folder.
        seed: for splits that are drawn, not official.
        hold_out: subjects that become the test split.
        subject_from: "folder" if the first folder below the class names the person.
        method_from: "folder" if the first folder below the fake class names the forging method.
        splits: folder with the dataset's official lists, where they do not lie in ``root``.
        report: filled with what was missing, odd or decided; nothing of it is in the manifest.

    Returns:
        The required columns of a manifest, then ``root`` and whatever else the dataset tells; columns that it tells
        nothing about are left out. Rows are sorted by id. ``tables.manifest.write_manifest`` writes it.

    Raises:
        DatasetError: unknown name, an option that the dataset has no use for, or a folder that does not hold it.
    """
    adapter = ADAPTERS.get(name)
    if adapter is None:
        raise DatasetError(f"there is no dataset called {name!r}", next_step=f"take one of {', '.join(ADAPTERS)}")
    options = Options(seed, tuple(hold_out), subject_from, method_from, Path(splits) if splits else None)
    return adapter.index(Path(root), options, report if report is not None else Report())
