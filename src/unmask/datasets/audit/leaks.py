"""What the splits share that they must not: ids, sources, people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import polars as pl

from unmask.datasets.audit.findings import Finding, finding
from unmask.tables.manifest import SPLITS

#: Names mean something within their dataset only, so each is taken together with it.
Name = tuple[str, str]
#: Name -> the manifests that it stands in.
Names = dict[Name, set[str]]

_SHARED = (
    ("id", "shared_id", "ids", "give each file one split"),
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


def find_shared(rows: pl.DataFrame, splits: Sequence[str] = SPLITS) -> list[Finding]:
    """Ids, source ids, subjects and donors that stand in more than one split, each pair of splits a finding.

    Args:
        rows: as ``manifests.read_all`` gives them.
        splits: what the column ``split`` may hold, in the order in which findings tell them.
    """
    findings = []
    for column, kind, plural, next_step in _SHARED:
        names = _names(rows, pl.col(column))
        for one, other, shared in _overlaps(names, names, splits):
            what = f"{len(shared)} {plural} stand in {one} and in {other}"
            findings.append(finding(kind, what, shared, next_step))
    return findings + _find_shared_donors(rows, splits)


def tell_unknown(rows: pl.DataFrame) -> list[str]:
    """Notes of what could not be compared, because a manifest does not have it."""
    names = rows["manifest"].unique(maintain_order=True)
    notes = []
    for column, plural in (("source_id", "sources"), ("subject_id", "subjects")):
        without = [name for name in names if rows.filter(manifest=name)[column].is_null().all()]
        if without:
            whose = "the manifest has" if len(names) == 1 else f"{' and '.join(without)} {_have(without)}"
            notes.append(f"{plural} are not known, so whether splits share them was not checked: {whose} no {column}")
    return notes


def _have(names: list[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _find_shared_donors(rows: pl.DataFrame, splits: Sequence[str]) -> list[Finding]:
    """People whose face was put on somebody in one split while they are seen, or are put on others, in another one."""
    named = [_names(rows, pl.col(column)) for column in ("donor_id", "second_donor_id")]
    donors = {split: _merged(*(names.get(split, {}) for names in named)) for split in splits}
    # A donor is called by the name of a subject where the dataset knows its subjects, else by that of a source.
    knows_subjects = pl.col("subject_id").is_not_null().any().over("dataset")
    people = _names(rows, pl.when(knows_subjects).then("subject_id").otherwise("source_id"))
    seen = {split: _merged(donors[split], people.get(split, {})) for split in splits}
    return [
        finding(
            "shared_donor",
            f"{len(names)} people whose faces were put on others in {one} are in {other}, too",
            names,
            "split by groups of people who were swapped, or say beside each number that faces are shared",
        )
        for one, other, names in _overlaps(donors, seen, splits)
    ]


def _names(rows: pl.DataFrame, column: pl.Expr) -> dict[str, Names]:
    """Split -> the names in ``column`` -> the manifests that have them there."""
    names: dict[str, Names] = defaultdict(lambda: defaultdict(set))
    chosen = rows.select("split", "dataset", "manifest", name=column).drop_nulls("name").unique()
    for split, dataset, manifest, name in chosen.iter_rows():
        names[split][dataset, name].add(manifest)
    return names


def _merged(ones: Names, others: Names) -> Names:
    return {name: ones.get(name, set()) | others.get(name, set()) for name in {*ones, *others}}


def _overlaps(
    ones: Mapping[str, Names], others: Mapping[str, Names], splits: Sequence[str]
) -> Iterable[tuple[str, str, list[str]]]:
    """(split, other split, names in ``ones`` of either and in ``others`` of the other), where there are any."""
    parts = [*ones.values(), *others.values()]
    several = len({manifest for part in parts for found in part.values() for manifest in found}) > 1
    empty: Names = {}
    for one, other in combinations(splits, 2):
        found: dict[Name, tuple[set[str], set[str]]] = {}
        for name in ones.get(one, empty).keys() & others.get(other, empty).keys():
            found[name] = ones[one][name], others[other][name]
        for name in ones.get(other, empty).keys() & others.get(one, empty).keys():
            found.setdefault(name, (others[one][name], ones[other][name]))
        if found:
            yield one, other, [_shown(name, (one, other), found[name], several) for name in sorted(found)]


def _shown(name: Name, splits: tuple[str, str], manifests: tuple[set[str], set[str]], several: bool) -> str:
    """``071 (faceforensics)``, and of several manifests: ``071 (faceforensics; train of a.csv, test of b.csv)``."""
    where = [f"{split} of {' and '.join(sorted(those))}" for split, those in zip(splits, manifests, strict=True)]
    return f"{name[1]} ({name[0]}{'; ' + ', '.join(where) if several else ''})"
