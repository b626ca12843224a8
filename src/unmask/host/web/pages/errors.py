"""Refusals as pages, for browsers; whoever asks for anything else gets JSON."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from fastapi import Request
from sqlalchemy.exc import OperationalError
from starlette.responses import RedirectResponse, Response

from unmask.host.refusals import RefusedError
from unmask.host.web.pages.rendering import render
from unmask.host.web.pages.visitor import NOT_SIGNED_IN, visitor

#: What is told people in place of what is told programs: what, and the next step.
_FOR_PEOPLE = {
    "not_found": ("there is no page here", "look at the address, or begin at the board"),
    "method_not_allowed": ("this address is not a page", "begin at the board"),
    "bad_request": ("the address or the form has something that cannot be used", "go back and mend what is listed"),
}


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
    if error.code in _FOR_PEOPLE:
        error = RefusedError(error.status, error.code, *_FOR_PEOPLE[error.code], error.problems)
    return render(request, state, account, "refused.html", error.status, error=error, back=_back(request))


def _back(request: Request) -> str:
    """The page of ours from which a form was sent; "" where there is none."""
    came = urlsplit(request.headers.get("referer", ""))
    ours = request.method == "POST" and came.netloc == request.url.netloc
    # A path that begins with two strokes would lead to another host.
    return "/" + came.path.lstrip("/") if ours else ""
