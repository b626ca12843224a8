"""PostgreSQL and Redis as they come from Debian's packages, started for the tests and ended after them."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import psycopg
import redis


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def postgres_programs():
    """The folder of initdb and postgres; None where they are not installed."""
    found = shutil.which("postgres")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders and (folders[-1] / "initdb").is_file() else None


class Postgres:
    """One server with a folder of its own. It refuses to run as root, and is then run as the user postgres."""

    def __init__(self, folder):
        self.folder, self.port = folder / "data", free_port()
        self._programs = postgres_programs()
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            folder.chmod(0o755)
            shutil.chown(folder, self._user)
        self._run("initdb", "-D", self.folder, "-A", "trust", "-U", "unmask", "-E", "UTF8", "--no-sync")
        self.process = None
        self.start()

    def _options(self):
        if not self._user:
            return {}
        user = pwd.getpwnam(self._user)
        return {"user": user.pw_uid, "group": user.pw_gid, "cwd": "/"}

    def _run(self, program, *words):
        command = [self._programs / program, *words]
        subprocess.run(command, check=True, capture_output=True, **self._options())

    def start(self):
        settings = {"listen_addresses": "127.0.0.1", "max_connections": 200, "unix_socket_directories": self.folder}
        words = ["-D", self.folder, "-p", str(self.port), *(f"--{name}={value}" for name, value in settings.items())]
        self.process = subprocess.Popen(
            [self._programs / "postgres", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            **self._options(),
        )  # fmt: skip
        for _ in range(200):
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.dsn("postgres")):
                return
            time.sleep(0.1)
        raise RuntimeError("PostgreSQL does not answer")

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        self.process.wait(30)

    def dsn(self, name):
        return f"postgresql://unmask@127.0.0.1:{self.port}/{name}"

    def database(self, name):
        """A new database; its URL."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.dsn(name)


class Redis:
    """One server that keeps nothing on disk."""

    def __init__(self, folder):
        self.port = free_port()
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
            stdout=subprocess.DEVNULL,
        )
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = redis.Redis.from_url(self.url)
        for _ in range(100):
            with contextlib.suppress(redis.exceptions.ConnectionError):
                self.client.ping()
                return
            time.sleep(0.05)
        raise RuntimeError("Redis does not answer")

    def stop(self):
        self.client.close()
        self.process.terminate()
        self.process.wait(10)
