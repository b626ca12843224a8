"""WildDeepfake: sequences of faces, real and forged, cut out of videos that were found on the internet.

Source: https://github.com/OpenTAI/wild-deepfake; by form from the authors (data/wild_deepfake.md).
Licence: the makers' agreement, for research only.
Counts: 7,314 sequences from 707 videos, as the makers state; how many of either class they do not say.
Citation: Zi et al., WildDeepfake: A Challenging Real-World Dataset for Deepfake Detection, ACM Multimedia 2020.

Layout: at the root or in ``deepfake_in_the_wild/`` below it, packed or unpacked or both::

    real_train/1.tar.gz                 "real train" on other mirrors; in it: ./1/real/131/942.png
    real_train/1/real/131/942.png       the same, unpacked
    real_test/ fake_train/ fake_test/   likewise

The pictures are faces of 224 pixels, named by the place of their frame in a video that is not given. The archives are
reported to be plain tar files, whatever their ending says; either is read.

How it is read: a row is a sequence; its id ``real_train/1/131`` is the part, the archive and the folder, packed or not.
What lies there both packed and unpacked is one row: that with more pictures, and unpacked where they are equal.
``source_id`` is the archive. Train and test are the makers'. Validation is carved out of train by the numbers of the
archives, because nothing says whether ``real_train/1`` and ``fake_train/1`` are of one video.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.files import find_folder, folders, relative
from unmask.datasets.report import Report
from unmask.datasets.sequences import archived_folders, archives, picture_folders
from unmask.datasets.splits import SHARES_WITHOUT_TEST, connect, deal

#: Folder -> (label, split).
PARTS = {
    f"{name}_{split}": (label, split) for label, name in enumerate(("real", "fake")) for split in ("train", "test")
}
SEQUENCES = 7314

_CLASSES = ("real", "fake")
_SEQUENCE = re.compile(r"(?:.*/)?(?P<archive>\d+)/(?P<word>real|fake)/(?P<name>[^/]+)", re.ASCII | re.IGNORECASE)


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The sequences of the four parts, as far as they are there."""
    rows = []
    for part in PARTS:
        for home in (root, *(root / name for name in folders(root))):
            folder = find_folder(home, part)
            if folder:
                rows += _read_part(part, folder, root, report)
    if rows:
        report.count("sequences", SEQUENCES, len(rows))
    test = [row for row in rows if row["split"] == "test"]
    train = [row for row in rows if row["split"] == "train"]
    numbers = connect([str(row["source_id"]).partition("/")[2]] for row in train)
    return test + deal(train, numbers, "archive", SHARES_WITHOUT_TEST, options.seed)


def _read_part(part: str, folder: Path, root: Path, report: Report) -> list[Row]:
    label, split = PARTS[part]
    kept: dict[str, tuple[int, Row]] = {}
    twice = 0
    for path, count in _found(folder, root, report):
        match = _SEQUENCE.fullmatch(path.removeprefix(relative(folder, root)))
        if match is None:
            report.add_odd("folders of pictures that are not laid out as 1/real/131, left out", path)
            continue
        if _CLASSES.index(match["word"].lower()) != label:
            report.add_odd("sequences in a part of the other class, left out", path)
            continue
        source = f"{part}/{match['archive']}"
        row: Row = {"id": f"{source}/{match['name']}", "path": path, "media": "video", "label": label}
        row |= {"split": split, "split_rule": "official", "source_id": source}
        known = kept.get(str(row["id"]))
        twice += known is not None
        if known is None or known[0] < count:
            kept[str(row["id"])] = (count, row)
    if twice:
        report.note(
            f"{twice:,} sequences of {part} are there more than once, packed and unpacked say, and were kept once"
        )
    return [row for _, row in kept.values()]


def _found(folder: Path, root: Path, report: Report) -> Iterator[tuple[str, int]]:
    """(path, number of pictures) of each sequence, unpacked ones first."""
    packed = archives(folder)
    for path, pictures in picture_folders(folder, root, report, known=packed):
        yield path, len(pictures)
    for name in packed:
        for inside, count in archived_folders(folder / name, root, report).items():
            yield f"{relative(folder, root)}{name}/{inside}", count


ADAPTER = Adapter(
    name="wild_deepfake",
    title="WildDeepfake",
    layout="real_train/, real_test/, fake_train/ and fake_test/, with 1.tar.gz or 1/real/131/942.png in each",
    about=About(
        ("video",), None, None, None, "the makers' agreement", "form, https://github.com/OpenTAI/wild-deepfake"
    ),
    read=read,
)
