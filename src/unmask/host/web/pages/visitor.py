"""Who looks at a page: known by the browser's session alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form, Header, Request

from unmask.host.accounts import Account, authenticate, begin_session, by_session, end_sessions
from unmask.host.refusals import RefusedError
from unmask.host.web.csrf import HEADER, require_proof
from unmask.host.web.state import SIGNED_IN, State, StateOf

#: What a refusal says where somebody must sign in first: pages then lead there.
NOT_SIGNED_IN = "not_signed_in"


def visitor(request: Request, state: StateOf) -> Account | None:
    """Whose session this is; None where nobody is signed in, or the token was revoked."""
    kept = request.session.get(SIGNED_IN)
    if kept is None:
        return None
    with state.host.database.reading() as session:
        return by_session(session, kept)


Visitor = Annotated[Account | None, Depends(visitor)]


def _signed_in(account: Visitor) -> Account:
    if account is None:
        raise RefusedError(401, NOT_SIGNED_IN, "nobody is signed in", "sign in with your token")
    return account


SignedIn = Annotated[Account, Depends(_signed_in)]


def _at_desk(account: SignedIn) -> Account:
    if not account.organizes:
        raise RefusedError(403, "not_organizer", "the desk is the organizer's", "sign in with an organizer's token")
    return account


AtDesk = Annotated[Account, Depends(_at_desk)]


def _proven(
    request: Request,
    csrf: Annotated[str, Form(max_length=200)] = "",
    header: Annotated[str, Header(alias=HEADER, max_length=200)] = "",
) -> None:
    require_proof(request, header or csrf)


#: For every route of a page that changes something.
Proven = Depends(_proven)


def sign_in(request: Request, state: State, secret: str) -> Account:
    """Remember in the browser's session whose token this is. All that was in the session before is forgotten.

    Raises:
        RefusedError: it is nobody's, or was revoked.
    """
    with state.host.database.reading() as session:
        account = authenticate(session, secret.strip())
        kept = None if account is None else begin_session(session, account)
    if account is None:
        raise RefusedError(401, "bad_token", "the token is unknown or was revoked", "paste the whole token, um_...")
    request.session.clear()
    request.session[SIGNED_IN] = kept
    return account


def sign_out(request: Request, state: State, account: Account) -> None:
    """Forget what is in the browser's session, and let no copy of it, nor another browser's, hold any more."""
    with state.host.database.writing() as session:
        end_sessions(session, account)
    request.session.clear()


def tell(request: Request, message: str) -> None:
    """Have the next page say ``message``, once."""
    request.session["said"] = message
