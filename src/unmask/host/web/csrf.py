"""Proof that a change was asked for by our own page, not by another site in the same browser."""

from __future__ import annotations

import secrets

from starlette.requests import Request

from unmask.host.refusals import RefusedError

#: What pages that are read by scripts send it in; forms have a field ``csrf``.
HEADER = "X-CSRF-Token"
_KEY = "csrf"


def proof(request: Request) -> str:
    """What our own pages send along; drawn once a browser session."""
    if _KEY not in request.session:
        request.session[_KEY] = secrets.token_urlsafe(24)
    return str(request.session[_KEY])


def require_proof(request: Request, given: str) -> None:
    """Raise RefusedError unless ``given`` is what this session's pages send."""
    known = request.session.get(_KEY)
    if not isinstance(known, str) or not secrets.compare_digest(known.encode(), given.encode()):
        remedy = f"open the page again and repeat it; scripts send the page's token in {HEADER}, or use a bearer token"
        raise RefusedError(403, "csrf", "this browser's session did not ask for the change", remedy)
