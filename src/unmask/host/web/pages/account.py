"""Signing in and out, and joining."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from unmask.host.refusals import RefusedError
from unmask.host.web.api import register
from unmask.host.web.pages.rendering import render
from unmask.host.web.pages.visitor import Proven, Visitor, sign_in, sign_out, tell
from unmask.host.web.shapes import RegisterIn
from unmask.host.web.state import StateOf

router = APIRouter()
Text = Annotated[str, Form(max_length=200)]


@router.get("/sign-in")
def ask(
    request: Request, state: StateOf, account: Visitor, goto: Annotated[str, Query(alias="next", max_length=200)] = ""
) -> Response:
    """Ask for a token."""
    return render(request, state, account, "sign_in.html", error=None, goto=goto)


@router.post("/sign-in", dependencies=[Proven])
def enter(
    request: Request, state: StateOf, token: Text = "", goto: Annotated[str, Form(alias="next", max_length=200)] = ""
) -> Response:
    """Sign in, and go where the reader wanted to go."""
    try:
        account = sign_in(request, state, token)
    except RefusedError as error:
        return render(request, state, None, "sign_in.html", error.status, error=error, goto=goto)
    home = "/desk" if account.organizes else "/submissions"
    return RedirectResponse(goto if _is_ours(goto) else home, 303)


@router.post("/sign-out", dependencies=[Proven])
def leave(request: Request, state: StateOf, account: Visitor) -> Response:
    """Sign out."""
    if account is not None:
        sign_out(request, state, account)
    tell(request, "You are signed out, in every browser that this token was used in.")
    return RedirectResponse("/", 303)


@router.get("/join")
def ask_to_join(
    request: Request, state: StateOf, account: Visitor, invitation: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Ask for names; an invitation may come in the address, or behind its #, which no server's log sees."""
    given = RegisterIn(member="", team="", invitation=invitation)
    return render(request, state, account, "join.html", error=None, given=given)


@router.post("/join", dependencies=[Proven])
def join(request: Request, state: StateOf, member: Text = "", team: Text = "", invitation: Text = "") -> Response:
    """Make a team or join one, sign in, and show the token this once."""
    given = RegisterIn(member=member, team=team, invitation=_code(invitation) or None)
    try:
        secret = register(state, given).token
    except RefusedError as error:
        return render(request, state, None, "join.html", error.status, error=error, given=given)
    account = sign_in(request, state, secret)
    return render(request, state, account, "joined.html", 201, secret=secret, server=str(request.base_url).rstrip("/"))


def _code(invitation: str) -> str:
    """The code of an invitation, which may be given as the whole address that was sent."""
    return invitation.strip().rpartition("#")[2].rpartition("?invitation=")[2]


def _is_ours(goto: str) -> bool:
    """Whether an address leads to a page here: a path, and no other host in disguise."""
    return goto.startswith("/") and not goto.startswith(("//", "/\\")) and goto.isprintable()
