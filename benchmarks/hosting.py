"""A rush on a leaderboard server: many teams send at once, while people look at the board.

    python benchmarks/hosting.py [--teams 200] [--each 5] [--rows 10000] [--web 1] [--workers 2]
                                 [--database URL] [--queue URL] [--stored 10000]

``unmask serve`` is started on loopback. Each team sends one file more than its daily limit, which must be refused; at
the end the database is looked at: each accepted submission has its two scores, one for each part. Then the board is
asked for again with ``--stored`` submissions in the database. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import polars as pl
import yaml
from measuring import table, told
from sqlalchemy import func, insert, select

from unmask.challenge.create import create
from unmask.host.database import Database
from unmask.host.records import Score, Submission

#: Requests that are under way at a time.
SENDERS, READERS = 32, 2
#: Seconds after which a run is given up.
PATIENCE = 1800


def make(folder: Path, rows: int, each: int) -> tuple[Path, pl.DataFrame]:
    """A challenge in ``folder``, and its key."""
    random = np.random.default_rng(0)
    key = pl.DataFrame({"id": [f"video_{n:05d}.mp4" for n in range(rows)], "label": random.integers(0, 2, rows)})
    key.write_csv(folder / "key.csv")
    made = create(folder / "challenge", folder / "key.csv", split=None, metric="log_loss").folder
    said = yaml.safe_load((made / "challenge.yaml").read_text()) | {"limits": {"daily": each}}
    (made / "challenge.yaml").write_text(yaml.safe_dump(said))
    return made, key


def body(key: pl.DataFrame, seed: int) -> bytes:
    """A submission: somewhat right."""
    noise = np.random.default_rng(seed).normal(size=key.height)
    return key.select("id", score=1 / (1 + np.exp(-(1.2 * key["label"].to_numpy() - 0.6 + noise)))).write_csv().encode()


class Served:
    """``unmask serve`` while the block runs."""

    def __init__(self, challenge: Path, given: argparse.Namespace) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        words = ["serve", str(challenge), "--port", str(port), "--web", str(given.web), "--workers", str(given.workers)]
        for name in ("database", "queue"):
            if value := getattr(given, name):
                words += [f"--{name}", value]
        self.log = challenge.parent / "serve.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "unmask", *words], stdout=log, stderr=log)

    def __enter__(self) -> Served:
        for _ in range(300):
            try:
                httpx.get(f"{self.url}/api/challenge")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        found = re.search(r"um_\S+", self.log.read_text())
        if found is None:
            raise SystemExit(f"the server has not started: {self.log.read_text()}")
        self.organizer = found[0]
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(60)


def look(url: str, ending: threading.Event, seconds: list[float]) -> None:
    """Ask for the board page again and again."""
    with httpx.Client(base_url=url, timeout=120, headers={"Accept": "text/html"}) as client:
        while not ending.is_set():
            start = time.perf_counter()
            client.get("/").raise_for_status()
            seconds.append(time.perf_counter() - start)
            ending.wait(0.1)


def looked(url: str, run: object, readers: int = READERS) -> list[float]:
    """Seconds of each look at the board while ``run`` is under way."""
    ending, seconds = threading.Event(), []
    threads = [threading.Thread(target=look, args=(url, ending, seconds)) for _ in range(readers)]
    for thread in threads:
        thread.start()
    try:
        run()  # type: ignore[operator]
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    return seconds


def rush(served: Served, key: pl.DataFrame, given: argparse.Namespace, database: Database) -> dict[str, object]:
    """All teams at once; what came of it."""
    with httpx.Client(base_url=served.url, timeout=120) as client:
        headers = {"Authorization": f"Bearer {served.organizer}"}
        tokens = [
            client.post("/api/teams", json={"name": f"Team {n}", "member": "A"}, headers=headers).json()["token"]
            for n in range(given.teams)
        ]
    codes: list[int] = []
    client = httpx.Client(base_url=served.url, timeout=300, limits=httpx.Limits(max_connections=SENDERS))

    def send(number: int) -> None:
        token = tokens[number % given.teams]
        files = {"file": ("a.csv", body(key, number))}
        codes.append(
            client.post("/api/submissions", files=files, headers={"Authorization": f"Bearer {token}"}).status_code
        )

    took: dict[str, float] = {}

    def everything() -> None:
        start = time.perf_counter()
        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(send, range(given.teams * (given.each + 1))))
        took["accepted"] = time.perf_counter() - start
        while time.perf_counter() - start < PATIENCE:
            with database.reading() as session:
                left = session.scalar(select(func.count()).select_from(Submission).where(Submission.state != "scored"))
            if not left:
                break
            time.sleep(0.5)
        took["scored"] = time.perf_counter() - start

    seconds = looked(served.url, everything)
    client.close()
    with database.reading() as session:
        submissions = session.scalar(select(func.count()).select_from(Submission))
        per = select(Submission.team_id, func.count().label("n")).group_by(Submission.team_id).subquery()
        most, least = session.execute(select(func.max(per.c.n), func.min(per.c.n))).one()
        scores = session.scalar(select(func.count()).select_from(Score))
    return {
        "sent": len(codes), "accepted": codes.count(201), "refused by the limit": codes.count(429),
        "other answers": len(codes) - codes.count(201) - codes.count(429), "submissions kept": submissions,
        "of a team": f"{least} to {most}", "scores": scores,
        "seconds until all were accepted": f"{took['accepted']:.0f}",
        "seconds until all were scored": f"{took['scored']:.0f}", **told_times(seconds),
    }  # fmt: skip


def told_times(seconds: list[float]) -> dict[str, str]:
    """Median and 99th percentile of looks at the board."""
    median, last = np.percentile(seconds, (50, 99))
    return {
        "looks at the board": str(len(seconds)),
        "median look, ms": f"{1000 * median:.0f}",
        "99th percentile, ms": f"{1000 * last:.0f}",
    }


def fill(database: Database, stored: int) -> None:
    """Copies of what there is, up to so many submissions."""
    with database.writing() as session:
        submissions = session.execute(select(*Submission.__table__.columns).order_by(Submission.id)).mappings().all()
        scores = session.execute(select(*Score.__table__.columns)).mappings().all()
        of = {
            number: [s for s in scores if s["submission_id"] == number]
            for number in {s["submission_id"] for s in scores}
        }
        following = submissions[-1]["id"] + 1
        for number in range(stored - len(submissions)):
            original = submissions[number % len(submissions)]
            new = following + number
            session.execute(insert(Submission), dict(original) | {"id": new, "sha256": f"{new:064d}"})
            session.execute(insert(Score), [dict(each) | {"submission_id": new} for each in of[original["id"]]])


def main(given: argparse.Namespace) -> None:
    """Print the tables."""
    scratch = Path(tempfile.mkdtemp(prefix="unmask-"))
    try:
        challenge, key = make(scratch, given.rows, given.each)
        database = Database(given.database or f"sqlite:///{challenge / 'host' / 'challenge.db'}")
        with Served(challenge, given) as served:
            found = rush(served, key, given, database)
            told("the rush is over")
            kind = database.engine.dialect.name
            title = f"{given.teams} teams, {given.rows:,} rows, {kind}, {given.web} web, {given.workers} workers"
            table([title, ""], [[name, str(value)] for name, value in found.items()])
            fill(database, given.stored)
            # A change, so that the board is made anew with all of them.
            httpx.post(
                f"{served.url}/api/invitations", json={}, headers={"Authorization": f"Bearer {served.organizer}"}
            )
            time.sleep(3)
            seconds = looked(served.url, lambda: time.sleep(20), readers=4)
            table(
                [f"{given.stored:,} submissions stored, {kind}", ""],
                [list(each) for each in told_times(seconds).items()],
            )
        database.close()
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("teams", 200), ("each", 5), ("rows", 10_000), ("web", 1), ("workers", 2), ("stored", 10_000)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--database")
    parser.add_argument("--queue")
    main(parser.parse_args())
