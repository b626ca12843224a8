"""Splits that are drawn by seed, keep what belongs together in one part, and say in words how they came about."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from unmask.datasets.base import Row
from unmask.datasets.report import Report
from unmask.tables.manifest import SPLITS

SHARES = {"train": 0.70, "validation": 0.15, "test": 0.15}
#: For what is left when the test split is given.
SHARES_WITHOUT_TEST = {"train": 0.85, "validation": 0.15}
#: What a small split may hold of the rows with people before whole groups of swapped people are too coarse.
NEAR_ENOUGH = (0.05, 0.30)


def rule(by: str, seed: int, shares: Mapping[str, float]) -> str:
    """How a drawn split came about, for the column ``split_rule``: "subject seed=0 0.70/0.15/0.15"."""
    return f"{by} seed={seed} {'/'.join(f'{share:.2f}' for share in shares.values())}"


_RULE = re.compile(r"(?:held out (?P<held>.+); )?(?P<by>.+) seed=(?P<seed>\d+) (?P<shares>[\d./]+)")


def rule_in_words(made: str) -> str:
    """A ``split_rule`` as a sentence: "drawn with seed 0, about 70 % train, ...; files of one subject stay together".

    What ``rule`` did not make, such as "official", is given back as it is.
    """
    match = _RULE.fullmatch(made)
    if match is None:
        return made
    shares = zip(SPLITS, match["shares"].split("/"), strict=False)
    words = f"drawn with seed {match['seed']}, about " + ", ".join(
        f"{float(share):.0%} {name}" for name, share in shares
    )
    together = "file by file, whoever is seen" if match["by"] == "id" else f"files of one {match['by']} stay together"
    held = f"test is {match['held']}, held out; the rest " if match["held"] else ""
    return f"{held}{words}; {together}"


def dealt_one_by_one(made: str) -> bool:
    """Whether a ``split_rule`` says that nothing was known that should keep files together."""
    match = _RULE.fullmatch(made)
    return match is not None and match["by"] == "id"


def connect(keys_of_rows: Iterable[Iterable[str]]) -> list[int]:
    """Number the groups of rows that hang together because they share a key, directly or over other rows.

    Args:
        keys_of_rows: for each row, what it has in common with others: ``["subject:id3", "source:id3_0001"]``. A row
            without any key is a group of its own.

    Returns:
        The group of each row, numbered from 0 in order of appearance.
    """
    parents: dict[str, str] = {}

    def head(key: str) -> str:
        while parents[key] != key:
            parents[key] = parents[parents[key]]
            key = parents[key]
        return key

    firsts: list[str] = []
    for position, keys in enumerate(keys_of_rows):
        known = list(keys) or [f"\0{position}"]
        for key in known:
            parents.setdefault(key, key)
        for key in known[1:]:
            parents[head(key)] = head(known[0])
        firsts.append(known[0])
    numbers: dict[str, int] = {}
    return [numbers.setdefault(head(key), len(numbers)) for key in firsts]


def draw(
    ids: Sequence[str], labels: Sequence[int | None], groups: Sequence[int], shares: Mapping[str, float], seed: int
) -> list[str]:
    """Deal whole groups to splits, so that each comes near its share of either class.

    Groups of reals only, of fakes only and of both are dealt apart, which is what stratifies. The order depends on the
    seed and the ids alone, not on the order of the rows or the machine. While there are groups enough, no split stays
    empty; with few, large groups the shares cannot be met and the nearest is taken.

    Args:
        ids: of the rows, unique.
        labels: of the rows.
        groups: of the rows, as ``connect`` numbers them.
        shares: split name -> share of the rows; they add up to 1.
        seed: another seed, another split.

    Returns:
        The split of each row.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for position, group in enumerate(groups):
        members[group].append(position)
    strata: dict[frozenset[int | None], list[list[int]]] = defaultdict(list)
    for rows in members.values():
        strata[frozenset(labels[row] for row in rows)].append(rows)
    split_of_row = [""] * len(ids)
    for stratum in strata.values():
        small = min(shares.values()) * sum(len(rows) for rows in stratum)
        # Groups too large for the smallest split come first, while there is room for them elsewhere.
        stratum.sort(key=lambda rows: (len(rows) <= small, _lot(seed, min(ids[row] for row in rows))))
        for rows, split in zip(stratum, _deal([len(rows) for rows in stratum], shares), strict=True):
            for row in rows:
                split_of_row[row] = split
    return split_of_row


