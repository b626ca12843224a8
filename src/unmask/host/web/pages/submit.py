"""Sending a file, with what is left to the team and the full report where it is refused."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from unmask.host.accounts import Account
from unmask.host.files import ENDINGS
from unmask.host.refusals import RefusedError
from unmask.host.web.api import me
from unmask.host.web.pages.calendar import calendar
from unmask.host.web.pages.rendering import render
from unmask.host.web.pages.visitor import Proven, SignedIn, tell
from unmask.host.web.state import State, StateOf

router = APIRouter()


@router.get("/submit")
def ask(request: Request, state: StateOf, account: SignedIn) -> Response:
    """Ask for a file."""
    return _page(request, state, account, None, "")


@router.post("/submit", dependencies=[Proven])
async def send(
    request: Request,
    state: StateOf,
    account: SignedIn,
    file: Annotated[UploadFile | None, File()] = None,
    track: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Take a file in, or say everything that is wrong with it."""
    try:
        if file is None:
            raise RefusedError(422, "no_file", "there is no file", "choose one")
        submission = await state.submit(request, account, file, track)
    except RefusedError as error:
        return await run_in_threadpool(_page, request, state, account, error, track)
    tell(request, f"Submission {submission.id} has arrived: {submission.rows:,} rows, all in order.")
    return RedirectResponse("/submissions", 303)


def _page(request: Request, state: State, account: Account, error: RefusedError | None, track: str) -> Response:
    definition = state.host.challenge.definition
    left = me(state, account).quota
    with state.host.database.reading() as session:
        dates, paused = calendar(session, definition, state.host.now()), state.paused(session)
    return render(
        request, state, account, "submit.html", error.status if error else 200, error=error, left=left, track=track,
        dates=dates, paused=paused, endings=",".join(ENDINGS), ids=len(state.host.challenge.ids),
    )  # fmt: skip
