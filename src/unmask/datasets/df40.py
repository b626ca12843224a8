"""DF40: forty ways of forging faces, thirty-one of them on the videos of FaceForensics++ and Celeb-DF v2, as pictures.

Source: https://github.com/YZY-stack/DF40; links from there, after a form (data/df40.md).
Licence: CC BY-NC 4.0, and the terms of the datasets that the reals are of.
Counts: about a million pictures, as the makers state; how many of each method their table says.
Citation: Yan et al., DF40: Toward Next-Generation Deepfake Detection, NeurIPS Datasets 2024.

Layout, with exceptions: folders stand twice where archives were unpacked into their own name, ``DF40_train`` has no
``ff``, and many folders of the methods that draw whole faces are empty::

    DF40/<method>/{ff,cdf}/frames/<video>/000.png               swaps and reenactment: fakes only
    DF40/<method>/ff/<video>/*.png                              whole faces: in place of that video's
    DF40/<method>/cdf/Fake_from_{Celeb,Youtube}-real/<video>/*.png
    DF40/e4e/cdf/Celeb-real/inversions/*.jpg                    no video is told
    DF40/<method>/{fake,real}/... .png                          eight methods that bring their own reals
    DF40_train/<method>/[frames/]<video>/*.png                  the makers' training data, all of domain ff
    FaceForensics++/original_sequences/youtube/c23/frames/000/  the reals of domain ff
    Celeb-DF-v2/{Celeb,YouTube}-real/frames/id0_0000/           the reals of domain cdf
    train.json val.json test.json List_of_testing_videos.txt    official lists of both, at the root or with their reals

How it is read: a folder of pictures is a row; where pictures of whole or edited faces lie in no folder of a video, each
is one. Ids are ``<method>/<domain or class>/<video>``, however the folders are nested, and reals begin with FF-real,
Celeb-real, YouTube-real or their method. What is there twice is kept once. ``family`` is the kind of method, ``domain``
ff, cdf or the method that brought its own reals. ``source_id`` is the video a fake was made from, or stands in for.

Split: domain ff by the lists of FaceForensics++, and what was forged between two of their splits is left out; without
the lists, drawn by people. Domain cdf and the methods with their own reals are for testing only, as the makers say; of
Celeb-DF's reals those of its test list, if it is there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unmask.datasets import celeb_df, faceforensics
from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.clip_names import read_name
from unmask.datasets.files import bare, find_file, find_folder
from unmask.datasets.report import Report
from unmask.datasets.sequences import picture_folders
from unmask.datasets.splits import SHARES, draw_by_people
from unmask.tables.errors import DatasetError

FAMILIES = {
    "swap": (
        "fsgan", "faceswap", "simswap", "inswap", "blendface", "uniface", "mobileswap", "e4s", "facedancer",
        "deepfacelab",
    ),
    "reenactment": (
        "fomm", "facevid2vid", "wav2lip", "MRAA", "one_shot_free", "pirender", "tpsm", "lia", "danet", "sadtalker",
        "mcnet", "hyperreenact", "heygen",
    ),
    "synthesis": (
        "VQGAN", "StyleGAN2", "StyleGAN3", "StyleGANXL", "sd2.1", "ddim", "RDDM", "PixArt", "DiT", "SiT", "MidJourney",
        "whichfaceisreal",
    ),
    "editing": ("CollabDiff", "e4e", "stargan", "starganv2", "styleclip"),
}  # fmt: skip
#: The families whose pictures may lie in no folder of a video.
LOOSE = ("synthesis", "editing")
#: Names that folders of methods have besides the one in the makers' tree.
ALIASES = {"whichisreal": "whichfaceisreal", "heygen_new": "heygen"}
DOMAINS = {"ff": "ff", "ffpp": "ff", "cdf": "cdf", "cdfv2": "cdf"}
CLASSES = {"real": 0, "fake": 1}
BUCKETS = {
    "celebreal": "Celeb-real",
    "youtubereal": "YouTube-real",
    "fakefromcelebreal": "Celeb-real",
    "fakefromyoutubereal": "YouTube-real",
}
#: Reals of FaceForensics++ and of Celeb-DF v2.
REALS = {"ff": ("FaceForensics++ real", 1000), "cdf": ("Celeb-DF v2 real", 890)}

_METHODS = {
    bare(name): (method, family)
    for family, methods in FAMILIES.items()
    for method in methods
    for name in (method, *(alias for alias, meant in ALIASES.items() if meant == method))
}
_LAYOUT = frozenset({*_METHODS, *DOMAINS, *CLASSES, *BUCKETS, "frames", "inversions", "images"})
#: Where a name is of no known form: the number of the video it was made from, before counters of the method.
_NUMBER = re.compile(r"(\d{3})_.+", re.ASCII)
_LISTS = (*faceforensics.LISTS.values(), celeb_df.LIST)


@dataclass(frozen=True)
class _Place:
    """What a folder of pictures is, by its path; ``video`` is None where it is not the folder of a single video."""

    label: int
    domain: str
    home: str
    video: str | None
    method: str | None = None
    family: str | None = None
    compression: str | None = None


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of every method and of the reals, as far as they are there."""
    rows: dict[str, Row] = {}
    repeated = 0
    for path, pictures in picture_folders(root, root, report, without=("landmarks", "masks", "mask"), known=_LISTS):
        for row in _rows(path, pictures, report):
            repeated += rows.setdefault(str(row["id"]), row) is not row
    if repeated:
        report.note(f"{repeated:,} videos or pictures are there more than once, and were kept once")
    _count(list(rows.values()), report)
    return _split(list(rows.values()), root, options, report)


