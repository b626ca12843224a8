"""``audit.html``: one page that opens from disk, without scripts and without a network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from jinja2 import PackageLoader

from unmask.datasets.audit.alike import KEPT
from unmask.datasets.audit.files import TIME_LIMIT_S
from unmask.datasets.audit.findings import Audit, Pair
from unmask.datasets.audit.trivial import LARGE
from unmask.media.encode import encode_jpeg
from unmask.media.frame import Frame, first_middle_last
from unmask.media.image import read_image
from unmask.media.sequence import SequenceReader, is_sequence
from unmask.media.video import VideoReader
from unmask.media.workers import in_order
from unmask.scoring.page import environment
from unmask.tables.errors import MediaError

#: Longer side of the small pictures, in pixels, and the quality of their JPEGs.
_SIDE, _QUALITY = 240, 80
_FRAMES = ("first frame", "middle frame", "last frame")
_LABELS = {0: "real", 1: "fake", None: "without a label"}
_MEDIA = {"image": "Pictures", "video": "Videos", "audio": "Sound files"}


def render(outcome: Audit, *, workers: int | None = None) -> str:
    """The page as HTML text. The files of pairs that it shows are opened again.

    Args:
        outcome: what to show.
        workers: processes that open files; one a processor by default.
    """
    balance = outcome.balance.with_columns(pl.sum_horizontal(pl.exclude("split")).alias("all"))
    trivial = [
        (_MEDIA[str(media)], part.to_dicts())
        for (media,), part in outcome.trivial.group_by("media", maintain_order=True)
    ]
    return environment(PackageLoader("unmask.datasets.audit")).get_template("audit.html").render(
        outcome=outcome, names=[Path(path).name for path in outcome.manifests], trivial=trivial, large=LARGE,
        balance=balance.to_dicts(), files=balance["all"].sum(),
        pairs=_shown(outcome.pairs[:KEPT], workers), labels=_LABELS,
    )  # fmt: skip


def _shown(pairs: Sequence[Pair], workers: int | None) -> list[dict[str, object]]:
    """What the page needs of each pair; a picture that cannot be made is None."""
    files = [(side.path, pair.media, pair.frame) for pair in pairs for side in (pair.first, pair.second)]
    made = list(in_order(thumbnail, files, workers=workers, time_limit_s=TIME_LIMIT_S))
    pictures = [b64encode(data).decode() if isinstance(data, bytes) else None for data in made]
    return [
        {
            "frame": _FRAMES[pair.frame] if pair.media == "video" else None,
            "sides": [(pair.first, pictures[2 * number]), (pair.second, pictures[2 * number + 1])],
        }
        for number, pair in enumerate(pairs)
    ]


def thumbnail(path: str, media: str, frame: int) -> bytes | None:
    """A small picture of a file, as JPEG; None where it cannot be read.

    Args:
        path: a picture, a video, or a folder of pictures.
        media: "image" or "video".
        frame: of a video, 0, 1 or 2: its first, middle or last frame.
    """
    try:
        if media == "image":
            found = Frame(0, None, read_image(path))
        elif is_sequence(path):
            sequence = SequenceReader(path)
            found = sequence.frames([first_middle_last(len(sequence))[frame]])[0]
        else:
            found = VideoReader(path).first_middle_last()[frame]
        return encode_jpeg(found.rgb(longest=_SIDE), _QUALITY)
    except MediaError:
        return None
