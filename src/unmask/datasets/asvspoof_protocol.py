"""What the ASVspoof datasets have in common: protocols, which name each sound file, and the folders that hold them.

A protocol is a table of plain ASCII text without a header, one utterance a line, its cells parted by blanks, whatever
the ending of its name says::

    LA_0079 LA_T_1138215 - - bonafide
    LA_0079 LA_T_1271820 - A01 spoof

Here ``bonafide`` is real and ``spoof`` is fake. In the score files of ASVspoof **a higher score means bona fide**, the
opposite of ours; the labels of a manifest are turned round already.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from unmask.datasets.base import Row
from unmask.datasets.files import bare, find_file, find_folder, folders, media_files
from unmask.datasets.report import Report
from unmask.tables.errors import DatasetError, Faults, Problem, TableError
from unmask.tables.manifest import SPLITS
from unmask.tables.reading import MAX_BYTES, shown

#: Key -> label.
KEYS = {"bonafide": 0, "spoof": 1}
#: What stands in a cell that does not apply.
BLANK = "-"
NO_SOUND = "files that are not sound named like an utterance, left out"

_FOREIGN = re.compile(r"[^\t\r\n -~]")
_UNCHANGED = "download it again, unchanged"


@dataclass(frozen=True)
class Form:
    """How a protocol is written.

    Attributes:
        columns: the names of its cells in their order; among them name, attack and key.
        name: what an utterance is called, as a regular expression without groups.
        real: what stands for the attack of a bona fide utterance.
        example: a line of it, for messages.
    """

    columns: tuple[str, ...]
    name: str
    real: str
    example: str


@dataclass(frozen=True)
class Part:
    """One official part of a dataset.

    Attributes:
        name: as its makers call it.
        split: the split that it is here.
        protocol: the file that names its utterances.
        expected: how many those are.
    """

    name: str
    split: str
    protocol: str
    expected: int


def read_protocol(path: Path, form: Form) -> dict[str, tuple[str, ...]]:
    """The cells of each utterance, by its name.

    A name may have a folder before it, in either slash, and an ending after it. What is found is only ever compared
    with the names of files that are there, so that no line can lead out of the root.

    Raises:
        TableError: with every fault of the file.
    """
    faults = Faults(path)
    text = _read_text(path, faults)
    name_at, attack_at, key_at = (form.columns.index(column) for column in ("name", "attack", "key"))
    names = re.compile(rf"(?:.*[\\/])?({form.name})(?:\.\w+)?", re.ASCII)
    known: dict[str, str] = {}
    found: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        cells = line.split(None, len(form.columns))  # one more at most, however long the line
        if not cells:
            continue
        match = names.fullmatch(cells[name_at]) if len(cells) == len(form.columns) else None
        if match is None:
            what = f"{shown(line.strip())} is not of the form {form.example!r}"
            faults.append(Problem(number, what, _UNCHANGED))
            continue
        name, key = match[1], cells[key_at]
        if key not in KEYS:
            faults.append(Problem(number, f"the key {shown(key)} is neither bonafide nor spoof", _UNCHANGED))
        elif (cells[attack_at] == form.real) is bool(KEYS[key]):
            what = f"the attack {shown(cells[attack_at])} contradicts the key {shown(key)}"
            faults.append(Problem(number, what, _UNCHANGED))
        elif name in found:
            faults.append(Problem(number, f"the utterance {shown(name)} stood on a line above", _UNCHANGED))
        cells[name_at] = ""
        # Hundreds of thousands of lines share a few thousand cells.
        found[name] = tuple(known.setdefault(cell, cell) for cell in cells)
    faults.refuse()
    if not found:
        raise TableError(path, [Problem(0, "the file is empty", _UNCHANGED)])
    return found


def _read_text(path: Path, faults: Faults) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise TableError(path, [Problem(0, f"more than {MAX_BYTES:,} bytes are no protocol", _UNCHANGED)])
    # Each byte is one sign, so that a file of any encoding can be told what is wrong with it, line by line.
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    line, seen = 1, 0
    for match in _FOREIGN.finditer(text):
        line, seen = line + text.count("\n", seen, match.start()), match.start()
        faults.append(Problem(line, f"a sign beyond plain ASCII, {shown(match[0])}", _UNCHANGED))
    faults.refuse()
    return text


def folder_at(folder: Path, path: str) -> Path | None:
    """The folder at ``path`` below ``folder``, each step of it spelt as ``find_folder`` allows."""
    found: Path | None = folder
    for name in path.split("/"):
        found = find_folder(found, name) if found else None
    return found


def folders_called(starts: str, places: Sequence[Path]) -> list[Path]:
    """The folders directly in ``places`` whose names begin with ``starts``, as ``find_folder`` spells."""
    return [place / name for place in places for name in folders(place) if bare(name).startswith(bare(starts))]


def sound_files(folder: Path, root: Path, form: Form, report: Report) -> Iterator[tuple[str, str]]:
    """The utterances directly in ``folder``: (name, path relative to ``root``), in no order."""
    names = re.compile(form.name, re.ASCII)
    for file, path, media in media_files(folder, root, report):
        name = file.rpartition(".")[0]
        if media == "audio" and names.fullmatch(name):
            yield name, path
        else:
            report.add_odd(NO_SOUND, path)


def read_part(
    part: Part, homes: Sequence[Path], places: Sequence[Path], form: Form, root: Path, report: Report
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The utterances of one part that are there and that its protocol names.

    Args:
        part: the part.
        homes: folders that hold its sound files; where there are none, no protocol is needed.
        places: folders that its protocol may lie in.
        form: how the protocol is written.
        root: what paths are relative to.
        report: told how much is there, and of files that the protocol does not name.

    Yields:
        (name, path relative to ``root``, cells).

    Raises:
        DatasetError: the protocol is missing: the files cannot be told apart.
        TableError: with every fault of the protocol.
    """
    listed = read_protocol(_find_protocol(part, homes, places), form) if homes else {}
    found, unlisted = 0, 0
    for home in homes:
        for name, path in sound_files(home, root, form, report):
            cells = listed.get(name)
            if cells is None:
                unlisted += 1
                continue
            found += 1
            yield name, path, cells
    report.count(f"{part.name} ({part.protocol})", part.expected, found)
    if homes and len(listed) != part.expected:
        report.note(
            f"{part.protocol} names {len(listed):,} utterances where the published one names {part.expected:,}: "
            "numbers will not compare with published ones"
        )
    if unlisted:
        report.note(
            f"sound files of {part.name} that {part.protocol} does not name, left out: {unlisted:,}; the makers put "
            "utterances there that only enrol speakers for verification"
        )