def _rows(path: str, pictures: Sequence[str], report: Report) -> list[Row]:
    """The rows of a folder of pictures: one, or one for each picture."""
    place = _place(path.split("/"))
    if place is None:
        report.add_odd("folders of pictures that are not of DF40, left out", path)
        return []
    row: Row = {"label": place.label, "method": place.method, "compression": place.compression}
    row |= {"domain": place.domain, "family": place.family}
    if place.video is not None:
        clip = read_name(place.video)
        number = _NUMBER.fullmatch(place.video) if place.domain == "ff" else None
        people: Row = {"source_id": number[1] if number else None, "subject_id": None, "donor_id": None}
        if clip is not None and place.domain in REALS:
            people = {"source_id": clip.source, "subject_id": clip.subject, "donor_id": clip.donor}
        return [row | people | {"id": f"{place.home}/{place.video}", "path": path, "media": "video"}]
    if place.family not in LOOSE and place.label:
        report.add_odd("folders with pictures of no single video, left out", path)
        return []
    nobody: Row = dict.fromkeys(("source_id", "subject_id", "donor_id"))
    prefix = "" if path == "." else f"{path}/"
    return [
        row | nobody | {"id": f"{place.home}/{name}", "path": f"{prefix}{name}", "media": "image"} for name in pictures
    ]


def _place(parts: list[str]) -> _Place | None:
    """What the folder is whose path below the root has these parts; None where it is nothing of DF40."""
    names = [bare(part) for part in parts]
    video = None if names[-1] in _LAYOUT else parts[-1]
    if "originalsequences" in names or "manipulatedsequences" in names:
        if "youtube" not in names or video is None:
            return None
        compression = next(
            (faceforensics.COMPRESSIONS[name] for name in names if name in faceforensics.COMPRESSIONS), None
        )
        return _Place(0, "ff", "/".join(filter(None, ("FF-real", compression))), video, compression=compression)
    bucket = next((BUCKETS[name] for name in names if name in BUCKETS), None)
    start = next((place for place, name in enumerate(names) if name in _METHODS), None)
    if start is None:
        return _Place(0, "cdf", bucket, video) if bucket and video else None
    method, family = _METHODS[names[start]]
    below = names[start + 1 :]
    word = next((name for name in below if name in CLASSES), None)
    if word is not None:
        label = CLASSES[word]
        home = f"{method}/{word}"
        return _Place(label, method, home, video, method if label else None, family if label else None)
    domain = next((DOMAINS[name] for name in below if name in DOMAINS), "ff")
    home = "/".join(filter(None, (method, domain, bucket)))
    return _Place(1, domain, home, video, method, family)


