"""In-the-Wild: speech of celebrities and politicians from the net, and deepfakes of their voices from the net.

Source: https://deepfake-total.com/in_the_wild; https://huggingface.co/datasets/mueller91/In-The-Wild
(data/in_the_wild.md).
Licence: CC BY-SA 4.0 by its card on Hugging Face; others name Apache-2.0.
Counts: 31,779 = 19,963 real + 11,816 fake, 54 speakers; the paper says 58.
Citation: Müller et al., Does Audio Deepfake Detection Generalize?, Interspeech 2022.

Layout; release_in_the_wild/ may be the root itself::

    release_in_the_wild/0.wav
    release_in_the_wild/meta.csv        file,speaker,label: "4.wav,Christopher Hitchens,bona-fide", or "spoof"

How it is read: ids are the names of the files. ``subject_id`` is the speaker, of a fake whose voice it imitates. There
is no official split, since its makers test on all of it; here it is drawn by speaker. What made a fake is not known.
"""

from __future__ import annotations

from pathlib import Path

from unmask.datasets.base import About, Adapter, Options, Row
from unmask.datasets.files import find_file, find_folder, media_files
from unmask.datasets.report import Report
from unmask.datasets.splits import SHARES, connect, draw, rule
from unmask.tables.checks import check_choices, check_ids, require_columns
from unmask.tables.errors import DatasetError, Problem
from unmask.tables.reading import read_table, shown

TABLE = "meta.csv"
FOLDER = "release_in_the_wild"
CLASSES = {"bona-fide": 0, "spoof": 1}
EXPECTED = 31_779
UNLISTED = f"files that {TABLE} does not name, left out"


def read(root: Path, options: Options, report: Report) -> list[Row]:
    """The rows of the files that are there and that the table names."""
    folder = find_folder(root, FOLDER) or root
    path = find_file([folder, root], TABLE)
    if path is None:
        if folder == root:
            return []
        raise DatasetError(
            f"there is no {TABLE}, which says what is real and what is fake",
            where=folder,
            next_step="unpack release_in_the_wild.zip again: it lies there",
        )
    listed = read_meta(path)
    rows: list[Row] = []
    for name, file, media in media_files(folder, root, report, known=(TABLE, "attribution.txt")):
        if name not in listed:
            report.add_odd(UNLISTED, file)
            continue
        speaker, label = listed[name]
        rows.append({"id": name, "path": file, "media": media, "label": label, "subject_id": speaker})
    report.count(f"files of {TABLE}", EXPECTED, len(rows))
    return _draw(rows, options.seed)


def read_meta(path: Path) -> dict[str, tuple[str, int]]:
    """File name -> (speaker, label); a folder before the name, in either slash, is passed over.

    Raises:
        TableError: with every fault of the table.
    """
    table = read_table(path)
    if not require_columns(table, ("file", "speaker", "label")):
        table.refuse_if_faulty()
    files, speakers = check_ids(table, "file"), check_ids(table, "speaker", unique=False)
    classes = check_choices(table, "label", CLASSES)
    found: dict[str, tuple[str, int]] = {}
    cells: dict[str, str] = {}
    for line, file, speaker, word in zip(table.lines, files, speakers, classes, strict=True):
        name = file.replace("\\", "/").rpartition("/")[2]
        if cells.setdefault(name, file) != file:
            what = f"the file {shown(file)} stood on a line above as {shown(cells[name])}"
            table.problems.append(Problem(line, what, "keep one of the two"))
        found[name] = (speaker, CLASSES[word] if word else 0)
    table.refuse_if_faulty()
    return found


def _draw(rows: list[Row], seed: int) -> list[Row]:
    splits = draw(
        [str(row["id"]) for row in rows],
        [int(str(row["label"])) for row in rows],
        connect([str(row["subject_id"])] for row in rows),
        SHARES,
        seed,
    )
    made = rule("subject", seed, SHARES)
    return [row | {"split": split, "split_rule": made} for row, split in zip(rows, splits, strict=True)]


ADAPTER = Adapter(
    name="in_the_wild",
    title="In-the-Wild",
    layout="release_in_the_wild/ with meta.csv and 0.wav, 1.wav, ...",
    about=About(
        ("audio",), 19_963, 11_816, 54, "CC BY-SA 4.0 by its card", "open, https://deepfake-total.com/in_the_wild"
    ),
    read=read,
)
