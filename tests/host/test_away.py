"""What a server stands on goes away: PostgreSQL, Redis, room on the disk; a run never ends, or its process dies."""

import contextlib
import os
import signal
import subprocess
import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import yaml
from sqlalchemy import select

import unmask.host.worker
from tests.challenge.conftest import answers_of
from unmask.challenge.submission import score_submission
from unmask.host.place import Host
from unmask.host.records import Score, Submission
from unmask.host.scoring import begin
from unmask.host.worker import Worker

from .server import Server, serving


def data(seed):
    return answers_of(0.3, seed=seed).write_csv().encode()


def test_redis_is_emptied_and_nothing_is_lost(folder, redis_server):
    with serving(folder, "--queue", redis_server.url, workers=0) as server:
        token = server.team()
        for seed in range(3):
            assert server.submit(token, data(seed)).status_code == 201
        assert redis_server.client.dbsize() > 0
        redis_server.client.flushall()
    with serving(folder, "--queue", redis_server.url, workers=2) as server:
        assert [each["state"] for each in server.wait(token)] == ["scored"] * 3


def test_without_redis_files_are_taken_and_wait(folder):
    nobody = "redis://127.0.0.1:1/0"
    with serving(folder, "--queue", nobody, workers=0) as server:
        token = server.team()
        assert server.submit(token, data(0)).status_code == 201
        assert server.submissions(token)[0]["state"] == "queued"
    with serving(folder) as server:
        assert server.wait(token)[0]["state"] == "scored"


def test_postgresql_is_restarted_in_the_middle(folder, postgres):
    url = postgres.database(f"test_{uuid.uuid4().hex}")
    with serving(folder, "--database", url, "--web", "2", workers=2) as server:
        tokens = [server.team(f"T{n}") for n in range(4)]
        answers = []

        def send(number):
            for seed in range(5):
                for _ in range(60):
                    told = server.submit(tokens[number], data(100 * number + seed))
                    answers.append(told.status_code)
                    if told.status_code != 503:
                        break
                    time.sleep(0.5)

        threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        postgres.stop(signal.SIGQUIT)
        time.sleep(1)
        postgres.start()
        for thread in threads:
            thread.join()
        assert set(answers) <= {201, 409, 503}
        for token in tokens:
            found = server.wait(token, 120)
            assert [each["state"] for each in found] == ["scored"] * 5


def sleeping(*_):
    time.sleep(600)


def dying(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def failing(*_):
    raise ZeroDivisionError("1 / 0")


def run_with(place, monkeypatch, function, minutes=10):
    """Score one submission by a real worker whose child does something else; the submission."""
    monkeypatch.setattr(unmask.host.worker, "_in_process", function)
    challenge = place.host.challenge
    limits = replace(challenge.definition.limits, minutes=minutes)
    challenge = replace(challenge, definition=replace(challenge.definition, limits=limits))
    made = place.submit(place.team())
    worker = Worker(Host(challenge, place.database, place.host.queue_url, place.clock))
    try:
        for _ in range(4):
            worker.score(made.id)
    finally:
        worker.end()
    with place.database.reading() as session:
        return session.get(Submission, made.id)


def test_a_run_that_never_ends_is_ended_and_says_so(place, monkeypatch):
    found = run_with(place, monkeypatch, sleeping, minutes=0.05)
    assert found.state == "failed"
    assert "took longer than" in found.error


def test_a_process_that_dies_again_and_again_is_given_up(place, monkeypatch):
    found = run_with(place, monkeypatch, dying)
    assert found.state == "failed"
    assert "broke off 3 times" in found.error


def test_a_fault_of_ours_is_tried_again_and_its_words_are_kept_from_teams(place, monkeypatch, caplog):
    found = run_with(place, monkeypatch, failing)
    assert found.state == "failed"
    assert "broke off 3 times" in found.error
    assert "1 / 0" not in found.error
    assert "1 / 0" in caplog.text


@contextlib.contextmanager
def small_disk(folder, megabytes):
    """A file system of so many MB over a folder's content."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    kept = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("this system lets nobody mount a small disk")
    try:
        for name, content in kept.items():
            (folder / name).write_bytes(content)
        (folder / "submissions").mkdir()
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_costs_nothing_and_loses_nothing(folder):
    with small_disk(folder, 20), serving(folder) as server:
        token = server.team()
        assert server.submit(token, data(0)).status_code == 201
        server.wait(token)
        filler = Path(folder) / "filler"
        with contextlib.suppress(OSError), filler.open("wb") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
        told = server.submit(token, data(1))
        assert told.status_code in (503, 507), told.text
        assert told.json()["error"]["code"] in ("storage", "database_away")
        assert server.client.get("/api/board").status_code == 200
        filler.unlink()
        assert server.submit(token, data(1)).status_code == 201
        assert [each["state"] for each in server.wait(token)] == ["scored", "scored"]


def test_a_database_that_cannot_be_written_is_told_at_the_start(folder):
    with small_disk(folder, 20):
        with serving(folder, workers=0) as server:
            token = server.team()
            assert server.submit(token, data(0)).status_code == 201
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        with pytest.raises(RuntimeError, match="cannot be written"):
            Server(folder)
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
        with serving(folder) as server:
            assert [each["state"] for each in server.wait(token)] == ["scored"]


def test_workers_end_with_their_server(folder):
    for end in (Server.stop, Server.kill):
        server = Server(folder, workers=2)
        running = [each for each in psutil.Process(server.process.pid).children() if "worker" in each.cmdline()]
        assert len(running) == 2
        end(server)
        _, alive = psutil.wait_procs(running, timeout=30)
        assert not alive


def test_a_worker_that_goes_on_scores_by_the_definition_that_holds(place):
    """The answer key stays, the metric changes: what the worker's process remembers of the challenge is out of date."""
    made = place.submit(place.team())
    worker = Worker(place.host)
    folder = place.host.challenge.folder
    try:
        worker.score(made.id)
        written = yaml.safe_load((folder / "challenge.yaml").read_text()) | {"metric": "log_loss"}
        (folder / "challenge.yaml").write_text(yaml.safe_dump(written))
        with place.database.writing() as session:
            begin(session, place.clock(), place.host.challenge, "organizer", "another metric")
        worker.score(made.id)
    finally:
        worker.end()
    expected = score_submission(folder, place.host.files.path(made.stored), usage="public").metrics
    with place.database.reading() as session:
        found = {each.scoring_id: each.values for each in session.scalars(select(Score).where(Score.part == "public"))}
    assert found == {1: [expected["roc_auc"].value], 2: [pytest.approx(expected["log_loss"].value)]}
