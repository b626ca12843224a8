"""A hosted toy challenge on every kind of database, with a clock that tests turn."""

import io
import shutil
import signal
import tempfile
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tests.challenge.conftest import answers_of, make_manifest
from unmask.challenge.create import create
from unmask.host.accounts import authenticate, make_team, make_token
from unmask.host.database import Database
from unmask.host.intake import Intake
from unmask.host.place import Host, open_host, set_up
from unmask.host.scoring import claim, compute, conclude, finish

from .services import Postgres, Redis, postgres_programs


class Clock:
    """A time that only tests move."""

    def __init__(self):
        self.time = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self):
        return self.time

    def turn(self, **by):
        self.time += timedelta(**by)


class Place:
    """A host, and what tests do with it."""

    def __init__(self, folder, database=None):
        self.clock = Clock()
        opened = open_host(folder, database=database)
        self.host = Host(opened.challenge, opened.database, opened.queue_url, self.clock)
        self.organizer = set_up(self.host)
        self.queued = []

    @property
    def database(self) -> Database:
        return self.host.database

    def team(self, name="Alpha"):
        """A new team's member."""
        with self.database.writing() as session:
            team = make_team(session, self.clock(), "test", name)
            token = make_token(session, self.clock(), "test", "member", team)
        return self.account(token)

    def account(self, token):
        with self.database.reading() as session:
            return authenticate(session, token)

    def intake(self):
        host = self.host
        return Intake(host.challenge, host.database, host.files, self.queued.append)

    def submit(self, account, frame=None, quality=0.3, seed=0, name="answers.csv", track=""):
        frame = answers_of(quality, seed) if frame is None else frame
        data = frame if isinstance(frame, bytes) else frame.write_csv().encode()
        return self.intake().submit(account, io.BytesIO(data), name, track, self.clock())

    def score(self, submission_id):
        """As a worker does it, in this process: whether it was done."""
        held = claim(self.database, self.host.challenge.definition, submission_id, self.clock())
        if held is None:
            return False
        done = finish(self.database, held, compute(self.host.challenge, self.host.files, held.stored), self.clock())
        with self.database.writing() as session:
            conclude(session)
        return done

    def score_all(self):
        done = [self.score(number) for number in self.queued]
        self.queued.clear()
        return done


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A challenge's folder, to be copied."""
    folder = tmp_path_factory.mktemp("made")
    make_manifest().write_csv(folder / "manifest.csv")
    return create(folder / "toy", folder / "manifest.csv", name="Toy").folder


@pytest.fixture
def folder(made, tmp_path):
    """A challenge's folder, for one test."""
    return shutil.copytree(made, tmp_path / "toy")


@pytest.fixture(scope="session")
def postgres():
    if postgres_programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="unmask-") as folder:  # pytest's own may be entered by its owner alone
        server = Postgres(Path(folder))
        yield server
        server.stop(signal.SIGQUIT)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    if shutil.which("redis-server") is None:
        pytest.skip("Redis is not installed: apt-get install redis-server")
    server = Redis(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request):
    """None for SQLite in the challenge's folder, or a new PostgreSQL database."""
    if request.param == "sqlite":
        return None
    return request.getfixturevalue("postgres").database(f"test_{uuid.uuid4().hex}")


@pytest.fixture
def place(folder, database_url):
    place = Place(folder, database_url)
    yield place
    place.database.close()


@pytest.fixture
def changed(folder, database_url):
    """Makes a place whose challenge.yaml has other lines."""
    places = []

    def make(lines):
        written = yaml.safe_load((folder / "challenge.yaml").read_text()) | (yaml.safe_load(lines) or {})
        (folder / "challenge.yaml").write_text(yaml.safe_dump(written))
        places.append(Place(folder, database_url))
        return places[-1]

    yield make
    for each in places:
        each.database.close()
