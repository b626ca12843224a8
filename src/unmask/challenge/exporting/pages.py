"""The pages of a challenge as Markdown: its own, and one that says how it is scored."""

from __future__ import annotations

from datetime import UTC, datetime

from unmask.challenge.folder import Challenge
from unmask.challenge.rules import PAGES
from unmask.tables.errors import ChallengeError

EVALUATION = "evaluation"
_EVALUATION = """# Evaluation

Submissions are ranked by **{title}**: {direction} is better. {description}

{ties}Scores count with {digits} decimals.

| setting | value |
|---|---|
| clip, where a logarithm is taken of a score | {clip:g} |
| threshold from which on a score is called fake | {threshold:g} |
| share of fakes in the stream that the detector is meant for | {prevalence:g} |
| share of that stream that people can look at | {budget:g} |

## Submissions

A submission is a CSV file in UTF-8 of at most {megabytes:,} megabytes, with the columns `id` and `score`: the
probability of fake, from 0 to 1. Every id of `sample_submission.csv` stands in it exactly once, and no other. A file
with a missing, repeated or further id, or with a cell that is not a plain decimal number from 0 to 1, is refused.

A team may send {daily:,} submissions a day{total}.
"""


def read_pages(challenge: Challenge) -> dict[str, str]:
    """Page to its Markdown, in the order in which platforms show them; those that are empty are left out.

    Raises:
        ChallengeError: a file that the definition names is not there, or is not UTF-8 text.
    """
    own = {name: read_page(challenge, file) for name, file in challenge.definition.pages.items()}
    own[EVALUATION] = _evaluation(challenge)
    order = (PAGES[0], EVALUATION, *PAGES[1:])
    return {name: own[name] for name in order if own.get(name, "").strip()}


def read_page(challenge: Challenge, file: str) -> str:
    """The Markdown of one of the challenge's own pages.

    Raises:
        ChallengeError: it is not there, or is not UTF-8 text.
    """
    path = challenge.folder / file
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ChallengeError(
            f"the page {file} cannot be read: {why}", where=path,
            next_step="put it beside challenge.yaml as UTF-8 text, or leave it out of pages",
        ) from error  # fmt: skip


def _evaluation(challenge: Challenge) -> str:
    said = challenge.definition
    primary, *others = said.metrics
    ties = f"Equal scores are parted by {', then by '.join(metric.title for metric in others)}.\n\n" if others else ""
    total = "" if said.limits.total is None else f", and {said.limits.total:,} in all"
    return _EVALUATION.format(
        title=primary.title, direction=primary.direction, description=primary.description, ties=ties,
        digits=said.digits, clip=said.clip, threshold=said.threshold, prevalence=said.prevalence, budget=said.budget,
        megabytes=said.limits.megabytes, daily=said.limits.daily, total=total,
    )  # fmt: skip


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC, without a time zone, as platforms read it."""
    return moment.astimezone(UTC).replace(tzinfo=None)
