"""Which known datasets lie below a folder, and how much of each is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from unmask.datasets import ADAPTERS
from unmask.datasets.base import Options
from unmask.datasets.files import folders
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError, UnmaskError

#: Adapters for data of any kind, which would find something in every dataset ...
_ANY = frozenset({"folder", "csv"})
#: ... and those that would miss their lists in every folder.
_BY_LISTS = frozenset({"deepfakebench"})


@dataclass(frozen=True)
class Present:
    """One dataset that was found.

    Attributes:
        name: its adapter; a dash where a folder cannot be read, so that there may be anything in it.
        folder: where it lies.
        files: its manifest, as ``index`` gives it; None where it cannot be indexed as it lies.
        report: what is missing or odd.
        fault: why it cannot be indexed.
    """

    name: str
    folder: Path
    files: pl.DataFrame | None
    report: Report
    fault: UnmaskError | None = None


def inventory(root: str | Path) -> list[Present]:
    """The datasets in a folder, and in those directly below it: each adapter's where it first finds something.

    Raises:
        DatasetError: there is no such folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise DatasetError("there is no such folder", where=root, next_step="give the folder that your datasets lie in")
    below = [root / name for name in folders(root)]
    locked = {path: fault for path in below if (fault := _unreadable(path))}
    found = [Present("–", path, None, Report(), fault) for path, fault in locked.items()]
    for name in ADAPTERS:
        if name in _ANY:
            continue
        here = _in(name, root)
        if here and here.files is not None:
            found.append(here)
            continue
        # Some adapters look further down by themselves, and stumble over what cannot be read.
        inside = [each for path in below if path not in locked and (each := _in(name, path))]
        found += inside or ([here] if here and not locked else [])
    # What one adapter reads well is no damaged copy of what another looks for, unless that has found files of its own.
    well = {each.folder for each in found if each.files is not None}
    return [
        each
        for each in found
        if each.files is not None or each.folder not in well or any(count.found for count in each.report.counts)
    ]


def _unreadable(folder: Path) -> DatasetError | None:
    try:
        folders(folder)
    except OSError as error:
        what = f"this folder cannot be read ({error.strerror}), so nothing is told of it"
        return DatasetError(what, where=folder, next_step="change its permissions, if it holds data")
    return None


def _in(name: str, folder: Path) -> Present | None:
    report = Report()
    try:
        files = ADAPTERS[name].index(folder, Options(), report)
    except UnmaskError as error:
        # Every adapter says so where there is nothing for it.
        nothing = name in _BY_LISTS or str(error).startswith("nothing to index")
        return None if nothing else Present(name, folder, None, report, error)
    except OSError as error:
        fault = DatasetError(f"{error.strerror}", where=error.filename, next_step="change its permissions")
        return Present(name, folder, None, report, fault)
    # The reals of one dataset are those of others too: what has no fake is none of them.
    return Present(name, folder, files, report) if (files["label"] != 0).fill_null(True).any() else None
