"""Files that look alike and should not: in two splits, under two labels, in two manifests.

Two pictures look alike if their 64-bit perceptual hashes differ in at most ``NEAR`` bits. Of a video or a sequence the
first, the middle and the last frame are compared, each with the same one of the other, and two of the three must look
alike. Flat frames look like nothing. A fake looks like the real that it was made of, and like what else shows that
person: where the manifest says that two files are of one source or one subject, they are told between splits alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import polars as pl

from unmask.datasets.audit.findings import Finding, Pair, Side, finding
from unmask.datasets.splits import dealt_one_by_one
from unmask.tables.manifest import SPLITS, media_path

#: Hashes that differ in at most this many of their 64 bits are of pictures that look alike.
NEAR = 4
#: Pairs that are kept of each finding: to be named, and to be shown.
KEPT = 24
#: Pairs of files that are compared at a time: bounds the memory.
_AT_A_TIME = 1_000_000

#: Masks that share the 64 bits of a hash evenly: bit 0 is in the first, bit 1 in the second, and so on.
_BANDS = [np.uint64(sum(1 << bit for bit in range(band, 64, NEAR + 1))) for band in range(NEAR + 1)]
#: Number of 16 bits -> how many of them are 1.
_ONES = np.array([number.bit_count() for number in range(1 << 16)], dtype=np.uint8)

#: Media -> frames of a file that are compared, and how many of them must look alike.
_NEEDED = {"image": (1, 1), "video": (3, 2)}
_PLURAL = {"image": "pictures", "video": "videos"}

#: What two files have that should not look alike: ("splits", "train", "test"), ("labels",) or ("manifests", "a", "b").
_Key = tuple[str, ...]


@dataclass
class _Tally:
    """What was found of one kind: how many pairs, which files have one, and some pairs that share no file.

    Attributes:
        pairs: how many.
        seen: row numbers of the second files of all pairs.
        kept: row numbers of the two files of some, and the first frame in which they look alike.
    """

    pairs: int = 0
    seen: set[int] = field(default_factory=set)
    kept: list[tuple[int, int, int]] = field(default_factory=list)

    def add(self, ones: np.ndarray, others: np.ndarray, frames: np.ndarray) -> None:
        """Count pairs of row numbers, each with the first frame in which the two look alike; (n,) each."""
        self.pairs += len(ones)
        self.seen.update(np.unique(others).tolist())
        if len(self.kept) == KEPT:
            return
        used = {number for one, other, _ in self.kept for number in (one, other)}
        firsts = np.unique(ones, return_index=True)[1]  # a file that looks like many others is told once
        for place in np.sort(firsts).tolist():
            one, other, frame = int(ones[place]), int(others[place]), int(frames[place])
            if len(self.kept) < KEPT and not used & {one, other}:
                used |= {one, other}
                self.kept.append((one, other, frame))


def find_near_duplicates(
    rows: pl.DataFrame, splits: Sequence[str] = SPLITS
) -> tuple[list[Finding], list[Pair], list[str]]:
    """Files that look alike.

    Args:
        rows: as ``files.look`` gives them; those with a fault are left out.
        splits: what the column ``split`` may hold, in the order in which findings tell them.

    Returns:
        The findings, pairs of them to look at (``KEPT`` of each at most, those of all findings by turns), and notes of
        what could not be compared.
    """
    findings, shown, notes = [], [], []
    for media in _NEEDED:
        files = rows.filter((pl.col("media") == media) & pl.col("fault").is_null() & pl.col("hashes").is_not_null())
        notes += _flat(files["hashes"], media)
        for key, tally in _compared(files, media, splits).items():
            told, pairs = _told(key, tally, files, media)
            findings.append(told)
            shown.append(pairs)
    turns = [pairs[turn] for turn in range(KEPT) for pairs in shown if turn < len(pairs)]
    return findings, turns, notes


def _compared(files: pl.DataFrame, media: str, splits: Sequence[str]) -> dict[_Key, _Tally]:
    """The tallies of all kinds of pairs that there are, those between splits first."""
    hashes, related = _Hashes.of(files["hashes"], _NEEDED[media][0]), _Related(files)
    tallies: dict[_Key, _Tally] = {}
    for (one, ones), (other, others) in combinations(_groups(files, splits), 2):
        key = _key(one, other)
        if key is None:
            continue
        for first, second, frames in _near(hashes[ones], hashes[others], _NEEDED[media][1]):
            pair = ones[first], others[second]
            wanted = np.full(len(first), fill_value=True) if key[0] == "splits" else ~related(*pair)
            if wanted.any():
                if key == ("labels",) and one.label == 1:  # the real is named first
                    pair = pair[::-1]
                tallies.setdefault(key, _Tally()).add(pair[0][wanted], pair[1][wanted], frames[wanted])
    return dict(sorted(tallies.items(), key=lambda item: list(_WORDS).index(item[0][0])))


def _flat(hashes: pl.Series, media: str) -> list[str]:
    """How many files were not compared because of flat frames, and how many frames were left out; nothing for none."""
    known = hashes.list.drop_nulls().list.len()
    left_out, files = int((hashes.list.len() - known).sum()), int((known < _NEEDED[media][1]).sum())
    if not left_out:
        return []
    if media == "image":
        return [f"{files:,} pictures are of nearly one colour, and were not compared by their looks"]
    frames = f"{left_out:,} of the frames that videos are compared by are of nearly one colour, and were left out"
    return [f"{frames}: {files:,} videos were therefore not compared by their looks"]


@dataclass(frozen=True)
class _Group:
    split: str
    label: int | None
    manifest: str


def _groups(files: pl.DataFrame, splits: Sequence[str]) -> list[tuple[_Group, np.ndarray]]:
    """The rows' numbers by split, label and manifest, in the order of the splits and of the manifests."""
    numbered = files.with_row_index("number")
    found = [
        (_Group(split, label, manifest), part["number"].to_numpy().astype(np.int64))
        for (split, label, manifest), part in numbered.group_by("split", "label", "manifest", maintain_order=True)
    ]
    order = {manifest: place for place, manifest in enumerate(files["manifest"].unique(maintain_order=True))}
    return sorted(found, key=lambda pair: (splits.index(pair[0].split), order[pair[0].manifest]))


