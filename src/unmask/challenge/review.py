"""The check of a whole challenge, before anybody is asked to enter it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from unmask.challenge.definition import refuse
from unmask.challenge.exporting.pages import read_page
from unmask.challenge.folder import NAMES, SAMPLE, Challenge, open_challenge
from unmask.challenge.ids import find_tells
from unmask.challenge.parts import missing_classes, torn_clusters
from unmask.challenge.submission import read_submission
from unmask.challenge.texts import PLACEHOLDER
from unmask.tables.answers import NOT_SLICES
from unmask.tables.errors import ChallengeError, TableError, UnmaskError
from unmask.tables.reading import shown

_LISTED = 10
_NOT_FOR_TEAMS = "would show teams what they must not know, such as who is in a file"


def check_challenge(folder: str | Path) -> Challenge:
    """Check the definition, its pages and slices, the key's hash and both parts, and that the sample is accepted.

    Raises:
        ChallengeError: with everything that is wrong.
        TableError: the answer key breaks its schema.
    """
    challenge = open_challenge(folder)
    problems = [f"{fault} — make the challenge again with more clusters" for fault in missing_classes(challenge.key)]
    torn = torn_clusters(challenge.key)
    if torn:
        problems.append(f"{len(torn)} clusters are public and private at once: {_some(torn)} — put each into one part")
    problems += [*_sample_problems(challenge), *_page_problems(challenge), *_slice_problems(challenge)]
    refuse(Path(folder), problems)
    return challenge


def find_warnings(challenge: Challenge) -> list[str]:
    """What an organizer should know of a challenge that can be used, a sentence each."""
    return [*_shared_people(challenge), *_telling_ids(challenge)]


def find_unready(challenge: Challenge) -> list[str]:
    """What is still to be done before teams can take part, a sentence each."""
    said = challenge.definition
    rest = [file for file in said.pages.values() if re.search(PLACEHOLDER, read_page(challenge, file))]
    what = "there is still a line '*Write here ...*'"
    found = [f"{', '.join(rest)}: {what} — write your own, or take it out"] if rest else []
    if said.phases and said.phases[-1].closes <= datetime.now(UTC):
        ended = f"{said.phases[-1].closes.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        found.append(f"the last phase ended on {ended}, nobody can submit any more — mend the dates in challenge.yaml")
    return found


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


def _page_problems(challenge: Challenge) -> list[str]:
    problems = []
    for page, file in challenge.definition.pages.items():
        try:
            read_page(challenge, file)
        except ChallengeError as error:
            problems.append(f"pages.{page}: {error.what} — {error.next_step}")
    return problems


def _slice_problems(challenge: Challenge) -> list[str]:
    columns = challenge.key.columns
    offered = [name for name in columns if name not in NOT_SLICES]
    choice = f"write any of {', '.join(map(shown, offered))}" if offered else "leave slices out: the key has none"
    return [
        f"slices: {shown(name)} {_NOT_FOR_TEAMS if name in columns else 'is no column of the answer key'} — {choice}"
        for name in challenge.definition.slices
        if name not in offered
    ]
