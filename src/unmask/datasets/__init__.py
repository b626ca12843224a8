"""A raw public dataset folder becomes a manifest; splits, leak checks.

One file is one dataset. ``ADAPTERS`` is the list of them; ``index`` runs one by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from unmask.datasets import (
    asvspoof5,
    asvspoof2019_la,
    asvspoof2021_df,
    celeb_df_v1,
    celeb_df_v2,
    csv,
    deeperforensics,
    deepfakebench,
    df40,
    dfd,
    dfdc,
    dfdc_preview,
    faceforensics,
    fakeavceleb,
    folder,
    in_the_wild,
    uadfv,
    wild_deepfake,
)
from unmask.datasets.base import Adapter, Options
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError

ADAPTERS: dict[str, Adapter] = {
    "folder": folder.ADAPTER,
    "csv": csv.ADAPTER,
    "deepfakebench": deepfakebench.ADAPTER,
    "faceforensics": faceforensics.ADAPTER,
    "dfd": dfd.ADAPTER,
    "deeperforensics": deeperforensics.ADAPTER,
    "celeb_df_v1": celeb_df_v1.ADAPTER,
    "celeb_df_v2": celeb_df_v2.ADAPTER,
    "dfdc_preview": dfdc_preview.ADAPTER,
    "dfdc": dfdc.ADAPTER,
    "uadfv": uadfv.ADAPTER,
    "fakeavceleb": fakeavceleb.ADAPTER,
    "wild_deepfake": wild_deepfake.ADAPTER,
    "df40": df40.ADAPTER,
    "asvspoof2019_la": asvspoof2019_la.ADAPTER,
    "asvspoof2021_df": asvspoof2021_df.ADAPTER,
    "asvspoof5": asvspoof5.ADAPTER,
    "in_the_wild": in_the_wild.ADAPTER,
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
    reals: str | Path | None = None,
    report: Report | None = None,
) -> pl.DataFrame:
    """Read a dataset's folder into a manifest. Nothing is decoded; what is missing is counted, not an error.

    Args:
        name: a key of ``ADAPTERS``.
        root: the dataset's folder; for ``csv`` the table itself.
        seed: for splits that are drawn, not official.
        hold_out: subjects that become the test split.
        subject_from: "folder" if the first folder below the class names the person.
        method_from: "folder" if the first folder below the fake class names the forging method.
        splits: folder with the dataset's official lists, where they do not lie in ``root``.
        reals: folder with real files of another dataset, where they do not lie in ``root``; their rows name it as their
            ``root``.
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
    options = Options(
        seed,
        tuple(hold_out),
        subject_from,
        method_from,
        splits=Path(splits) if splits else None,
        reals=Path(reals) if reals else None,
    )
    return adapter.index(Path(root), options, report if report is not None else Report())
