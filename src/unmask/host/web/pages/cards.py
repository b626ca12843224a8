"""An entry's scorecard for its team: the public part, made on the first look and kept.

It has no curve and no histogram: their steps in the order of the scores are the labels themselves. Numbers that the
board does not show have two decimals, so that no label can be told from them where the part is not tiny; and where the
Ladder holds a submission back, its card is held back too.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

from unmask import __version__
from unmask.challenge.definition import Definition
from unmask.challenge.folder import Challenge
from unmask.host.boards import PUBLIC
from unmask.host.records import Submission
from unmask.host.refusals import RefusedError
from unmask.host.scoring import current, is_of
from unmask.host.web.pages.rendering import STATIC, templates
from unmask.host.web.shapes import SubmissionOut
from unmask.host.web.state import State
from unmask.scoring import Scorecard, score
from unmask.scoring.slices import SMALL
from unmask.tables.writing import write_text

_KEPT = "cards"
#: Decimals of what the board does not show.
_COARSE = 2
_TEMPLATE = "card.html"
_making = threading.Lock()


def card_page(state: State, asked: SubmissionOut) -> str:
    """The scorecard as one page of HTML.

    Args:
        state: of the host.
        asked: a scored submission; the card is that of the submission whose score it shows.

    Raises:
        RefusedError: the challenge's files are not those of the scoring that holds.
    """
    challenge = state.host.challenge
    with state.host.database.reading() as session:
        scoring, shown = current(session), session.get_one(Submission, asked.shown_of)
        if scoring is None or not is_of(scoring, challenge.definition):
            what = "the challenge is being changed; scorecards are made when everything has been scored again"
            raise RefusedError(409, "changed", what, "look again later")
    folder = state.host.folder / _KEPT
    path = folder / f"{scoring.id}-{shown.id}-{asked.id}-{_look(challenge.definition)}.html"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    with _making:  # they take a processor each: one after the other
        if not path.is_file():
            card = _score(challenge, state.host.files.path(shown.stored))
            write_text(_render(card, challenge.definition, asked), path)
    return path.read_text(encoding="utf-8")


def _score(challenge: Challenge, path: Path) -> Scorecard:
    said, key = challenge.definition, challenge.key
    basis = [column for column in ("subject_id", "source_id") if column in key.columns]
    columns = dict.fromkeys(["id", "label", "usage", "cluster", *basis, *said.slices])
    return score(
        path, key.select([column for column in columns if column in key.columns]), usage=PUBLIC, groups=[],
        seed=said.seed, replicates=said.replicates, clip=said.clip, threshold=said.threshold,
        prevalence=said.prevalence, budget=said.budget, confidence=challenge.protocol.confidence,
    )  # fmt: skip


def _render(card: Scorecard, said: Definition, asked: SubmissionOut) -> str:
    own = {metric.name for metric in said.metrics}
    others = [found for name, found in card.metrics.items() if found.metric.headline and name not in own]
    return str(
        templates().get_template(_TEMPLATE).render(
            card=card, said=said, asked=asked, coarse=_COARSE, small=SMALL, version=__version__,
            metrics=[
                *((card.metrics[metric.name], said.digits) for metric in said.metrics),
                *((found, _COARSE) for found in others),
            ],
        )
    )  # fmt: skip


def _look(said: Definition) -> str:
    """What changes where a kept card would be shown in another way."""
    template = (STATIC.parent / "templates" / _TEMPLATE).read_text(encoding="utf-8")
    told = repr((__version__, template, said.name, said.slices, said.digits))
    return hashlib.sha256(told.encode()).hexdigest()[:12]
