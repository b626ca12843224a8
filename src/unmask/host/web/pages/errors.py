"""Refusals as pages, for browsers; whoever asks for anything else gets JSON."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Request
from sqlalchemy.exc import OperationalError
from starlette.responses import RedirectResponse, Response

from unmask.host.refusals import RefusedError
from unmask.host.web.pages.rendering import render
from unmask.host.web.pages.visitor import NOT_SIGNED_IN, visitor


def wants_page(request: Request) -> bool:
    """Whether a browser asks for a page."""
    return not request.url.path.startswith("/api") and "text/html" in request.headers.get("accept", "")


def refusal_page(request: Request, error: RefusedError) -> Response:
    """What a browser is shown; where somebody must sign in first, the way there."""
    if error.code == NOT_SIGNED_IN:
        to = f"?next={quote(request.url.path)}" if request.method == "GET" else ""
        return RedirectResponse(f"/sign-in{to}", 303)
    state = request.app.state.unmask
    request.scope.setdefault("session", {})  # what is broken may be broken before there is one
    try:
        account = visitor(request, state)
    except OperationalError:  # the database may be what is away
        account = None
    return render(request, state, account, "refused.html", error.status, error=error)
