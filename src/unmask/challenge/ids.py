"""The ids that entrants see: whether they tell the label, and new ones that tell nothing."""

from __future__ import annotations

import re
import secrets
import string
from collections import Counter
from pathlib import PurePosixPath

import numpy as np

from unmask.scoring.metrics import roc_auc
from unmask.tables.reading import shown

#: The ids tell the label where they tell it of so large a share of the fakes, and of the reals.
_NEARLY = 0.9
#: The order of ids is looked at where each class has at least so many: that of fewer may be chance.
_FEWEST = 10
#: Letters of a new id. There are 26^10 = 1.4e14, and no spreadsheet takes one for a number.
_LETTERS = 10
#: What is taken for a file's ending; ".0001" of a folder of frames is rather part of its name.
_ENDING = re.compile(r"\.[a-z][a-z0-9]{1,4}", re.ASCII)
_RUN = re.compile(r"(?P<digits>\d+)|[^\W\d_]+")


def find_tells(ids: list[str], labels: list[int]) -> list[str]:
    """What of the ids tells the label, a phrase each; empty where nothing does.

    Looked at are

    * folders: the first, the first two, ... before the last "/";
    * words: runs of letters or of digits, without case;
    * the pattern of the name behind the last "/": its runs of letters and digits without what they are ("a0_a0.a0");
    * the order of the ids, numbers in them as numbers, where none of the above tells: whether one class stands first.

    The first three tell the label of an id if most of the *other* ids with the same folder, word (or without it) or
    pattern have it, so that names which stand once, as in the Deepfake Detection Challenge, tell nothing. They tell the
    labels if they tell at least ``_NEARLY`` of the fakes' and of the reals'. The order does if a fake stands behind a
    real, or before it, with at least that probability.

    Args:
        ids: (N,).
        labels: (N,), 1 = fake, 0 = real.
    """
    found = []
    depths = max((name.count("/") for name in ids), default=0)
    for depth in range(1, depths + 1):
        folders = ["/".join(name.split("/")[:-1][:depth]) for name in ids]
        if _share_told(_counts(folders, labels)) >= _NEARLY:
            found.append(f"by their folders ({_examples(folders, labels)})")
            break
    words = _telling_words(ids, labels)
    if words:
        found.append(f"by the word{'s' if len(words) > 1 else ''} {', '.join(shown(word) for word in words)}")
    patterns = [_RUN.sub(lambda run: "0" if run["digits"] else "a", name.rpartition("/")[2]) for name in ids]
    if _share_told(_counts(patterns, labels)) >= _NEARLY:
        found.append(f"by the pattern of their names ({_examples(patterns, labels)})")
    if not found and min(labels.count(0), labels.count(1)) >= _FEWEST:
        order = {name: place for place, name in enumerate(sorted(ids, key=_in_order))}
        auc = roc_auc(np.array(labels), np.array([order[name] for name in ids]))
        if max(auc, 1 - auc) >= _NEARLY:
            found.append(f"by their order (the {'reals' if auc > 0.5 else 'fakes'} stand first)")
    return found


def _counts(values: list[str], labels: list[int]) -> list[tuple[int, int]]:
    """Reals and fakes of each value."""
    pairs = Counter(zip(values, labels, strict=True))
    return [(pairs[value, 0], pairs[value, 1]) for value in {value for value, _ in pairs}]


def _share_told(counts: list[tuple[int, int]]) -> float:
    """Of the reals or of the fakes, whichever is less, the share whose label most others of the same value have.

    Args:
        counts: reals and fakes of each value.
    """
    reals = sum(real for real, fake in counts if real - 1 > fake) / max(sum(real for real, _ in counts), 1)
    fakes = sum(fake for real, fake in counts if fake - 1 > real) / max(sum(fake for _, fake in counts), 1)
    return min(reals, fakes)


def _telling_words(ids: list[str], labels: list[int]) -> list[str]:
    """The words by which the labels are told, at most three: those that stand in most ids."""
    pairs = Counter(
        (word, label)
        for name, label in zip(ids, labels, strict=True)
        for word in {run[0].casefold() for run in _RUN.finditer(name)}
    )
    reals, fakes = labels.count(0), labels.count(1)
    telling = []
    for word in {word for word, _ in pairs}:
        real, fake = pairs[word, 0], pairs[word, 1]
        if _share_told([(real, fake), (reals - real, fakes - fake)]) >= _NEARLY:
            telling.append((-real - fake, word))
    return [word for _, word in sorted(telling)[:3]]


def _examples(values: list[str], labels: list[int]) -> str:
    """The most common value of the fakes and that of the reals."""
    pairs = Counter(zip(values, labels, strict=True))
    fake, real = (shown(max((n, v) for (v, own), n in pairs.items() if own == label)[1]) for label in (1, 0))
    return f"such as {fake} for fakes, {real} for reals"


def _in_order(name: str) -> list[tuple[bool, int, str]]:
    return [(not run["digits"], int(run["digits"] or 0), run[0]) for run in _RUN.finditer(name)]


def new_names(paths: list[str]) -> list[str]:
    """A new id for each file: ten drawn letters and the file's own ending in small letters, no two alike.

    They are drawn by the system and not from a challenge's seed: entrants know the seed, and whoever has the dataset
    could draw the same ids and look up which file got which.
    """
    stems: set[str] = set()
    while len(stems) < len(paths):
        stems.add("".join(secrets.choice(string.ascii_lowercase) for _ in range(_LETTERS)))
    endings = [PurePosixPath(path).suffix.lower() for path in paths]
    return [stem + (end if _ENDING.fullmatch(end) else "") for stem, end in zip(stems, endings, strict=True)]
