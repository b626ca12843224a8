"""A filled example challenge: made-up clips of made-up people, and five teams that have been at it for a week."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from unmask.challenge.create import create
from unmask.challenge.definition import DEFINITION, Limits, Phase, write_definition
from unmask.challenge.texts import FILES
from unmask.host.accounts import authenticate, make_team, make_token
from unmask.host.intake import Intake
from unmask.host.place import Host, open_host, set_up
from unmask.host.scoring import claim, compute, finish
from unmask.scoring.sample import Floats
from unmask.tables.errors import ChallengeError, UnmaskError
from unmask.tables.writing import write_table, write_text

_PEOPLE = 120
_METHODS = ("face swap", "reenactment", "lip sync")
#: Team to how well each of its submissions knows fakes, one a day.
_TEAMS = {
    "Golden retrievers": (0.9, 1.2, 1.3, 1.7, 1.9),
    "Frequency domain": (1.1, 1.15, 1.5, 1.52),
    "Blink twice": (0.6, 1.4, 1.0),
    "Night shift": (0.3, 0.5, 0.9, 0.85),
    "Random guess": (0.0, 0.0),
}
#: The challenge's own pages.
_PAGES = {
    "overview": "# An example challenge\n\nMade-up clips of made-up people: look around, send a file, close it.\n",
    "rules": "# Rules\n\nThere are none: nothing of this is real.\n",
    "data": "# Data\n\nThere are no files, only ids: `answers.csv` in the challenge's folder is the answer key.\n",
    "prizes": "# Prizes\n\nNone, but look how the board parts luck from skill.\n",
}


@dataclass(frozen=True)
class Demo:
    """What a visitor of the demo needs.

    Attributes:
        host: of the challenge, set up and filled.
        organizer: the organizer's token.
        member: a token of the first team.
    """

    host: Host
    organizer: str
    member: str


def make_demo(folder: str | Path, *, database: str | None = None, queue: str | None = None) -> Demo:
    """Make a challenge in ``folder`` and fill it: teams, submissions over the last days, all of them scored.

    Raises:
        ChallengeError: there is a challenge already.
        UnmaskError: the database cannot be used, or holds one already.
    """
    folder = Path(folder)
    if (folder / DEFINITION).exists():
        raise ChallengeError(
            "there is a challenge already", where=folder / DEFINITION,
            next_step="serve it without --demo, or give another folder",
        )  # fmt: skip
    random = np.random.default_rng(0)
    key = _key(random)
    now = datetime.now(UTC)
    start = now - timedelta(days=6)
    manifest = folder / "manifest.csv"
    write_table(key, manifest)
    for page, text in _PAGES.items():
        write_text(text, folder / FILES[page])
    made = create(folder, manifest, split=None, name="An example challenge")
    phase = Phase("Everybody", start - timedelta(days=1), now + timedelta(days=30))
    said = replace(made.definition, phases=(phase,), limits=Limits(daily=5, total=100), registration="open")
    write_definition(replace(said, slices=("method",), tie_breakers=("log_loss",), media=("video",)), made.folder)
    opened = open_host(made.folder, database=database, queue=queue)
    organizer = set_up(opened)
    if organizer is None:
        raise UnmaskError("the database holds a challenge already", next_step="give another one, or none, to a new DIR")
    member = ""
    for team, skills in _TEAMS.items():
        with opened.database.writing() as session:
            token = make_token(session, start, "organizer", "Alex", make_team(session, start, "organizer", team))
        member = member or token
        for day, skill in enumerate(skills):
            at = start + timedelta(days=day, hours=float(random.uniform(0, 5)))
            _play(Host(opened.challenge, opened.database, opened.queue_url, _always(at)), token, key, skill, random)
    return Demo(opened, organizer, member)


def _always(at: datetime) -> Callable[[], datetime]:
    return lambda: at


def _key(random: np.random.Generator) -> pl.DataFrame:
    """Each person's real clip and three fakes, with ids that tell nothing."""
    rows = [
        {"label": int(method is not None), "cluster": f"person {person}", "method": method}
        for person in range(_PEOPLE)
        for method in (None, *_METHODS)
    ]
    names = [f"clip_{number:04d}.mp4" for number in random.permutation(9999)[: len(rows)]]
    return pl.DataFrame(rows).insert_column(0, pl.Series("id", names))


def _scores(key: pl.DataFrame, skill: float, random: np.random.Generator) -> Floats:
    """Scores of a detector to which lip sync is harder than the rest, and some people look faker than others."""
    ease = key["method"].replace_strict({"lip sync": 0.6}, default=1.0, return_dtype=pl.Float64).to_numpy()
    people = key["cluster"].rank("dense").to_numpy() - 1
    odds = skill * ease * (2.0 * key["label"].to_numpy() - 1.0) + random.normal(size=key.height)
    return np.asarray(1.0 / (1.0 + np.exp(-odds - 0.5 * random.normal(size=_PEOPLE)[people])))


def _play(host: Host, token: str, key: pl.DataFrame, skill: float, random: np.random.Generator) -> None:
    """Send one submission and score it, as a team and a worker do."""
    with host.database.reading() as session:
        account = authenticate(session, token)
    if account is None:
        raise ValueError("the token was made a moment ago")
    data = key.select("id", score=_scores(key, skill, random)).write_csv().encode()
    intake = Intake(host.challenge, host.database, host.files, lambda _: None)
    sent = intake.submit(account, io.BytesIO(data), f"answers_{skill:g}.csv", "", host.now())
    held = claim(host.database, host.challenge.definition, sent.id, host.now())
    if held is not None:
        finish(host.database, held, compute(host.challenge, host.files, held.stored), host.now() + timedelta(seconds=3))
