"""Any folder: ``real/`` and ``fake/``, however spelt, and below them pictures, videos or sound in any folders.

Layout, one of::

    real/... fake/...                               split by seed
    train|val|test/real/... train|val|test/fake/... split as the folders say
    metadata.csv                                    path,label[,id,split,method,source_id,subject_id,...]

``metadata.csv`` at the root goes before folder names (``unmask.datasets.metadata_csv``); only where it has no column
``split`` do split folders count. Folder names are taken without case, spaces, dashes, underscores and leading digits:
``0_real`` is ``real``; ``CLASS_WORDS`` and ``SPLIT_WORDS`` of ``unmask.datasets.own_data`` list them.

Options: with ``subject_from="folder"`` the first folder below the class names the person, as in
``real/<person>/*.jpg``; with ``method_from="folder"`` the first folder below the fake class names the method.
``hold_out`` names the people who become the test split; the others are dealt to train and validation. The split keeps
together what shares a subject or a source; where neither is known, each file stands for itself, which leaks if files
are alike: run ``unmask audit``.

``dataset`` is the name of the root folder. Ids are paths relative to the root.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unmask.datasets import metadata_csv
from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.files import find_file, folders, media_below, media_files
from unmask.datasets.own_data import METADATA, label_of, split_of, split_rows
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError

#: Files that a message names.
_SHOWN = 3


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of ``metadata.csv`` or, without one, of the class folders."""
    _check_options(options, root)
    table = find_file([root], METADATA)
    if table:
        if options.subject_from or options.method_from:
            raise DatasetError(
                f"there is a {table.name}, so folder names say nothing about subjects and methods",
                where=table,
                next_step="leave --subject-from and --method-from out, or take the file away",
            )
        rows = _with_folder_splits(metadata_csv.read(table, root, report), table)
    else:
        rows = [row for top in _tops(root, report) for row in _read_top(top, root, options, report)]
        if options.subject_from:
            _check_subjects(rows, root)
    return split_rows(rows, options, root, table, report) if rows else rows


def _with_folder_splits(rows: list[Row], table: Path) -> list[Row]:
    """Fill the split from the first folder of each path, where the table says nothing of splits."""
    splits = [split_of(str(row["path"]).partition("/")[0]) for row in rows]
    if any(row["split"] for row in rows) or not any(splits):
        return rows
    if None in splits:
        raise DatasetError(
            f"some files lie in split folders and some, such as {rows[splits.index(None)]['path']}, do not",
            where=table,
            next_step="add a column split with train, validation or test in each row",
        )
    return [row | {"split": split} for row, split in zip(rows, splits, strict=True)]


def _check_options(options: Options, root: Path) -> None:
    for name, value in (("--subject-from", options.subject_from), ("--method-from", options.method_from)):
        if value not in (None, "folder"):
            raise DatasetError(f"{name} {value} is not known", where=root, next_step=f"write {name} folder")
    if options.subject_from and options.method_from:
        raise DatasetError(
            "the first folder below the class cannot name both the person and the method",
            where=root,
            next_step=f"give one of the two, or write a {METADATA} with both",
        )


def _tops(root: Path, report: Report) -> list[Path]:
    """The folders that hold class folders: the root, or the split folders in it."""
    names = folders(root)
    classes = [name for name in names if label_of(name) is not None]
    splits = [
        name for name in names if split_of(name) and any(label_of(below) is not None for below in folders(root / name))
    ]
    if classes and splits:
        raise DatasetError(
            f"{classes[0]} and {splits[0]} lie side by side: is {classes[0]} part of a split?",
            where=root,
            next_step=f"move it into a split, index {splits[0]} and its like elsewhere, or write a {METADATA}",
        )
    tops = [root] if classes else [root / name for name in splits]
    for place in {root, *tops} if tops else ():
        for _, path, _ in media_files(place, root, Report()):
            report.add_odd("files that lie in no class folder, left out", path)
        for name in folders(place):
            if label_of(name) is None and place / name not in tops:
                report.add_odd(
                    "folders that are neither a class nor a split, left out", str((place / name).relative_to(root))
                )
    return tops


def _read_top(top: Path, root: Path, options: Options, report: Report) -> Iterator[Row]:
    split = None if top == root else split_of(top.name)
    for name in folders(top):
        label = label_of(name)
        if label is None:
            continue
        home = top / name
        inside = [below for below in folders(home) if split_of(below)]
        if inside:
            raise DatasetError(
                f"{name}/{inside[0]} looks like a split inside a class",
                where=home,
                next_step=f"put the class into the split ({inside[0]}/{name}), or write a {METADATA}",
            )
        depth = len(home.relative_to(root).parts)
        for _, path, media in media_below(home, root, report):
            yield _row(path, depth, media, label, split, options)


def _row(path: str, depth: int, media: str, label: int, split: str | None, options: Options) -> Row:
    parts = path.split("/")
    first = parts[depth] if len(parts) > depth + 1 else None
    row: Row = {"id": path, "path": path, "media": media, "label": label, "split": split}
    row |= {"subject_id": first if options.subject_from else None}
    row |= {"method": first if options.method_from and label == 1 else None}
    return row


def _check_subjects(rows: list[Row], root: Path) -> None:
    loose = [str(row["path"]) for row in rows if not row["subject_id"]]
    if loose:
        raise DatasetError(
            f"{len(loose):,} of {len(rows):,} files lie in no folder of a person, such as {', '.join(loose[:_SHOWN])}",
            where=root,
            next_step="--subject-from folder reads real/<person>/... and fake/<person>/...: move these files into such "
            "folders, or index without the option",
        )


ADAPTER = Adapter(
    name="folder",
    title="a folder",
    layout="real/ and fake/ with videos, pictures or sound; or train/, val/ and test/ with both in each; or a "
    "metadata.csv with path,label",
    about=About(("video", "image", "audio"), None, None, None, "yours", "your own files"),
    read=read,
    options=frozenset({"hold_out", "subject_from", "method_from"}),
    dataset=lambda root: root.name or "folder",
)
