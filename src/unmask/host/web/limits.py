"""How much of a request is read at most, from whom, and for how long, whatever its headers say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unmask.host.refusals import RefusedError

#: Bytes of a request that sends no file, and of what stands around the file in one that does.
_FORM = 65_536
#: Seconds for which nothing may come of a body that has begun.
_PATIENCE = 60.0


class BodyLimit:
    """Refuses bodies that are too long, by their header or while they are read, that stop coming, and strangers' files.

    Args:
        app: what comes behind.
        files: paths to which files are sent.
        most: bytes of a file, at the moment.
        stranger: why a file is not read from whoever sends a request; None where it is.
        answer: makes a response of the refusal.
    """

    def __init__(
        self, app: ASGIApp, files: frozenset[str], most: Callable[[], int],
        stranger: Callable[[Request], RefusedError | None], answer: Callable[[Request, RefusedError], Response],
    ) -> None:  # fmt: skip
        self._app, self._files, self._most, self._stranger, self._answer = app, files, most, stranger, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most, refusal = _FORM, None
        if scope["method"] == "POST" and scope["path"] in self._files:
            most += self._most()
            refusal = await run_in_threadpool(self._stranger, Request(scope))
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if refusal is None and (not told.isdigit() or len(told) > len(str(most)) or int(told) > most):
            refusal = _too_long(most)
        seen, whole, begun = 0, False, False

        async def counted() -> Message:
            nonlocal seen, whole, refusal
            if whole:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), _PATIENCE)
            except TimeoutError:
                what = f"nothing of the request has come for {_PATIENCE:g} s"
                refusal = RefusedError(408, "timeout", what, "send it again")
                return {"type": "http.disconnect"}
            seen += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if seen > most:
                refusal = _too_long(most)
            # The app sees its client leave, and ends; what it would answer to that is not sent.
            return {"type": "http.disconnect"} if refusal else message

        async def noted(message: Message) -> None:
            nonlocal begun
            if refusal is None or begun:
                begun = True
                await send(message)

        if refusal is None:
            try:
                await self._app(scope, counted, noted)
            except Exception:
                if refusal is None or begun:
                    raise
        if refusal is not None and not begun:
            # Whoever still sends would not read the answer, but see the connection break.
            while not whole and seen <= 2 * most:
                try:
                    message = await asyncio.wait_for(receive(), _PATIENCE)
                except TimeoutError:
                    break
                seen += len(message.get("body", b""))
                whole = not message.get("more_body", False)
            response = await run_in_threadpool(self._answer, Request(scope), refusal)
            response.headers["Connection"] = "close"
            await response(scope, receive, send)


def _too_long(most: int) -> RefusedError:
    length = f"{most // 10**6:,} MB" if most >= 10**6 else f"{most:,} bytes"
    remedy = "send id and score alone, or compress the file to .csv.gz"
    return RefusedError(413, "too_large", f"the request has more than {length}", remedy)


class HeadAsGet:
    """Answers HEAD as GET is answered; the server leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)
