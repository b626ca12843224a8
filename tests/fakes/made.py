"""What a builder says of a file that it made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Made:
    """The truth about one file, by construction.

    ``source`` is the original's id-like name, None where the layout does not tell; ``split`` is the official one, None
    where there is none and the adapter draws.
    """

    id: str
    path: str
    label: int | None
    source: str | None = None
    subject: str | None = None
    split: str | None = None
