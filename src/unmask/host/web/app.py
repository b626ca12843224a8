"""The application: API and pages, one shape for errors, and headers that let nothing in from elsewhere."""

from __future__ import annotations

import logging
import os
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from unmask import __version__
from unmask.host.parent import end_with_parent
from unmask.host.place import DATABASE, FOLDER, HTTPS, QUEUE, Host, open_host
from unmask.host.refusals import RefusedError
from unmask.host.web import api, desk, pages
from unmask.host.web.limits import BodyLimit, HeadAsGet
from unmask.host.web.pages.errors import refusal_page, wants_page
from unmask.host.web.pages.rendering import STATIC
from unmask.host.web.pages.visitor import NOT_SIGNED_IN
from unmask.host.web.state import State, is_known

_log = logging.getLogger(__name__)
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
#: Seconds for which a browser stays signed in.
_SIGNED_IN = 14 * 24 * 3600


def create_app(host: Host, *, https: bool = False) -> FastAPI:
    """The application of one host, which has been set up.

    Args:
        host: which.
        https: whether browsers reach it by HTTPS alone, so that cookies need not go elsewhere.
    """
    app = FastAPI(
        title=f"unmask: {host.challenge.definition.name}", version=__version__, docs_url=None, redoc_url=None,
        openapi_url="/api/openapi.json", description="A deepfake detection challenge.",
    )  # fmt: skip
    app.state.unmask = State(host)
    app.include_router(api.router)
    app.include_router(desk.router)
    app.include_router(pages.router)
    app.mount("/static", _Static(directory=STATIC))
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OperationalError, _away)
    app.add_exception_handler(OSError, _full)
    app.add_exception_handler(Exception, _broken)
    app.add_middleware(
        BodyLimit, files=frozenset({"/api/submissions", "/submit"}),
        most=lambda: host.challenge.definition.limits.megabytes * 10**6, stranger=_stranger, answer=_answer,
    )  # fmt: skip
    app.add_middleware(
        SessionMiddleware, secret_key=host.secret(), session_cookie="unmask", max_age=_SIGNED_IN, same_site="strict",
        https_only=https,
    )  # fmt: skip

    @app.middleware("http")
    async def add_headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    app.add_middleware(HeadAsGet)
    return app


def from_environment() -> FastAPI:
    """The application, for processes that a server starts: see ``unmask.host.serving``."""
    end_with_parent()
    host = open_host(os.environ[FOLDER], database=os.environ[DATABASE], queue=os.environ[QUEUE])
    return create_app(host, https=bool(os.environ.get(HTTPS)))


class _Static(StaticFiles):
    """Files whose address changes with their content."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """As ever, to be kept for good."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _answer(request: Request, error: RefusedError) -> Response:
    """A refusal as its reader can read it: a page for browsers, JSON for all others."""
    return refusal_page(request, error) if wants_page(request) else JSONResponse(error.as_dict(), error.status)


def _stranger(request: Request) -> RefusedError | None:
    try:
        if is_known(request, request.app.state.unmask):
            return None
    except OperationalError:
        return _database_away()
    if "authorization" in request.headers:
        return RefusedError(401, "bad_token", "the token is unknown or was revoked", "use another token")
    if wants_page(request):
        return RefusedError(401, NOT_SIGNED_IN, "nobody is signed in", "sign in with your token")
    return RefusedError(401, "no_token", "nobody is signed in", "give a token: Authorization: Bearer um_...")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)  # noqa: S101  # as it is registered
    return _answer(request, error)


def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    remedy = "mend what is listed; the API is described in /api/openapi.json"
    return _answer(request, RefusedError(422, "bad_request", "the request is malformed", remedy, problems))


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_")
    remedy = "look at the address; the API is described in /api/openapi.json"
    told = _answer(request, RefusedError(error.status_code, code, str(error.detail or phrase), remedy))
    told.headers.update(error.headers or {})
    return told


def _away(request: Request, error: Exception) -> Response:
    _log.warning("the database is away", exc_info=error)
    told = _answer(request, _database_away())
    told.headers["Retry-After"] = "2"
    return told


def _database_away() -> RefusedError:
    return RefusedError(503, "database_away", "the database cannot be reached", "try again in a few seconds")


def _full(request: Request, error: Exception) -> Response:
    _log.error("a file could not be written or read", exc_info=error)
    remedy = "try again later: it cost nothing"
    return _answer(request, RefusedError(507, "storage", "the server cannot keep files now", remedy))


def _broken(request: Request, error: Exception) -> Response:
    _log.error("a request failed", exc_info=error)
    what = "something went wrong here; it has been noted"
    told = _answer(request, RefusedError(500, "internal", what, "try again; if it stays, write to the organizer"))
    told.headers.update(_HEADERS)  # this answer passes by the middleware
    return told