def _key(one: _Group, other: _Group) -> _Key | None:
    """What is wrong with a file of one group that looks like one of the other; None for nothing."""
    if one.split != other.split:
        return "splits", one.split, other.split
    if {one.label, other.label} == {0, 1}:
        return ("labels",)
    return ("manifests", one.manifest, other.manifest) if one.manifest != other.manifest else None


class _Related:
    """Tells, by row numbers, which files are of one source or one subject of a dataset, or are copies of each other."""

    def __init__(self, files: pl.DataFrame) -> None:
        names = [pl.concat_str(pl.col("dataset"), pl.col(name), separator="\0") for name in ("source_id", "subject_id")]
        # Null, where a name is not known, must be like no other null.
        self._codes = [
            files.select(name.rank("dense").fill_null(-1).cast(pl.Int64)).to_series().to_numpy()
            for name in (*names, pl.col("digest"))
        ]

    def __call__(self, ones: np.ndarray, others: np.ndarray) -> np.ndarray:
        """(n,) bool for pairs of row numbers."""
        return np.any([(codes[ones] == codes[others]) & (codes[ones] >= 0) for codes in self._codes], axis=0)


@dataclass(frozen=True)
class _Hashes:
    """Hashes of files: (frames, n) uint64, and which of them are known, (frames, n) bool: not those of flat frames."""

    bits: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, hashes: pl.Series, frames: int) -> _Hashes:
        """Of the column ``hashes``."""
        places = [hashes.list.get(place, null_on_oob=True) for place in range(frames)]
        bits = np.stack([place.fill_null(0).to_numpy() for place in places])
        return cls(bits, np.stack([place.is_not_null().to_numpy() for place in places]))

    def __getitem__(self, numbers: np.ndarray) -> _Hashes:
        """Those of some files."""
        return _Hashes(self.bits[:, numbers], self.known[:, numbers])


