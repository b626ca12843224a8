"""``kill -9`` of the web process or the worker at every step of a submission: nothing is lost, nothing counts twice."""

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from tests.challenge.conftest import answers_of
from unmask.host.database import Database
from unmask.host.events import broken_at
from unmask.host.records import Event, Score, Submission

from .server import Server

ROOT = Path(__file__).parents[2]
WEB = [
    ("unmask.host.intake:Intake.submit", "before"),
    ("unmask.host.files:Files.receive", "before"),
    ("unmask.host.intake:check", "before"),
    ("unmask.host.intake:check", "after"),
    ("unmask.host.intake:Intake._accept", "before"),
    ("unmask.host.files:Files.keep", "before"),
    ("unmask.host.files:Files.keep", "after"),
    ("unmask.host.intake:log", "after"),
    ("unmask.host.queue:Queue.enqueue", "before"),
    ("unmask.host.queue:Queue.enqueue", "after"),
    ("unmask.host.intake:Intake._accept", "after"),
]
WORKER = [
    ("unmask.host.worker:Worker.score", "before"),
    ("unmask.host.worker:claim", "before"),
    ("unmask.host.scoring:_is_free", "after"),
    ("unmask.host.worker:claim", "after"),
    ("unmask.host.worker:Worker._computed", "before"),
    ("unmask.host.worker:Worker._computed", "after"),
    ("unmask.host.worker:finish", "before"),
    ("unmask.host.scoring:log", "before"),
    ("unmask.host.scoring:log", "after"),
    ("unmask.host.worker:finish", "after"),
    ("unmask.host.worker:Worker.score", "after"),
]
DATA = answers_of(0.3).write_csv().encode()


class Killed(Server):
    """A server without workers whose process is killed at a step."""

    def __init__(self, folder, step="nowhere", when="before"):
        super().__init__(folder, workers=0, program=[sys.executable, "-m", "tests.host.killed", step, when])


@contextlib.contextmanager
def worker(folder, step="nowhere", when="before"):
    with (folder.parent / "worker.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.host.killed", step, when, "worker", str(folder)], cwd=ROOT, stdout=log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


def check(folder, token, server):
    """One submission, scored once, with nothing left over."""
    found = server.wait(token, 60)
    assert [each["state"] for each in found] == ["scored"]
    assert server.client.get("/api/me", headers=server.as_(token)).json()["quota"]["today"] == 4
    database = Database(f"sqlite:///{folder / 'host' / 'challenge.db'}")
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Score)) == 2
        assert session.scalar(select(func.count()).select_from(Submission)) == 1
        events = session.scalars(select(Event).order_by(Event.id)).all()
    database.close()
    assert broken_at(events) is None
    assert [each.action for each in events].count("scored") == 1
    assert [each.action for each in events].count("submitted") == 1
    assert len(server.client.get("/api/board").json()["entries"]) == 1


@pytest.mark.parametrize(("step", "when"), WEB)
def test_web_is_killed(folder, step, when):
    server = Killed(folder, step, when)
    token = server.team()
    with pytest.raises(httpx.TransportError):
        server.submit(token, DATA)
    server.kill()
    again = Killed(folder)
    try:
        with worker(folder):
            told = again.submit(token, DATA)  # as anybody would whose connection broke
            assert told.status_code in (201, 409), told.text
            check(folder, token, again)
        left = [path for path in (folder / "host" / "files").iterdir() if not path.name.startswith(".")]
        assert len(left) == 1
    finally:
        again.stop()


@pytest.mark.parametrize(("step", "when"), WORKER)
def test_worker_is_killed(folder, step, when):
    server = Killed(folder)
    try:
        token = server.team()
        with worker(folder, step, when) as killed:
            assert server.submit(token, DATA).status_code == 201
            ends = time.monotonic() + 30
            while killed.poll() is None and time.monotonic() < ends:
                time.sleep(0.05)
            assert killed.returncode == -9
        with worker(folder):
            check(folder, token, server)
    finally:
        server.stop()
