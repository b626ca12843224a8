"""The check of a whole challenge, before anybody is asked to enter it."""

from __future__ import annotations

from pathlib import Path

from unmask.challenge.definition import refuse
from unmask.challenge.folder import NAMES, SAMPLE, Challenge, open_challenge
from unmask.challenge.ids import find_tells
from unmask.challenge.parts import missing_classes, torn_clusters
from unmask.challenge.submission import read_submission
from unmask.tables.errors import TableError, UnmaskError
from unmask.tables.reading import shown

_LISTED = 10


def check_challenge(folder: str | Path) -> Challenge:
    """Check the definition, the answer key's hash, both parts, and that the sample submission is accepted.

    Raises:
        ChallengeError: with everything that is wrong.
        TableError: the answer key breaks its schema.
    """
    challenge = open_challenge(folder)
    problems = [f"{fault} — make the challenge again with more clusters" for fault in missing_classes(challenge.key)]
    torn = torn_clusters(challenge.key)
    if torn:
        problems.append(f"{len(torn)} clusters are public and private at once: {_some(torn)} — put each into one part")
    problems += _sample_problems(challenge)
    refuse(Path(folder), problems)
    return challenge


def find_warnings(challenge: Challenge) -> list[str]:
    """What an organizer should know of a challenge that can be used, a sentence each."""
    return [*_shared_people(challenge), *_telling_ids(challenge)]


def _shared_people(challenge: Challenge) -> list[str]:
    """Clusters are not torn, but a key with fewer than ten people in a class has other clusters than these."""
    key = challenge.key
    if "subject_id" not in key.columns:
        return []
    shared = torn_clusters(key.drop_nulls("subject_id").with_columns(cluster="subject_id"))
    if not shared:
        return []
    remedy = "give each person one cell of the key's column cluster, with at least two people who have fakes and reals"
    return [f"{len(shared)} people are in the public and in the private part: {_some(shared)} — {remedy}"]


def _some(names: list[str]) -> str:
    return ", ".join(shown(name) for name in names[:_LISTED]) + (" ..." if len(names) > _LISTED else "")


def _telling_ids(challenge: Challenge) -> list[str]:
    tells = find_tells(challenge.ids, challenge.key["label"].to_list())
    if not tells:
        return []
    remedy = "make the challenge again with --new-ids, before anybody has seen these"
    if (challenge.folder / NAMES).is_file():
        remedy = "all that a new id keeps is the file's ending: bring fakes and reals into the same formats"
    return [f"the ids tell the label: {'; '.join(tells)} — {remedy}"]


def _sample_problems(challenge: Challenge) -> list[str]:
    try:
        read_submission(challenge.folder / SAMPLE, challenge.ids)
    except TableError as error:
        return [f"{SAMPLE}: {line}" for line in error.told()]
    except UnmaskError as error:
        return [f"{SAMPLE}: {error.what} — {error.next_step}"]
    return []