def _near(ones: _Hashes, others: _Hashes, needed: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Pairs in which at least ``needed`` frames look alike, some at a time: two indices and the first such frame.

    Hashes that differ in ``NEAR`` bits are the same in at least one of ``NEAR + 1`` bands, so that only files of one
    band are compared. A pair is given once: for the first frame that is alike, and the first band in which it is.
    """
    frames = len(ones.bits)
    for frame in range(frames - needed + 1):
        for band in range(len(_BANDS)):
            for first, second in _of_one_band(ones, others, frame, band):
                bits = ones.bits[:, first] ^ others.bits[:, second]  # (frames, pairs)
                alike = (_count_bits(bits) <= NEAR) & ones.known[:, first] & others.known[:, second]
                found = alike[frame] & ~alike[:frame].any(axis=0) & (alike.sum(axis=0) >= needed)
                for earlier in _BANDS[:band]:
                    found &= (bits[frame] & earlier) != 0
                if found.any():
                    yield first[found], second[found], np.full(found.sum(), frame)


def _of_one_band(ones: _Hashes, others: _Hashes, frame: int, band: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All pairs of known hashes that are the same in one band, as indices, about ``_AT_A_TIME`` at a time."""
    first = np.flatnonzero(ones.known[frame])
    second = np.flatnonzero(others.known[frame])
    keys = others.bits[frame, second] & _BANDS[band]
    order = np.argsort(keys, kind="stable")
    second, keys = second[order], keys[order]
    wanted = ones.bits[frame, first] & _BANDS[band]
    starts = np.searchsorted(keys, wanted)
    counts = np.searchsorted(keys, wanted, side="right") - starts
    ends = np.cumsum(counts)
    left = 0
    while left < len(first):
        done = ends[left - 1] if left else 0
        right = max(int(np.searchsorted(ends, done + _AT_A_TIME, side="right")), left + 1)
        some = counts[left:right]
        # Each one's run of others: its start, and a step further for each pair after its first.
        steps = np.arange(some.sum()) - np.repeat(ends[left:right] - some - done, some)
        yield np.repeat(first[left:right], some), second[np.repeat(starts[left:right], some) + steps]
        left = right


def _count_bits(numbers: np.ndarray) -> np.ndarray:
    """How many bits of each uint64 are 1; numpy has it from version 2 on."""
    return _ONES[numbers[..., None].view(np.uint16)].sum(axis=-1, dtype=np.uint8)


def _told(key: _Key, tally: _Tally, files: pl.DataFrame, media: str) -> tuple[Finding, list[Pair]]:
    plural, alike = _PLURAL[media], len(tally.seen)
    pairs = [
        Pair(media, frame, _side(files.row(one, named=True)), _side(files.row(other, named=True)))
        for one, other, frame in tally.kept
    ]
    what, next_step = _WORDS[key[0]](key, plural, files)
    told = f"{what}: {alike:,} of them, in {tally.pairs:,} pair{'' if tally.pairs == 1 else 's'}"
    places = [f"{pair.first.place} ~ {pair.second.place}" for pair in pairs]
    return finding("near_duplicate", told, places, next_step, count=tally.pairs), pairs


def _side(row: dict[str, object]) -> Side:
    return Side(str(media_path(row)), str(row["place"]), str(row["split"]), row["label"])  # type: ignore[arg-type]


def _splits(key: _Key, plural: str, files: pl.DataFrame) -> tuple[str, str]:
    return f"{plural} of {key[2]} look like one of {key[1]}", _keep_together(files)


def _labels(key: _Key, plural: str, files: pl.DataFrame) -> tuple[str, str]:
    return (
        f"{plural} that are called fake look like a real of the same split, of which they are not said to be made",
        "look at the pairs: give a fake and the real that it was made of one source_id; where neither was made of the "
        "other, find out which label is true",
    )


def _manifests(key: _Key, plural: str, files: pl.DataFrame) -> tuple[str, str]:
    return (
        f"{plural} of {key[2]} look like one of the same split of {key[1]}",
        "look at the pairs: what is the same recording would count twice, so leave it out of one manifest",
    )


_WORDS: dict[str, Callable[[_Key, str, pl.DataFrame], tuple[str, str]]] = {
    "splits": _splits,
    "labels": _labels,
    "manifests": _manifests,
}


def _keep_together(rows: pl.DataFrame) -> str:
    """How to keep look-alikes together, by what the split was drawn from."""
    if any(dealt_one_by_one(rule) for rule in rows["split_rule"].drop_nulls().unique()):
        return (
            "the split was drawn file by file: index again with --subject-from folder, if each person has a folder "
            "(real/<person>/..., fake/<person>/...); else with a metadata.csv that has a column subject_id or source_id"
        )
    return (
        "look at the pairs: what shows one scene or one person belongs into one split, so move it there, or give it "
        "one subject_id or source_id and index again"
    )
