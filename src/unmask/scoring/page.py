"""``scorecard.html``: one page that opens from disk, without scripts and without a network."""

from __future__ import annotations

import math

from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape

from unmask.scoring.basis import Basis
from unmask.scoring.charts import (
    budget_chart,
    det_chart,
    histogram_chart,
    precision_chart,
    reliability_chart,
    roc_chart,
)
from unmask.scoring.estimates import Estimate
from unmask.scoring.scorecard import Scorecard
from unmask.tables.answers import FEWEST_PEOPLE

#: AUC from which on a detector that clearly beats guessing is called by each word.
_WORDS = ((0.97, "Excellent"), (0.9, "Good"), (0.8, "Fair"), (0.65, "Weak"), (0.0, "Barely better than guessing"))
#: No word is given where a class rests on fewer people or clusters: the bootstrap of so few is too narrow.
_FEWEST = FEWEST_PEOPLE
#: Nor where the interval of the AUC is wider: it would span several words.
_WIDEST = 0.2


def environment(*further: BaseLoader) -> Environment:
    """The templates' surroundings: everything is escaped, and a missing value is an error.

    Args:
        further: loaders of templates that build on ``base.html``.
    """
    loader = ChoiceLoader([PackageLoader("unmask.scoring"), *further])
    found = Environment(
        loader=loader, autoescape=select_autoescape(default=True), undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    found.filters["percent"] = _percent
    found.filters["decimals"] = _decimals
    return found


def render(card: Scorecard, *, name: str) -> str:
    """The page as HTML text.

    Args:
        card: what to show.
        name: of the predictions, as the title tells it.
    """
    auc, basis = card.metrics["roc_auc"], card.basis
    verdict, tone = _verdict(auc, basis)
    reals = card.rows.height - card.fakes
    return environment().get_template("scorecard.html").render(
        card=card, name=name, verdict=verdict, tone=tone, basis=basis, reals=reals,
        stated=card.stated,
        sentence=f"{_sentence(auc)} {_caution(auc, basis)}".strip(),
        curves=_curve_charts(card) if card.fakes and reals else None,
        histogram=histogram_chart(card.rows) if card.rows.height else None,
    )  # fmt: skip


def _curve_charts(card: Scorecard) -> dict[str, str]:
    found = card.curves()
    return {
        "roc": roc_chart(found.roc),
        "det": det_chart(found.roc),
        "precision": precision_chart(found.precision, card.fakes / card.rows.height),
        "budget": budget_chart(found.budget),
        "reliability": reliability_chart(found.reliability),
    }


def _verdict(auc: Estimate, basis: Basis) -> tuple[str, str]:
    """In a word whether the detector is any good, and the tone in which the page tells it."""
    if auc.value is None:
        return "Cannot be told", "unknown"
    if auc.low is None or auc.high is None:
        return "Too little data to tell", "unknown"
    if auc.low <= 0.5 <= auc.high:
        return "Not shown to beat guessing", "bad"
    if _caution(auc, basis):
        return f"Rests on {basis}", "unknown"
    if auc.high < 0.5:
        return "Worse than guessing", "bad"
    word = next(word for least, word in _WORDS if auc.value >= least)
    return word, "good" if auc.value >= 0.9 else "fair" if auc.value >= 0.65 else "bad"


def _caution(auc: Estimate, basis: Basis) -> str:
    """Why no word should sum up this AUC; empty where one may, and where there is no interval."""
    if auc.low is None or auc.high is None:
        return ""
    if basis.fewest < _FEWEST:
        few = f"the fakes or the reals rest on fewer than {_FEWEST} people or clusters ({basis.fewest})"
        return f"No verdict: {few}, which may all be easy or all be hard."
    if auc.high - auc.low > _WIDEST:
        return f"No verdict: the interval is wider than {_WIDEST:g}."
    return ""


def _sentence(auc: Estimate) -> str:
    if auc.value is None:
        return f"The AUC is undefined: {auc.reason}."
    told = f"Shown one fake and one real, it gives the fake the higher score {100 * auc.value:.0f} times in 100"
    if auc.low is None or auc.high is None:
        return f"{told}. How far chance could move that is not known ({auc.reason})."
    hint = " Scores may be turned round: 1 must mean fake." if auc.high < 0.5 else ""
    return f"{told} (with other files, {100 * auc.low:.0f} to {100 * auc.high:.0f}). Guessing gives 50.{hint}"


def _percent(share: float) -> str:
    """A share as percent, never rounded up to 100 or down to 0."""
    percent = 100.0 * share
    cut = min(max(percent, 0.1), 99.9) if 0.0 < share < 1.0 else percent
    return f"{math.floor(10 * cut) / 10 if cut > 50 else cut:.1f} %"


def _decimals(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
