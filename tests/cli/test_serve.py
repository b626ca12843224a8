"""``unmask serve`` and ``unmask worker``: what they refuse, before they say that they serve."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import subprocess
import sys

import psutil
import pytest

from tests.challenge.conftest import make_manifest
from tests.host.server import Server
from tests.host.services import free_port
from unmask.challenge.create import create
from unmask.host.place import open_host, set_up


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    make_manifest().write_csv(folder / "manifest.csv")
    return create(folder / "toy", folder / "manifest.csv", name="Toy").folder


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "toy")


def run(*words, cwd=None):
    command = [sys.executable, "-m", "unmask", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd)


def refused(*words, cwd=None):
    """What the command says, which starts nothing and prints no address."""
    done = run(*words, cwd=cwd)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "next:" in done.stderr
    return done.stderr


def test_a_port_in_use_is_noticed_before_the_address_is_told(folder):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        told = refused("serve", folder, "--port", busy.getsockname()[1])
    assert "Address already in use\n" in told
    assert "--port" in told
    assert not (folder / "host").exists()


def test_without_a_folder_it_wants_one(tmp_path):
    assert "--demo" in refused("serve", cwd=tmp_path)


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--database", "", "--database is empty"),
        ("--database", "sqlite://", "in memory"),
        ("--database", "sqlite:///:memory:", "in memory"),
        ("--database", "postgresql://u:secretpw@127.0.0.1:notaport/x", "cannot be read"),
        ("--database", "postgresql//u:secretpw@127.0.0.1/x", "cannot be read"),
        ("--database", "mysql://u:secretpw@127.0.0.1/x", "cannot be used"),
        ("--queue", " ", "--queue is empty"),
        ("--queue", "redis://u:secretpw@127.0.0.1:notaport/0", "cannot be used"),
        ("--queue", "amqp://u:secretpw@x", "cannot be used"),
        ("--queue", "sqlite:///:memory:", "cannot be used"),
        ("--queue", "sqlite://", "cannot be used"),
    ],
)
def test_an_address_that_cannot_be_used(folder, option, value, told):
    said = refused("serve", folder, "--port", free_port(), option, value)
    assert told in said
    assert "secretpw" not in said
    assert not (folder / "host/challenge.db").exists()  # the organizer's token would have been made and not shown


def test_files_that_are_something_else(folder, tmp_path):
    (tmp_path / "noise").write_bytes(b"not a database" * 100)
    url = f"sqlite:///{tmp_path / 'noise'}"
    assert "file is not a database" in refused("serve", folder, "--port", free_port(), "--database", url)
    assert "file is not a database" in refused("worker", folder, "--database", url)
    assert "file is not a database" in refused("serve", folder, "--port", free_port(), "--queue", url)
    assert (tmp_path / "noise").read_bytes() == b"not a database" * 100


def test_a_worker_before_the_first_start_makes_nothing(folder):
    assert "unmask serve" in refused("worker", folder)
    assert list((folder / "host").iterdir()) == []


def test_a_database_of_a_newer_version(folder):
    host = open_host(folder)
    set_up(host)
    host.database.close()
    with sqlite3.connect(folder / "host/challenge.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    assert "newer unmask" in refused("serve", folder, "--port", free_port())
    assert "newer unmask" in refused("worker", folder)


def test_web_processes_end_with_the_one_that_was_killed(folder):
    server = Server(folder, "--web", "2", workers=1)
    running = psutil.Process(server.process.pid).children(recursive=True)
    server.kill()
    assert len(running) >= 3
    _, left = psutil.wait_procs(running, 30)
    for each in left:
        each.kill()
    assert left == []
