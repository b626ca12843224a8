"""FaceForensics++: 1,000 videos from YouTube and, of each, one fake by each of five methods, in three compressions.

Source: https://github.com/ondyari/FaceForensics; by form from the authors (data/faceforensics.md).
Licence: the authors' terms of use, which the form shows; the code and the split lists are MIT.
Counts: 1,000 real + 1,000 per method, in each compression.
Citation: Rössler et al., FaceForensics++: Learning to Detect Manipulated Facial Images, ICCV 2019.

Layout::

    original_sequences/youtube/{raw|c0,c23,c40}/videos/000.mp4
    manipulated_sequences/{Deepfakes,Face2Face,FaceSwap,NeuralTextures,FaceShifter}/<compression>/videos/071_054.mp4
    manipulated_sequences/<method>/masks/videos/071_054.mp4     one for all compressions, none for FaceShifter
    train.json val.json test.json       pairs of numbers, 360/70/70; also looked for in splits/ and dataset/splits/

A fake is ``<target>_<source>``: the face of the source on the video of the target, so its real twin is the target. The
lists pair the numbers off; a pair (a, b) stands for the reals a and b and the fakes a_b and b_a of every method.

How it is read: ids are ``<method>/<compression>/<name>``, ``youtube`` standing where a real has no method, because the
name alone is the same in all methods. ``source_id`` is the target's number, ``donor_id`` the source's; ``c0`` is called
``raw``; ``mask`` is the path of the video, relative to the root too, that shows which pixels were changed. Without the
lists, pairs are dealt to splits by seed. DFD, which may lie in the same tree, is ``unmask.datasets.dfd``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.files import find_file, find_folder, folders, media_files, read_json, relative, tell_others
from unmask.datasets.report import Report
from unmask.datasets.splits import connect, draw, rule
from unmask.tables.errors import DatasetError
from unmask.tables.reading import shown

METHODS = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures", "FaceShifter")
COMPRESSIONS = {"raw": "raw", "c0": "raw", "c23": "c23", "c40": "c40"}
LISTS = {"train": "train.json", "validation": "val.json", "test": "test.json"}
#: 720/140/140 of 1,000, as in the official lists.
SHARES = {"train": 0.72, "validation": 0.14, "test": 0.14}
EXPECTED = 1000
#: The name of an original.
REAL = re.compile(r"(\d{3})\.\w+", re.ASCII)
UNLISTED = "videos that the official lists do not name, left out"

#: Numbers that a message names.
_SHOWN = 8
_FAKE = re.compile(r"(\d{3})_(\d{3})\.\w+", re.ASCII)


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of every method and compression that is there."""
    rows = _read_method(find_folder(root, "original_sequences/youtube"), None, root, report)
    for method in METHODS:
        rows += _read_method(find_folder(root, f"manipulated_sequences/{method}"), method, root, report)
    _note_missing(rows, report)
    tell_others(find_folder(root, "manipulated_sequences"), (*METHODS, "DeepFakeDetection"), root, report)
    _note_dfd(root, report)
    if not rows:
        return rows
    pairs = read_lists(root, options.splits)
    return _split_officially(rows, pairs, report) if pairs else _split_by_pairs(rows, options.seed, root, report)


def videos(
    home: Path | None, names: re.Pattern[str], root: Path, report: Report
) -> Iterator[tuple[re.Match[str], str, Row]]:
    """The videos below one folder of the tree, in all compressions.

    Args:
        home: a method's folder or that of originals, which holds ``<compression>/videos``; None yields nothing.
        names: what they are called.
        root: what paths are relative to.
        report: told of what is left out.

    Yields:
        (name as ``names`` matched it, name without ending, the columns path, media and compression).
    """
    if home is None:
        return
    for folder in folders(home):
        compression = COMPRESSIONS.get(folder.casefold())
        place = find_folder(home / folder, "videos")
        if compression is None or place is None:
            if folder.casefold() != "masks":
                report.add_odd("folders without <compression>/videos, left out", relative(home / folder, root))
            continue
        for name, path, media in media_files(place, root, report):
            match = names.fullmatch(name)
            if match is None or media != "video":
                report.add_odd("files not named like a video of the dataset, left out", path)
                continue
            yield match, name.rpartition(".")[0], {"path": path, "media": media, "compression": compression}


def masks(home: Path | None, root: Path) -> dict[str, str]:
    """The mask videos of the method whose folder is ``home``: video's name without ending -> path below ``root``."""
    place = find_folder(home, "masks/videos") if home else None
    found = media_files(place, root, Report()) if place else ()
    return {name.rpartition(".")[0]: path for name, path, media in found if media == "video"}


