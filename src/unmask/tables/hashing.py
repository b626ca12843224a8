"""The hash by which files are named in scorecards, audits, challenges and models."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256(path: str | Path) -> str:
    """SHA-256 of a file as hexadecimal digits; it is read in pieces.

    Raises:
        OSError: it cannot be read.
    """
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
