"""The zip of a bundle: the same content gives the same bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from unmask.tables.errors import ChallengeError
from unmask.tables.writing import replacing

#: The first day that a zip can tell.
_DAY = (1980, 1, 1, 0, 0, 0)


def write_zip(files: Mapping[str, str | bytes], out: Path) -> None:
    """Write ``files``, name in the archive to content, to ``out``; it appears whole or not at all.

    Raises:
        ChallengeError: the name of ``out`` does not end in .zip.
    """
    require_ending(out, ".zip")
    with replacing(out) as temporary:
        temporary.write_bytes(to_zip(files))


def to_zip(files: Mapping[str, str | bytes]) -> bytes:
    """A zip of ``files``, name in the archive to content, text as UTF-8."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _DAY)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def require_ending(out: Path, ending: str) -> None:
    """Raise ChallengeError unless the name of ``out`` has this ending."""
    if out.suffix.lower() != ending:
        raise ChallengeError(
            f"{out.name} does not end in {ending}", where=out, next_step=f"give --out a name such as board{ending}"
        )