def _count(rows: list[Row], report: Report) -> None:
    methods = {row["method"] for row in rows} - {None}
    reals = Counter(row["domain"] for row in rows if row["label"] == 0)
    fakes = Counter(row["domain"] for row in rows if row["label"] == 1)
    if rows:
        report.count("methods", len(set(_METHODS.values())), len(methods))
    for domain, (name, expected) in REALS.items():
        if reals[domain] or fakes[domain]:
            report.count(name, expected, reals[domain])
        if fakes[domain] and not reals[domain]:
            report.note(
                f"there are no reals for the {fakes[domain]:,} fakes of domain {domain}: the makers give them apart, "
                "and their folders FaceForensics++/ and Celeb-DF-v2/ belong beside DF40/ (data/df40.md)"
            )


def _split(rows: list[Row], root: Path, options: Options, report: Report) -> list[Row]:
    forensics = [row for row in rows if row["domain"] == "ff"]
    others = [row for row in rows if row["domain"] != "ff"]
    numbers, listed = _read_lists(root, options.splits)
    if listed is not None:
        others = [row for row in others if _is_listed(row, listed, report)]
    tests = [row | {"split": "test", "split_rule": "official"} for row in others]
    if not forensics:
        return tests
    if numbers:
        return tests + _split_officially(forensics, numbers, report)
    report.note(
        f"the official lists of FaceForensics++ ({', '.join(faceforensics.LISTS.values())}) were not found in {root}: "
        "domain ff was dealt to splits by seed, so numbers will not compare with published ones; put the lists there, "
        "or name their folder with --splits"
    )
    # In domain ff one number is one person, as far as anything tells.
    people = [row | {"subject_id": row["source_id"]} for row in forensics]
    dealt = draw_by_people(people, SHARES, options.seed, report)
    return tests + [row | {"subject_id": None} for row in dealt]


def _read_lists(root: Path, given: Path | None) -> tuple[dict[str, tuple[str, str]], frozenset[str] | None]:
    """The lists of FaceForensics++ (number -> split and partner) and the test list of Celeb-DF v2, as far as there."""
    forensics, celeb = find_folder(root, "FaceForensics++"), find_folder(root, "Celeb-DF-v2")
    has_numbers = given is not None and any(find_file([given], name) for name in faceforensics.LISTS.values())
    path = find_file([given] if given else [root, *([celeb] if celeb else [])], celeb_df.LIST)
    if given and not has_numbers and not path:
        raise DatasetError(
            f"there is none of the official lists {', '.join(_LISTS)}",
            where=given,
            next_step="name the folder that they lie in, with --splits DIR",
        )
    homes = [given] if has_numbers and given else [root, *([forensics] if forensics else [])]
    numbers = next(filter(None, (faceforensics.read_lists(home, None) for home in homes)), {})
    return numbers, celeb_df.read_list(path) if path else None


def _is_listed(row: Row, listed: frozenset[str], report: Report) -> bool:
    """Whether a row is none of Celeb-DF's reals, or one of its test list."""
    part, _, name = str(row["id"]).partition("/")
    if row["domain"] != "cdf" or row["label"] or f"{part}/{name.casefold()}.mp4" in listed:
        return True
    report.add_odd("reals of Celeb-DF that its test list does not name, left out", str(row["path"]))
    return False


def _split_officially(rows: list[Row], numbers: dict[str, tuple[str, str]], report: Report) -> list[Row]:
    kept = []
    for row in rows:
        split, _ = numbers.get(str(row["source_id"]), (None, None))
        theirs, _ = numbers.get(str(row["donor_id"]), (split, None))
        if split is None:
            report.add_odd(faceforensics.UNLISTED, str(row["path"]))
        elif theirs != split:
            report.add_odd("fakes of two people from two official splits, left out", str(row["path"]))
        else:
            kept.append(row | {"split": split, "split_rule": "official"})
    return kept


ADAPTER = Adapter(
    name="df40",
    title="DF40",
    layout="DF40/simswap/ff/frames/001_870/000.png, and FaceForensics++/ and Celeb-DF-v2/ with the reals",
    about=About(("video", "image"), None, None, None, "CC BY-NC 4.0", "form, https://github.com/YZY-stack/DF40"),
    read=read,
    options=frozenset({"splits"}),
)
