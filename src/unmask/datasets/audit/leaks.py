"""What the splits share that they must not: ids, sources, people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations

import polars as pl

from unmask.datasets.audit.findings import Finding, finding
from unmask.tables.manifest import SPLITS

#: Names mean something within their dataset only, so each is taken together with it.
Name = tuple[str, str]

_SHARED = (
    ("id", "shared_id", "ids", "give each file one split, and audit no manifest twice"),
    ("source_id", "shared_source", "sources", "put a real and all fakes made of it into one split"),
    (
        "subject_id",
        "shared_subject",
        "subjects",
        "split by subject (unmask index does where it draws the split and knows them), or say beside each number that "
        "people are shared",
    ),
)


def find_one_class(counts: pl.DataFrame) -> list[Finding]:
    """Splits with labels of one class only; ``counts`` as ``splits.balance`` gives them."""
    findings = []
    for row in counts.iter_rows(named=True):
        if (row["real"] == 0) != (row["fake"] == 0):
            there = "real" if row["real"] else "fake"
            what = f"{row['split']} has {there} files only"
            findings.append(
                finding(
                    "one_class",
                    what,
                    [row["split"]],
                    "add the other class to it: nothing can be learned or scored on one",
                )
            )
    return findings


def find_shared(rows: pl.DataFrame) -> list[Finding]:
    """Ids, source ids, subjects and donors that stand in more than one split, each pair of splits a finding."""
    findings = []
    for column, kind, plural, next_step in _SHARED:
        if column not in rows.columns:
            continue
        for one, other, names in _overlaps(_names(rows, column), _names(rows, column)):
            what = f"{len(names)} {plural} stand in {one} and in {other}"
            findings.append(finding(kind, what, [_shown(name) for name in names], next_step))
    return findings + _find_shared_donors(rows)


def _find_shared_donors(rows: pl.DataFrame) -> list[Finding]:
    """People whose face was put on somebody in one split while they are seen, or are put on others, in another one."""
    if "donor_id" not in rows.columns:
        return []
    donors = _names(rows, "donor_id")
    # A donor is called by the name of a subject where the dataset knows its subjects, else by that of a source.
    people = _names(rows, "subject_id" if "subject_id" in rows.columns else "source_id")
    seen = {split: donors.get(split, set()) | people.get(split, set()) for split in SPLITS}
    return [
        finding(
            "shared_donor",
            f"{len(names)} people whose faces were put on others in {one} are in {other}, too",
            [_shown(name) for name in names],
            "split by groups of people who were swapped, or say beside each number that faces are shared",
        )
        for one, other, names in _overlaps(donors, seen)
    ]


def _names(rows: pl.DataFrame, column: str) -> dict[str, set[Name]]:
    """Split -> the names in ``column``."""
    names: dict[str, set[Name]] = defaultdict(set)
    for split, dataset, name in rows.select("split", "dataset", column).drop_nulls().iter_rows():
        names[split].add((dataset, name))
    return names


def _overlaps(ones: Mapping[str, set[Name]], others: Mapping[str, set[Name]]) -> Iterable[tuple[str, str, list[Name]]]:
    """(split, other split, names in ``ones`` of either and in ``others`` of the other), where there are any."""
    empty: set[Name] = set()
    for one, other in combinations(SPLITS, 2):
        shared = (ones.get(one, empty) & others.get(other, empty)) | (ones.get(other, empty) & others.get(one, empty))
        if shared:
            yield one, other, sorted(shared)


def _shown(name: Name) -> str:
    return f"{name[1]} ({name[0]})"
