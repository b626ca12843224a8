"""The program of a bundle: one file of plain Python that checks and scores a submission wherever it is put."""

from __future__ import annotations

import ast
from pathlib import Path

from unmask import __version__
from unmask.challenge.definition import Definition
from unmask.challenge.exporting import plain, plain_reading

_HEAD = '''"""Checks and scores submissions as unmask {version} does; it needs the standard library of Python 3.7{more}.

Written by ``unmask challenge export``. Nothing in here depends on an answer.
"""

'''
_SETTINGS = """

#: What the challenge measures, the first to rank by, the others to part equal scores; and how.
ASKED = {asked!r}
SETTINGS = Settings(clip={clip!r}, threshold={threshold!r}, prevalence={prevalence!r}, budget={budget!r})
#: Decimals of every score that leaves this program: more of them would tell labels.
DIGITS = {digits!r}
#: That a submission may have.
MEGABYTES = {megabytes!r}

"""


def write_program(definition: Definition, ending: str, *, more: str = "") -> str:
    """The text of the program.

    Args:
        definition: of the challenge whose metrics, digits, clip and so on it is to have.
        ending: what the platform calls, in Python 3.7: it finds all names of ``plain`` and ``plain_reading``, and
            ASKED, SETTINGS, DIGITS and MEGABYTES.
        more: what it needs beside the standard library, in words.
    """
    told = {
        "asked": [metric.name for metric in definition.metrics],
        "clip": definition.clip,
        "threshold": definition.threshold,
        "prevalence": definition.prevalence,
        "budget": definition.budget,
        "digits": definition.digits,
        "megabytes": definition.limits.megabytes,
    }
    parts = [_without_docstring(Path(module.__file__ or "")) for module in (plain, plain_reading)]
    return _HEAD.format(version=__version__, more=more) + "\n\n".join(parts) + _SETTINGS.format(**told) + ending


def _without_docstring(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    end = ast.parse(text).body[0].end_lineno or 0
    return "\n".join(text.splitlines()[end:]).strip("\n") + "\n"
