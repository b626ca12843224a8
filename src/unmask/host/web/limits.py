"""How much of a request is read at most, whatever its headers say."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unmask.host.refusals import RefusedError

#: What the parts of a form take beside the file.
_FORM = 65_536


class BodyLimit:
    """Refuses bodies that are too long: by their header, or while they are read.

    Args:
        app: what comes behind.
        most: bytes of a file.
        answer: makes a response of the refusal.
    """

    def __init__(self, app: ASGIApp, most: int, answer: Callable[[Request, RefusedError], Response]) -> None:
        self._app, self._most, self._answer = app, most + _FORM, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = dict(scope["headers"]).get(b"content-length", b"0")
        seen, over, begun = 0, not told.isdigit() or int(told) > self._most, False

        async def counted() -> Message:
            nonlocal seen, over
            message = await receive()
            seen += len(message.get("body", b""))
            over = over or seen > self._most
            # The app sees its client leave, and ends; what it would answer to that is not sent.
            return {"type": "http.disconnect"} if over else message

        async def noted(message: Message) -> None:
            nonlocal begun
            if not over or begun:
                begun = True
                await send(message)

        if not over:
            try:
                await self._app(scope, counted, noted)
            except Exception:
                if not over or begun:
                    raise
        if over and not begun:
            what = f"the request has more than {self._most // 10**6:,} MB"
            refusal = RefusedError(413, "too_large", what, "send id and score alone, or compress the file to .csv.gz")
            response = await run_in_threadpool(self._answer, Request(scope), refusal)
            response.headers["Connection"] = "close"
            await response(scope, receive, send)
