"""Kaggle: a folder with what the host uploads, and what entrants see.

OUT/host/solution.csv, OUT/host/metric.py, OUT/host/README.md, OUT/entrants/sample_submission.csv, OUT/pages/*.md

Kaggle calls ``score`` once for the public and once for the private rows, with two data frames. It shows participants
the message of a ``ParticipantVisibleError`` alone, and 280 characters of it.
"""

from __future__ import annotations

from pathlib import Path

from unmask.challenge.exporting.answers import require_scorable, to_csv, write_sample
from unmask.challenge.exporting.pages import read_pages
from unmask.challenge.exporting.program import write_program
from unmask.challenge.folder import Challenge
from unmask.tables.errors import ChallengeError
from unmask.tables.reading import parse_number, shown
from unmask.tables.writing import write_text

#: Cells that pandas, and so Kaggle, takes for empty ones.
EMPTY = frozenset(
    {
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
        "NULL", "NaN", "None", "n/a", "nan", "null",
    }
)  # fmt: skip

_ENDING = '''
import pandas as pd


class ParticipantVisibleError(Exception):
    """Its message is shown to the participant; that of any other error to the host alone."""


def score(solution: pd.DataFrame, submission: pd.DataFrame, row_id_column_name: str) -> float:
    """{title}: {direction} is better. {description}

    Args:
        solution: the id and ``label``: 1 = fake, 0 = real.
        submission: the id and ``score``: the probability of fake, from 0 to 1.
        row_id_column_name: name of the id's column in both.
    """
    columns = [str(name) for name in submission.columns]
    if sorted(columns) != sorted([row_id_column_name, "score"]):
        _refuse(f"the columns must be {{row_id_column_name}} and score, not {{', '.join(map(shown, columns))}}")
    names, cells = submission[row_id_column_name].tolist(), submission["score"].tolist()
    rows = [Row(f"id {{shown(name)}}", name, cell) for name, cell in zip(names, cells)]
    asked = solution[row_id_column_name].tolist()
    try:
        scores = check_rows(rows, asked)
        found = measure_all(ASKED[:1], solution["label"].tolist(), [scores[name] for name in asked], SETTINGS, DIGITS)
        return found[ASKED[0]]
    except Refused as error:
        _refuse(str(error))
    except Undefined as error:
        if not error.own:
            raise
        _refuse(error.told)


def _refuse(message: str) -> None:
    raise ParticipantVisibleError(message if len(message) <= 280 else message[:277] + "...") from None
'''

_README = """# {name} on Kaggle

1. Make a competition. Upload `solution.csv` as its solution, and `../entrants/sample_submission.csv` as its sample
   submission. The id is the column `id`.
2. Make a new metric of `metric.py`, and choose that {direction} is better.
3. Upload as data what entrants are asked about, and `../entrants/sample_submission.csv`. Nothing in this folder here is
   for them.
4. Put the text of `../pages` on its pages.
5. Settings: {daily:,} submissions a day, {finals:,} final submissions{times}.
"""


def export_kaggle(challenge: Challenge, out: Path) -> list[str]:
    """Write the folder; what is left behind, a sentence each.

    Raises:
        ChallengeError: the challenge cannot be scored there, or there is something at ``out``.
    """
    require_scorable(challenge)
    _refuse_coerced(challenge)
    pages = read_pages(challenge)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ChallengeError(f"there is something at {out.name} already", where=out, next_step="give another folder")
    said = challenge.definition
    primary = said.metrics[0]
    ending = _ENDING.format(title=primary.title, direction=primary.direction, description=primary.description)
    key = challenge.key.sort("id").select("id", "usage", "label").rows()
    solution = [(name, usage.capitalize(), label) for name, usage, label in key]
    write_text(to_csv(("id", "Usage", "label"), solution), out / "host" / "solution.csv")
    write_text(write_program(said, ending, more=", and pandas"), out / "host" / "metric.py")
    write_text(_readme(challenge), out / "host" / "README.md")
    write_text(write_sample(challenge), out / "entrants" / "sample_submission.csv")
    for name, text in pages.items():
        write_text(text, out / "pages" / f"{name}.md")
    if not said.tie_breakers:
        return []
    return ["Kaggle has no tie-breakers: of equal scores, the earlier submission is ahead there"]


def _readme(challenge: Challenge) -> str:
    said = challenge.definition
    times = ""
    if said.phases:
        times = f"; from {said.phases[0].opens:%Y-%m-%d %H:%M} to {said.phases[-1].closes:%Y-%m-%d %H:%M} UTC"
    return _README.format(
        name=said.name, direction=said.metrics[0].direction, daily=said.limits.daily, finals=said.finals, times=times
    )


def _refuse_coerced(challenge: Challenge) -> None:
    """Raise ChallengeError where pandas would read two ids as one, or an id as nothing."""
    ids = challenge.ids
    empty = sorted(EMPTY & set(ids))
    # Whole numbers are read as such, whatever their length.
    numbers = [int(name) if name.isascii() and name.isdigit() else parse_number(name) for name in ids]
    if empty:
        what = f"Kaggle would read the id {shown(empty[0])} as an empty cell"
    elif None not in numbers and len(set(numbers)) < len(ids):
        what = "all ids are numbers, and Kaggle would read some of them as the same one, such as 1 and 001"
    else:
        return
    raise ChallengeError(
        what,
        where=challenge.answers,
        next_step="make the challenge again with --new-ids, before anybody has seen these",
    )
