"""Who looks at a page: known by the browser's session alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form, Header, Request

from unmask.host.accounts import Account, authenticate, by_id
from unmask.host.refusals import RefusedError
from unmask.host.web.csrf import HEADER, require_proof
from unmask.host.web.state import State, StateOf

_TOKEN = "token"  # noqa: S105  # a key of the session
#: What a refusal says where somebody must sign in first: pages then lead there.
NOT_SIGNED_IN = "not_signed_in"


def visitor(request: Request, state: StateOf) -> Account | None:
    """Whose session this is; None where nobody is signed in, or the token was revoked."""
    token_id = request.session.get(_TOKEN)
    if not isinstance(token_id, int):
        return None
    with state.host.database.reading() as session:
        return by_id(session, token_id)


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
    if account is None:
        raise RefusedError(401, "bad_token", "the token is unknown or was revoked", "paste the whole token, um_...")
    request.session.clear()
    request.session[_TOKEN] = account.token_id
    return account


def tell(request: Request, message: str) -> None:
    """Have the next page say ``message``, once."""
    request.session["said"] = message
