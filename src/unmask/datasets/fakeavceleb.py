"""FakeAVCeleb v1.2: clips of 500 celebrities whose picture, sound or both were forged.

Source: https://github.com/DASH-Lab/FakeAVCeleb; by form from the authors (data/fakeavceleb.md).
Licence: the authors' terms of use, which the form shows.
Counts: 500 with nothing forged, 500 with forged sound, 9,709 with a forged picture, 10,835 with both.
Citation: Khalid et al., FakeAVCeleb: A Novel Audio-Video Multimodal Deepfake Dataset, NeurIPS 2021.

Layout::

    RealVideo-RealAudio/African/men/id00076/00109.mp4                               <race>/<gender>/<person>/<clip>
    RealVideo-FakeAudio/African/men/id00076/00109_fake.mp4
    FakeVideo-RealAudio/African/men/id00076/00109_id04727_AAnyugIAXao.mp4
    FakeVideo-FakeAudio/African/men/id00076/00109_2_id00166_wavtolip.mp4
    meta_data.csv

The header of ``meta_data.csv`` is ``source,target1,target2,method,category,type,race,gender,path,``: ``path`` is the
file's name, and the tenth column, without a name, its folder, with ``FakeAVCeleb/`` before it. It has 21,566 lines for
21,544 files: some files stand in it twice.

How it is read: the folders say what is forged. ``label`` is what the picture is, since detectors of faces learn from
it; ``video_label`` is the same and ``audio_label`` what the sound is. ``subject_id`` is the person on screen,
``source_id`` that person's clip, ``donor_id`` and ``second_donor_id`` the people that ``target1`` and ``target2`` name,
by their face or their voice, or else the file's name. ``method`` is how the picture was forged and comes from
``meta_data.csv``; without it, it is not known. What two lines say of one file in two ways is left empty. There is no
official split: whole groups of people who were swapped with each other are dealt out where that comes near the shares;
else the split is by the person on screen, and then the report says so.
"""

from __future__ import annotations

import re
from pathlib import Path

from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.files import bare, find_file, find_folder, media_below
from unmask.datasets.report import Report
from unmask.datasets.splits import SHARES, draw_by_people
from unmask.tables.checks import require_columns
from unmask.tables.errors import Problem
from unmask.tables.reading import RawTable, read_table, shown

METADATA = "meta_data.csv"
#: Folder -> (picture, sound, files it has); 1 is forged.
PARTS = {
    "RealVideo-RealAudio": (0, 0, 500),
    "RealVideo-FakeAudio": (0, 1, 500),
    "FakeVideo-RealAudio": (1, 0, 9709),
    "FakeVideo-FakeAudio": (1, 1, 10_835),
}
RACES = ("African", "Asian (East)", "Asian (South)", "Caucasian (American)", "Caucasian (European)")
DONORS = ("donor_id", "second_donor_id")
#: Columns of ``meta_data.csv`` that are read; the tenth, without a name, may be missing.
COLUMNS = ("source", "target1", "target2", "method", "type", "race", "gender", "path")

