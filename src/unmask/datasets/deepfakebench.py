"""DeepfakeBench: the lists of a benchmark that brings nine datasets into one form, as folders of faces.

Source: https://github.com/SCLBD/DeepfakeBench (data/deepfakebench.md).
Licence: each dataset's own terms; the code and the lists are CC BY-NC 4.0.
Counts: those of the datasets that the lists name.
Citation: Yan et al., DeepfakeBench: A Comprehensive Benchmark of Deepfake Detection, NeurIPS Datasets 2023.

Layout: the folder with the pictures, and the lists at its top or where ``splits`` says, a folder or a single file::

    FaceForensics++/manipulated_sequences/Deepfakes/c23/frames/071_054/000.png
    FaceForensics++.json FF-DF.json Celeb-DF-v2.json ...

A list is ``{"<dataset>": {"<label>": {"train"|"val"|"test": {["c23":] {"<video>": {"label": "<label>", "frames":
["<path>", ...], "masks": [...]}}}}}}``. Paths may have backslashes and begin anywhere: on drive I, in the folder of
whoever made the list. DF40 comes with lists of the same form.

How it is read: a video is a row, and its path the folder of its frames, found below the root by the longest end of the
listed path that is there; a video of a single frame is a picture. Ids are ``<label>/<compression>/<video>`` as the list
has them. A label is real or fake as its name ends, and the FF- methods of FaceForensics++ are fake, as in
DeepfakeBench's ``label_dict``. What several lists or labels name is kept once, DeepfakeBench's own names before others.
``source_id`` and people come from the names of the clips; ``origin`` is the dataset, ``mask`` the folder of masks.

The lists put many videos into several splits: Celeb-DF's test videos into train and val too, and all of DFD, UADFV and
the reals of DeeperForensics into all three. Here a video that is listed for test is in test alone, and one that is
listed for train and val in train. Where that leaves a dataset without validation, it is carved out of train by source.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.clip_names import read_name
from unmask.datasets.files import read_json, reason_to_skip
from unmask.datasets.own_data import split_of
from unmask.datasets.report import Report
from unmask.datasets.sequences import NO_PICTURES, Below, holds_pictures, is_picture
from unmask.datasets.splits import SHARES_WITHOUT_TEST, connect, deal
from unmask.tables.errors import DatasetError
from unmask.tables.reading import shown

#: The labels whose names do not end in real or fake: methods of FaceForensics++.
METHODS = {
    "FF-DF": "Deepfakes",
    "FF-F2F": "Face2Face",
    "FF-FS": "FaceSwap",
    "FF-NT": "NeuralTextures",
    "FF-FH": "FaceShifter",
    "FF-SH": "FaceShifter",
}
#: Beginnings of the labels that DeepfakeBench's own lists have; lists made after it have others.
ORIGINS = ("FF", "DFD", "CelebDFv1", "CelebDFv2", "DFDCP", "DFDC", "DF", "UADFV")
COMPRESSIONS = {"raw": "raw", "c0": "raw", "c23": "c23", "c40": "c40"}

_LABEL = re.compile(r"(?:(?P<of>.+)[-_])?(?:(?P<real>real)|fake[ab]?)", re.IGNORECASE)
_FORM = '{"<dataset>": {"<label>": {"train": {"<video>": {"label": ..., "frames": [...]}}}}}'
_SHOWN = 5
_NOT_LISTS = "JSON files that are not lists of DeepfakeBench, left out"


@dataclass(frozen=True)
class _Entry:
    """A video, as one place in one list names it; ``frames`` are file names in ``folder``, which is as it is listed."""

    dataset: str
    label: str
    split: str
    compression: str | None
    video: str
    folder: tuple[str, ...]
    frames: list[str]
    masks: tuple[str, ...]

    @property
    def name(self) -> str:
        return "/".join(filter(None, (self.label, self.compression, self.video)))


@dataclass
class _Found:
    """What is at one path, and all that the lists say of it: name -> the entry of that name that was read first."""

    media: str
    entries: dict[str, _Entry] = field(default_factory=dict)
    splits: set[str] = field(default_factory=set)
    datasets: set[str] = field(default_factory=set)


def label_of(name: str) -> int | None:
    """What DeepfakeBench's name of a label stands for: 1 fake, 0 real, None for a name of another form."""
    match = _LABEL.fullmatch(name)
    if match is None:
        return 1 if name in METHODS else None
    return 0 if match["real"] else 1


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The videos of all lists whose pictures are there.

    Raises:
        DatasetError: there is no list, one is broken or names a label that is unknown, or lists contradict each other.
    """
    below = Below(root)
    found: dict[str, _Found] = {}
    expected: dict[str, dict[str, bool]] = defaultdict(dict)
    for path in _lists(root, options.splits):
        entries = _read_list(path, alone=path == options.splits, report=report)
        _locate(entries, below, found, expected, path)
    for label, names in sorted(expected.items()):
        report.count(label, len(names), sum(names.values()))
    _refuse_contradictions(found, root)
    rows = [_row(path, each, below) for path, each in found.items() if _has_pictures(root, path, each, report)]
    return _split(rows, found, options.seed, report)


def _lists(root: Path, given: Path | None) -> list[Path]:
    if given is not None and given.is_file():
        return [given]
    place = given or root
    paths = sorted(path for path in place.iterdir() if path.suffix.lower() == ".json") if place.is_dir() else []
    paths = [path for path in paths if path.is_file() and reason_to_skip(path.name) is None]
    if not paths:
        raise DatasetError(
            "there is no JSON list of DeepfakeBench",
            where=place,
            next_step="put the lists there, or name their folder or one of them with --splits DIR/FF-DF.json",
        )
    return paths


def _read_list(path: Path, *, alone: bool, report: Report) -> list[_Entry]:
    """The entries of one list; none where a file that was not asked for by name is something else."""
    content = read_json(path)
    if not _is_list(content):
        if alone:
            raise DatasetError(
                f"not a list of DeepfakeBench, which has the form {_FORM}",
                where=path,
                next_step="name the list, or the folder that the lists lie in, with --splits",
            )
        report.add_odd(_NOT_LISTS, path.name)
        return []
    faults: list[str] = []
    entries = list(_entries(content, faults))
    _refuse(faults, path, "mend the list, or make it again with DeepfakeBench's rearrange.py")
    return entries


def _is_list(content: Any) -> bool:
    labels = [label for dataset in _dicts(content) for label in _dicts(dataset)]
    return any(split_of(name) and isinstance(videos, dict) for label in labels for name, videos in label.items())


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value.values() if isinstance(each, dict)] if isinstance(value, dict) else []


def _entries(content: dict[str, Any], faults: list[str]) -> Iterator[_Entry]:
    for dataset, labels in content.items():
        if not isinstance(labels, dict):
            faults.append(f"{shown(dataset)} is not a dataset with labels in it")
            continue
        for label, splits in labels.items():
            if label_of(label) is None or reason_to_skip(label):
                faults.append(f"the label {shown(label)} does not say whether it is real or fake")
                continue
            for split, videos in splits.items() if isinstance(splits, dict) else [(splits, None)]:
                meant = split_of(str(split))
                if meant is None or not isinstance(videos, dict):
                    faults.append(
                        f"{shown(str(split))} of {shown(label)} is not one of train, val and test with videos in it"
                    )
                    continue
                for compression, video, entry in _videos(videos, f"{label}/{split}", faults):
                    read = _entry(entry, (dataset, label, meant, compression, video), faults)
                    if read is not None:
                        yield read


def _videos(videos: dict[str, Any], where: str, faults: list[str]) -> Iterator[tuple[str | None, str, dict[str, Any]]]:
    for name, entry in videos.items():
        if name in ("label", "frames", "masks") and not isinstance(entry, dict):
            continue  # rearrange.py writes one video of DFDC in the place of all of val: it stands under test as well
        if not isinstance(entry, dict):
            faults.append(f"{shown(name)} in {where} is not a video")
        elif "frames" in entry:
            yield None, name, entry
        elif name.lower() in COMPRESSIONS:
            for video, inner in entry.items():
                if isinstance(inner, dict) and "frames" in inner:
                    yield COMPRESSIONS[name.lower()], video, inner
                else:
                    faults.append(f"{shown(video)} in {where}/{name} is not a video")
        else:
            faults.append(f"{shown(name)} in {where} has no frames and is no compression")


def _entry(entry: dict[str, Any], place: tuple[str, str, str, str | None, str], faults: list[str]) -> _Entry | None:
    dataset, label, split, compression, video = place
    where = f"{shown(video)} of {label}/{split}"
    stated, frames = entry.get("label", label), entry["frames"]
    if not isinstance(stated, str) or label_of(stated) is None or label_of(stated) != label_of(label):
        faults.append(f"{where} has the label {shown(str(stated))}")
        return None
    if not isinstance(frames, list) or not all(isinstance(frame, str) for frame in frames):
        faults.append(f"the frames of {where} are not a list of paths")
        return None
    if not video or reason_to_skip(video) or "/" in video:
        faults.append(f"{where} has a name that no table can carry")
        return None
    if not frames:
        return _Entry(dataset, label, split, compression, video, (), [], ())
    pairs = [frame.replace("\\", "/").rpartition("/")[::2] for frame in frames]
    folders = {folder for folder, _ in pairs}
    if len(folders) > 1:
        some = " and ".join(_told(folder) for folder in sorted(folders)[:2])
        faults.append(f"the frames of {where} lie in {len(folders)} folders, such as {some}")
        return None
    masks = entry.get("masks")
    mask = masks[0] if isinstance(masks, list) and masks and isinstance(masks[0], str) else ""
    above = mask.replace("\\", "/").rpartition("/")[0]
    names = [name for _, name in pairs]
    return _Entry(dataset, label, split, compression, video, _parts(folders.pop()), names, _parts(above))


def _told(path: str) -> str:
    return shown(path, limit=200)


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part not in ("", "."))


def _locate(
    entries: list[_Entry], below: Below, found: dict[str, _Found], expected: dict[str, dict[str, bool]], path: Path
) -> None:
    """Put the entries of one list with what is at their paths in ``found``, and note in ``expected`` what is there."""
    videos_in: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for entry in entries:
        videos_in[entry.folder].add(entry.video)
    listed_as: dict[str, tuple[str, ...]] = {}
    faults: list[str] = []
    for entry in entries:
        folder = below.find(entry.folder) if entry.folder else None
        known = expected[entry.label].setdefault(entry.name, False)
        expected[entry.label][entry.name] = known or folder is not None
        if folder is None:
            continue
        other = listed_as.setdefault(folder, entry.folder)
        if other != entry.folder:
            faults.append(f"{_told('/'.join(other))} and {_told('/'.join(entry.folder))} could both be {folder}")
        alone = len(entry.frames) > 1 and len(videos_in[entry.folder]) == 1
        for place in [folder] if alone else [f"{folder}/{name}" for name in entry.frames]:
            each = found.setdefault(place, _Found("video" if alone else "image"))
            each.entries.setdefault(entry.name, entry)
            each.splits.add(entry.split)
            each.datasets.add(entry.dataset)
    _refuse(faults, path, f"the root is too far down: give a folder above {below.root}, where the two differ")


def _refuse_contradictions(found: dict[str, _Found], root: Path) -> None:
    """Raise DatasetError where lists disagree on what is at a path."""
    faults = []
    for path, each in found.items():
        labels = sorted({entry.label for entry in each.entries.values()})
        if (
            len({label_of(label) for label in labels}) > 1
            or len({METHODS[label] for label in labels if label in METHODS}) > 1
        ):
            faults.append(f"{path} is listed as {' and as '.join(labels)}")
    _refuse(faults, root, "keep the list that is right; if both are, give a folder further up as the root")


def _refuse(faults: list[str], where: Path, next_step: str) -> None:
    if faults:
        told = list(dict.fromkeys(faults))
        more = f"; and {len(told) - _SHOWN:,} more like these" if told[_SHOWN:] else ""
        raise DatasetError("; ".join(told[:_SHOWN]) + more, where=where, next_step=next_step)


def _has_pictures(root: Path, path: str, each: _Found, report: Report) -> bool:
    if each.media == "image":
        if is_picture(path.rpartition("/")[2]) and os.path.isfile(root / path):  # noqa: PTH113  # once for each picture
            return True
        report.add_odd("pictures that the lists name and that are not there", path)
        return False
    if holds_pictures(root / path):
        return True
    report.add_odd(NO_PICTURES, path)
    return False


def _row(path: str, each: _Found, below: Below) -> Row:
    entry = min(each.entries.values(), key=_rank)
    whole = each.media == "video" or len(entry.frames) == 1
    label, origin = label_of(entry.label), _origin(entry.label)
    row: Row = {"id": entry.name if whole else f"{entry.name}/{path.rpartition('/')[2]}", "path": path}
    row |= {"media": each.media, "label": label, "compression": entry.compression, "origin": origin}
    row |= {"method": METHODS.get(entry.label, origin) if label else None}
    mask = below.find(entry.masks) if entry.masks else None
    row |= {"mask": mask if mask != path else None}
    clip = read_name(entry.video)
    if clip is None:
        return row | {"source_id": None, "subject_id": None, "donor_id": None}
    # Both releases of Celeb-DF number people and clips from 0, and they are not the same.
    home = origin if origin == "CelebDFv1" else clip.form
    people = {"source_id": clip.source, "subject_id": clip.subject, "donor_id": clip.donor}
    return row | {column: told and f"{home}/{told}" for column, told in people.items()}


def _rank(entry: _Entry) -> tuple[bool, bool, str]:
    """Which of several names a video goes by: DeepfakeBench's own, else a method's before ``FSAll`` and its like."""
    origin = _origin(entry.label)
    return origin not in ORIGINS, origin.endswith("All"), entry.name


def _origin(label: str) -> str:
    """``CelebDFv2`` of ``CelebDFv2_real``, ``FF`` of ``FF-DF``."""
    match = _LABEL.fullmatch(label)
    return (match["of"] or label) if match else label.partition("-")[0]


def _split(rows: list[Row], found: dict[str, _Found], seed: int, report: Report) -> list[Row]:
    """Each video's one split: test before train before validation; validation out of train where there is none."""
    several = sum(len(found[str(row["path"])].splits) > 1 for row in rows)
    if several:
        report.note(
            f"{several:,} videos are listed for several splits: what is listed for test is in test alone, and what is "
            "listed for train and val is in train"
        )
    given = []
    for row in rows:
        splits = found[str(row["path"])].splits
        split = next(name for name in ("test", "train", "validation") if name in splits)
        given.append(row | {"split": split, "split_rule": "official"})
    validated = {name for row in given if row["split"] == "validation" for name in found[str(row["path"])].datasets}
    train = [row for row in given if row["split"] == "train" and not found[str(row["path"])].datasets & validated]
    if not train:
        return given
    _warn_of_leaks(train, report)
    keys = ([f"{name}:{row[name]}" for name in ("source_id", "subject_id") if row[name]] for row in train)
    drawn = {row["id"]: row for row in deal(train, connect(keys), "source and subject", SHARES_WITHOUT_TEST, seed)}
    return [drawn.get(row["id"], row) for row in given]


def _warn_of_leaks(train: list[Row], report: Report) -> None:
    loose = [row for row in train if not row["source_id"]]
    if loose:
        report.warn(
            f"nothing says which originals {len(loose):,} of the {len(train):,} videos that were dealt to train and "
            "validation were made from, so a fake and its original may be in both, and validation would flatter"
        )


ADAPTER = Adapter(
    name="deepfakebench",
    title="DeepfakeBench",
    layout="frames such as FaceForensics++/.../c23/frames/000/000.png, and lists such as FF-DF.json",
    about=About(
        ("video", "image"), None, None, None, "each dataset's own terms", "https://github.com/SCLBD/DeepfakeBench"
    ),
    read=read,
    options=frozenset({"splits"}),
)
