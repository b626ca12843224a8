"""On a real Ray cluster of this machine, with two processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
import ray

from unmask.media.ray_workers import in_order
from unmask.media.workers import Lost
from unmask.tables.errors import UnmaskError


@pytest.fixture(scope="module", autouse=True)
def cluster():
    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    yield
    ray.shutdown()


def slow(folder: str, number: int) -> tuple[int, int]:
    """Notes who works on what, and takes a while."""
    Path(folder, f"{os.getpid()}-{number}-{time.time_ns()}").touch()
    time.sleep(0.2)
    return number, os.getpid()


def test_a_process_that_is_killed_while_it_works_costs_no_file(tmp_path):
    killed = []

    def kill_one() -> None:
        while len(list(tmp_path.iterdir())) < 8:
            time.sleep(0.01)
        newest = max(tmp_path.iterdir(), key=lambda path: int(path.name.split("-")[2]))
        killed.append(newest.name.split("-"))
        os.kill(int(killed[0][0]), signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    found = list(in_order(slow, [[str(tmp_path), number] for number in range(24)], workers=2, time_limit_s=60))
    killer.join()
    assert [number for number, _ in found] == list(range(24))  # type: ignore[misc]
    begun = [path.name.split("-")[1] for path in tmp_path.iterdir()]
    assert begun.count(killed[0][1]) == 2  # begun again
    assert len({pid for _, pid in found}) == 3  # type: ignore[misc]


def odd(number: int) -> int:
    if number == 2:
        os.abort()
    if number == 4:
        time.sleep(60)
    return number * number


def test_a_crash_and_a_hang_cost_one_file_each():
    found = list(in_order(odd, [[number] for number in range(6)], workers=2, time_limit_s=3))
    assert found == [0, 1, Lost("decoder_crashed"), 9, Lost("took_too_long"), 25]


class Slow:
    """Work that takes a process longer to load than a file may take."""

    def __reduce__(self):
        return _load, ()

    def __call__(self, number: int) -> int:
        return number * number


def _load() -> Slow:
    time.sleep(3)
    return Slow()


def test_the_start_of_a_process_is_not_the_file_s_time():
    assert list(in_order(Slow(), [[number] for number in range(4)], workers=2, time_limit_s=2)) == [0, 1, 4, 9]


class Broken(Slow):
    """Work that no process of the cluster can load."""

    def __reduce__(self):
        return _break, ()


def _break() -> None:
    os._exit(1)


def test_processes_that_cannot_begin_are_told_and_cost_no_file():
    with pytest.raises(UnmaskError, match="end before they begin") as caught:
        list(in_order(Broken(), [[1], [2]], workers=2, time_limit_s=30))
    assert "every machine" in caught.value.next_step


def fails(number: int) -> int:
    raise KeyError(number)


def test_what_the_work_raises_is_raised():
    with pytest.raises(KeyError):
        list(in_order(fails, [[1]], workers=1, time_limit_s=30))


def test_faces_are_prepared_alike_here_and_there(prepared, tmp_path):
    from unmask.faces.prepare import default_settings, prepare
    from unmask.faces.store import FaceStore

    done = prepare(prepared.rows(), tmp_path / "s", default_settings(frames=4, size=96), executor="ray", workers=2)
    assert done.crops > 0
    assert FaceStore(tmp_path / "s").table.to_pylist() == FaceStore(prepared.store).table.to_pylist()
