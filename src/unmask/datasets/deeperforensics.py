"""DeeperForensics-1.0: the faces of 100 paid actors put onto the videos of FaceForensics++, clean and distorted.

Source: https://github.com/EndlessSora/DeeperForensics-1.0; by form from the authors (data/deeperforensics.md).
Licence: the authors' terms of use (Terms_of_Use.pdf there).
Counts: 11 variants of 1,000 fakes each, in official lists of 703, 96 and 201; real are the 1,000 originals of
FaceForensics++ in c23, which are not part of it.
Citation: Jiang et al., DeeperForensics-1.0: A Large-Scale Dataset for Real-World Face Forgery Detection, CVPR 2020.

Layout::

    manipulated_videos/<variant>/000_M101.mp4           <target>_<actor>: the face of the actor on the target's video
    lists/splits/{train,val,test}.txt                   "000_M101.mp4": one fake a line
    source_videos/                                      the actors in the studio: not the real class
    original_sequences/youtube/c23/videos/000.mp4       FaceForensics++: here, or below the folder of --reals

Variants are ``end_to_end``, ``end_to_end_level_1`` to ``_5``, ``end_to_end_random_level``,
``end_to_end_mix_{2,3,4}_distortions`` and ``reenact_postprocess``. An actor's name begins with M (male) or W (female);
its first digit is 1 for actors from Asia and 0 for those from other parts of the world. Faces were swapped between
people of one gender only.

How it is read: ids are ``<variant>/000_M101`` and, for reals, ``youtube/c23/000`` as in FaceForensics++. ``method`` is
the variant, ``source_id`` the target's number, ``donor_id`` the actor, ``gender`` the actor's, and so the target's,
``actor_from`` is "Asia" or "elsewhere". A real has the split of its target. Without the lists, whole groups of one
actor are dealt out by seed. Reals that lie below the folder of ``--reals`` have that folder as their ``root``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.faceforensics import REAL, UNLISTED, videos
from unmask.datasets.files import find_file, find_folder, media_files, read_lines, tell_others
from unmask.datasets.report import Report
from unmask.datasets.splits import SHARES, connect, deal
from unmask.tables.errors import DatasetError, Faults, Problem
from unmask.tables.reading import shown

VARIANTS = (
    "end_to_end",
    *(f"end_to_end_level_{level}" for level in range(1, 6)),
    "end_to_end_random_level",
    *(f"end_to_end_mix_{count}_distortions" for count in (2, 3, 4)),
    "reenact_postprocess",
)
LISTS = {"train": "train.txt", "validation": "val.txt", "test": "test.txt"}
EXPECTED = 1000
GENDERS = {"M": "male", "W": "female"}
ORIGINS = {"0": "elsewhere", "1": "Asia"}

_FAKE = re.compile(r"(\d{3})_([MW][01]\d\d)\.(?i:mp4)", re.ASCII)
_LINE = re.compile(r"(?:.*[\\/])?(\d{3})_([MW][01]\d\d)(?:\.mp4)?", re.ASCII)
_UNCHANGED = "download it again, unchanged"


@dataclass(frozen=True)
class Listed:
    """What the official lists say of one target: its split, and whose face was put there."""

    split: str
    actor: str


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of every variant that is there, and of the originals of FaceForensics++."""
    fakes = [row for variant in VARIANTS for row in _read_variant(variant, root, report)]
    if not fakes:
        return []
    tell_others(find_folder(root, "manipulated_videos"), VARIANTS, root, report)
    rows = [*fakes, *_read_reals(root, options.reals, report)]
    lists = _read_lists(root, options.splits)
    return _split_officially(rows, lists, report) if lists else _split_by_actors(rows, options.seed, root, report)


def _read_variant(variant: str, root: Path, report: Report) -> list[Row]:
    folder = find_folder(root, f"manipulated_videos/{variant}")
    rows: list[Row] = []
    for name, path, media in media_files(folder, root, report) if folder else ():
        match = _FAKE.fullmatch(name)
        if match is None:
            report.add_odd("files not named like a video of DeeperForensics-1.0, left out", path)
            continue
        target, actor = match.groups()
        row: Row = {"id": f"{variant}/{target}_{actor}", "path": path, "media": media, "label": 1, "method": variant}
        row |= {"source_id": target, "donor_id": actor, "gender": GENDERS[actor[0]], "actor_from": ORIGINS[actor[1]]}
        rows.append(row)
    report.count(variant, EXPECTED, len(rows))
    return rows