def _read_method(home: Path | None, method: str | None, root: Path, report: Report) -> list[Row]:
    rows: list[Row] = []
    masked = masks(home, root) if method else {}
    for match, name, row in videos(home, _FAKE if method else REAL, root, report):
        row |= {"id": f"{method or 'youtube'}/{row['compression']}/{name}", "label": int(method is not None)}
        row |= {"method": method, "source_id": match[1], "donor_id": match[2] if method else None}
        rows.append(row | {"mask": masked.get(name)})
    return rows


def _note_missing(rows: list[Row], report: Report) -> None:
    """Count each method in each compression of which anything is there."""
    found = Counter((row["compression"], row["method"]) for row in rows)
    for compression in sorted({str(compression) for compression, _ in found}):
        for method in (None, *METHODS):
            report.count(f"{compression} {method or 'youtube (real)'}", EXPECTED, found[compression, method])


def _note_dfd(root: Path, report: Report) -> None:
    for path in ("original_sequences/actors", "manipulated_sequences/DeepFakeDetection"):
        if find_folder(root, path):
            report.note(f"{path} belongs to DFD, a dataset of its own (unmask index dfd), and was left out")


def read_lists(root: Path, given: Path | None) -> dict[str, tuple[str, str]]:
    """Number -> (its split, the number it is paired with); empty where there are no lists.

    Raises:
        DatasetError: the folder of ``--splits`` has none, one of the three is missing or broken, a number stands twice.
    """
    below = (find_folder(root, "splits"), find_folder(root / "dataset", "splits"))
    places = [given] if given else [root, *(place for place in below if place)]
    found = {split: find_file(places, name) for split, name in LISTS.items()}
    if not any(found.values()) and not given:
        return {}
    paths = {split: path for split, path in found.items() if path is not None}
    missing = [name for split, name in LISTS.items() if split not in paths]
    if missing:
        raise DatasetError(
            f"there is no {' and no '.join(missing)} among the three official lists",
            where=given or root,
            next_step=f"put {', '.join(LISTS.values())} beside each other (data/faceforensics.md says where from)",
        )
    partners: dict[str, tuple[str, str]] = {}
    twice: list[str] = []
    for split, path in paths.items():
        for a, b in _read_pairs(path):
            for number, partner in ((a, b), (b, a)):
                if number in partners:
                    twice.append(shown(number))
                partners[number] = (split, partner)
    if twice:
        raise DatasetError(
            f"numbers stand twice in the lists: {', '.join(twice[:_SHOWN])}{', ...' if twice[_SHOWN:] else ''}",
            where=", ".join(map(str, paths.values())),
            next_step="download them again, unchanged",
        )
    return partners


def _read_pairs(path: Path) -> list[tuple[str, str]]:
    pairs = read_json(path)
    fine = isinstance(pairs, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(number, str) for number in pair) for pair in pairs
    )
    if not fine:
        raise DatasetError(
            'not a list of pairs such as ["071", "054"]', where=path, next_step="download it again, unchanged"
        )
    return [(a, b) for a, b in pairs]


def _split_officially(rows: list[Row], partners: dict[str, tuple[str, str]], report: Report) -> list[Row]:
    kept = []
    for row in rows:
        split, partner = partners.get(str(row["source_id"]), (None, None))
        if split is None or row["donor_id"] not in (None, partner):
            report.add_odd(UNLISTED, str(row["path"]))
            continue
        kept.append(row | {"split": split, "split_rule": "official"})
    return kept


def _split_by_pairs(rows: list[Row], seed: int, root: Path, report: Report) -> list[Row]:
    report.note(
        f"the official lists ({', '.join(LISTS.values())}) were not found in {root} or its splits folder: pairs were "
        "dealt to splits by seed, so numbers will not compare with published ones; put the lists there, or name their "
        "folder with --splits"
    )
    numbers = [[str(row[name]) for name in ("source_id", "donor_id") if row[name]] for row in rows]
    groups = connect(numbers)
    # Dealt number by number, not file by file: a pair weighs the same whether one of its fakes is there or all ten.
    firsts = {number: group for group, listed in zip(groups, numbers, strict=True) for number in listed}
    names = sorted(firsts)
    splits = dict(zip(names, draw(names, [0] * len(names), [firsts[n] for n in names], SHARES, seed), strict=True))
    made = rule("pairs", seed, SHARES)
    return [row | {"split": splits[str(row["source_id"])], "split_rule": made} for row in rows]


ADAPTER = Adapter(
    name="faceforensics",
    title="FaceForensics++",
    layout="original_sequences/youtube/c23/videos/000.mp4 and manipulated_sequences/Deepfakes/c23/videos/000_003.mp4",
    about=About(
        ("video",), 1000, 5000, None, "the makers' terms of use", "form, https://github.com/ondyari/FaceForensics"
    ),
    read=read,
    options=frozenset({"splits"}),
)
