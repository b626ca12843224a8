"""Any table with a column of paths and a column of labels, for data whose folders say nothing.

Layout: the root is the table itself, ``.csv``, ``.csv.gz`` or ``.parquet``; paths are relative to its folder::

    file,class,split,person,camera
    clips/0001.mp4,real,train,ada,webcam
    frames/0002,fake,test,ben,phone             a folder of pictures is one video

How it is read: what a column holds is told by its name, taken without case, spaces, dashes and underscores;
``SYNONYMS`` lists the names. Two columns that could hold the same are an error. Any other column becomes a slice.
Labels are words (``CLASS_WORDS`` of ``unmask.datasets.own_data``) or 1 for fake and 0 for real; an empty cell is not
known. Backslashes in paths are read as slashes, and an absolute path is taken where it lies in the table's folder.

Without a column of splits they are drawn as in ``folder``, and ``hold_out`` means the same. ``dataset`` is the table's
name. Ids are the paths, or what a column ``id`` says.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path, PurePosixPath

import polars as pl

from unmask.datasets import metadata_csv
from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.files import bare
from unmask.datasets.own_data import split_rows
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError, Problem
from unmask.tables.reading import RawTable, read_table, shown

#: Column of the manifest -> how it may be called in the table, as ``bare`` writes it.
SYNONYMS = {
    "id": ("id",),
    "path": (
        "path", "paths", "file", "files", "filename", "filenames", "filepath", "relativepath", "relpath", "name",
        "video", "videopath", "videoname", "videofile", "clip", "image", "imagepath", "imagename", "imagefile", "img",
        "imgpath", "picture", "audio", "audiopath", "audiofile", "mediapath",
    ),
    "label": ("label", "labels", "class", "target", "groundtruth", "gt", "isfake", "fake", "realfake"),
    "split": ("split", "splits", "set", "subset", "partition"),
    "subject_id": (
        "subject", "subjectid", "subjects", "person", "personid", "identity", "identityid", "actor", "actorid",
        "speaker", "speakerid",
    ),
    "donor_id": ("donor", "donorid"),
    "source_id": ("sourceid", "original", "originalid", "originalvideo"),
    "method": ("method", "manipulation", "manipulationmethod", "generator", "forgerymethod"),
    "compression": ("compression",),
}  # fmt: skip

ENDINGS = (".csv", ".csv.gz", ".parquet")
_SHOWN = 5


def read(path: Path, options: Options, report: Report) -> list[Row]:
    """The rows of the table at ``path`` whose files are there.

    Raises:
        TableError: with every fault of the table.
        DatasetError: none of its files is there, or the people to hold out cannot be.
    """
    root = path.parent
    if path.is_dir():
        raise _not_a_table(path)
    table = read_table(path)
    _name_columns(table, report)
    resolve = cache(os.path.realpath)  # many files share a folder
    table.columns["path"] = pl.Series([_plain(cell, root, resolve) for cell in table.columns["path"]])
    if any(cell in ("0", "1", 0, 1) for cell in table.columns["label"]):
        report.note("a label of 1 was read as fake and 0 as real; if the table says it the other way round, turn it")
    rows = metadata_csv.read_rows(table, root, words=True)
    kept = metadata_csv.keep_present(rows, path, root, report)
    if not kept:
        first = f"; the first is {rows[0]['path']}" if rows else ""
        raise DatasetError(
            f"none of the {len(rows):,} files that {path.name} names is there{first}",
            where=root,
            next_step="paths are relative to the table's folder: put the table where they begin (data/csv.md)",
        )
    return split_rows(kept, options, root, path, report)


def _not_a_table(folder: Path) -> DatasetError:
    tables = sorted(each.name for each in folder.iterdir() if each.name.lower().endswith(ENDINGS))
    there = f"there are {', '.join(tables[:_SHOWN])}" if tables else "there is none in this folder"
    return DatasetError(
        "csv reads a table, and this is a folder",
        where=folder,
        next_step=f"give the path of the table itself ({', '.join(ENDINGS)}); {there}",
    )


def _name_columns(table: RawTable, report: Report) -> None:
    """Give the columns that the manifest knows their names there.

    Raises:
        TableError: there is none for the path or the label, or there are two for the same.
    """
    meant: dict[str, list[str]] = {}
    for column in table.columns:
        for name, words in SYNONYMS.items():
            if bare(column) in words:
                meant.setdefault(name, []).append(column)
    place = 1 if table.unit == "line" else 0
    for name, columns in meant.items():
        if len(columns) > 1:
            what = f"{' and '.join(shown(column) for column in columns)} could both be the {name}"
            table.problems.append(
                Problem(place, what, f"keep the name of the one that is the {name}; rename the others")
            )
    for name in ("path", "label"):
        if name not in meant:
            what = f"no column is called like a {name}; there are {', '.join(shown(each) for each in table.columns)}"
            table.problems.append(Problem(place, what, f"call it {name}, or one of {', '.join(SYNONYMS[name][1:])}"))
    table.refuse_if_faulty()
    names = {columns[0]: name for name, columns in meant.items()}
    told = [f"{name} from {shown(column)}" for column, name in names.items() if column != name]
    if told:
        report.note(f"{', '.join(told)}, going by the names of the columns")
    if "" in table.columns:
        report.note("a column without a name was left out")
    table.columns = {names.get(column, column): cells for column, cells in table.columns.items() if column}


def _plain(cell: object, root: Path, resolve: Callable[[PurePosixPath], str]) -> object:
    """A path with slashes and without ``./``, relative to ``root`` where it is absolute and lies there."""
    if not isinstance(cell, str) or not cell:
        return cell
    path = PurePosixPath(cell.replace("\\", "/"))
    inside = path
    if path.is_absolute() and not path.is_relative_to(root) and "\0" not in cell:
        inside = PurePosixPath(resolve(path.parent), path.name)  # the folder may be reached over links
    return inside.relative_to(root).as_posix() if inside.is_relative_to(root) else path.as_posix()


ADAPTER = Adapter(
    name="csv",
    title="a table",
    layout="path,label: the root is the table itself, and paths are relative to its folder",
    about=About(("video", "image", "audio"), None, None, None, "yours", "your own files"),
    read=read,
    options=frozenset({"hold_out"}),
    dataset=lambda path: path.name.partition(".")[0] or "csv",
    table=True,
)
