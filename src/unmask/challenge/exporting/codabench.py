"""Codabench: a competition bundle, version 2.

Every phase of the challenge is scored on the public part. When the last one closes, the platform scores the best
submission of each team on the private part, in a phase of its own that nobody can submit to by hand. The answers that
the first phases are scored with have no private label in them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import yaml

from unmask.challenge.definition import Definition
from unmask.challenge.exporting.answers import PARTS, require_phases, require_scorable, write_answers, write_sample
from unmask.challenge.exporting.archive import write_zip
from unmask.challenge.exporting.logo import draw_logo
from unmask.challenge.exporting.pages import in_utc, read_pages
from unmask.challenge.exporting.program import write_program
from unmask.challenge.folder import Challenge
from unmask.scoring.metrics import Metric

_IMAGE = "codalab/codalab-legacy:py37"
_COMMAND = "python3 /app/program/score.py /app/input/ /app/output/"
_NO_TERMS = "No rules are stated beyond those of the platform.\n"
#: Characters that the platform keeps of a column's title.
_TITLE = 36

_ENDING = '''
import json
import os
import sys


def main(given: str, out: str) -> None:
    """Score the submission in ``given/res`` against ``given/ref``, into ``out/scores.json``."""
    key = read_key(os.path.join(given, "ref", "answers.csv"))
    with open(_only_table(os.path.join(given, "res")), "rb") as stream:
        data = stream.read(MEGABYTES * 1000000 + 1)
    scores = read_submission(data, list(key), MEGABYTES)
    counted = {name: answer.label for name, answer in key.items() if answer.label is not None}
    found = measure_all(ASKED, list(counted.values()), [scores[name] for name in counted], SETTINGS, DIGITS)
    with open(os.path.join(out, "scores.json"), "w", encoding="utf-8") as stream:
        json.dump(found, stream, allow_nan=False)


def _only_table(folder: str) -> str:
    """The one CSV file of a submission; what a Mac packs beside it does not count."""
    found = [
        os.path.join(place, name)
        for place, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith(".csv") and not name.startswith(".") and "__MACOSX" not in place
    ]
    if len(found) != 1:
        raise Refused([f"there are {len(found)} CSV files in the submission: pack exactly one"])
    return found[0]


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2])
    except Refused as error:
        sys.exit(str(error))
    except Undefined as error:
        sys.exit(error.told)
'''


def export_codabench(challenge: Challenge, out: Path) -> list[str]:
    """Write the bundle; what is left behind, a sentence each.

    Raises:
        ChallengeError: the challenge cannot be scored there, has no phases, or ``out`` is no .zip.
    """
    require_phases(challenge, "Codabench")
    require_scorable(challenge)
    pages = read_pages(challenge)
    told = _competition(challenge.definition, list(pages))
    files: dict[str, str | bytes] = {
        "competition.yaml": yaml.safe_dump(told, sort_keys=False, allow_unicode=True),
        "logo.png": draw_logo(),
        "terms.md": pages.get("rules", _NO_TERMS),
        "scoring_program/metadata.yaml": f"command: {_COMMAND}\n",
        "scoring_program/score.py": write_program(challenge.definition, _ENDING),
        "starting_kit/sample_submission.csv": write_sample(challenge),
    }
    files |= {f"pages/{name}.md": text for name, text in pages.items()}
    files |= {f"reference_{part}/answers.csv": write_answers(challenge, [part]) for part in PARTS}
    write_zip(files, out)
    return ["Codabench has no final picks: the best public submission of each team goes to the private part"]


def _competition(said: Definition, pages: list[str]) -> dict[str, object]:
    return {
        "version": 2,
        "title": said.name,
        "description": f"{said.metrics[0].title}: {said.metrics[0].description}",
        "image": "logo.png",
        "terms": "terms.md",
        "registration_auto_approve": said.registration == "open",
        "docker_image": _IMAGE,
        "make_programs_available": False,
        "make_input_data_available": False,
        "pages": [{"title": name.capitalize(), "file": f"pages/{name}.md"} for name in pages],
        # Folders end in a slash: the platform packs them beside themselves, or else beside the whole bundle.
        "tasks": [
            {
                "index": number, "name": f"{part.capitalize()} part", "scoring_program": "scoring_program/",
                "description": f"The {part} part of the test set.", "reference_data": f"reference_{part}/",
            }
            for number, part in enumerate(PARTS)
        ],
        "phases": _phases(said),
        "leaderboards": [
            {
                "title": "Results", "key": "results", "submission_rule": "Force_Best",
                "columns": [_column(index, metric, said.digits) for index, metric in enumerate(said.metrics)],
            }
        ],
    }  # fmt: skip


def _phases(said: Definition) -> list[dict[str, object]]:
    ends = [in_utc(phase.closes) for phase in said.phases]
    for number, following in enumerate(said.phases[1:]):
        # A phase may not open at the moment at which the last one closes.
        ends[number] = min(ends[number], in_utc(following.opens) - timedelta(seconds=1))
    phases: list[dict[str, object]] = [
        {
            "index": number, "name": phase.name, "description": "Scored on the public part.",
            "start": _told(in_utc(phase.opens)), "end": _told(end),
            "max_submissions_per_day": said.limits.daily, "max_submissions": said.limits.total,
            "execution_time_limit": 60 * said.limits.minutes, "accepts_only_result_submissions": True,
            "starting_kit": "starting_kit/", "tasks": [0],
        }
        for number, (phase, end) in enumerate(zip(said.phases, ends, strict=True))
    ]  # fmt: skip
    last = {
        "index": len(phases), "name": "Final ranking",
        "description": "The best submission of each team, scored on the private part when submissions have closed.",
        "start": _told(ends[-1] + timedelta(seconds=1)), "end": _told(ends[-1] + timedelta(seconds=2)),
        "max_submissions_per_day": 1, "max_submissions": 1, "execution_time_limit": 60 * said.limits.minutes,
        "accepts_only_result_submissions": True, "auto_migrate_to_this_phase": True, "tasks": [1],
    }  # fmt: skip
    return [*phases, last]


def _told(moment: datetime) -> str:
    # As text: of what YAML reads as a date, the platform drops the time.
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _column(index: int, metric: Metric, digits: int) -> dict[str, object]:
    return {
        "title": metric.title.replace(" %", "%")[:_TITLE], "key": metric.name, "index": index,
        "sorting": "desc" if metric.direction == "higher" else "asc", "precision": digits, "hidden": False,
    }  # fmt: skip