_SPELLING = {bare(name): name for name in (*PARTS, *RACES)}
_PERSON = re.compile(r"id\d+", re.ASCII)
_FILE = re.compile(r"(\d+)(?:_.+)?\.mp4", re.ASCII | re.IGNORECASE)
_NAMED = re.compile(r"_(id\d+)(?=[_.])", re.ASCII)
_NOT_LISTED = f"files that {METADATA} does not name, so that their method is not known"
_EXAMPLE = "RealVideo-RealAudio/African/men/id00076 and 00109.mp4"
_UNCHANGED = "download it again, unchanged"


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of the four folders, as far as they are there."""
    rows = [row for part in PARTS for row in _read_part(part, root, report)]
    path = find_file([root], METADATA)
    if rows and path:
        rows = _with_metadata(rows, read_metadata(path, report), report)
    elif rows:
        report.note(f"there is no {METADATA}, so that the method of a fake is not known; people are those of its name")
    dealt = draw_by_people(rows, SHARES, options.seed, report, others=DONORS)
    _warn_of_gaps(dealt, report)
    return dealt


def _read_part(part: str, root: Path, report: Report) -> list[Row]:
    picture, sound, expected = PARTS[part]
    folder = find_folder(root, part)
    rows: list[Row] = []
    for name, path, media in media_below(folder, root, report) if folder else ():
        _, *steps = path.split("/")
        place, clip = _place(steps[:-1]), _FILE.fullmatch(name)
        if place is None or clip is None:
            report.add_odd(
                f"files that do not lie in {part}/<race>/<gender>/<person> or have other names, left out", path
            )
            continue
        race, gender, person = place
        row: Row = {"id": f"{part}/{'/'.join(place)}/{name}", "path": path, "media": media, "label": picture}
        row |= {"video_label": picture, "audio_label": sound, "race": race, "gender": gender}
        row |= {"source_id": f"{person}/{clip[1]}", "subject_id": person}
        rows.append(row | dict(zip(DONORS, _NAMED.findall(name), strict=False)))
    report.count(part, expected, len(rows))
    return rows


def _place(steps: list[str]) -> tuple[str, str, str] | None:
    """(race, gender, person), however they are spelt; None for other folders."""
    if len(steps) != 3 or not _PERSON.fullmatch(steps[2].casefold()):
        return None
    return _SPELLING.get(bare(steps[0]), steps[0]), steps[1].casefold(), steps[2].casefold()


def _with_metadata(rows: list[Row], listed: dict[str, Row], report: Report) -> list[Row]:
    found = []
    for row in rows:
        stated = listed.get(str(row["id"]).casefold())
        if stated is None:
            report.add_odd(_NOT_LISTED, str(row["path"]))
        found.append(row | {name: value for name, value in (stated or {}).items() if value})
    return found


def _warn_of_gaps(rows: list[Row], report: Report) -> None:
    """Say which splits lack a race or gender: groups of people who were swapped with each other are often of one."""
    gaps = []
    for column in ("race", "gender"):
        known = {str(row[column]) for row in rows}
        for split in SHARES:
            missing = sorted(known - {str(row[column]) for row in rows if row["split"] == split})
            gaps += [f"{split} has no {column} {', '.join(missing)}"] if missing else []
    if gaps:
        report.warn(
            "people who were swapped with each other stay together, and they are often of one race and gender: "
            f"{'; '.join(gaps)}. A score on such a split says nothing about the others; another --seed deals otherwise"
        )


def read_metadata(path: Path, report: Report) -> dict[str, Row]:
    """What ``meta_data.csv`` says of each file, by its id in lower case: the columns method and donors.

    Its paths are only ever compared with those of files that are there, so that none can lead out of the root.

    Raises:
        TableError: with every fault of the table.
    """
    table = read_table(path)
    if not require_columns(table, COLUMNS):
        table.refuse_if_faulty()
    found: dict[str, Row] = {}
    for line, values in zip(table.lines, zip(*table.columns.values(), strict=True), strict=True):
        cells = dict(zip(table.columns, map(str, values), strict=True))
        id_ = _listed_id(cells, line, table)
        people = [cells[name] for name in ("target1", "target2") if _PERSON.fullmatch(cells[name])]
        method = cells["method"] if cells["type"].startswith("Fake") else None
        row: Row = {"method": method, **dict(zip(DONORS, people, strict=False))}
        if id_ in found:
            report.add_odd(f"files that {METADATA} names twice; what differs was left empty", id_)
            row = {name: value for name, value in row.items() if found[id_].get(name) == value}
        found[id_] = row
    table.refuse_if_faulty()
    return found


def _listed_id(cells: dict[str, str], line: int, table: RawTable) -> str:
    """The id of the file that a line is about, in lower case; what is wrong with it is noted in ``table``."""
    kind, person = cells["type"], cells["source"]
    folder = cells.get("") or f"{kind}/{cells['race']}/{cells['gender']}/{person}"
    steps = folder.replace("\\", "/").strip("/").split("/")
    part, place = _SPELLING.get(bare(steps[-4])) if len(steps) > 3 else None, _place(steps[-3:])
    if part not in PARTS or place is None or not _FILE.fullmatch(cells["path"]):
        what = f"{shown(folder)} and {shown(cells['path'])} are not of the form {_EXAMPLE}"
        table.problems.append(Problem(line, what, _UNCHANGED))
        return ""
    if (kind, person) != (part, place[2]):
        what = f"the type {shown(kind)} and the source {shown(person)} contradict the folder {shown(folder)}"
        table.problems.append(Problem(line, what, _UNCHANGED))
    return f"{part}/{'/'.join(place)}/{cells['path']}".casefold()


ADAPTER = Adapter(
    name="fakeavceleb",
    title="FakeAVCeleb",
    layout="RealVideo-RealAudio/, RealVideo-FakeAudio/, FakeVideo-RealAudio/, FakeVideo-FakeAudio/ and meta_data.csv",
    about=About(
        ("video",), 1000, 20_544, 500, "the makers' terms of use", "form, https://github.com/DASH-Lab/FakeAVCeleb"
    ),
    read=read,
)
