"""EvalAI: a challenge configuration, with its evaluation script as a zip within the zip.

Every submission is scored on both parts: the public one is shown to all, the private one to the hosts alone until they
make it public themselves (``visibility`` 1 to 3).
"""

from __future__ import annotations

from pathlib import Path

import yaml
from markdown_it import MarkdownIt

from unmask.challenge.definition import Definition
from unmask.challenge.exporting.answers import PARTS, require_phases, require_scorable, write_answers
from unmask.challenge.exporting.archive import to_zip, write_zip
from unmask.challenge.exporting.logo import draw_logo
from unmask.challenge.exporting.pages import EVALUATION, in_utc, read_pages
from unmask.challenge.exporting.program import write_program
from unmask.challenge.folder import Challenge

_NO_TERMS = "No rules are stated beyond those of the platform.\n"
#: Who sees a part's numbers: 1 the hosts, 3 everyone.
_VISIBILITY = {"public": 3, "private": 1}
#: What the platform itself takes for no limit.
_NO_LIMIT = 100_000
#: Characters that it keeps of a name.
_NAME = 100

_ENDING = '''

def evaluate(test_annotation_file, user_annotation_file, phase_codename, **kwargs):
    """Score a submission on both parts.

    Args:
        test_annotation_file: path of the answers.
        user_annotation_file: path of the submission.
        phase_codename: all phases are scored alike.
    """
    key = read_key(test_annotation_file)
    with open(user_annotation_file, "rb") as stream:
        data = stream.read(MEGABYTES * 1000000 + 1)
    scores = read_submission(data, list(key), MEGABYTES)
    result = []
    for part in ("public", "private"):
        counted = {name: answer.label for name, answer in key.items() if answer.usage == part}
        try:
            found = measure_all(ASKED, list(counted.values()), [scores[name] for name in counted], SETTINGS, DIGITS)
        except Undefined as error:
            raise Refused([error.told]) from None
        result.append({part: found})
    # The participant reads the last of these, and no private number may be in it.
    return {"result": result, "submission_result": result[0]}
'''


def export_evalai(challenge: Challenge, out: Path) -> list[str]:
    """Write the bundle; what is left behind, a sentence each.

    Raises:
        ChallengeError: the challenge cannot be scored there, has no phases, or ``out`` is no .zip.
    """
    require_phases(challenge, "EvalAI")
    require_scorable(challenge)
    said, pages = challenge.definition, read_pages(challenge)
    script = {"__init__.py": "from .main import evaluate\n", "main.py": write_program(said, _ENDING)}
    templates = {
        "description": pages.get("overview", f"# {said.name}\n") + "\n\n" + pages.get("prizes", ""),
        "evaluation_details": pages[EVALUATION],
        "terms_and_conditions": pages.get("rules", _NO_TERMS),
        "submission_guidelines": pages.get("data", pages[EVALUATION]),
        "phase": "Submissions are ranked on the public part of the test set.\n",
    }
    files: dict[str, str | bytes] = {
        "challenge_config.yaml": yaml.safe_dump(_configuration(said), sort_keys=False, allow_unicode=True),
        "logo.png": draw_logo(),
        "evaluation_script.zip": to_zip(script),
        "annotations/answers.csv": write_answers(challenge, PARTS),
    }
    # Without HTML of the page's own, as everywhere else.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    files |= {f"templates/{name}.html": markdown.render(text) for name, text in templates.items()}
    write_zip(files, out)
    return [
        "EvalAI takes no sample submission: hand sample_submission.csv out with the data",
        "private scores are for the hosts alone there until you set visibility 3 for them",
    ]


def _configuration(said: Definition) -> dict[str, object]:
    primary = said.metrics[0]
    return {
        "title": said.name[:_NAME],
        "short_description": f"{primary.title}: {primary.description}",
        "description": "templates/description.html",
        "evaluation_details": "templates/evaluation_details.html",
        "terms_and_conditions": "templates/terms_and_conditions.html",
        "image": "logo.png",
        "submission_guidelines": "templates/submission_guidelines.html",
        "evaluation_script": "evaluation_script.zip",
        "remote_evaluation": False,
        "is_docker_based": False,
        "start_date": in_utc(said.phases[0].opens),
        "end_date": in_utc(said.phases[-1].closes),
        "published": False,
        "leaderboard": [
            {
                "id": 1,
                "schema": {
                    "labels": [metric.name for metric in said.metrics],
                    "default_order_by": primary.name,
                    "metadata": {
                        metric.name: {"sort_ascending": metric.direction == "lower", "description": metric.description}
                        for metric in said.metrics
                    },
                },
            }
        ],
        "challenge_phases": [
            {
                "id": number, "name": phase.name[:_NAME], "description": "templates/phase.html",
                "leaderboard_public": True, "is_public": True, "is_submission_public": True,
                "start_date": in_utc(phase.opens), "end_date": in_utc(phase.closes),
                "test_annotation_file": "annotations/answers.csv", "codename": f"phase_{number}",
                "max_submissions_per_day": said.limits.daily, "max_submissions": said.limits.total or _NO_LIMIT,
                "max_submissions_per_month": said.limits.total or _NO_LIMIT, "allowed_submission_file_types": ".csv",
            }
            for number, phase in enumerate(said.phases, start=1)
        ],
        "dataset_splits": [
            {"id": number, "name": f"{part.capitalize()} part", "codename": part}
            for number, part in enumerate(PARTS, start=1)
        ],
        "challenge_phase_splits": [
            {
                "challenge_phase_id": phase, "leaderboard_id": 1, "dataset_split_id": split,
                "visibility": _VISIBILITY[part], "leaderboard_decimal_precision": said.digits,
                "is_leaderboard_order_descending": primary.direction == "higher",
            }
            for phase in range(1, len(said.phases) + 1)
            for split, part in enumerate(PARTS, start=1)
        ],
    }  # fmt: skip
