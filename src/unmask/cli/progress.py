"""What commands show: the progress bar of the long ones, tables, and why a file came to nothing, in words."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

#: Reasons that face stores and predictions carry -> what they mean.
REASONS = {
    "no_face": "no face was found",
    "missing": "the file is not there",
    "unreadable": "damaged, or of a kind that is not read",
    "too_large": "the picture has too many pixels",
    "no_video": "the file holds sound only",
    "no_frames": "the video holds no frame",
    "no_audio": "the file holds no sound",
    "empty": "the sound track holds no sample",
    "decoder_crashed": "reading it ended the process that did",
    "took_too_long": "reading it took too long",
    "not_prepared": "the face store does not hold it",
}


class _Rate(ProgressColumn):
    """How many are done in a second; in a minute, where that is less than one."""

    def render(self, task: Task) -> Text:
        """The rate of the last while, empty before there is one."""
        if not task.speed:
            return Text("")
        return Text(f"{task.speed:,.1f}/s" if task.speed >= 1 else f"{task.speed * 60:,.1f}/min")


def progress() -> Progress:
    """A bar on standard error with count, rate, elapsed time and time left; it vanishes when the work is done.

    Where standard error is no terminal there is none: a log would get an empty line for it.
    """
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description:>8}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def tables() -> Console:
    """Where tables are printed: no row is broken where standard output is not a terminal but a file or a program."""
    return Console() if sys.stdout.isatty() else Console(width=100_000)


def told_reason(reason: str, count: int) -> str:
    """How many files came to nothing for one reason: "no_face: 3 (no face was found)"."""
    return f"{reason}: {count:,}" + (f" ({REASONS[reason]})" if reason in REASONS else "")
