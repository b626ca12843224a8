"""Example texts for a challenge's pages, to be rewritten by whoever runs it."""

from __future__ import annotations

from pathlib import Path

from unmask.tables.writing import write_text

_TEXTS = {
    "overview": """# {name}

Tell real from fake: for each file, the probability that it was manipulated.

*Write here what the files show, who made them, and why it matters.*
""",
    "rules": """# Rules

- One account a team; a person is in one team.
- No labelling of the test files by hand, and no use of other copies of them.
- Say which data your detector was trained on.

*Write here who may take part, and what decides about prizes.*
""",
    "data": """# Data

Each file has an id. A submission is a table with two columns, `id` and `score`: the probability of fake, from 0 to 1,
for every id, as in `sample_submission.csv`. Part of the files decides the public board, part the private one, and part
may count for neither; which is which is not told.

*Write here where the files can be had, and under which terms.*
""",
    "prizes": """# Prizes

*Write here what can be won, or take this page out of challenge.yaml.*
""",
}
#: What is to be written anew in them.
PLACEHOLDER = r"\*Write here [^*]*\*"
#: Name of each page and its file, as ``challenge.yaml`` states them.
FILES = {page: f"{page}.md" for page in _TEXTS}


def write_pages(folder: Path, name: str) -> None:
    """Write the example texts into a challenge's folder; what is there already stays.

    Args:
        folder: the challenge's.
        name: the challenge's.
    """
    for page, text in _TEXTS.items():
        path = folder / FILES[page]
        if not path.exists():
            write_text(text.format(name=name), path)
