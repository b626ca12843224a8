"""The whole server: web processes and workers, started together and ended together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from unmask.host.place import DATABASE, FOLDER, HTTPS, PARENT, QUEUE, Host

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


def serve(host: Host, serving: Serving) -> None:
    """Serve until a signal ends the process."""
    os.environ |= environment(host, https=serving.https)
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
        known = os.environ | {PARENT: str(os.getpid())}
        return subprocess.Popen([sys.executable, "-m", "unmask", "worker", os.environ[FOLDER]], env=known)  # noqa: S603

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
