"""``challenge.yaml``: what a challenge measures, against which answer key, and by which rules people enter it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import yaml

from unmask.challenge.rules import SHOWABLE, check
from unmask.challenge.yaml_lines import load
from unmask.scoring.metrics import METRICS, SMALLEST_CLIP, Metric, Settings
from unmask.tables.errors import ChallengeError
from unmask.tables.writing import write_text

DEFINITION = "challenge.yaml"


@dataclass(frozen=True)
class Phase:
    """A time in which teams may submit.

    Attributes:
        name: as pages tell it.
        opens: UTC; a submission that arrives then is in time.
        closes: UTC; a submission that arrives then is too late.
    """

    name: str
    opens: datetime
    closes: datetime


@dataclass(frozen=True)
class Limits:
    """What one team may send.

    Attributes:
        daily: submissions that are accepted a day; days begin at midnight UTC.
        total: submissions that are accepted in all; None for any number.
        failures: refused and failed ones a day, which count towards nothing else.
        megabytes: size of one file.
        minutes: time that scoring one file may take.
    """

    daily: int = 5
    total: int | None = None
    failures: int = 50
    megabytes: int = 100
    minutes: int = 10


@dataclass(frozen=True)
class Definition:
    """A challenge as ``challenge.yaml`` states it.

    Attributes:
        name: as pages tell it.
        metric: name of the primary metric, one of ``METRICS``; its direction is the ranking's.
        answers: name of the answer key's file in the challenge's folder.
        sha256: of that file.
        tie_breakers: metrics that part teams with the same score, the first first; the same score in all of them
            shares a rank.
        digits: decimals of every score that is shown; ranks are made from scores rounded so.
        clip: of the log loss.
        threshold: of the balanced accuracy and the like.
        prevalence: share of fakes in the stream that the operating view is about.
        budget: share of that stream that people can look at.
        seed: of the bootstrap.
        replicates: of the bootstrap.
        show: what the standings page shows of a team, from ``SHOWABLE``.
        slices: columns of the key whose groups teams may see on the public part.
        media: what entrants are asked about, of video, image and audio; empty where it is not said.
        tracks: boards of their own over the same answer key, such as closed and open training data; may be empty.
        pages: name of a page, from ``PAGES``, to a Markdown file in the folder.
        phases: in order; without any, teams may submit until the organizer closes.
        limits: what one team may send.
        finals: how many submissions a team may pick for the private board.
        ladder: whether a team's public score moves only where a submission is better by more than chance: the Ladder of
            Blum and Hardt 2015.
        registration: "invitation", or "open": anybody may make a team.
    """

    name: str
    metric: str
    answers: str
    sha256: str
    tie_breakers: tuple[str, ...] = ()
    digits: int = 4
    clip: float = SMALLEST_CLIP
    threshold: float = 0.5
    prevalence: float = 0.001
    budget: float = 0.01
    seed: int = 0
    replicates: int = 1000
    show: tuple[str, ...] = SHOWABLE
    slices: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    tracks: tuple[str, ...] = ()
    pages: dict[str, str] = field(default_factory=dict)
    phases: tuple[Phase, ...] = ()
    limits: Limits = Limits()
    finals: int = 2
    ladder: bool = True
    registration: str = "invitation"

    @property
    def settings(self) -> Settings:
        """What the metrics need to know."""
        return Settings(clip=self.clip, threshold=self.threshold, prevalence=self.prevalence, budget=self.budget)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What decides a rank: the primary metric, then the tie-breakers."""
        return tuple(METRICS[name] for name in (self.metric, *self.tie_breakers))

    def phase(self, now: datetime) -> Phase | None:
        """The phase that is open at ``now``, which has a time zone; None between phases and where there are none."""
        return next((phase for phase in self.phases if phase.opens <= now < phase.closes), None)


def read_definition(folder: str | Path) -> Definition:
    """Read and check ``challenge.yaml`` in ``folder``.

    Raises:
        ChallengeError: it is missing or cannot work, with every fault, its line, the key and what to write there.
    """
    path = Path(folder) / DEFINITION
    if not path.is_file():
        raise ChallengeError(
            f"there is no {DEFINITION} in {Path(folder).name or folder}", where=path,
            next_step="make a challenge with: unmask challenge init DIR --manifest M",
        )  # fmt: skip
    given, lines = load(path)
    checked = check(given, lines)
    refuse(path, checked.problems)
    values = checked.values
    phases = tuple(Phase(each["name"], each["opens"], each["closes"]) for each in values.pop("phases", ()))
    limits = Limits(**values.pop("limits", {}))
    return Definition(**values, phases=phases, limits=limits)


def refuse(path: Path, problems: list[str]) -> None:
    """Raise ChallengeError with all ``problems``, if there are any."""
    if problems:
        count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'} in {path.name}:"
        raise ChallengeError(
            "\n".join([count, *(f"  {problem}" for problem in problems)]), where=path,
            next_step="mend what is listed and run the command again",
        )  # fmt: skip


def write_definition(definition: Definition, folder: str | Path) -> None:
    """Write ``challenge.yaml`` into ``folder``."""
    text = yaml.safe_dump(_plain(asdict(definition)), sort_keys=False, allow_unicode=True)
    write_text(text, Path(folder) / DEFINITION)


def _plain(value: object) -> object:
    """What YAML can write: lists for tuples, dates as ``2026-01-31T23:59:59Z``; keys without a value are left out."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value.astimezone(UTC) if isinstance(value, datetime) else value
