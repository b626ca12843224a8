"""The real server, started as people start it, and its client."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx

from .services import free_port


class Server:
    """``unmask serve`` in a process of its own, on loopback."""

    def __init__(self, folder, *words, workers=1, program=(sys.executable, "-m", "unmask"), **environment):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder.parent / f"serve-{self.port}.log"
        command = [*program, "serve", str(folder), "--port", str(self.port), "--workers", str(workers)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, *map(str, words)], stdout=log, stderr=subprocess.STDOUT, env=os.environ | environment,
                start_new_session=True,
            )  # fmt: skip
        self.client = httpx.Client(base_url=self.url, timeout=60)
        for _ in range(300):
            try:
                self.client.get("/api/challenge")
                break
            except httpx.TransportError:
                if self.process.poll() is not None:
                    raise RuntimeError(self.log.read_text()) from None
                time.sleep(0.1)
        found = re.search(r"um_\S+", self.log.read_text())
        self.organizer = found[0] if found else None

    def stop(self, how=signal.SIGTERM):
        self.client.close()
        self.process.send_signal(how)
        self.process.wait(30)

    def kill(self):
        """The process itself, as the system does when memory is short."""
        self.process.kill()
        self.process.wait(30)
        self.client.close()

    def as_(self, token):
        return {"Authorization": f"Bearer {token}"}

    def team(self, name="Alpha", organizer=None):
        """A new team's token."""
        told = self.client.post(
            "/api/teams", json={"name": name, "member": "Ann"}, headers=self.as_(organizer or self.organizer)
        )
        assert told.status_code == 201, told.text
        return told.json()["token"]

    def submit(self, token, data, name="answers.csv", track=""):
        return self.client.post(
            "/api/submissions", files={"file": (name, data)}, data={"track": track}, headers=self.as_(token)
        )

    def submissions(self, token):
        return self.client.get("/api/submissions", headers=self.as_(token)).json()

    def wait(self, token, seconds=60):
        """All submissions of a team, when none waits any more."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            found = self.submissions(token)
            if all(each["state"] in ("scored", "failed") for each in found):
                return found
            time.sleep(0.1)
        raise RuntimeError(f"still waiting: {found}\n{self.log.read_text()[-3000:]}")


@contextmanager
def serving(folder, *words, **options):
    """A server while the block runs."""
    server = Server(folder, *words, **options)
    try:
        yield server
    finally:
        server.stop()
