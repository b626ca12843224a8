"""Celeb-DF v2: interviews of celebrities from YouTube, and face swaps between them.

Source: https://github.com/yuezunli/celeb-deepfakeforensics; by form from the authors (data/celeb_df_v2.md).
Licence: the authors' terms of use, which the form shows.
Counts: 590 + 300 real, 5,639 fake; the official test list has 518 = 178 real + 340 fake.
Citation: Li et al., Celeb-DF: A Large-scale Challenging Dataset for DeepFake Forensics, CVPR 2020.

Layout::

    Celeb-real/id0_0000.mp4             id<person>_<clip>
    YouTube-real/00000.mp4              further people, without a number
    Celeb-synthesis/id0_id1_0000.mp4    id<target>_id<source>_<clip>: the face of the source on the target's clip
    List_of_testing_videos.txt          "1 YouTube-real/00170.mp4": here 1 means REAL and 0 means FAKE

The list has no header and its last line may lack its newline. What it does not name is train; there is no validation
split.

How it is read: ids are the paths of the list, ``Celeb-synthesis/id0_id1_0000.mp4``, however the folders are spelt
here. ``source_id`` is the real twin, ``subject_id`` the target, ``donor_id`` the person whose face was put there.
Validation is carved out of train: whole groups of people who were swapped with each other where that comes near 15 %;
else by target alone, and then the report says so. Train and test may share people: that is up to the official list.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.files import bare, find_file, find_folder, media_files
from unmask.datasets.report import Report
from unmask.datasets.splits import SHARES, SHARES_WITHOUT_TEST, connect, draw, rule
from unmask.tables.errors import DatasetError

LIST = "List_of_testing_videos.txt"
#: Folder -> (label, files it has, names in it).
PARTS = {
    "Celeb-real": (0, 590, re.compile(r"(?P<target>id\d+)_(?P<clip>\d+)\.mp4", re.ASCII)),
    "YouTube-real": (0, 300, re.compile(r"(?P<clip>\d+)\.mp4", re.ASCII)),
    "Celeb-synthesis": (1, 5639, re.compile(r"(?P<target>id\d+)_(?P<donor>id\d+)_(?P<clip>\d+)\.mp4", re.ASCII)),
}
LISTED = 518
#: The share of train that may go to validation before whole groups of swapped people are too coarse.
NEAR_ENOUGH = (0.05, 0.30)

_LINE = re.compile(r"([01])\s+(.+)")


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of the three folders, as far as they are there."""
    rows = [row for part in PARTS for row in _read_part(part, root, report)]
    if not rows:
        return rows
    path = find_file([options.splits] if options.splits else [root], LIST)
    if path is None and options.splits:
        raise DatasetError(f"there is no {LIST}", where=options.splits, next_step="name the folder that it lies in")
    if path is None:
        report.note(
            f"the official {LIST} was not found in {root}: all three splits were drawn by seed, so numbers will not "
            "compare with published ones; put the list there, or name its folder with --splits"
        )
        return _draw(rows, SHARES, options.seed, report)
    listed = read_list(path)
    report.count("files of the official test list", LISTED, sum(row["id"] in listed for row in rows))
    test = [row | {"split": "test", "split_rule": "official"} for row in rows if row["id"] in listed]
    train = [row for row in rows if row["id"] not in listed]
    return test + (_draw(train, SHARES_WITHOUT_TEST, options.seed, report) if train else [])


def _read_part(part: str, root: Path, report: Report) -> list[Row]:
    label, expected, names = PARTS[part]
    folder = find_folder(root, part)
    rows: list[Row] = []
    for name, path, media in media_files(folder, root, report) if folder else ():
        match = names.fullmatch(name.casefold())
        if match is None:
            report.add_odd(f"files not named like one of {part}, left out", path)
            continue
        people = match.groupdict()
        target = people.get("target")
        source = f"{target}_{people['clip']}" if target else people["clip"]
        row: Row = {"id": f"{part}/{match[0]}", "path": path, "media": media, "label": label}
        row |= {"source_id": source, "subject_id": target, "donor_id": people.get("donor")}
        rows.append(row)
    report.count(part, expected, len(rows))
    return rows


def read_list(path: Path) -> frozenset[str]:
    """The ids that the official test list names.

    Raises:
        DatasetError: a line is of another form, or its class contradicts its folder: then 1 would not mean real.
    """
    spelling = {bare(part): part for part in PARTS}
    ids = set()
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        folder, _, name = match[2].replace("\\", "/").rpartition("/") if match else ("", "", "")
        part = spelling.get(bare(folder))
        if match is None or part is None:
            raise DatasetError(
                f"line {number} is not of the form '1 YouTube-real/00170.mp4'",
                where=path,
                next_step="download it again",
            )
        if int(match[1]) == PARTS[part][0]:
            raise DatasetError(
                f"line {number} gives {match[1]} to a file of {part}; in the official list 1 is real and 0 is fake",
                where=path,
                next_step="download it again, unchanged",
            )
        ids.add(f"{part}/{name.casefold()}")
    return frozenset(ids)


def _draw(rows: list[Row], shares: dict[str, float], seed: int, report: Report) -> list[Row]:
    """Deal rows to ``shares`` by groups of people who were swapped with each other, or by target where that fails."""
    ids, labels = [str(row["id"]) for row in rows], [int(str(row["label"])) for row in rows]
    by = "subject and donor"
    splits = draw(ids, labels, connect(_people(row, with_donor=True) for row in rows), shares, seed)
    with_people = [split for split, row in zip(splits, rows, strict=True) if row["subject_id"]]
    counts = Counter(with_people)
    low, high = NEAR_ENOUGH
    small = [split for split in shares if split != "train"]
    if with_people and not all(low <= counts[split] / len(with_people) <= high for split in small):
        by = "subject"
        splits = draw(ids, labels, connect(_people(row, with_donor=False) for row in rows), shares, seed)
        report.note(
            f"swaps connect too many of the people for {' and '.join(small)} to be kept apart by them: split by "
            "target, so the face of a person may be seen in one split and be put on somebody in another"
        )
    made = rule(by, seed, shares)
    return [row | {"split": split, "split_rule": made} for row, split in zip(rows, splits, strict=True)]


def _people(row: Row, *, with_donor: bool) -> list[str]:
    names = (row["subject_id"], row["donor_id"] if with_donor else None)
    return [str(name) for name in names if name]


ADAPTER = Adapter(
    name="celeb_df_v2",
    title="Celeb-DF v2",
    layout="Celeb-real/, YouTube-real/, Celeb-synthesis/ and List_of_testing_videos.txt",
    about=About(
        ("video",),
        890,
        5639,
        59,
        "the makers' terms of use",
        "form, https://github.com/yuezunli/celeb-deepfakeforensics",
    ),
    read=read,
    options=frozenset({"splits"}),
)
