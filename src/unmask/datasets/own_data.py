"""What ``folder`` and ``csv`` share: words for classes and splits, and splits as they are given or else drawn."""

from __future__ import annotations

from pathlib import Path

from unmask.datasets.base import Options, Row
from unmask.datasets.files import bare
from unmask.datasets.report import Report
from unmask.datasets.splits import SHARES, SHARES_WITHOUT_TEST, connect, draw, rule
from unmask.tables.errors import DatasetError

#: The table that a folder may have at its root.
METADATA = "metadata.csv"
CLASS_WORDS = {
    0: ("real", "reals", "original", "originals", "genuine", "authentic", "pristine", "bonafide"),
    1: (
        "fake", "fakes", "deepfake", "deepfakes", "manipulated", "forged", "forgery", "forgeries", "synthetic",
        "synthesis", "generated", "swapped", "tampered", "spoof",
    ),
}  # fmt: skip
SPLIT_WORDS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
_LABELS = {word: label for label, words in CLASS_WORDS.items() for word in words}
_SPLITS = {word: split for split, words in SPLIT_WORDS.items() for word in words}


def label_of(folder: str) -> int | None:
    """The label that a folder's name stands for: 1 fake, 0 real, None for any other name."""
    return _LABELS.get(bare(folder).lstrip("0123456789"))


def split_of(folder: str) -> str | None:
    """The split that a folder's name stands for, None for any other name."""
    return _SPLITS.get(bare(folder))


def split_rows(rows: list[Row], options: Options, root: Path, table: Path | None, report: Report) -> list[Row]:
    """Keep the splits that the rows have, or draw them: by subject and source where they are known, else row by row.

    Args:
        rows: with ``id``, ``label`` and ``split``, and what is known of ``subject_id`` and ``source_id``.
        options: ``hold_out`` and ``seed`` are used.
        root: for messages.
        table: what the rows were read from, if it was a table.
        report: told what was decided, and where a drawn split may leak.

    Returns:
        The rows with ``split`` and ``split_rule`` filled in.

    Raises:
        DatasetError: the subjects to hold out cannot be.
    """
    given = {row["split"] for row in rows} - {None}
    if given:
        return _keep_given(rows, given, options, root, report)
    held = [row for row in rows if row.get("subject_id") in options.hold_out]
    _check_held(rows, held, options, table or root)
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
        f"fake/<person>/...); else with a {METADATA} that has a column subject_id"
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
            next_step="leave --hold-out out, or take the splits away: the column of the table, or the split folders",
        )
    missing = [split for split in SPLIT_WORDS if split not in given]
    if missing:
        report.note(f"there is no {' and no '.join(missing)} split: the data has its own splits, so none was drawn")
    return [row | {"split_rule": row.get("split_rule") or "as given"} for row in rows]


def _check_held(rows: list[Row], held: list[Row], options: Options, where: Path) -> None:
    subjects = {str(row["subject_id"]) for row in rows if row.get("subject_id")}
    unknown = sorted(set(options.hold_out) - subjects)
    if unknown and not subjects:
        raise DatasetError(
            "nobody can be held out: the subjects are not known",
            where=where,
            next_step="fill a column subject_id in the table"
            if where.is_file()
            else f"add --subject-from folder, or a {METADATA} with a column subject_id",
        )
    if unknown:
        raise DatasetError(
            f"there is no subject {', '.join(map(repr, unknown))}",
            where=where,
            next_step=f"there are: {', '.join(sorted(subjects))}",
        )
    if held and len(held) == len(rows):
        raise DatasetError("everybody is held out: nothing is left to train on", where=where)
