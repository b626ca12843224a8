"""The whole server: web processes and workers, started together and ended together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from unmask.host.accounts import make_token
from unmask.host.database import Database
from unmask.host.place import DATABASE, FOLDER, HTTPS, PARENT, QUEUE, Host
from unmask.host.queue import Queue
from unmask.tables.errors import UnmaskError

#: Seconds between two looks at the workers, and that one has to end in.
_LOOK, _PATIENCE = 1.0, 20.0


@dataclass(frozen=True)
class Serving:
    """How to serve.

    Attributes:
        address: to listen on.
        port: to listen on.
        web: processes that answer requests.
        workers: processes that score; 0 where they run elsewhere.
        https: whether browsers come by HTTPS alone, through a proxy in front.
    """

    address: str = "127.0.0.1"
    port: int = 8000
    web: int = 1
    workers: int = 1
    https: bool = False

    @property
    def url(self) -> str:
        """Where people go."""
        return f"http://{f'[{self.address}]' if ':' in self.address else self.address}:{self.port}"


def require_free(serving: Serving) -> None:
    """Raise UnmaskError where nothing can listen on the address and port."""
    family = socket.AF_INET6 if ":" in serving.address else socket.AF_INET
    try:
        socket.create_server((serving.address, serving.port), family=family).close()
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (")[0]
        what = f"cannot listen on {serving.url}: {why}"
        raise UnmaskError(what, next_step="give another port, such as --port 8080, or another --host") from error


def require_usable(database: str | None, queue: str | None) -> None:
    """Raise UnmaskError where an address that is given, here or by the environment, cannot be used."""
    if url := database or os.environ.get(DATABASE):
        Database(url).close()
    if url := queue or os.environ.get(QUEUE):
        Queue(url, lambda _: None)


def new_token(host: Host) -> str:
    """Another organizer's token, for whoever lost the first."""
    with host.database.writing() as session:
        return make_token(session, host.now(), "unmask", "organizer", None)


def serve(host: Host, serving: Serving) -> None:
    """Serve until a signal ends the process."""
    os.environ |= environment(host, https=serving.https) | {PARENT: str(os.getpid())}
    # uvicorn ends well on a signal and then raises it again: without a handler that would be the end, workers or not.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    with _workers(serving.workers):
        uvicorn.run(
            "unmask.host.web.app:from_environment", factory=True, host=serving.address, port=serving.port,
            workers=serving.web, log_level="warning", server_header=False, proxy_headers=serving.https,
        )  # fmt: skip


def environment(host: Host, *, https: bool = False) -> dict[str, str]:
    """What processes of the same host need to know."""
    url = host.database.engine.url.render_as_string(hide_password=False)
    return {
        FOLDER: str(host.challenge.folder.resolve()), DATABASE: url, QUEUE: host.queue_url, HTTPS: "1" if https else "",
    }  # fmt: skip


@contextmanager
def _workers(count: int) -> Iterator[None]:
    """So many workers while the block runs; one that ends is started again."""
    ending = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "unmask", "worker", os.environ[FOLDER]])  # noqa: S603

    def keep() -> None:
        while not ending.wait(_LOOK):
            running[:] = [each if each.poll() is None else start() for each in running]

    running += [start() for _ in range(count)]
    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ending.set()
        keeper.join()
        for each in running:
            each.terminate()
        for each in running:
            try:
                each.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                each.kill()