def _find_protocol(part: Part, homes: Sequence[Path], places: Sequence[Path]) -> Path:
    path = find_file(places, part.protocol)
    if path is None:
        raise DatasetError(
            f"there is no {part.protocol}, which says what is real and what is fake in {homes[0].name}",
            where=", ".join(map(str, places)),
            next_step="put it there, or name the folder that it lies in with --splits",
        )
    return path


def note_speakers(rows: Sequence[Row], report: Report) -> None:
    """Say how many speakers each split has, and whether somebody is heard in two."""
    speakers: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        speakers[str(row["split"])].add(str(row["subject_id"]))
    counts = ", ".join(f"{len(speakers[split]):,} in {split}" for split in SPLITS if split in speakers)
    shared = sum(map(len, speakers.values())) - len(set().union(*speakers.values()))
    if shared:
        report.warn(
            f"the protocols give {counts}, and some speakers to two splits, which the published ones do not: a score "
            "on the test split would flatter; download the protocols again"
        )
    elif rows:
        report.note(f"speakers by the protocols: {counts}; nobody is heard in two splits")


def in_row(name: str, path: str, key: str, attack: str, split: str) -> Row:
    """The columns of a manifest that every ASVspoof dataset fills."""
    label = KEYS[key]
    return {
        "id": name,
        "path": path,
        "media": "audio",
        "label": label,
        "split": split,
        "split_rule": "official",
        "method": attack if label else None,
    }