def deal(rows: Sequence[Row], groups: Sequence[int], by: str, shares: Mapping[str, float], seed: int) -> list[Row]:
    """``draw`` for the rows of a manifest: they come back with ``split`` and ``split_rule`` filled in.

    Args:
        rows: with ``id`` and ``label``.
        groups: of the rows, as ``connect`` numbers them.
        by: what the groups have in common, for ``rule``.
        shares: split name -> share of the rows; they add up to 1.
        seed: another seed, another split.
    """
    ids, labels = [str(row["id"]) for row in rows], [int(str(row["label"])) for row in rows]
    made = rule(by, seed, shares)
    splits = draw(ids, labels, groups, shares, seed)
    return [row | {"split": split, "split_rule": made} for row, split in zip(rows, splits, strict=True)]


def draw_by_people(
    rows: Sequence[Row],
    shares: Mapping[str, float],
    seed: int,
    report: Report,
    *,
    others: Sequence[str] = ("donor_id",),
) -> list[Row]:
    """Deal rows by groups of people who were swapped with each other, or by subject where that fails.

    It fails where swaps connect so many people that a small split would not come near its share. Then nobody is the
    subject of two splits, but a face may be seen in one and be put on somebody in another, and the report says so.

    Args:
        rows: with ``id``, ``label`` and ``subject_id``; a row without a subject stands for itself.
        shares: split name -> share of the rows; they add up to 1.
        seed: another seed, another split.
        report: told where people could not be kept apart.
        others: the columns that name people besides the subject.

    Returns:
        The rows, with ``split`` and ``split_rule`` filled in.
    """
    dealt = deal(rows, connect(_people(row, others) for row in rows), "subject and donor", shares, seed)
    counts = Counter(row["split"] for row in dealt if row["subject_id"])
    low, high = NEAR_ENOUGH
    small = [split for split in shares if split != "train"]
    if all(low <= counts[split] / counts.total() <= high for split in small if counts):
        return dealt
    report.note(
        f"swaps connect too many of the people for {' and '.join(small)} to be kept apart by them: split by "
        "target, so the face of a person may be seen in one split and be put on somebody in another"
    )
    return deal(rows, connect(_people(row, ()) for row in rows), "subject", shares, seed)


def _people(row: Row, others: Sequence[str]) -> list[str]:
    return [str(row[name]) for name in ("subject_id", *others) if row.get(name)]


def _lot(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()


def _deal(sizes: Sequence[int], shares: Mapping[str, float]) -> list[str]:
    """The split of each group, given the groups' sizes in the order in which they are dealt."""
    total = sum(sizes)
    filled = dict.fromkeys(shares, 0)
    dealt = []
    for position, size in enumerate(sizes):
        empty = [split for split in shares if not filled[split]]
        fitting = [split for split in shares if filled[split] + size <= shares[split] * total]
        choices = empty if len(sizes) - position <= len(empty) else fitting or list(shares)
        split = max(choices, key=lambda name: shares[name] - filled[name] / total)
        filled[split] += size
        dealt.append(split)
    return dealt


def balance(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of each split and class: columns split, real, fake, unlabelled, in the order of the splits."""
    counted = rows.group_by("split").agg(
        real=(pl.col("label") == 0).sum(),
        fake=(pl.col("label") == 1).sum(),
        unlabelled=pl.col("label").is_null().sum(),
    )
    return counted.sort(pl.col("split").replace_strict(dict(zip(SPLITS, range(len(SPLITS)), strict=True))))
