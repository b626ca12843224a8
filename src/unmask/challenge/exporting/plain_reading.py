"""The strict check of a submission in plain Python: told without a look at any label.

Bundles for other platforms carry this file as it stands: it needs the standard library of Python 3.7 and no more. What
it takes and refuses is what ``unmask.challenge.submission`` does; of kinds of files it knows CSV alone.
"""

# Of what Python 3.7 does not know, ruff would ask for these.
# ruff: noqa: UP006, UP035, UP045

import csv
import io
import math
import re
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

#: Faults that a message lists.
MOST = 50
#: Characters that a cell may have.
LONGEST = 4096
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)


class Refused(Exception):  # noqa: N818  # a finding, not a fault
    """The submission cannot be scored. ``faults`` says why, one each."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = list(faults)
        told = self.faults[:MOST]
        if len(self.faults) > MOST:
            told.append(f"... and {len(self.faults) - MOST:,} more")
        count = f"{len(self.faults):,} problem{'' if len(self.faults) == 1 else 's'} in the submission:"
        super().__init__("\n".join([count, *told]))


class Row(NamedTuple):
    """One row of a submission.

    Attributes:
        place: its line, or in words where it stands.
        id: as it stands there.
        score: the cell as it stands there: text, or what a reader made of it.
    """

    place: Any
    id: Any
    score: Any


class Answer(NamedTuple):
    """One row of an answer key: label 1 = fake, 0 = real, None where the row does not count."""

    label: Optional[int]
    usage: str


def shown(value: object) -> str:
    """A value as a message may carry it: cut, and everything beyond ASCII escaped."""
    text = value if isinstance(value, str) else repr(value)
    cut = text if len(text) <= 60 else text[:60] + "..."
    return '"' + cut.encode("unicode_escape").decode("ascii") + '"'


def read_submission(data: bytes, ids: Sequence[str], megabytes: int) -> Dict[str, float]:
    """The score of each id.

    Args:
        data: a CSV file: ``id,score`` or ``filename,label``.
        ids: every id that must be answered.
        megabytes: that the file may have.

    Raises:
        Refused: with every fault of the file.
    """
    faults: List[str] = []
    rows = _read_rows(data, megabytes, faults)
    return check_rows(rows, ids, faults)


def check_rows(rows: Sequence[Row], ids: Sequence[Any], faults: Sequence[str] = ()) -> Dict[Any, float]:
    """The score of each id, if each has exactly one, a number in [0, 1], and there are no other rows.

    Args:
        rows: of the submission.
        ids: every id that must be answered.
        faults: those that were found before.

    Raises:
        Refused: with every fault.
    """
    told = list(faults)
    asked = set(ids)
    seen: Dict[Any, Any] = {}
    scores: Dict[Any, float] = {}
    for row in rows:
        score = _number(row.score)
        if row.id in seen:
            told.append(f"{_told(row.place)}: the id {shown(row.id)} stood at {_told(seen[row.id])} already")
        elif row.id not in asked:
            told.append(f"{_told(row.place)}: the id {shown(row.id)} is not asked for")
        seen.setdefault(row.id, row.place)
        if score is None:
            told.append(f"{_told(row.place)}: the score {shown(row.score)} is not a number from 0 to 1, such as 0.25")
        else:
            scores[row.id] = score
    told += [f"there is no row for the id {shown(name)}" for name in ids if name not in seen]
    if told:
        raise Refused(told)
    return scores


def _told(place: object) -> str:
    return f"line {place}" if isinstance(place, int) else str(place)


def _number(cell: object) -> Optional[float]:
    """A cell as a number in [0, 1], or None. Stricter than ``float``: no blanks, underscores or other scripts."""
    if isinstance(cell, str):
        cell = float(cell) if _NUMBER.fullmatch(cell) else None
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        return None
    return float(cell) if math.isfinite(cell) and 0 <= cell <= 1 else None


def _read_rows(data: bytes, megabytes: int, faults: List[str]) -> List[Row]:
    """The rows of a CSV file that have the form of one; what is wrong with others goes to ``faults``."""
    if len(data) > megabytes * 1000000:
        raise Refused([f"the file has more than {megabytes:,} megabytes"])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused([f"byte {error.start} is not UTF-8 text: save the file as UTF-8"]) from error
    if "\0" in text:
        raise Refused(["there is a NUL byte: save the file as plain UTF-8 text"])
    csv.field_size_limit(LONGEST)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: List[Row] = []
    places: Optional[Tuple[int, int]] = None
    line = 1
    try:
        for cells in reader:
            if places is None:
                places = _places(cells)
            elif not cells:
                faults.append(f"line {line}: an empty line")
            elif len(cells) != 2:
                faults.append(f"line {line}: {len(cells)} cell{'' if len(cells) == 1 else 's'} where the header has 2")
            elif reader.line_num > line:
                faults.append(f"line {line}: a quoted cell runs over several lines")
            else:
                rows.append(Row(line, cells[places[0]], cells[places[1]]))
            line = reader.line_num + 1
    except csv.Error as error:
        raise Refused([*faults, f"line {line}: not CSV from here on ({error})"]) from error
    if places is None:
        raise Refused(["the file is empty: it has no header"])
    return rows


def _places(header: List[str]) -> Tuple[int, int]:
    """Where the id and the score stand."""
    for names in (["id", "score"], ["filename", "label"]):
        if sorted(header) == sorted(names):
            return header.index(names[0]), header.index(names[1])
    told = ", ".join(shown(name) for name in header[:10])
    raise Refused([f"line 1: the columns are {told} where id,score are asked for, exactly"])


def read_key(path: str) -> Dict[str, Answer]:
    """The answers by id, from a CSV file with the columns id, label and usage."""
    with open(path, encoding="utf-8", newline="") as stream:  # noqa: PTH123  # as short as the other would be
        rows = csv.reader(stream, strict=True)
        next(rows)
        return {name: Answer(int(label) if label else None, usage) for name, label, usage in rows}
