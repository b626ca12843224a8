"""Name to exporter, and the one way to call them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from unmask.challenge.definition import Definition
from unmask.challenge.exporting.board import export_board
from unmask.challenge.exporting.challenger import export_challenger
from unmask.challenge.exporting.codabench import export_codabench
from unmask.challenge.exporting.evalai import export_evalai
from unmask.challenge.exporting.kaggle import export_kaggle
from unmask.challenge.folder import Challenge, open_challenge
from unmask.tables.errors import ChallengeError

#: A whole challenge, both parts of it, as a platform takes it.
BUNDLES: dict[str, Callable[[Challenge, Path], list[str]]] = {
    "kaggle": export_kaggle,
    "codabench": export_codabench,
    "evalai": export_evalai,
}
#: Results on one part.
TABLES: dict[str, Callable[[Challenge, Path, str], list[str]]] = {
    "challenger": export_challenger,
    "csv": export_board,
}


def export(folder: str | Path, to: str, out: str | Path, *, usage: str | None = None) -> list[str]:
    """Write the challenge in ``folder``, or its results, for another platform.

    Args:
        folder: the challenge's.
        to: one of ``BUNDLES`` or ``TABLES``.
        out: where to: a new folder for kaggle, a .zip for codabench and evalai, a .csv for challenger and csv.
        usage: of ``TABLES``, which part: public, private or all; None for private.

    Returns:
        What the platform does otherwise or leaves behind, a sentence each.

    Raises:
        ChallengeError: there is no such platform, or it cannot take this challenge.
        TableError: the answer key breaks its schema.
    """
    out = Path(out)
    if to in BUNDLES:
        if usage is not None:
            raise ChallengeError(f"{to} takes both parts", next_step="leave --usage out")
        challenge = open_challenge(folder)
        return BUNDLES[to](challenge, out) + _left_behind(challenge.definition)
    if to in TABLES:
        return TABLES[to](open_challenge(folder), out, usage or "private")
    known = ", ".join([*BUNDLES, *TABLES])
    raise ChallengeError(f"there is no platform {to!r} to export to", next_step=f"give one of {known}")


def _left_behind(said: Definition) -> list[str]:
    """What no other platform does."""
    notes = ["submissions are plain CSV files there, neither .csv.gz nor .parquet"]
    if said.ladder:
        notes.append("the Ladder stays behind: there, every submission shows its own public score")
    if said.tracks:
        notes.append(f"tracks stay behind: make one competition for each of {', '.join(said.tracks)}")
    return notes
