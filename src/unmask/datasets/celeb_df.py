"""What the releases of Celeb-DF have in common: three folders, the names in them, and a list of the test videos.

Layout::

    Celeb-real/id0_0000.mp4             id<person>_<clip>
    YouTube-real/00000.mp4              further people, without a number
    Celeb-synthesis/id0_id1_0000.mp4    id<target>_id<source>_<clip>: the face of the source on the target's clip
    List_of_testing_videos.txt          "1 YouTube-real/00170.mp4": here 1 means REAL and 0 means FAKE

The list has no header and its last line may lack its newline. What it does not name is train; there is no validation
split. Other tools want the files one folder further down, as ``Celeb-real/videos/id0_0000.mp4``: they are found there
too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from unmask.datasets.base import Options, Row
from unmask.datasets.files import bare, clip_files, find_file, read_lines
from unmask.datasets.report import Report
from unmask.datasets.splits import SHARES, SHARES_WITHOUT_TEST, draw_by_people
from unmask.tables.errors import DatasetError, Faults, Problem
from unmask.tables.reading import shown

LIST = "List_of_testing_videos.txt"
LAYOUT = f"Celeb-real/, YouTube-real/, Celeb-synthesis/ and {LIST}"
ACCESS = "form, https://github.com/yuezunli/celeb-deepfakeforensics"
#: Folder -> (label, names in it).
PARTS = {
    "Celeb-real": (0, re.compile(r"(?P<target>id\d+)_(?P<clip>\d+)\.mp4", re.ASCII)),
    "YouTube-real": (0, re.compile(r"(?P<clip>\d+)\.mp4", re.ASCII)),
    "Celeb-synthesis": (1, re.compile(r"(?P<target>id\d+)_(?P<donor>id\d+)_(?P<clip>\d+)\.mp4", re.ASCII)),
}

_LINE = re.compile(r"([01])\s+(.+)")
_UNCHANGED = "download it again, unchanged"


def read(root: Path, options: Options, report: Report, counts: Mapping[str, int], listed: int | None) -> list[Row]:
    """The rows of the three folders of one release, as far as they are there.

    Args:
        root: the release's folder.
        options: ``splits`` and ``seed`` are used.
        report: told what is missing and how the split was made.
        counts: how many files the release has in each folder.
        listed: how many files its test list names; None takes that from the list.
    """
    rows = [row for part in PARTS for row in _read_part(part, counts[part], root, report)]
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
        return draw_by_people(rows, SHARES, options.seed, report)
    ids = read_list(path)
    report.count("files of the official test list", listed or len(ids), sum(row["id"] in ids for row in rows))
    if listed not in (None, len(ids)):
        report.note(
            f"{LIST} names {len(ids):,} files where the published one names {listed:,}: numbers will not compare with "
            "published ones"
        )
    test = [row | {"split": "test", "split_rule": "official"} for row in rows if row["id"] in ids]
    train = [row for row in rows if row["id"] not in ids]
    return test + (draw_by_people(train, SHARES_WITHOUT_TEST, options.seed, report) if train else [])


def _read_part(part: str, expected: int, root: Path, report: Report) -> list[Row]:
    label, names = PARTS[part]
    rows: list[Row] = []
    for name, path, media in clip_files(part, root, report):
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
    if len(rows) > expected:
        report.warn(
            f"there are {len(rows):,} files in {part}, where the release has {expected:,}: this is another release, or "
            "two in one folder; celeb_df_v1 and celeb_df_v2 call their files the same, so index each under its own name"
        )
    return rows


def read_list(path: Path) -> frozenset[str]:
    """The ids that the official test list names.

    Raises:
        TableError: lines are of another form, or their class contradicts their folder: then 1 would not mean real.
    """
    faults = Faults(path)
    spelling = {bare(part): part for part in PARTS}
    ids = set()
    for number, line in read_lines(path):
        match = _LINE.fullmatch(line)
        folder, _, name = match[2].replace("\\", "/").rpartition("/") if match else ("", "", "")
        part = spelling.get(bare(folder))
        if match is None or part is None:
            faults.append(Problem(number, f"{shown(line)} is not of the form '1 YouTube-real/00170.mp4'", _UNCHANGED))
        elif int(match[1]) == PARTS[part][0]:
            what = f"{match[1]} is given to a file of {part}; in the official list 1 is real and 0 is fake"
            faults.append(Problem(number, what, _UNCHANGED))
        else:
            ids.add(f"{part}/{name.casefold()}")
    faults.refuse()
    return frozenset(ids)