def _read_reals(root: Path, given: Path | None, report: Report) -> list[Row]:
    """The originals of FaceForensics++ in c23; rows from the folder ``given`` say that it is their root."""
    place = given.resolve() if given else root
    rows = list(_originals(place, report))
    if given:
        rows = [row | {"root": str(place)} for row in rows]
    if given and not rows:
        raise DatasetError(
            "there is no original_sequences/youtube/c23/videos with the originals of FaceForensics++",
            where=given,
            next_step="give --reals the folder that holds original_sequences",
        )
    if not rows:
        report.warn(
            "nothing real was found: in DeeperForensics-1.0 that is the originals of FaceForensics++ in c23; name "
            "the folder that holds original_sequences with --reals"
        )
    report.count("youtube c23 of FaceForensics++ (real)", EXPECTED, len(rows))
    return rows


def _originals(place: Path, report: Report) -> Iterator[Row]:
    for match, name, row in videos(find_folder(place, "original_sequences/youtube"), REAL, place, report):
        if row.pop("compression") == "c23":
            yield row | {"id": f"youtube/c23/{name}", "label": 0, "source_id": match[1]}


def _read_lists(root: Path, given: Path | None) -> dict[str, Listed]:
    """Target -> what the lists say of it; empty where there are no lists.

    Raises:
        DatasetError: the folder of ``--splits`` has none, or one of the three is missing.
        TableError: with every fault of a list.
    """
    below = find_folder(root, "lists/splits")
    places = [given] if given else [root, *([below] if below else [])]
    found = {split: find_file(places, name) for split, name in LISTS.items()}
    if not any(found.values()) and not given:
        return {}
    lists: dict[str, Listed] = {}
    for split, path in found.items():
        if path is None:
            raise DatasetError(
                f"there is no {LISTS[split]}, one of the three official lists",
                where=given or below or root,
                next_step=f"put {', '.join(LISTS.values())} beside each other, as in lists/splits",
            )
        _read_list(path, split, lists)
    return lists


def _read_list(path: Path, split: str, lists: dict[str, Listed]) -> None:
    """Add what one list says to ``lists``."""
    faults = Faults(path)
    for number, line in read_lines(path):
        match = _LINE.fullmatch(line)
        if match is None:
            faults.append(Problem(number, f"{shown(line)} is not of the form 000_M101.mp4", _UNCHANGED))
        elif match[1] in lists:
            what = f"the target {match[1]} stood in {LISTS[lists[match[1]].split]} already"
            faults.append(Problem(number, what, _UNCHANGED))
        else:
            lists[match[1]] = Listed(split, match[2])
    faults.refuse()


def _split_officially(rows: list[Row], lists: Mapping[str, Listed], report: Report) -> list[Row]:
    kept = []
    for row in rows:
        listed = lists.get(str(row["source_id"]))
        if listed is None or row.get("donor_id") not in (None, listed.actor):
            report.add_odd(UNLISTED, str(row["path"]))
            continue
        stated: Row = {"split": listed.split, "split_rule": "official", "gender": GENDERS[listed.actor[0]]}
        kept.append(row | stated)
    return kept


def _split_by_actors(rows: list[Row], seed: int, root: Path, report: Report) -> list[Row]:
    report.note(
        f"the official lists ({', '.join(LISTS.values())}) were not found in {root} or its lists/splits folder: groups "
        "of one actor were dealt to splits by seed, so numbers will not compare with published ones; put the lists "
        "there, or name their folder with --splits"
    )
    genders = {row["source_id"]: row["gender"] for row in rows if row["label"]}
    rows = [row | {"gender": genders.get(row["source_id"])} for row in rows]
    groups = connect([str(row[name]) for name in ("source_id", "donor_id") if row.get(name)] for row in rows)
    return deal(rows, groups, "actor", SHARES, seed)


ADAPTER = Adapter(
    name="deeperforensics",
    title="DeeperForensics-1.0",
    layout="manipulated_videos/end_to_end/000_M101.mp4, lists/splits/train.txt and, here or in the folder of --reals, "
    "original_sequences/youtube/c23/videos/000.mp4 of FaceForensics++",
    about=About(
        ("video",),
        1000,
        11_000,
        100,
        "the makers' terms of use",
        "form, https://github.com/EndlessSora/DeeperForensics-1.0",
    ),
    read=read,
    options=frozenset({"splits", "reals"}),
)
