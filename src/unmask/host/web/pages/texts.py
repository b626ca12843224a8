"""What the challenge says of itself: its own pages, and what its definition says."""

from __future__ import annotations

import logging

from fastapi import APIRouter, Request
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.responses import Response

from unmask.challenge.exporting.answers import write_sample
from unmask.challenge.exporting.pages import read_pages
from unmask.challenge.folder import SAMPLE, Challenge
from unmask.host.refusals import RefusedError
from unmask.host.web.pages.rendering import render
from unmask.host.web.pages.visitor import Visitor
from unmask.host.web.state import StateOf
from unmask.tables.errors import ChallengeError

_log = logging.getLogger(__name__)
router = APIRouter()
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
#: What of a definition these metrics depend on, and how pages call it; on others it has no effect.
SETTINGS = {
    "threshold": (
        "Called fake from a score of",
        {"balanced_accuracy", "f1", "fpr_per_million", "precision_at_prevalence"},
    ),
    "prevalence": (
        "Share of fakes in the stream meant",
        {"precision_at_prevalence", "recall_at_budget", "log_loss_at_prevalence"},
    ),
    "budget": ("Share of it that people look at", {"recall_at_budget"}),
    "clip": ("Scores are clipped by", {"log_loss", "log_loss_at_prevalence", "cllr", "act_dcf"}),
}


@router.get("/overview")
@router.get("/rules")
@router.get("/data")
@router.get("/prizes")
def show(request: Request, state: StateOf, account: Visitor) -> Response:
    """One of the challenge's pages; prizes only where it has such a page."""
    name, challenge = request.url.path.strip("/"), state.host.challenge
    if name == "prizes" and name not in challenge.definition.pages:
        raise RefusedError(404, "no_page", "the challenge has no such page", "look at the overview")
    own = _texts(challenge).get(name)
    used = {metric.name for metric in challenge.definition.metrics}
    settings = [
        (title, getattr(challenge.definition, setting))
        for setting, (title, metrics) in SETTINGS.items()
        if used & metrics
    ]
    return render(
        request, state, account, "text.html", name=name, own=None if own is None else _html(own, name),
        ids=len(challenge.ids), settings=settings,
    )  # fmt: skip


@router.get(f"/data/{SAMPLE}")
def sample(state: StateOf) -> Response:
    """Every id with 0.5: what a submission looks like."""
    return Response(write_sample(state.host.challenge), media_type="text/csv")


def _texts(challenge: Challenge) -> dict[str, str]:
    """Page to its Markdown; what cannot be read is left out, and noted."""
    try:
        return read_pages(challenge)
    except ChallengeError:
        _log.exception("a page of the challenge cannot be shown")
        return {}


def _html(text: str, name: str) -> Markup:
    """Markdown without HTML of its own, its headings one step down: the page itself has the first, ``name``."""
    tokens = _markdown.parse(text)
    if len(tokens) > 1 and tokens[0].type == "heading_open" and tokens[1].content.strip().casefold() == name:
        del tokens[:3]  # the heading's beginning, text and end
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + 1, 6)}"
    return Markup(_markdown.renderer.render(tokens, _markdown.options, {}))  # noqa: S704  # written with html off
