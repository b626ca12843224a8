"""What there is to predict, out of whatever a user names: manifests, folders, single files."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from unmask.media import image
from unmask.media.audio import probe_audio
from unmask.media.kinds import count_endings, files_below, media_kind
from unmask.media.video import VideoReader
from unmask.tables.errors import MediaError, UnmaskError
from unmask.tables.manifest import read_manifest
from unmask.tables.reading import shown


@dataclass(frozen=True)
class Inputs:
    """What there is to predict.

    Attributes:
        files: columns id, path, media, root.
        passed_over: files that get no score because of their kind, and why: reason -> paths.
    """

    files: pl.DataFrame
    passed_over: dict[str, list[str]]


#: Reasons for passing over a file of a folder or a row of a manifest: its kind, where another is wanted, and others.
KINDS = {"audio": "sound", "image": "picture", "video": "video"}
UNKNOWN = "ending of neither video, picture nor sound"
HIDDEN = "hidden"
UNWRITABLE = "characters in the name that no table can carry"

#: Beside media lie tables that describe them, and what desktops leave behind: these are no media and not told of.
_TABLES = (".csv", ".json", ".parquet")
_SYSTEM = (".ds_store", "thumbs.db", "desktop.ini")
#: Characters of the longest path that a system takes: a message shows it whole.
_LONGEST = 4096
#: Text that ffmpeg would draw on a screen and call a video.
_DRAWN_TEXT = ("ansi", "bintext", "idf", "xbin")
_COLUMNS = {"id": pl.String, "path": pl.String, "media": pl.String, "root": pl.String}


def inputs_of(
    given: Sequence[str | Path], *, split: str | None = None, media: Collection[str] = ("video", "image")
) -> Inputs:
    """The files of whatever is given: manifests, folders, single files.

    Args:
        given: ``.csv`` or ``.parquet`` manifests; folders, searched through by the endings of files; media files, which
            may have any ending or none.
        split: of manifests, take only this split's rows; then nothing but manifests may be given.
        media: the kinds that are wanted; what else is media is passed over, or refused where it is named itself.

    Returns:
        The files and what was passed over. The id of a file in a folder is its path below the folder; of a single file,
        its name.

    Raises:
        UnmaskError: with every input that is not there or of no known kind; or nothing was found; or two files have one
            id.
    """
    parts, faults = [], []
    for each in given:
        try:
            parts.append(_one_input(Path(each), split, media))
        except UnmaskError as error:
            faults.append(error)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        told = "\n".join(f"{number}. {error}" for number, error in enumerate(faults, start=1))
        raise UnmaskError(f"{len(faults)} of the inputs cannot be used:\n{told}")
    files = pl.concat([part.files for part in parts])
    passed_over: dict[str, list[str]] = {}
    for part in parts:
        for reason, paths in part.passed_over.items():
            passed_over.setdefault(reason, []).extend(paths)
    if not files.height:
        raise UnmaskError(
            "\n  ".join(["there is nothing to predict", *told_passed_over(passed_over)]),
            where=", ".join(map(str, given)),
            next_step=f"give {_told(media)} with their usual endings, or a manifest with rows of them",
        )
    twice = files.filter(pl.col("id").is_duplicated())["id"].unique().sort().to_list()
    if twice:
        raise UnmaskError(
            f"an id stands for more than one file: {twice[0]!r}"
            + (f", and {len(twice) - 1} more" if twice[1:] else ""),
            next_step="predict the inputs one at a time",
        )
    return Inputs(files, passed_over)


def told_passed_over(passed_over: dict[str, list[str]]) -> list[str]:
    """What ``Inputs.passed_over`` holds, a line for each reason: how many files, and of which endings."""
    return [
        f"passed over, {reason}: {len(paths):,} ({count_endings(paths)}), such as {shown(paths[0], _LONGEST)}"
        for reason, paths in passed_over.items()
    ]


def _one_input(given: Path, split: str | None, wanted: Collection[str]) -> Inputs:
    if given.suffix.lower() in (".csv", ".parquet", ".gz") and not given.is_dir():
        return _of_manifest(given, split, wanted)
    if split is not None:
        raise UnmaskError(
            f"{given.name} is no manifest, so it has no splits",
            where=given,
            next_step="give --split with manifests only",
        )
    if given.is_dir():
        return _of_folder(given, wanted)
    if not given.is_file():
        raise UnmaskError("there is no such file or folder", where=given, next_step="check the path")
    if not _is_writable(given.name):
        raise UnmaskError(
            f"the name {shown(given.name)} has characters that no table can carry",
            where=shown(str(given.parent), _LONGEST),
            next_step="rename the file",
        )
    # A song with a cover could be read as a video.
    media = "audio" if media_kind(given) == "audio" else _kind_by_content(given)
    if media is None:
        raise UnmaskError(
            f"{given.name} is neither a video, a picture nor a manifest: nothing of it could be read as one",
            where=given,
            next_step="convert it, to .mp4 or .jpg say: kinds that need their own library, such as .heic, are not read",
        )
    if media not in wanted:
        raise UnmaskError(
            f"{given.name} is a {KINDS[media]} file", where=given, next_step=f"give this model {_told(wanted)} only"
        )
    return Inputs(_rows([(given.name, media)], given.parent), {})


def _told(media: Collection[str]) -> str:
    """Kinds in words: "videos and pictures"."""
    plurals = {"video": "videos", "image": "pictures", "audio": "sound files"}
    return " and ".join(plurals[kind] for kind in media)


def _of_manifest(given: Path, split: str | None, wanted: Collection[str]) -> Inputs:
    rows = read_manifest(given)
    if split is not None:
        splits = rows["split"].unique().sort().to_list()
        if split not in splits:
            raise UnmaskError(
                f"no row is of the split {split!r}", where=given, next_step=f"its splits: {', '.join(splits) or 'none'}"
            )
        rows = rows.filter(pl.col("split") == split)
    passed_over = {
        reason: paths
        for kind, reason in KINDS.items()
        if kind not in wanted and (paths := rows.filter(pl.col("media") == kind)["path"].to_list())
    }
    return Inputs(rows.filter(pl.col("media").is_in(list(wanted))).select(list(_COLUMNS)), passed_over)


def _of_folder(given: Path, wanted: Collection[str]) -> Inputs:
    found: list[tuple[str, str]] = []
    passed_over: dict[str, list[str]] = {}
    for path in sorted(files_below(given)):
        name = path.relative_to(given).as_posix()
        if path.name.lower() in _SYSTEM or path.suffix.lower() in _TABLES:
            continue
        media = media_kind(path)
        if any(part.startswith(".") for part in path.relative_to(given).parts):
            passed_over.setdefault(HIDDEN, []).append(name)
        elif not _is_writable(name):
            passed_over.setdefault(UNWRITABLE, []).append(name)
        elif media in wanted:
            found.append((name, str(media)))
        else:
            passed_over.setdefault(KINDS.get(str(media), UNKNOWN), []).append(name)
    return Inputs(_rows(found, given), passed_over)


def _is_writable(name: str) -> bool:
    """Whether a table can carry a name as an id: no control characters, nothing that is not Unicode."""
    return name.isprintable() or not any(unicodedata.category(sign) in ("Cc", "Cf", "Cs") for sign in name)


def _kind_by_content(path: Path) -> str | None:
    """What a single file is, whatever it is called: "video", "image", "audio", or None where it can be read as none.

    One that cannot be read but has the ending of a video or a picture is taken for that: its row will say why.
    """
    called = media_kind(path)
    for media in ("video", "image") if called == "video" else ("image", "video"):
        with suppress(MediaError):
            if media == "image":
                image.probe(path)
                return media
            if VideoReader(path).info.codec not in _DRAWN_TEXT:
                return media
    with suppress(MediaError):
        if called is None and probe_audio(path):
            return "audio"
    return called


def _rows(files: Sequence[tuple[str, str]], root: Path) -> pl.DataFrame:
    where = str(root.resolve())
    return pl.DataFrame([(name, name, media, where) for name, media in files], schema=_COLUMNS, orient="row")
