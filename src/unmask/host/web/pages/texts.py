"""What the challenge says of itself: its own pages, and what its definition says."""

from __future__ import annotations

import logging

from fastapi import APIRouter, Request
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.responses import Response

from unmask.challenge.exporting.answers import write_sample
from unmask.challenge.exporting.pages import EVALUATION, read_pages
from unmask.challenge.folder import SAMPLE, Challenge
from unmask.host.refusals import RefusedError
from unmask.host.web.pages.rendering import render
from unmask.host.web.pages.visitor import Visitor
from unmask.host.web.state import StateOf
from unmask.tables.errors import ChallengeError

_log = logging.getLogger(__name__)
router = APIRouter()
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
#: What is shown below a challenge's own text.
_FURTHER = {"rules": EVALUATION}


@router.get("/overview")
@router.get("/rules")
@router.get("/data")
@router.get("/prizes")
def show(request: Request, state: StateOf, account: Visitor) -> Response:
    """One of the challenge's pages; prizes only where it has such a page."""
    name, challenge = request.url.path.strip("/"), state.host.challenge
    if name == "prizes" and name not in challenge.definition.pages:
        raise RefusedError(404, "no_page", "the challenge has no such page", "look at the overview")
    texts = _texts(challenge)
    told = [texts[each] for each in (name, _FURTHER.get(name)) if each in texts]
    return render(
        request, state, account, "text.html", name=name, texts=[_html(text) for text in told], ids=len(challenge.ids),
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


def _html(text: str) -> Markup:
    """Markdown without HTML of its own, its headings one step down: the page itself has the first."""
    tokens = _markdown.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + 1, 6)}"
    return Markup(_markdown.renderer.render(tokens, _markdown.options, {}))  # noqa: S704  # written with html off
