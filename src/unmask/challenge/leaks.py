"""The hidden files of a challenge: which rows of a manifest they are, and what the answer key says of them."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from unmask.challenge.definition import refuse
from unmask.challenge.folder import NAMES, Challenge
from unmask.tables.checks import check_ids, require_columns
from unmask.tables.reading import read_table, shown

_LISTED = 10
#: Columns of the key that fill what a manifest leaves empty.
_PEOPLE = ("source_id", "subject_id")


def hidden_files(challenge: Challenge, listed: pl.DataFrame, manifest: str | Path) -> pl.DataFrame:
    """The rows of a manifest that the challenge asks about, with what its answer key says of them.

    Args:
        challenge: whose key it is.
        listed: rows of the manifest: columns id (as in the key, or in ``names.csv`` the original one), label, source_id
            and subject_id, and any others. Rows that the key does not have are left out.
        manifest: its file, for errors.

    Returns:
        One row for each id, sorted by it: the manifest's columns, in which ``label`` is the key's, and
        ``source_id`` and ``subject_id`` are where the manifest has none; ``name``: the id that entrants see;
        ``cluster`` and ``usage``: the key's; ``listed_label``: the manifest's own, null where it has none.

    Raises:
        ChallengeError: an id has no row, or two.
        TableError: ``names.csv`` is no such table.
    """
    people = [name for name in _PEOPLE if name in challenge.key.columns]
    key = challenge.key.select("cluster", "usage", "label", *people, name="id")
    called = pl.concat([key.select("name", id="name"), _original_ids(challenge)]).unique("id", keep="first")
    listed = listed.rename({"label": "listed_label"})
    found = listed.join(called, on="id").join(key, on="name", suffix="_of_key").sort("name")
    lost = key.join(found, on="name", how="anti")["name"].to_list()
    twice = found.filter(pl.col("name").is_duplicated())["name"].unique().sort().to_list()
    problems = [
        f"{len(names):,} of {key.height:,} ids of the answer key {what}: {_some(names)} — {remedy}"
        for names, what, remedy in (
            (lost, "have no row", "give the manifest of all hidden files, by these ids or by their original ones"),
            (twice, "have two rows, by their original id and by their own", "leave one of the two out"),
        )
        if names
    ]
    refuse(Path(manifest), problems)
    known = [pl.coalesce(name, f"{name}_of_key").alias(name) for name in people]
    return found.with_columns(*known).drop(f"{name}_of_key" for name in people)


def _original_ids(challenge: Challenge) -> pl.DataFrame:
    """``names.csv`` as columns name (the new id) and id (the original one); no row where there is no such file."""
    path = challenge.folder / NAMES
    if not path.is_file():
        return pl.DataFrame(schema={"name": pl.String, "id": pl.String})
    table = read_table(path)
    if not require_columns(table, ("id", "original_id")):
        table.refuse_if_faulty()
    columns = {"name": check_ids(table), "id": check_ids(table, "original_id")}
    table.refuse_if_faulty()
    return pl.DataFrame(columns)


def _some(names: list[str]) -> str:
    return ", ".join(shown(name) for name in names[:_LISTED]) + (" ..." if len(names) > _LISTED else "")
