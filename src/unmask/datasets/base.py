"""What every adapter shares: its shape, its options, and how rows become a manifest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import polars as pl

from unmask.datasets.files import NOT_MEDIA, folders
from unmask.datasets.report import Report, printable
from unmask.media.kinds import count_endings
from unmask.tables.errors import DatasetError
from unmask.tables.manifest import REQUIRED

#: One row of a manifest as adapters build it: column name to value. ``dataset`` is filled in for all, and ``root``
#: where a row has none of its own. A sequence of frames is one row: ``media`` is video, and ``path`` the folder that
#: holds the pictures, which may lie in an archive: ``real_train/1.tar.gz/1/real/131``.
Row = dict[str, str | int | None]

#: Columns besides the required ones that ``build_manifest`` knows the order of.
FURTHER = ("root", "method", "source_id", "subject_id", "donor_id", "compression", "split_rule")


#: Folders that the message about an empty dataset names.
_SHOWN = 8


@dataclass(frozen=True)
class Options:
    """What the user may ask of an adapter; see ``unmask.datasets.index`` for the meaning of each."""

    seed: int = 0
    hold_out: tuple[str, ...] = ()
    subject_from: str | None = None
    method_from: str | None = None
    splits: Path | None = None
    reals: Path | None = None


@dataclass(frozen=True)
class About:
    """What a dataset is, as its makers state it, for those who look for one.

    Attributes:
        media: what its rows are, of "video", "image" and "audio".
        real: number of real files; None where it depends on the user.
        fake: number of forged files.
        subjects: number of people; None where the makers do not say.
        licence: under which terms, in a few words.
        access: how to get it, in a few words, and where.
    """

    media: tuple[str, ...]
    real: int | None
    fake: int | None
    subjects: int | None
    licence: str
    access: str


@dataclass(frozen=True)
class Adapter:
    """One dataset: how its folder becomes rows.

    Attributes:
        name: its key in ``ADAPTERS``.
        title: its name as people write it.
        layout: what the root should hold, one line, for the message when nothing is found.
        about: what the dataset is.
        read: (root, options, report) -> rows.
        options: the fields of ``Options`` that it has a use for; ``seed`` is always allowed.
        dataset: (root) -> the ``dataset`` column; the adapter's name where not given.
        table: whether the root is a table of files, not a folder; paths are then relative to the table's folder.
    """

    name: str
    title: str
    layout: str
    about: About
    read: Callable[[Path, Options, Report], list[Row]]
    options: frozenset[str] = frozenset()
    dataset: Callable[[Path], str] | None = None
    table: bool = False

    def index(self, root: Path, options: Options, report: Report) -> pl.DataFrame:
        """The manifest of the dataset at ``root``; see ``unmask.datasets.index``."""
        self._refuse_unused(options)
        if not (root.exists() if self.table else root.is_dir()):
            what = "there is no such table" if self.table else "there is no such folder"
            if root.is_file():
                what = "this is a file, not a folder; an archive must be unpacked first"
            raise DatasetError(what, where=root, next_step=f"{self.title} has {self.layout}")
        # A link to a table stands for a table here, not where it leads to.
        root = root.parent.resolve() / root.name if self.table else root.resolve()
        if any("\ud800" <= sign <= "\udfff" for sign in str(root)):
            what = "the path has a name in it that is not UTF-8, and no table can carry it"
            raise DatasetError(what, where=printable(str(root)), next_step="rename the folder")
        rows = self.read(root, options, report)
        if not rows:
            raise self._nothing_found(root, report)
        home = root.parent if self.table else root
        return build_manifest(rows, home, self.dataset(root) if self.dataset else self.name)

    def _nothing_found(self, root: Path, report: Report) -> DatasetError:
        """The error that says what was looked for, and what lies there instead."""
        inside = [f"{name}/" for name in folders(root)]
        files = [path for path in root.iterdir() if path.is_file()]
        counted = [f"{len(files):,} files: {count_endings(files)}"] if files else []
        there = [*inside[:_SHOWN], *(["..."] if inside[_SHOWN:] else []), *counted]
        left_out = report.odd.get(NOT_MEDIA)
        return DatasetError(
            f"nothing to index was found; {self.name} looks for {self.layout}"
            + (f"; files of other endings were left out: {count_endings(left_out)}" if left_out else ""),
            where=f"{root} (it holds {', '.join(there) or 'nothing'})",
            next_step=f"give the folder that holds these, or lay the files out so (data/{self.name}.md shows the tree)",
        )

    def _refuse_unused(self, options: Options) -> None:
        for option in fields(options):
            given = getattr(options, option.name) != option.default
            if given and option.name not in self.options | {"seed"}:
                flag = "--" + option.name.replace("_", "-")
                raise DatasetError(
                    f"{flag} does not apply to {self.name}: {self.title} has its own way for that",
                    next_step=f"leave {flag} out",
                )


def build_manifest(rows: Sequence[Row], root: Path, dataset: str) -> pl.DataFrame:
    """Rows to a manifest: sorted by id, ``root`` and ``dataset`` filled in, columns without any value left out.

    Raises:
        DatasetError: an id stands twice.
    """
    _refuse_repeated(rows, root)
    rows = sorted(rows, key=lambda row: str(row["id"]))
    names = dict.fromkeys([*REQUIRED, *FURTHER, *(name for row in rows for name in row)])
    filled = {"dataset": dataset, "root": str(root)}
    columns = {}
    for name in names:
        default = filled.get(name)
        values = [row.get(name, default) for row in rows]
        kinds = {type(value) for value in values if value is not None}
        if name in REQUIRED or kinds:
            columns[name] = pl.Series(values, dtype=REQUIRED.get(name, pl.Int64 if kinds == {int} else pl.String))
    return pl.DataFrame(columns)


def _refuse_repeated(rows: Sequence[Row], root: Path) -> None:
    seen: dict[object, Row] = {}
    for row in rows:
        first = seen.setdefault(row["id"], row)
        if first is not row:
            raise DatasetError(
                f"the id {row['id']!r} stands for two files: {first['path']} and {row['path']}",
                where=root,
                next_step="keep one of the two, or index their folders one at a time",
            )
