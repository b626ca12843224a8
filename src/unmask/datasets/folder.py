"""Any folder: ``real/`` and ``fake/``, however spelt, and below them pictures, videos or sound in any folders.

Layout, one of::

    real/... fake/...                               split by seed
    train|val|test/real/... train|val|test/fake/... split as the folders say
    metadata.csv                                    path,label[,id,split,method,source_id,subject_id,...]

``metadata.csv`` at the root goes before folder names (``unmask.datasets.metadata_csv``); only where it has no column
``split`` do split folders count. Folder names are taken without case, spaces, dashes, underscores and leading digits:
``0_real`` is ``real``; ``CLASS_WORDS`` and ``SPLIT_WORDS`` list them.

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
from unmask.datasets.files import bare, find_file, folders, media_below
from unmask.datasets.report import Report
from unmask.datasets.splits import SHARES, SHARES_WITHOUT_TEST, connect, draw, rule
from unmask.tables.errors import DatasetError

CLASS_WORDS = {
    0: ("real", "reals", "original", "originals", "genuine", "authentic", "pristine", "bonafide"),
    1: (
        "fake", "fakes", "deepfake", "deepfakes", "manipulated", "forged", "forgery", "forgeries", "synthetic",
        "synthesis", "generated", "swapped", "tampered",
    ),
}  # fmt: skip
SPLIT_WORDS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
#: Files that a message names.
_SHOWN = 3
_LABELS = {word: label for label, words in CLASS_WORDS.items() for word in words}
_SPLITS = {word: split for split, words in SPLIT_WORDS.items() for word in words}


def label_of(folder: str) -> int | None:
    """The label that a folder's name stands for: 1 fake, 0 real, None for any other name."""
    return _LABELS.get(bare(folder).lstrip("0123456789"))


def split_of(folder: str) -> str | None:
    """The split that a folder's name stands for, None for any other name."""
    return _SPLITS.get(bare(folder))


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of ``metadata.csv`` or, without one, of the class folders."""
    _check_options(options, root)
    table = find_file([root], metadata_csv.NAME)
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
    return _split(rows, options, root, table, report) if rows else rows


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
            next_step=f"give one of the two, or write a {metadata_csv.NAME} with both",
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
            next_step=f"move it into a split, index {splits[0]} and its like elsewhere, or write a {metadata_csv.NAME}",
        )
    tops = [root] if classes else [root / name for name in splits]
    for place in {root, *tops}:
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
                next_step=f"put the class into the split ({inside[0]}/{name}), or write a {metadata_csv.NAME}",
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


def _split(rows: list[Row], options: Options, root: Path, table: Path | None, report: Report) -> list[Row]:
    given = {row["split"] for row in rows} - {None}
    if given:
        return _keep_given(rows, given, options, root, report)
    held = [row for row in rows if row.get("subject_id") in options.hold_out]
    _check_held(rows, held, options, root)
    rest = [row for row in rows if row.get("subject_id") not in options.hold_out] if held else rows
    shares = SHARES_WITHOUT_TEST if held else SHARES
    by = [name for name in ("subject_id", "source_id") if any(row.get(name) for row in rest)]
    keys = [[f"{name}:{row[name]}" for name in by if row[name]] for row in rest]
    ids = [str(row["id"]) for row in rest]
    labels = [None if row["label"] is None else int(row["label"]) for row in rest]
    splits = draw(ids, labels, connect(keys), shares, options.seed)
    made = rule(" and ".join(name.removesuffix("_id") for name in by) or "id", options.seed, shares)
    if held:
        made = f"held out {', '.join(sorted(options.hold_out))}; {made}"
    empty = [split for split in shares if split not in splits]
    _warn_of_leaks(rest, table, report)
    if empty:
        report.note(f"too few groups for every split: {' and '.join(empty)} stayed empty")
    dealt = [row | {"split": split, "split_rule": made} for row, split in zip(rest, splits, strict=True)]
    return dealt + [row | {"split": "test", "split_rule": made} for row in held]


def _warn_of_leaks(rows: list[Row], table: Path | None, report: Report) -> None:
    """Say how many of the rows to deal may put one person into two splits, and how to tell who is seen."""
    loose = [row for row in rows if not row.get("subject_id")]
    if not loose:
        return
    frames = "" if all(row.get("source_id") for row in loose) else ", even frames of one video,"
    remedy = (
        f"fill a column subject_id in {table.name}"
        if table
        else "index again with --subject-from folder, if each person has a folder (real/<person>/..., "
        f"fake/<person>/...); else with a {metadata_csv.NAME} that has a column subject_id"
    )
    report.warn(
        f"nothing says who is seen in {len(loose):,} of the {len(rows):,} files that were dealt to splits, so one "
        f"person{frames} may be in two of them, and a score on the test split would flatter: {remedy}"
    )


def _keep_given(
    rows: list[Row], given: set[str | int | None], options: Options, root: Path, report: Report
) -> list[Row]:
    if options.hold_out:
        raise DatasetError(
            "the data has splits already, so nobody can be held out of them",
            where=root,
            next_step="leave --hold-out out, or put real/ and fake/ at the root without split folders",
        )
    missing = [split for split in SPLIT_WORDS if split not in given]
    if missing:
        report.note(f"there is no {' and no '.join(missing)} split: the data has its own splits, so none was drawn")
    return [row | {"split_rule": row.get("split_rule") or "as given"} for row in rows]


def _check_held(rows: list[Row], held: list[Row], options: Options, root: Path) -> None:
    subjects = {str(row["subject_id"]) for row in rows if row.get("subject_id")}
    unknown = sorted(set(options.hold_out) - subjects)
    if unknown and not subjects:
        raise DatasetError(
            "nobody can be held out: the subjects are not known",
            where=root,
            next_step=f"add --subject-from folder, or a {metadata_csv.NAME} with a column subject_id",
        )
    if unknown:
        raise DatasetError(
            f"there is no subject {', '.join(map(repr, unknown))}",
            where=root,
            next_step=f"there are: {', '.join(sorted(subjects))}",
        )
    if held and len(held) == len(rows):
        raise DatasetError("everybody is held out: nothing is left to train on", where=root)


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
